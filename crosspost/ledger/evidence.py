"""What the ledger gives to others: a proof of one entry, and an export of everything sealed.

It only reads the ledger, and gives out nothing that its head does not cover.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlmodel import Session

from crosspost.database import Database
from crosspost.errors import Conflict, NotFound, Refuted, UserError
from crosspost.ledger import book
from crosspost.ledger.canonical import canonical
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.growth import grown_from
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.keys import Keys
from crosspost.ledger.note import Verifier
from crosspost.ledger.proof import SUFFIX, Proof
from crosspost.ledger.rotating import recorded
from crosspost.ledger.stored import StoredTree
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tiles import tiles
from crosspost.ledger.tree import HASH_BYTES, Tree, inclusion_proof
from crosspost.ledger.verifying import CHECKPOINT, ENTRIES, KEYS, MANIFEST, WORDS, verify
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


def export(database: Database, office: Path, folder: Path) -> Checkpoint:
    """Write everything that is sealed into a new `folder`: entries and words as JSON Lines, the
    checkpoint, a proof for each published delivery, hash tiles, and a manifest of all of it.

    It is verified like anybody would before this returns. Raises Conflict when `folder` holds
    something, Refuted when an entry or its words are not those sealed, Undecided, UserError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            t("{path} is there already and not empty.", path=folder),
            hint=t("Name a new folder."),
        )
    try:
        with database.read() as session:
            sealed = open_sealed(session, office, whole=True)
            _Export(folder, sealed).write(session)
        verify(folder, sealed.keys)
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=folder, reason=error.strerror),
            hint=t("Remove what was written of it, then try again."),
        ) from error
    return sealed.head


class _Export:
    def __init__(self, folder: Path, sealed: Sealed) -> None:
        self.folder, self.sealed = folder, sealed
        self.files: dict[str, dict[str, str | int]] = {}

    def write(self, session: Session) -> None:
        head, node = self.sealed.head, self.sealed.tree.node
        public = {index for index in book.published(session) if index < head.size}
        self._put(CHECKPOINT, [self.sealed.note])
        keys = json.dumps({"keys": self.sealed.keys.values()}, indent=1) + "\n"
        self._put(KEYS, [keys.encode()])
        self._put("vkey", [f"{self.sealed.verifier}\n".encode()])
        self._put(ENTRIES, self._entries(session, public))
        self._put(WORDS, self._words(session))
        for tile in tiles(head.size):
            self._put(tile.path, [tile.content(node)])
        about = {"v": 1, "origin": head.origin, "size": head.size, "root": head.root.hex()}
        manifest = canonical({**about, "files": self.files}) + b"\n"
        (self.folder / MANIFEST).write_bytes(manifest)

    def _entries(self, session: Session, public: set[int]) -> Iterator[bytes]:
        """Each entry as a line; the proofs of published deliveries are written on the way."""
        count = 0
        for index, entry in book.raw_entries(session):
            if index >= self.sealed.head.size:
                break
            if index != count or not isinstance(entry, bytes):
                raise Refuted(t("Entry {index} is missing or unreadable.", index=count))
            proof = self.sealed.proof(index, entry)
            if index in public:
                self._put(f"proofs/{proof_name(index)}", [proof.text()])
            count += 1
            yield entry + b"\n"
        if count < self.sealed.head.size:
            raise Refuted(t("Entry {index} is missing or unreadable.", index=count))

    def _words(self, session: Session) -> Iterator[bytes]:
        for index, note, salt in book.notes(session):
            if index >= self.sealed.head.size:
                continue
            if not isinstance(note, str) or not isinstance(salt, bytes):
                raise Refuted(t("The words of entry {index} are not those recorded.", index=index))
            yield canonical({"index": index, "note": note, "salt": salt.hex()}) + b"\n"

    def _put(self, name: str, pieces: Iterator[bytes] | list[bytes]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}


def proof_name(index: int) -> str:
    """How the file with the proof of an entry is called."""
    return f"entry-{index}{SUFFIX}"


def nothing_public() -> NotFound:
    """There is nothing to prove: it was not published."""
    return NotFound(
        t("Nothing of it is published, so there is nothing to prove."),
        hint=t("See its entries with: crosspost log list; prove one with --entry."),
    )
