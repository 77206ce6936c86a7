"""Ed25519 keys and signatures as bytes (RFC 8032).

`cryptography` does the work; with 7 MB it is loaded only when something is signed or verified.
"""

from __future__ import annotations

KEY_BYTES = 32


def new_seed() -> bytes:
    """A fresh private key, 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(seed: bytes) -> bytes:
    """The public half of a private key, 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def signature(seed: bytes, data: bytes) -> bytes:
    """64 bytes; the same for the same key and data."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).sign(data)


def holds(public: bytes, signed: bytes, data: bytes) -> bool:
    """Whether the private half of `public` signed `data`; False for a key that is none."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, data)
    except (InvalidSignature, ValueError):
        return False
    return True
