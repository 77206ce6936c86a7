"""Signed notes, checkpoints, proof files and tiles: the examples of C2SP, and every broken byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.note import (
    Signer,
    Verifier,
    from_base64,
    new_signer,
    open_note,
    read_signer,
    read_verifier,
    to_base64,
)
from crosspost.ledger.proof import Proof, read_proof
from crosspost.ledger.tiles import Tile, tiles
from crosspost.ledger.tree import Tree, inclusion_proof

EXAMPLES = json.loads(
    (Path(__file__).parents[1] / "data" / "ledger" / "c2sp-text-examples.json").read_text()
)
SIGNER = Signer("office.example/ledger", bytes(range(32)))
ENTRIES = [f'{{"n":{n}}}'.encode() for n in range(11)]
TREE = Tree(b"".join(map(leaf_hash, ENTRIES)))
CHECKPOINT = Checkpoint(SIGNER.name, 11, TREE.root())


@pytest.mark.parametrize("example", EXAMPLES["notes"])
def test_the_examples_of_the_specification_verify(example):
    verifier = read_verifier(example["vkey"])
    assert str(verifier) == example["vkey"]
    assert open_note(example["note"].encode(), verifier) == example["note"].split("\n\n")[0] + "\n"


def test_a_key_is_read_back_and_shown_nowhere():
    assert read_signer(SIGNER.secret) == SIGNER
    assert read_verifier(str(SIGNER.verifier)) == SIGNER.verifier
    assert to_base64(SIGNER.seed)[:20] not in repr(SIGNER)
    with pytest.raises(Undecided) as raised:
        read_signer(SIGNER.secret[:-4] + "AAA=")
    assert SIGNER.secret[40:60] not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "a", "a+b+c", "a+00000000+AAAA", "+530d903a+AekyeRrm56hApGFkyQR4", "\udcff+a+b"]
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(Undecided):
        read_verifier(text)
    with pytest.raises(Undecided):
        read_signer(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb", "a\u2003b", "\ud800"])
def test_a_name_that_cannot_stand_in_a_note_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        new_signer(name)


def test_a_note_must_be_text():
    for text in ("no newline", "a\x00b\n", "a\rb\n"):
        with pytest.raises(ValueError, match="control"):
            SIGNER.sign(text)


def test_a_note_may_hold_empty_lines_and_signatures_of_strangers():
    note = SIGNER.sign("one\n\ntwo\n")
    stranger = new_signer("witness.example").sign("one\n\ntwo\n").split(b"\n\n")[-1]
    assert open_note(note + stranger, SIGNER.verifier) == "one\n\ntwo\n"
    assert open_note(b"one\n\ntwo\n\n" + stranger + note.split(b"\n\n")[-1], SIGNER.verifier)


def test_a_stranger_of_the_same_name_decides_nothing():
    other = Signer(SIGNER.name, bytes(32))
    with pytest.raises(Undecided, match="no signature"):
        open_note(other.sign("text\n"), SIGNER.verifier)


def test_one_bad_signature_of_a_known_key_condemns_the_note():
    good = SIGNER.sign("text\n")
    bad = bytearray(from_base64(good.split()[-1].decode()))
    bad[-1] ^= 1
    line = f"\N{EM DASH} {SIGNER.name} {to_base64(bytes(bad))}\n".encode()
    with pytest.raises(Refuted):
        open_note(good + line, SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        f"{SIGNER.name}\n11\n",
        f"{SIGNER.name}\n011\n{to_base64(bytes(32))}\n",
        f"{SIGNER.name}\n+1\n{to_base64(bytes(32))}\n",
        f"{SIGNER.name}\n١\n{to_base64(bytes(32))}\n",
        f"{SIGNER.name}\n11\n{to_base64(bytes(31))}\n",
        f"{SIGNER.name}\n11\n{to_base64(bytes(32))}\n\nmore\n",
        f"other.example\n11\n{to_base64(bytes(32))}\n",
        f"{SIGNER.name}\n{'9' * 21}\n{to_base64(bytes(32))}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_not_taken_for_one(text):
    with pytest.raises(Undecided, match="not a checkpoint"):
        read_checkpoint(SIGNER.sign(text), SIGNER.verifier)


def test_a_checkpoint_is_read_back_and_may_have_lines_of_later_times():
    assert read_checkpoint(CHECKPOINT.signed(SIGNER), SIGNER.verifier) == CHECKPOINT
    later = SIGNER.sign(CHECKPOINT.text() + "extension\n")
    assert read_checkpoint(later, SIGNER.verifier) == CHECKPOINT


def proof_of(index):
    steps = inclusion_proof(TREE.node, index, 11)
    return Proof(ENTRIES[index], index, tuple(steps), CHECKPOINT.signed(SIGNER))


def test_a_proof_has_the_lines_of_the_specification():
    lines = proof_of(10).text().decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {to_base64(ENTRIES[10])}", "index 10"]
    assert lines[3:6] == [to_base64(step) for step in proof_of(10).steps] + [""]
    assert "\n".join(lines[6:]).encode() == CHECKPOINT.signed(SIGNER)


@pytest.mark.parametrize("index", range(11))
def test_a_proof_is_read_back_and_holds(index):
    proof = read_proof(proof_of(index).text())
    assert proof == proof_of(index)
    assert proof.check(SIGNER.verifier) == CHECKPOINT


def found_in(data):
    """What is said of a proof file: "verified", or the error."""
    try:
        read_proof(data).check(SIGNER.verifier)
    except (Refuted, Undecided) as error:
        return type(error)
    return "verified"


@pytest.mark.parametrize("replacement", ["flip", "newline", "space", "zero", "equals"])
def test_every_changed_byte_of_a_proof_is_found(replacement):
    data = proof_of(6).text()
    assert found_in(data) == "verified"
    for at in range(len(data)):
        new = {"newline": 10, "space": 32, "zero": 0, "equals": 61}.get(replacement, data[at] ^ 1)
        if new != data[at]:
            changed = data[:at] + bytes([new]) + data[at + 1 :]
            assert found_in(changed) in (Refuted, Undecided), (at, changed)


def test_base64_has_one_spelling():
    """The last letter has bits to spare; a lax reader would take four or sixteen for the same."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for raw, end in ((bytes(range(32)), "="), (bytes(31), "=="), (bytes(33), "")):
        text = to_base64(raw).removesuffix(end)
        read = [from_base64(text[:-1] + letter + end) for letter in alphabet]
        assert read.count(raw) == 1
        for bad in (text[:-1], text + end + "=", " " + text + end, text + end + "\n", "ä" + text):
            assert from_base64(bad) is None
    data = proof_of(6).text()
    for at in range(len(data) - 1):
        if data[at + 1 : at + 2] == b"=":
            for letter in alphabet.encode():
                changed = data[:at] + bytes([letter]) + data[at + 1 :]
                assert changed == data or found_in(changed) in (Refuted, Undecided)


def test_every_missing_and_every_doubled_byte_of_a_proof_is_found():
    data = proof_of(6).text()
    for at in range(len(data)):
        assert found_in(data[:at] + data[at + 1 :]) != "verified"
        assert found_in(data[: at + 1] + data[at:]) != "verified"
        assert found_in(data[:at]) != "verified"


@given(st.binary(max_size=400))
def test_no_bytes_at_all_are_more_than_undecided(data):
    assert found_in(data) is Undecided
    assert found_in(b"c2sp.org/tlog-proof@v1\n" + data) is Undecided
    with pytest.raises(Undecided):
        open_note(data, SIGNER.verifier)


def test_an_entry_proved_under_another_key_is_undecided():
    stranger = Verifier(SIGNER.name, bytes(32))
    with pytest.raises(Undecided):
        proof_of(1).check(stranger)


# --- tiles ----------------------------------------------------------------------------------------


def test_tile_paths_are_those_of_the_specification():
    for index, path in ((0, "000"), (999, "999"), (1000, "x001/000")):
        assert Tile(0, index).path == f"tile/0/{path}"
    for index, path in EXAMPLES["tile_path_examples"].items():
        if index.isdecimal():
            assert Tile(3, int(index)).path == f"tile/3/{path}"
    assert Tile(1, 0, 17).path == "tile/1/000.p/17"


def test_a_tree_has_the_tiles_of_the_specification():
    found = list(tiles(70000))
    example = EXAMPLES["tile_path_examples"]["70000_tree"]
    assert sum(tile.level == 0 and tile.width == 256 for tile in found) == example["full_L0"]
    assert Tile(0, 273, example["partial_L0_width"]) in found
    assert Tile(1, 0) in found
    assert Tile(1, 1, example["partial_L1_width"]) in found
    assert found[-1] == Tile(2, 0, example["partial_L2_width"])
    assert list(tiles(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles(0)) == []


def test_a_tile_holds_the_hashes_of_its_level():
    leaves = [leaf_hash(str(n).encode()) for n in range(600)]
    tree = Tree(b"".join(leaves))
    found = {tile.path: tile.content(tree.node) for tile in tiles(600)}
    assert found["tile/0/000"] == b"".join(leaves[:256])
    assert found["tile/0/002.p/88"] == b"".join(leaves[512:])
    assert found["tile/1/000.p/2"] == b"".join(
        Tree(b"".join(leaves[at : at + 256])).root() for at in (0, 256)
    )


def test_a_note_of_another_key_of_that_name_says_what_leads_from_key_to_key():
    other = Signer(SIGNER.name, bytes(range(1, 33)))
    with pytest.raises(Undecided, match="but one by another") as undecided:
        open_note(other.sign(CHECKPOINT.text()), SIGNER.verifier)
    assert "verify with --key identity.json" in undecided.value.hint
    stranger = Signer("elsewhere.example/ledger", bytes(range(32)))
    with pytest.raises(Undecided) as undecided:
        open_note(stranger.sign(CHECKPOINT.text()), SIGNER.verifier)
    assert "identity.json" not in undecided.value.hint
