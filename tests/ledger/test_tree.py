"""The hash tree: the conformance data of others, and a naive tree written from the RFC's words."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosspost.ledger.hashing import leaf_hash, node_hash
from crosspost.ledger.tree import (
    EMPTY_ROOT,
    CompactRange,
    Tree,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    root_of,
    subtree_hash,
)

DATA = Path(__file__).parents[1] / "data" / "ledger" / "merkle"
INCLUSION = json.loads((DATA / "inclusion.json").read_text())
CONSISTENCY = json.loads((DATA / "consistency.json").read_text())
REFERENCE = json.loads((DATA / "rfc6962-reference-tree.json").read_text())


def decoded(values):
    return [base64.b64decode(value) for value in values or []]


@pytest.mark.parametrize("name", INCLUSION)
def test_inclusion_is_judged_like_others_judge_it(name):
    probe = INCLUSION[name]
    leaf, root = decoded([probe["leafHash"], probe["root"]])
    held = inclusion_holds(probe["leafIdx"], probe["treeSize"], leaf, decoded(probe["proof"]), root)
    assert held is not probe["wantErr"]


@pytest.mark.parametrize("name", CONSISTENCY)
def test_consistency_is_judged_like_others_judge_it(name):
    probe = CONSISTENCY[name]
    first, second = decoded([probe["root1"], probe["root2"]])
    held = consistency_holds(probe["size1"], probe["size2"], first, second, decoded(probe["proof"]))
    assert held is not probe["wantErr"]


def test_the_data_has_both_good_and_bad_proofs():
    for probes in (INCLUSION, CONSISTENCY):
        assert {probe["wantErr"] for probe in probes.values()} == {True, False}


def test_the_roots_of_the_reference_tree():
    leaves = [leaf_hash(bytes.fromhex(value)) for value in REFERENCE["leaf_inputs_hex"]]
    for size, root in enumerate(REFERENCE["root_by_size_hex"]):
        assert root_of(leaves[:size]).hex() == root
        assert Tree(b"".join(leaves[:size])).root().hex() == root
    assert REFERENCE["empty_root"] == EMPTY_ROOT.hex()
    assert REFERENCE["leaf_of_ascii_L123456"] == leaf_hash(b"L123456").hex()
    assert REFERENCE["node_of_ascii_N123_N456"] == node_hash(b"N123", b"N456").hex()


# --- against a naive implementation, straight from the definitions of RFC 6962 section 2.1 --------


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_root(d):
    if not d:
        return hashlib.sha256(b"").digest()
    if len(d) == 1:
        return d[0]
    k = split(len(d))
    return hashlib.sha256(b"\x01" + naive_root(d[:k]) + naive_root(d[k:])).digest()


def naive_path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return [*naive_path(m, d[:k]), naive_root(d[k:])]
    return [*naive_path(m - k, d[k:]), naive_root(d[:k])]


def naive_subproof(m, d, whole):
    if m == len(d):
        return [] if whole else [naive_root(d)]
    k = split(len(d))
    if m <= k:
        return [*naive_subproof(m, d[:k], whole), naive_root(d[k:])]
    return [*naive_subproof(m - k, d[k:], False), naive_root(d[:k])]


def leaves_of(size):
    return [leaf_hash(str(n).encode()) for n in range(size)]


sizes = st.integers(1, 300)


@settings(deadline=None)
@given(sizes, st.data())
def test_roots_and_inclusion_proofs_are_those_of_the_definition(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    tree = Tree(b"".join(leaves))
    proof = inclusion_proof(tree.node, index, size)
    assert tree.root() == root_of(leaves) == naive_root(leaves)
    assert proof == naive_path(index, leaves)
    assert inclusion_holds(index, size, leaves[index], proof, tree.root())


@settings(deadline=None)
@given(sizes, st.data())
def test_consistency_proofs_are_those_of_the_definition(size, data):
    first = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    tree = Tree(b"".join(leaves))
    proof = consistency_proof(tree.node, first, size)
    assert proof == naive_subproof(first, leaves, True)
    assert consistency_holds(first, size, naive_root(leaves[:first]), tree.root(), proof)


@settings(deadline=None)
@given(st.integers(2, 200), st.data())
def test_a_proof_changed_in_any_place_does_not_hold(size, data):
    leaves = leaves_of(size)
    tree = Tree(b"".join(leaves))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(tree.node, index, size)
    place = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = bytearray(proof[place])
    changed[bit // 8] ^= 1 << bit % 8
    bad = [*proof[:place], bytes(changed), *proof[place + 1 :]]
    assert not inclusion_holds(index, size, leaves[index], bad, tree.root())
    assert not inclusion_holds(index, size, leaves[index], proof[:-1], tree.root())
    assert not inclusion_holds(index, size, leaves[index], [*proof, proof[0]], tree.root())
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    assert not inclusion_holds(other, size, leaves[index], proof, tree.root())


@settings(deadline=None)
@given(st.integers(2, 200), st.data())
def test_trees_that_differ_below_the_old_size_are_never_consistent(size, data):
    first = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, first - 1))
    leaves = leaves_of(size)
    old = root_of(leaves[:first])
    leaves[changed] = leaf_hash(b"something else")
    tree = Tree(b"".join(leaves))
    proof = consistency_proof(tree.node, first, size)
    assert not consistency_holds(first, size, old, tree.root(), proof)


def test_nothing_is_consistent_with_an_empty_tree_but_another_one():
    some = leaf_hash(b"")
    assert consistency_holds(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not consistency_holds(0, 0, some, some, [])
    assert not consistency_holds(0, 0, EMPTY_ROOT, EMPTY_ROOT, [some])
    assert not consistency_holds(0, 1, EMPTY_ROOT, some, [])


def test_a_tree_grows_leaf_by_leaf():
    tree, leaves = CompactRange(), leaves_of(70)
    for size, leaf in enumerate(leaves, 1):
        tree.append(leaf)
        assert tree.root() == naive_root(leaves[:size])


def test_what_does_not_exist_is_refused():
    tree = Tree(b"".join(leaves_of(5)))
    with pytest.raises(ValueError, match="no leaf 5"):
        inclusion_proof(tree.node, 5, 5)
    with pytest.raises(ValueError, match="from 0 to 5"):
        consistency_proof(tree.node, 0, 5)
    with pytest.raises(ValueError, match="from 6 to 5"):
        consistency_proof(tree.node, 6, 5)
    with pytest.raises(IndexError):
        tree.node(1, 2)
    assert subtree_hash(tree.node, 3, 3) == EMPTY_ROOT
