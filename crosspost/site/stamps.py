"""The newest time stamp of the record that a site shows, as far as the ledger goes: whether the
stamp itself holds, is not decided here.

Needs no office and no database. It believes no file before a signature or a hash says so.
"""
