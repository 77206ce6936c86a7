"""Whether entries go on from what was sealed: the tree over them, or what is wrong with them.

Pure: entries in, hashes out. It must not sign, nor mend what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crosspost.errors import Refuted
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.tree import EMPTY_ROOT, CompactRange
from crosspost.wording import t


def grown_from(head: Checkpoint, entries: Iterable[tuple[Any, Any]]) -> tuple[bytes, bytes]:
    """Root and leaf hashes over `entries` (index and bytes). Both trees are computed from the same
    leaves, which is all that a consistency proof could show.

    Raises Refuted when an entry is missing or is no bytes, or when the first `head.size` of them do
    not have the root of `head`.
    """
    tree, leaves = CompactRange(), bytearray()
    consistent = head.size == 0 and head.root == EMPTY_ROOT
    for leaf in leaves_of(entries, 0):
        tree.append(leaf)
        leaves += leaf
        if tree.size == head.size:
            consistent = tree.root() == head.root
    if tree.size < head.size:
        raise older(tree.size, head.size)
    if not consistent:
        raise changed(t("The first {size} entries are not those sealed.", size=head.size))
    return tree.root(), bytes(leaves)


def older(found: int, size: int) -> Refuted:
    """Entries that were sealed are gone."""
    words = t(
        "The database has {found} entries, and {size} were sealed: it is an older copy.",
        found=found,
        size=size,
    )
    hint = t(
        "Restore a newer copy. If there is none: keep all files that begin with ledger. in another "
        "folder, begin a new ledger with crosspost log init --origin NAME, and tell the public "
        "both keys (docs/record.md)."
    )
    return Refuted(t("The ledger does not match its head; nothing was sealed."), words, hint=hint)


def changed(problem: str) -> Refuted:
    """Entries are not those that were sealed."""
    return Refuted(
        t("The ledger does not match its head; nothing was sealed."),
        problem,
        hint=t("Leave all files as they are, and look with: crosspost log verify"),
    )


def leaves_of(entries: Iterable[tuple[Any, Any]], first: int) -> Iterator[bytes]:
    """The leaf hash of each, the first of which has the index `first`. Raises Refuted when one is
    missing or is no bytes."""
    for expected, (index, entry) in enumerate(entries, first):
        if index != expected or not isinstance(entry, bytes):
            raise changed(t("Entry {index} is missing or unreadable.", index=expected))
        yield leaf_hash(entry)
