"""Signed notes: a text with Ed25519 signatures under it (C2SP signed-note).

Pure: bytes in, bytes out. It must not know what a note says, nor where a key is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from crosspost.errors import Refuted, Undecided
from crosspost.ledger import ed25519
from crosspost.ledger.ed25519 import KEY_BYTES
from crosspost.wording import t

ED25519 = b"\x01"  # the signature type of a plain Ed25519 signature
MOST_SIGNATURES = 64
_DASH = "\N{EM DASH} "


@dataclass(frozen=True)
class Verifier:
    """A public key and its name: who may have signed."""

    name: str
    public: bytes  # 32 bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key in a signature line; no proof of anything."""
        named = self.name.encode() + b"\n" + ED25519 + self.public
        return hashlib.sha256(named).digest()[:4]

    def __str__(self) -> str:
        """The verification key as text: NAME+ID+KEY."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(ED25519 + self.public)}"

    def holds(self, signature: bytes, text: bytes) -> bool:
        """Whether this key signed `text`."""
        return ed25519.holds(self.public, signature, text)


@dataclass(frozen=True, repr=False)
class Signer:
    """A private key and its name. It has no readable form but `secret`."""

    name: str
    seed: bytes  # 32 bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, ed25519.public_of(self.seed))

    @property
    def secret(self) -> str:
        """The key as its file holds it: PRIVATE+KEY+NAME+ID+KEY, as other programs for signed
        notes write it."""
        key_id = self.verifier.key_id.hex()
        return f"PRIVATE+KEY+{self.name}+{key_id}+{to_base64(ED25519 + self.seed)}"

    def sign(self, text: str) -> bytes:
        """A signed note of `text`, which ends with a newline. The same text and key always give
        the same bytes (RFC 8032)."""
        return signed_by(text, self)

    def line(self, text: str) -> str:
        """The signature under a note of `text`."""
        made = ed25519.signature(self.seed, text.encode())
        return f"{_DASH}{self.name} {to_base64(self.verifier.key_id + made)}\n"


def signed_by(text: str, *signers: Signer) -> bytes:
    """A note of `text`, which ends with a newline, signed by each of them."""
    if not is_note_text(text):
        raise ValueError("a note is lines of text without control characters")
    return f"{text}\n{''.join(signer.line(text) for signer in signers)}".encode()


def new_signer(name: str) -> Signer:
    """A fresh key. Raises ValueError for a name that cannot stand in a note."""
    if not is_name(name):
        raise ValueError("a key's name has no spaces, no plus signs and no control characters")
    return Signer(name, ed25519.new_seed())


def read_verifier(text: str) -> Verifier:
    """The key of NAME+ID+KEY. Raises Undecided when it is none."""
    name, key_id, key = ([*text.strip().split("+", 2), "", ""])[:3]
    raw = from_base64(key)
    if is_name(name) and raw is not None and raw[:1] == ED25519 and len(raw) == 1 + KEY_BYTES:
        verifier = Verifier(name, raw[1:])
        if verifier.key_id.hex() == key_id:
            return verifier
    raise Undecided(
        t("This is no verification key."),
        hint=t("It is one line like: office.example/ledger+530d903a+AekyeRrm5..."),
    )


def read_signer(text: str) -> Signer:
    """The key of PRIVATE+KEY+NAME+ID+KEY. Raises Undecided, without repeating any of it."""
    head, _, rest = text.strip().partition("PRIVATE+KEY+")
    name, key_id, key = ([*rest.split("+", 2), "", ""])[:3]
    raw = from_base64(key)
    if not head and is_name(name) and raw and raw[:1] == ED25519 and len(raw) == 1 + KEY_BYTES:
        signer = Signer(name, raw[1:])
        if signer.verifier.key_id.hex() == key_id:
            return signer
    raise Undecided(t("The key file of the ledger is damaged."), hint=t("Bring it back as it was."))


def open_note(note: bytes, verifier: Verifier) -> str:
    """The text of a note that `verifier` signed; other signers are passed over.

    Raises Refuted when a signature said to be of this key does not hold, Undecided when this is no
    note or has no signature of this key.
    """
    text, signatures = parts(note)
    ours = [raw for name, raw in signatures if (name, raw[:4]) == (verifier.name, verifier.key_id)]
    if not ours:
        raise _not_signed(verifier, by_another=any(name == verifier.name for name, _ in signatures))
    if not all(verifier.holds(raw[4:], text.encode()) for raw in ours):
        raise Refuted(t("The signature of {name} does not hold.", name=verifier.name))
    return text


def _not_signed(verifier: Verifier, *, by_another: bool) -> Undecided:
    """A note alone cannot say whether the other key is this ledger's too: what leads from key to
    key is `identity.json`."""
    if not by_another:
        return Undecided(
            t("There is no signature of {name} by this key.", name=verifier.name),
            hint=t("Get the right verification key from the office itself."),
        )
    return Undecided(
        t("There is no signature of {name} by this key, but one by another.", name=verifier.name),
        hint=t(
            "If the office has exchanged its key, identity.json of its site leads from one to the "
            "other. See whether it does from yours: crosspost verify identity.json --key VKEY; "
            "then verify with --key identity.json"
        ),
    )


def parts(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note, and its signatures: whose, and the key's four bytes with what was signed.
    Nothing is verified yet. Raises Undecided when this is no note."""
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise _no_note() from error
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not is_note_text(text + "\n") or not lines.endswith("\n"):
        raise _no_note()
    signatures = list(_signatures(lines[:-1].split("\n")))
    if len(signatures) > MOST_SIGNATURES:
        raise _no_note()
    return text + "\n", signatures


def _signatures(lines: list[str]) -> Iterator[tuple[str, bytes]]:
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        raw = from_base64(encoded)
        if not line.startswith(_DASH) or not space or not is_name(name) or not raw or len(raw) < 5:
            raise _no_note()
        yield name, raw


def _no_note() -> Undecided:
    return Undecided(
        t("This is not a signed note."), hint=t("Get the file again, whole and unchanged.")
    )


def is_note_text(text: str) -> bool:
    """Whether `text` may be signed: it ends with a newline and has no other control character."""
    return text.endswith("\n") and not any(ord(c) < 0x20 and c != "\n" for c in text)


def is_name(name: str) -> bool:
    """Whether a key may have this name."""
    return bool(name) and not any(
        c.isspace() or c == "+" or ord(c) < 0x20 or "\ud800" <= c <= "\udfff" for c in name
    )


def to_base64(raw: bytes) -> str:
    """Standard Base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes | None:
    """The bytes of standard Base64; None when it is not exactly what `to_base64` would write."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if to_base64(raw) == text else None
