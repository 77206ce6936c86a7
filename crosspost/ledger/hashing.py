"""The hashes of the ledger. Pure: bytes in, bytes out; it must not know entries or storage."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from crosspost.ledger.canonical import canonical

SALT_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry), 32 bytes: the leaf of an entry (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), 32 bytes: an inner node (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def new_salt() -> bytes:
    """32 random bytes. Once they are erased, a digest says nothing about a guessed text."""
    return secrets.token_bytes(SALT_BYTES)


def salted_digest(salt: bytes, content: Any) -> str:
    """SHA-256(salt ‖ canonical JSON of `content`), as 64 hex digits. `salt` is 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 32 bytes")
    return hashlib.sha256(salt + canonical(content)).hexdigest()
