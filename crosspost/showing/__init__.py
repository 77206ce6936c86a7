"""Showing: what the public can see of the record, on the office's site.

`subjects.py` reads what is public of an announcement, `shelf.py` writes it, signed, `exhibit.py`
does both after sealing. What is public was decided before; this room must not decide it, and
writes nothing into the database.
"""
