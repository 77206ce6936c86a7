"""Sealing: the ledger as it stands becomes the next signed checkpoint, or nothing does.

A checkpoint is signed only over a tree that begins with the tree of the head, and it is given out
only after it is the head. So no two checkpoints of one size differ, and a database that was rolled
back or changed is refused. This room must not mend what it finds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from crosspost.database import Database
from crosspost.errors import Undecided
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.growth import changed, grown_from, leaves_of, older
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.note import Signer, is_name, new_signer
from crosspost.ledger.rotating import begun_handover, finish, mend_keys
from crosspost.ledger.stored import StoredTree
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tree import EMPTY_ROOT, HASH_BYTES, CompactRange
from crosspost.wording import t

#: The daemon seals at least this often while there is something new.
EVERY = timedelta(minutes=1)


def found_ledger(database: Database, folder: Path, origin: str) -> Checkpoint:
    """Make the key of the ledger, named `origin`, and its first checkpoint.

    Raises Conflict when there is a key or a head, Undecided for a name that no key can have.
    """
    box = Strongbox(folder)
    box.refuse_existing()
    if not is_name(origin):
        raise Undecided(
            t('"{name}" cannot name a ledger.', name=origin),
            hint=t("Write a web address without https://, like: office.example/ledger"),
        )
    signer = new_signer(origin)
    root, leaves = _tree(database, Checkpoint(origin, 0, EMPTY_ROOT))
    first = Checkpoint(origin, len(leaves) // 32, root)
    box.found(signer, first.signed(signer), leaves)
    return first


def seal(database: Database, folder: Path, *, whole: bool = True) -> Checkpoint:
    """The checkpoint of all entries; the last one again when nothing is new.

    Every entry is compared with what was sealed before; unless `whole`, only the last one that was,
    for what is signed then goes on from the stored hashes and never from a changed entry, which
    `log verify` and the next whole sealing find. Raises Refuted when the database does not begin
    with what was sealed before, Undecided when key or head is missing or unreadable, UserError when
    the disk refuses, DatabaseError.
    """
    box = Strongbox(folder)
    with box.signer() as signer:
        head = box.settled_head(box.keys_of(signer.verifier))
        if begun := begun_handover(database, box, signer, head):
            finish(database, box, begun)
        else:
            return _seal(database, box, signer, head, whole=whole)
    return seal(database, folder, whole=whole)  # by the key that took over


def _seal(
    database: Database, box: Strongbox, signer: Signer, head: Checkpoint, *, whole: bool
) -> Checkpoint:
    first = 0
    tree = None if whole or not head.size else box.stored_tree(head)
    if tree is not None:
        first = head.size
        root, leaves = _grown_by(database, tree)
    else:
        root, leaves = _tree(database, head)
    sealed = Checkpoint(head.origin, first + len(leaves) // HASH_BYTES, root)
    if sealed != head:
        box.put_head(sealed.signed(signer), leaves, first=first)
    if whole:
        box.mend_nodes(sealed)
        mend_keys(database, box, sealed)
    return sealed


def _grown_by(database: Database, stored: StoredTree) -> tuple[bytes, bytes]:
    """The root over the stored leaves and those of all later entries, and these."""
    tree, leaves = CompactRange.of(stored.node, stored.size), bytearray()
    with database.read() as session:
        entries = book.raw_entries(session, first=stored.size - 1)
        index, entry = next(entries, (None, b""))
        if index is None:
            found = book.size(session)
            raise older(found, stored.size)
        same = isinstance(entry, bytes) and leaf_hash(entry) == stored.node(0, stored.size - 1)
        if index != stored.size - 1 or not same:
            raise changed(t("The first {size} entries are not those sealed.", size=stored.size))
        for leaf in leaves_of(entries, stored.size):
            tree.append(leaf)
            leaves += leaf
    return tree.root(), bytes(leaves)


def seal_if_due(
    database: Database,
    folder: Path,
    *,
    now: datetime,
    last: datetime | None,
    at_once: bool = False,
    whole: bool = True,
) -> datetime | None:
    """Seal when the last time is a minute ago, or `at_once` (something was published); `whole` as
    for `seal`.

    Returns when it was last sealed: pass that as `last` the next time. Without a key (`crosspost
    log init` was never run) it does nothing and returns None. Raises as `seal` does: then the
    daemon must stop sending, for what it would record could not be proved.
    """
    if not Strongbox(folder).is_founded():
        return None
    if last is not None and not at_once and now - last < EVERY:
        return last
    seal(database, folder, whole=whole)
    return now


def _tree(database: Database, head: Checkpoint) -> tuple[bytes, bytes]:
    """Root and leaves of the ledger, once it is sure that it begins with the tree of `head`."""
    with database.read() as session:
        return grown_from(head, book.raw_entries(session))
