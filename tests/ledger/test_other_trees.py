"""Trees and proofs of a library that we did not write (pymerkle) are ours, hash by hash."""

from __future__ import annotations

import pytest
from pymerkle import InmemoryTree, InvalidProof, verify_inclusion

from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.tree import Tree, inclusion_holds, inclusion_proof, root_of

ENTRIES = [f'{{"n":{n}}}'.encode() for n in range(130)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def test_roots_and_inclusion_proofs_are_the_same_at_every_size():
    theirs = InmemoryTree(algorithm="sha256")
    for size, entry in enumerate(ENTRIES, 1):
        theirs.append_entry(entry)
        ours = Tree(b"".join(LEAVES[:size]))
        root = theirs.get_root()
        assert root == ours.root() == root_of(LEAVES[:size])
        for index in range(0, size, 7):
            path = theirs.prove_inclusion(index + 1, size).path
            steps = inclusion_proof(ours.node, index, size)
            assert path == [LEAVES[index], *steps]
            assert inclusion_holds(index, size, LEAVES[index], path[1:], root)


def test_our_proofs_are_accepted_there_and_a_changed_one_is_not():
    theirs = InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        theirs.append_entry(entry)
    ours = Tree(b"".join(LEAVES))
    for index in (0, 1, 63, 64, 128, 129):
        proof = theirs.prove_inclusion(index + 1, len(ENTRIES))
        proof.path = [LEAVES[index], *inclusion_proof(ours.node, index, len(ENTRIES))]
        verify_inclusion(LEAVES[index], ours.root(), proof, index=index + 1, size=len(ENTRIES))
        proof.path[-1] = bytes(32)
        with pytest.raises(InvalidProof):
            verify_inclusion(LEAVES[index], ours.root(), proof)
