"""The append-only record of every act: what an entry is, how it is hashed, where it is kept.

Pure: `canonical.py`, `hashing.py`, `tree.py`, `tiles.py` (hashes), and `note.py`, `checkpoint.py`,
`proof.py` (what is signed and shown). `book.py` writes and reads the database, `strongbox.py` keeps
key and head outside of it, `sealing.py` signs, `audit.py` verifies what is stored, `evidence.py`
gives out proofs, `verifying.py` checks them without an office. Nothing here decides what happens
to a delivery.
"""
