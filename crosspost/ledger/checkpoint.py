"""Checkpoints: the size and root of the ledger at one moment, signed (C2SP tlog-checkpoint).

Pure. It must not decide whether one may be signed: `sealing.py` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crosspost.errors import Undecided
from crosspost.ledger.note import Signer, Verifier, from_base64, open_note, to_base64
from crosspost.ledger.tree import HASH_BYTES
from crosspost.wording import t

#: A decimal as C2SP writes it: no sign, no leading zero; 64 bits are at most 20 digits.
DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """`origin` names the log. Two of one origin and size with different roots prove a fork."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    def signed(self, signer: Signer) -> bytes:
        """The signed note."""
        return signer.sign(self.text())


def read_checkpoint(note: bytes, verifier: Verifier) -> Checkpoint:
    """The checkpoint that `verifier` signed for its own log. Lines that come after the root are
    allowed and mean nothing here. Raises Refuted, Undecided."""
    lines = open_note(note, verifier).split("\n")[:-1]
    if len(lines) >= 3 and all(lines) and DECIMAL.fullmatch(lines[1]):
        root = from_base64(lines[2])
        if root is not None and len(root) == HASH_BYTES and lines[0] == verifier.name:
            return Checkpoint(lines[0], int(lines[1]), root)
    raise Undecided(
        t("This is not a checkpoint of {name}.", name=verifier.name),
        hint=t("Get the file again, whole and unchanged."),
    )
