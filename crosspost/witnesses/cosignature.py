"""Cosignatures: a witness says that it saw a checkpoint, and when (C2SP tlog-cosignature, the
Ed25519 kind, `cosignature/v1`).

Pure: bytes in, bytes out. It must not decide whether a checkpoint may be cosigned: `protocol.py`
does.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crosspost.errors import Refuted, Undecided
from crosspost.ledger import ed25519
from crosspost.ledger.ed25519 import KEY_BYTES
from crosspost.ledger.note import from_base64, is_name, parts, to_base64
from crosspost.wording import t

COSIGNATURE = b"\x04"  # the signature type of a cosignature by Ed25519 (C2SP signed-note)
#: Four bytes that name the key, the time as 64 bits, the signature.
_LINE_BYTES = 4 + 8 + 64
#: A clock may be wrong by so much; what is later is not believed.
LEEWAY = timedelta(minutes=5)
_LAST = int(datetime.max.replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Witness:
    """The public key of a witness, and its name."""

    name: str
    public: bytes  # 32 bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key in a signature line; no proof of anything."""
        named = self.name.encode() + b"\n" + COSIGNATURE + self.public
        return hashlib.sha256(named).digest()[:4]

    def __str__(self) -> str:
        """The verification key as text: NAME+ID+KEY."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(COSIGNATURE + self.public)}"

    def time_of(self, raw: bytes, text: str) -> int | None:
        """When this witness cosigned `text`, in seconds since 1970, by the bytes of a signature
        line; None when the cosignature does not hold. A cosignature without time does not."""
        if len(raw) != _LINE_BYTES or raw[:4] != self.key_id:
            return None
        [at] = struct.unpack(">Q", raw[4:12])
        if not 0 < at <= _LAST:
            return None
        if not ed25519.holds(self.public, raw[12:], _message(text, at)):
            return None
        return int(at)


@dataclass(frozen=True, repr=False)
class WitnessSigner:
    """A private key that cosigns, and its name. It has no readable form but `secret`."""

    name: str
    seed: bytes  # 32 bytes

    @property
    def witness(self) -> Witness:
        """The public half."""
        return Witness(self.name, ed25519.public_of(self.seed))

    @property
    def secret(self) -> str:
        """The key as its file holds it: PRIVATE+KEY+NAME+ID+KEY."""
        key_id = self.witness.key_id.hex()
        return f"PRIVATE+KEY+{self.name}+{key_id}+{to_base64(COSIGNATURE + self.seed)}"

    def cosign(self, text: str, now: datetime) -> bytes:
        """The signature line under the text of a checkpoint."""
        at = int(now.timestamp())
        made = ed25519.signature(self.seed, _message(text, at))
        raw = self.witness.key_id + struct.pack(">Q", at) + made
        return signature_line(self.name, raw)


def new_witness_signer(name: str) -> WitnessSigner:
    """A fresh key. Raises ValueError for a name that cannot stand in a note."""
    if not is_name(name):
        raise ValueError("a key's name has no spaces, no plus signs and no control characters")
    return WitnessSigner(name, ed25519.new_seed())


def signature_line(name: str, raw: bytes) -> bytes:
    """A line under a note."""
    return f"\N{EM DASH} {name} {to_base64(raw)}\n".encode()


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def read_witness(text: str) -> Witness:
    """The key of NAME+ID+KEY. Raises Undecided when it is not that of a witness."""
    name, key_id, key = ([*text.strip().split("+", 2), "", ""])[:3]
    raw = from_base64(key)
    if is_name(name) and raw and raw[:1] == COSIGNATURE and len(raw) == 1 + KEY_BYTES:
        witness = Witness(name, raw[1:])
        if witness.key_id.hex() == key_id:
            return witness
    raise Undecided(
        t("This is no verification key of a witness that crosspost can check."),
        hint=t(
            "It is one line like: witness.example/w1+a5b6c7d8+BE2..., for Ed25519 cosignatures; "
            "the key of a ledger is another one."
        ),
    )


def read_witnesses(text: str) -> list[Witness]:
    """The keys of a file: one a line, or those of an `identity.json`. Raises Undecided, also when
    there are none."""
    try:
        if text.lstrip().startswith("{"):
            lines = [str(one) for one in [*json.loads(text)["witnesses"]]]
        else:
            lines = [line for line in text.split("\n") if line.strip()]
    except (ValueError, KeyError, TypeError, RecursionError):
        lines = []
    if not lines:
        raise Undecided(t("There are no keys of witnesses in this file."))
    return [read_witness(line) for line in lines]


def read_witness_signer(text: str) -> WitnessSigner:
    """The key of PRIVATE+KEY+NAME+ID+KEY. Raises Undecided, without repeating any of it."""
    head, _, rest = text.strip().partition("PRIVATE+KEY+")
    name, key_id, key = ([*rest.split("+", 2), "", ""])[:3]
    raw = from_base64(key)
    if not head and is_name(name) and raw and raw[:1] == COSIGNATURE and len(raw) == 1 + KEY_BYTES:
        signer = WitnessSigner(name, raw[1:])
        if signer.witness.key_id.hex() == key_id:
            return signer
    raise Undecided(
        t("The key file of the witness is damaged."), hint=t("Bring it back as it was.")
    )


@dataclass(frozen=True)
class Cosignature:
    """`witness` saw the checkpoint at the time `at` (aware) by its own clock; `raw` are the bytes
    of its line."""

    witness: Witness
    at: datetime
    raw: bytes

    def line(self) -> bytes:
        """The signature line."""
        return signature_line(self.witness.name, self.raw)


def cosignatures(note: bytes, witnesses: Iterable[Witness]) -> list[Cosignature]:
    """The cosignatures under a note by these witnesses, of each the newest; those of others are
    passed over (C2SP signed-note).

    Raises Refuted when one that is said to be of such a witness does not hold, Undecided when this
    is no note.
    """
    text, signatures = parts(note)
    found: dict[Witness, Cosignature] = {}
    for witness in witnesses:
        for name, raw in signatures:
            if (name, raw[:4]) != (witness.name, witness.key_id):
                continue
            seconds = witness.time_of(raw, text)
            if seconds is None:
                raise Refuted(t("The cosignature of {name} does not hold.", name=witness.name))
            at = datetime.fromtimestamp(seconds, UTC)
            if witness not in found or found[witness].at < at:
                found[witness] = Cosignature(witness, at, raw)
    return list(found.values())


def believable(found: Sequence[Cosignature], now: datetime) -> list[Cosignature]:
    """Those that are not of a time to come."""
    return [one for one in found if one.at <= now + LEEWAY]


def require_quorum(found: Sequence[Cosignature], of: int, quorum: int) -> None:
    """Raises Undecided when fewer than `quorum` of the `of` witnesses cosigned."""
    if len(found) < quorum:
        raise Undecided(
            t(
                "The signature of the office holds, but only {found} of {count} witnesses "
                "cosigned it, and {quorum} are needed.",
                found=len(found),
                count=of,
                quorum=quorum,
            ),
            hint=t(
                "Take the newest checkpoint from the office's site: a new one is cosigned after "
                "some seconds, if the witnesses can be reached."
            ),
        )
