"""What the ledger gives to others: the proof of an entry. All of it: `exporting.py`.

It only reads the ledger, and gives out nothing that its head does not cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlmodel import Session

from crosspost.errors import Conflict, NotFound, Refuted
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.growth import grown_from
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.keys import Keys
from crosspost.ledger.note import Verifier
from crosspost.ledger.proof import SUFFIX, Proof
from crosspost.ledger.rotating import recorded
from crosspost.ledger.stored import StoredTree
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tree import HASH_BYTES, Tree, inclusion_proof
from crosspost.wording import t


@dataclass(frozen=True)
class Sealed:
    """The sealed part of a ledger: who signs and signed before, the head (as a note with what
    witnesses signed under it), its tree."""

    keys: Keys
    note: bytes
    head: Checkpoint
    tree: Tree | StoredTree

    @property
    def verifier(self) -> Verifier:
        """The key that signs now."""
        return self.keys.newest

    def proof(self, index: int, entry: bytes) -> Proof:
        """The proof of one entry. Raises Conflict when it is not sealed yet, Refuted when it is not
        the one that was sealed."""
        if index >= self.head.size:
            raise Conflict(
                t("Entry {index} is not sealed yet.", index=index),
                hint=t("Seal it with: crosspost log seal"),
            )
        if leaf_hash(entry) != self.tree.node(0, index):
            raise Refuted(
                t("Entry {index} is not the one that was sealed.", index=index),
                hint=t("Leave all files as they are, and look with: crosspost log verify"),
            )
        steps = inclusion_proof(self.tree.node, index, self.head.size)
        return Proof(entry, index, tuple(steps), self.note)


def open_sealed(session: Session, folder: Path, *, whole: bool = False) -> Sealed:
    """The sealed ledger of the office in `folder`, its tree in memory if `whole` of it is needed.
    Raises Undecided, Refuted."""
    box = Strongbox(folder)
    keys = box.keys()
    note = box.shown_note()
    head = keys.read(partial(read_checkpoint, note))
    if whole:
        keys = keys.linked(recorded(session, head.size))
    tree = (None if whole else box.stored_tree(head)) or box.tree_under(head)
    if tree is None:
        _, leaves = grown_from(head, book.raw_entries(session))
        tree = Tree(leaves[: head.size * HASH_BYTES])
    return Sealed(keys, note, head, tree)


def prove(session: Session, folder: Path, indices: list[int]) -> list[Proof]:
    """The proofs of these entries. Raises Conflict, Refuted, Undecided."""
    sealed = open_sealed(session, folder)
    return [sealed.proof(index, book.entry_bytes(session, index)) for index in indices]


def proof_name(index: int) -> str:
    """How the file with the proof of an entry is called."""
    return f"entry-{index}{SUFFIX}"


def nothing_public() -> NotFound:
    """There is nothing to prove: it was not published."""
    return NotFound(
        t("Nothing of it is published, so there is nothing to prove."),
        hint=t("See its entries with: crosspost log list; prove one with --entry."),
    )
