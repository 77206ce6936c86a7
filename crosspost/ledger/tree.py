"""The hash tree of the ledger: roots, proofs, and whether a proof holds (RFC 6962, RFC 9162).

Pure: hashes in, hashes out. It must not know what a leaf stands for or where hashes are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from crosspost.ledger.hashing import node_hash

HASH_BYTES = 32
#: The root of a tree without leaves (RFC 6962 section 2.1).
EMPTY_ROOT = hashlib.sha256(b"").digest()

#: The hash of a full subtree: its level (0 is a leaf) and its index within that level.
Node = Callable[[int, int], bytes]


class CompactRange:
    """A tree that only grows: one hash for each full subtree at its edge, so log2(n) in memory."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # the largest subtree first

    @classmethod
    def of(cls, node: Node, size: int) -> CompactRange:
        """The tree of `size` leaves whose full subtrees `node` knows. Raises as `node` does."""
        made, begin = cls(), 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                made._edge.append(node(level, begin >> level))
                begin += 1 << level
        made.size = size
        return made

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        carry, joined = self.size, leaf
        while carry & 1:
            joined = node_hash(self._edge.pop(), joined)
            carry >>= 1
        self._edge.append(joined)
        self.size += 1

    def root(self) -> bytes:
        """The root of what was added so far."""
        if not self._edge:
            return EMPTY_ROOT
        joined = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            joined = node_hash(left, joined)
        return joined


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


class Tree:
    """All full subtrees of a tree, in memory: 64 bytes a leaf. `node` answers for any of them."""

    def __init__(self, leaves: bytes) -> None:
        """`leaves` are the leaf hashes, one after the other."""
        self.size = len(leaves) // HASH_BYTES
        self._levels = [leaves]
        while len(self._levels[-1]) >= 2 * HASH_BYTES:
            self._levels.append(_level_above(self._levels[-1]))

    def node(self, level: int, index: int) -> bytes:
        """The hash of the full subtree `index` of `level`. Raises IndexError if it is not full."""
        begin = index * HASH_BYTES
        found = self._levels[level][begin : begin + HASH_BYTES]
        if len(found) != HASH_BYTES:
            raise IndexError(f"there is no full subtree {index} on level {level}")
        return found

    def root(self) -> bytes:
        """The root of the whole tree."""
        return subtree_hash(self.node, 0, self.size)


def _level_above(below: bytes) -> bytes:
    pair = 2 * HASH_BYTES
    return b"".join(
        node_hash(below[at : at + HASH_BYTES], below[at + HASH_BYTES : at + pair])
        for at in range(0, len(below) - pair + 1, pair)
    )


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_hash(node: Node, begin: int, end: int) -> bytes:
    """The hash over the leaves `begin` to `end` (not included), one subtree of an RFC 6962 tree."""
    size = end - begin
    if size == 0:
        return EMPTY_ROOT
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, begin >> level)
    middle = begin + _split(size)
    return node_hash(subtree_hash(node, begin, middle), subtree_hash(node, middle, end))


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` (RFC 6962 section 2.1.1), from the
    leaf's sibling to the root's child. Raises ValueError when there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(subtree_hash(node, middle, end))
            end = middle
        else:
            proof.append(subtree_hash(node, begin, middle))
            begin = middle
    return proof[::-1]


def consistency_proof(node: Node, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `second` leaves begins with that of `first` (RFC 6962 section
    2.1.2). Raises ValueError unless 0 < first <= second."""
    if not 0 < first <= second:
        raise ValueError(f"no consistency proof leads from {first} to {second}")
    proof: list[bytes] = []
    begin, end = 0, second
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            proof.append(subtree_hash(node, middle, end))
            end = middle
        else:
            proof.append(subtree_hash(node, begin, middle))
            begin = middle
    if begin:
        proof.append(subtree_hash(node, begin, end))
    return proof[::-1]


def inclusion_holds(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows `leaf` at `index` of the tree with this size and root (RFC 9162
    section 2.1.3.2)."""
    if not _are_hashes(leaf, root, *proof) or not 0 <= index < size:
        return False
    at, last, joined = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            joined = node_hash(step, joined)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            joined = node_hash(joined, step)
        at, last = at >> 1, last >> 1
    return last == 0 and joined == root


def consistency_holds(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the second tree begins with the first (RFC 9162 section 2.1.4.2).

    From an empty tree nothing can be shown, so only two empty trees are consistent with it.
    """
    if not _are_hashes(first_root, second_root, *proof) or not 0 <= first <= second:
        return False
    if first == second:
        same = first_root == second_root and not proof
        return same and (first > 0 or first_root == EMPTY_ROOT)
    if first == 0 or not proof:
        return False
    return _roots_by(proof, first, second, first_root) == (first_root, second_root)


def _roots_by(
    proof: Sequence[bytes], first: int, second: int, first_root: bytes
) -> tuple[bytes, bytes] | None:
    """Both roots as the proof yields them; None when it has not the right length."""
    steps = [first_root, *proof] if first & (first - 1) == 0 else [*proof]
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
