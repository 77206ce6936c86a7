"""The append-only record of every act: what an entry is, how it is hashed, where it is kept.

`canonical.py` and `hashing.py` are pure; `book.py` writes and reads. Nothing here decides what
happens to a delivery.
"""
