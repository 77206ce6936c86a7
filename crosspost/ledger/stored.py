"""The tree under a checkpoint, read from files only as far as it is asked for.

`leaves` holds the leaf hashes, `nodes` the hash of each full subtree of 256 of them. Neither is
believed: whoever uses it compares a root that was signed. It must not decide what is written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from crosspost.ledger.hashing import node_hash
from crosspost.ledger.tiles import HEIGHT, WIDTH
from crosspost.ledger.tree import HASH_BYTES, subtree_hash


@dataclass(frozen=True)
class StoredTree:
    """A tree of `size` leaves in two files; a proof in a tree of a million reads some 140 KB."""

    leaves: Path
    nodes: Path
    size: int

    def node(self, level: int, index: int) -> bytes:
        """The hash of the full subtree `index` of `level`. Raises IndexError if it is not full or
        not stored."""
        if (index + 1) << level > self.size:
            raise IndexError(f"there is no full subtree {index} on level {level}")
        path, below = (self.nodes, level - HEIGHT) if level >= HEIGHT else (self.leaves, level)
        return folded(_read(path, index << below, 1 << below))

    def root(self) -> bytes:
        """The root of the whole tree."""
        return subtree_hash(self.node, 0, self.size)


def _read(path: Path, first: int, count: int) -> list[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(first * HASH_BYTES)
            data = file.read(count * HASH_BYTES)
    except OSError as error:
        raise IndexError(f"{path} cannot be read") from error
    if len(data) != count * HASH_BYTES:
        raise IndexError(f"{path} ends too early")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def folded(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def put_leaves(path: Path, nodes: Path, leaves: bytes, first: int = 0) -> None:
    """Make `leaves` durably those from index `first` on, and the last; only what is new is written.
    Raises OSError, IndexError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(file, "r+b") as stream:
        stream.seek(first * HASH_BYTES)
        known = stream.read(len(leaves))
        same = len(known) if leaves.startswith(known) else 0
        stream.seek(first * HASH_BYTES + same)
        stream.write(leaves[same:])
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())
    put_nodes(path, nodes, first + len(leaves) // HASH_BYTES, first + same // HASH_BYTES)


def put_nodes(leaves: Path, nodes: Path, size: int, first: int) -> None:
    """Store the full subtrees that lie above the leaf `first` or after it. Raises OSError,
    IndexError; only speed depends on this file, so it need not be durable."""
    kept = first // WIDTH
    with nodes.open("r+b" if nodes.exists() else "w+b") as file:
        known = file.seek(0, 2) // HASH_BYTES
        kept = min(kept, known)
        file.truncate(kept * HASH_BYTES)
        file.seek(kept * HASH_BYTES)
        for block in range(kept, size // WIDTH):
            file.write(folded(_read(leaves, block * WIDTH, WIDTH)))
