"""The proof that one entry is in the ledger, as one text file (C2SP tlog-proof).

Pure. The entry itself travels in the line `extra`, so a proof needs nothing else but the key. That
line is not signed: it counts only because its hash is the leaf that the proof is about.
"""

from __future__ import annotations

from dataclasses import dataclass

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.checkpoint import DECIMAL, Checkpoint, read_checkpoint
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.note import Verifier, from_base64, to_base64
from crosspost.ledger.tree import HASH_BYTES, inclusion_holds
from crosspost.wording import t

FIRST_LINE = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"  # as the specification wants files to be called
MOST_STEPS = 64


@dataclass(frozen=True)
class Proof:
    """`entry` at `index`, the hashes from the leaf's sibling to the root's child, and the signed
    checkpoint of a tree that has them."""

    entry: bytes
    index: int
    steps: tuple[bytes, ...]
    note: bytes

    def text(self) -> bytes:
        """The file."""
        lines = [FIRST_LINE, f"extra {to_base64(self.entry)}", f"index {self.index}"]
        lines += map(to_base64, self.steps)
        return "\n".join([*lines, "", ""]).encode() + self.note

    def check(self, verifier: Verifier) -> Checkpoint:
        """The checkpoint, if signature and proof hold. Raises Refuted, Undecided."""
        checkpoint = read_checkpoint(self.note, verifier)
        leaf = leaf_hash(self.entry)
        if not inclusion_holds(self.index, checkpoint.size, leaf, self.steps, checkpoint.root):
            raise Refuted(
                t(
                    "Entry {index} as shown is not in the ledger of {origin}.",
                    index=self.index,
                    origin=checkpoint.origin,
                )
            )
        return checkpoint


def read_proof(data: bytes) -> Proof:
    """The proof in a file, not yet checked. Raises Undecided when the file is no proof of ours."""
    head, blank, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _no_proof() from error
    if not blank or not 3 <= len(lines) <= 3 + MOST_STEPS or lines[0] != FIRST_LINE:
        raise _no_proof()
    entry = _after("extra ", lines[1])
    steps = [from_base64(line) for line in lines[3:]]
    index = lines[2].removeprefix("index ")
    raw = from_base64(entry)
    if lines[2] != f"index {index}" or not DECIMAL.fullmatch(index) or raw is None:
        raise _no_proof()
    good = [step for step in steps if step is not None and len(step) == HASH_BYTES]
    if len(good) != len(steps):
        raise _no_proof()
    return Proof(raw, int(index), tuple(good), note)


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise _no_proof()
    return line.removeprefix(word)


def _no_proof() -> Undecided:
    return Undecided(
        t("This is not a proof that crosspost made."),
        hint=t("Get the file again, whole and unchanged."),
    )
