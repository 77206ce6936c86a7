"""Sealing: what is refused, and what is on disk whenever it is killed or the disk is full."""

from __future__ import annotations

import os
import stat
from datetime import timedelta

import pytest
from kept import START
from killing import killed_at

from crosspost.errors import Conflict, ForkProven, Refuted, Undecided, UserError
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.note import Signer, read_signer
from crosspost.ledger.sealing import EVERY, found_ledger, seal, seal_if_due
from crosspost.ledger.strongbox import write_durably
from crosspost.ledger.tree import EMPTY_ROOT


def sealed(ledger):
    return seal(ledger.database, ledger.folder)


def head_of(ledger):
    return read_checkpoint(ledger.box.head_note(), ledger.box.verifier())


def test_the_key_is_the_owners_only_and_not_in_the_database(ledger):
    assert stat.S_IMODE(ledger.box.key.stat().st_mode) == 0o600
    seed = read_signer(ledger.box.key.read_text()).seed
    assert seed not in (ledger.folder / "crosspost.db").read_bytes()


def test_a_second_key_is_refused(ledger):
    before = ledger.box.key.read_bytes()
    with pytest.raises(Conflict):
        found_ledger(ledger.database, ledger.folder, "office.example/ledger")
    assert ledger.box.key.read_bytes() == before


def test_where_a_key_was_lost_no_new_one_is_made_in_silence(ledger):
    ledger.box.key.unlink()
    with pytest.raises(Conflict, match="it is gone"):
        found_ledger(ledger.database, ledger.folder, "office.example/ledger")
    with pytest.raises(Undecided, match="key of the ledger is missing"):
        sealed(ledger)


@pytest.mark.parametrize("name", ["two words", "a+b", "\udcff"])
def test_a_name_that_no_key_can_have_is_refused_and_nothing_is_left(unsigned, name):
    before = sorted(unsigned.folder.iterdir())
    with pytest.raises(Undecided, match="cannot name a ledger"):
        found_ledger(unsigned.database, unsigned.folder, name)
    assert sorted(unsigned.folder.iterdir()) == before


def test_a_key_that_others_may_read_is_not_used(ledger):
    ledger.box.key.chmod(0o640)
    with pytest.raises(Undecided, match="Others may read"):
        sealed(ledger)


def test_a_damaged_key_is_said_without_showing_it(ledger):
    secret = ledger.box.key.read_text()
    ledger.box.key.write_text(secret[:-9])
    with pytest.raises(Undecided, match="damaged") as raised:
        sealed(ledger)
    assert secret[40:60] not in str(raised.value)


def test_sealing_covers_what_is_new_and_nothing_twice(ledger):
    first = ledger.box.head_note()
    assert sealed(ledger) == head_of(ledger)
    assert ledger.box.head_note() == first
    ledger.grow(5)
    assert sealed(ledger).size == 17
    assert head_of(ledger).size == 17
    assert ledger.box.tree_under(head_of(ledger)).size == 17


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM ledger_entry WHERE id = 11",
        "DELETE FROM ledger_entry WHERE id = 4",
        "UPDATE ledger_entry SET entry = CAST(replace(entry, 'site', 'sits') AS BLOB) WHERE id = 7",
        "UPDATE ledger_entry SET entry = 5 WHERE id = 7",
        "UPDATE ledger_entry SET id = -1 WHERE id = 0",
    ],
)
def test_a_changed_database_is_not_signed_over(ledger, attack):
    before = ledger.box.head_note()
    ledger.attack("PRAGMA foreign_keys = OFF", attack)
    with pytest.raises(Refuted, match="nothing was sealed"):
        sealed(ledger)
    assert ledger.box.head_note() == before


def test_a_rolled_back_database_is_not_signed_not_even_when_it_has_grown_again(ledger):
    old = ledger.keep("old.db")
    ledger.grow(3)
    sealed(ledger)
    ledger.restore(old)
    with pytest.raises(Refuted, match="older copy"):
        sealed(ledger)
    for more in (3, 20):
        ledger.restore(old)
        ledger.grow(more, mark="-other")
        with pytest.raises(Refuted, match="not those sealed"):
            sealed(ledger)
    assert head_of(ledger).size == 15


def test_without_its_head_nothing_is_sealed(ledger):
    ledger.box.head.unlink()
    with pytest.raises(Undecided, match="head of the ledger is missing"):
        sealed(ledger)


def test_a_head_that_another_key_signed_is_no_head(ledger):
    stranger = Signer("office.example/ledger", bytes(32))
    ledger.box.head.write_bytes(head_of(ledger).signed(stranger))
    with pytest.raises(Undecided):
        sealed(ledger)


def test_lost_leaves_are_written_anew(ledger):
    before = ledger.box.leaves.read_bytes()
    ledger.box.leaves.write_bytes(b"x" * 50)
    ledger.grow(1)
    sealed(ledger)
    assert ledger.box.leaves.read_bytes()[: len(before)] == before
    ledger.box.leaves.unlink()
    ledger.grow(1)
    sealed(ledger)
    assert ledger.box.tree_under(head_of(ledger)).size == 14


# --- without reading all of it --------------------------------------------------------------------


def sealed_quickly(ledger):
    return seal(ledger.database, ledger.folder, whole=False)


def test_sealing_from_stored_hashes_gives_the_same_tree(ledger):
    for more in (1, 3, 240, 1, 255, 257):
        ledger.grow(more)
        quick = sealed_quickly(ledger)
        assert quick == sealed(ledger)
        assert quick == head_of(ledger)
        stored, whole = ledger.box.stored_tree(quick), ledger.box.tree_under(quick)
        assert stored.root() == whole.root() == quick.root
        for level, index in ((0, quick.size - 1), (3, 0), (8, quick.size // 256 - 1)):
            if index >= 0:
                assert stored.node(level, index) == whole.node(level, index)
        with pytest.raises(IndexError):
            stored.node(0, quick.size)


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("DELETE FROM ledger_entry WHERE id >= 9", "older copy"),
        ("DELETE FROM ledger_entry WHERE id = 11", "older copy"),
        ("UPDATE ledger_entry SET entry = CAST('{}' AS BLOB) WHERE id = 11", "not those sealed"),
        ("UPDATE ledger_entry SET id = 20 WHERE id = 11", "not those sealed"),
        ("UPDATE ledger_entry SET entry = 5 WHERE id = 11", "not those sealed"),
    ],
)
def test_also_then_a_database_that_lost_or_changed_its_end_is_refused(ledger, attack, said):
    before = ledger.box.head_note()
    ledger.attack("PRAGMA foreign_keys = OFF", attack)
    with pytest.raises(Refuted, match=said):
        sealed_quickly(ledger)
    assert ledger.box.head_note() == before


def test_a_changed_older_entry_is_never_signed_and_found_by_the_next_whole_sealing(ledger):
    ledger.grow(4)
    kept = ledger.keep("kept.db")
    true = sealed(ledger).root
    ledger.attack("UPDATE ledger_entry SET entry = CAST('{}' AS BLOB) WHERE id = 3")
    assert sealed_quickly(ledger).root == true
    with pytest.raises(Refuted, match="not those sealed"):
        sealed(ledger)
    ledger.restore(kept)
    assert sealed(ledger).root == true


@pytest.mark.parametrize("damage", [b"", b"x" * 32, b"x" * 320])
def test_damaged_hashes_of_subtrees_cost_time_and_nothing_else(ledger, damage):
    ledger.grow(600)
    sealed(ledger)
    ledger.box.nodes.write_bytes(damage)
    ledger.grow(1)
    quick = sealed_quickly(ledger)
    assert quick.size == 613
    assert ledger.box.tree_under(quick) is not None
    assert sealed(ledger) == quick
    assert ledger.box.stored_tree(quick) is not None


# --- killed, full ---------------------------------------------------------------------------------


def signed_in(folder):
    """Every whole checkpoint that lies anywhere in the folder, as (size, root)."""
    texts = [path.read_text().split("\n") for path in folder.glob("ledger.head*")]
    return {(int(lines[1]), lines[2]) for lines in texts if len(lines) == 6}


@pytest.mark.parametrize("step", range(40))
def test_killed_at_any_step_there_are_never_two_checkpoints_of_one_size(ledger, step):
    """The worst case: after the kill, the database goes back and other things happen instead."""
    before = ledger.keep("before.db")
    ledger.grow(4)
    grown = ledger.keep("grown.db")
    killed = killed_at(step, lambda: sealed(ledger))
    signed = signed_in(ledger.folder)
    ledger.restore(before)
    ledger.grow(4, mark="-other")
    try:
        sealed(ledger)
    except Refuted:
        other = False
    else:
        other = True
    signed |= signed_in(ledger.folder)
    sizes = [size for size, _ in signed]
    assert len(sizes) == len(set(sizes)), signed
    ledger.restore(grown)
    if other:
        assert killed
        with pytest.raises(Refuted):
            sealed(ledger)
    else:
        assert sealed(ledger).size == 16


def test_the_kills_reach_from_the_first_step_to_the_last(ledger):
    ledger.grow(4)
    assert killed_at(0, lambda: sealed(ledger))
    assert head_of(ledger).size == 12
    assert not killed_at(39, lambda: sealed(ledger))
    assert head_of(ledger).size == 16


@pytest.mark.parametrize("step", range(40))
def test_killed_at_any_step_making_a_key_can_be_done_again(unsigned, step):
    def make():
        found_ledger(unsigned.database, unsigned.folder, "office.example/ledger")

    killed_at(step, make)
    if not unsigned.box.key.exists():
        make()
    assert sealed(unsigned) == head_of(unsigned)
    assert not unsigned.box.unfinished_key.exists()
    assert unsigned.box.verifier() == read_signer(unsigned.box.key.read_text()).verifier


def test_a_checkpoint_that_was_signed_before_a_crash_counts(ledger):
    ledger.grow(4)
    signer = read_signer(ledger.box.key.read_text())
    copy = ledger.keep("copy.db")
    waiting = sealed(ledger)
    ledger.restore(copy)
    note = ledger.box.head_note()
    ledger.box.head.write_bytes(Checkpoint(signer.name, 0, EMPTY_ROOT).signed(signer))
    write_durably(ledger.box.next_head, note)
    assert sealed(ledger) == waiting
    assert not ledger.box.next_head.exists()


def test_half_a_checkpoint_is_thrown_away(ledger):
    write_durably(ledger.box.next_head, ledger.box.head_note()[:-30])
    assert sealed(ledger).size == 12
    assert not ledger.box.next_head.exists()


def test_two_signed_checkpoints_of_one_size_stop_everything(ledger):
    signer = read_signer(ledger.box.key.read_text())
    write_durably(ledger.box.next_head, Checkpoint(signer.name, 12, bytes(32)).signed(signer))
    with pytest.raises(ForkProven):
        sealed(ledger)
    assert ledger.box.next_head.exists()


def test_a_full_disk_leaves_the_old_head_and_says_so(ledger, monkeypatch):
    before = ledger.box.head_note()
    ledger.grow(1)
    real = os.fsync
    left = iter(())

    def full(file):
        if next(left) == 0:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", full)
    for fails_at in (1, 2, 3):
        left = iter(range(fails_at - 1, -1, -1))
        with pytest.raises(UserError, match="the disk is full"):
            sealed(ledger)
        assert ledger.box.head_note() == before
        assert not ledger.box.next_head.exists()
    monkeypatch.undo()
    assert sealed(ledger).size == 13


# --- when the daemon seals ------------------------------------------------------------------------


def due(ledger, now, last, **options):
    return seal_if_due(ledger.database, ledger.folder, now=now, last=last, **options)


def test_an_office_without_a_key_is_left_alone(unsigned):
    assert due(unsigned, START, None) is None


def test_the_daemon_seals_at_first_each_minute_and_at_once_when_asked(ledger):
    ledger.grow(1)
    assert due(ledger, START, None) == START
    assert head_of(ledger).size == 13
    ledger.grow(1)
    soon = START + EVERY - timedelta(seconds=1)
    assert due(ledger, soon, START) == START
    assert head_of(ledger).size == 13
    assert due(ledger, soon, START, at_once=True) == soon
    assert head_of(ledger).size == 14
    ledger.grow(1)
    assert due(ledger, soon + EVERY, soon) == soon + EVERY
    assert head_of(ledger).size == 15


def test_the_daemon_hears_of_a_lost_key_and_of_a_rolled_back_database(ledger):
    ledger.attack("DELETE FROM ledger_entry WHERE id = 11")
    with pytest.raises(Refuted):
        due(ledger, START, None)
    for path in (ledger.box.key, ledger.box.head, ledger.box.leaves):
        path.unlink()
        with pytest.raises(Undecided):
            due(ledger, START, None)
