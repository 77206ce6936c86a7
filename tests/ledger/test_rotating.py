"""A new key takes over: whom a reader may believe, what a thief can do, what a kill leaves."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from killing import killed_at

from crosspost.errors import Conflict, ForkProven, Refuted, Undecided, UserError
from crosspost.ledger import book, evidence
from crosspost.ledger.audit import Verdict, audit
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.handover import Handover, read_handover
from crosspost.ledger.keys import Keys, read_keys
from crosspost.ledger.note import new_signer, read_signer, read_verifier
from crosspost.ledger.proof import read_proof
from crosspost.ledger.rotating import Wish, replace_lost, rotate
from crosspost.ledger.sealing import seal
from crosspost.ledger.verifying import verify

WISH = Wish("Siti", datetime(2026, 11, 2, 2, 0, tzinfo=UTC), "The key is a year old.")


def rotated(ledger, act=rotate):
    """The handover to another key."""
    database = ledger.database
    try:
        return act(database, ledger.folder, WISH)
    finally:
        database.close()


def sealed(ledger, *, whole=True):
    database = ledger.database
    try:
        return seal(database, ledger.folder, whole=whole)
    finally:
        database.close()


def signed_by(note: bytes, key) -> bool:
    try:
        return bool(read_checkpoint(note, key))
    except Undecided:
        return False


def signer_of(ledger):
    return read_signer(ledger.box.key.read_text())


# --- as it is meant -------------------------------------------------------------------------------


def test_the_old_key_signs_the_entry_that_names_the_new_one_and_nothing_after_it(ledger):
    old = signer_of(ledger)
    found = rotated(ledger)
    assert (found.old, found.until, found.since) == (old.verifier, 13, 13)
    last = ledger.box.head_note()
    assert signed_by(last, found.old)
    assert signed_by(last, found.new)
    assert sealed(ledger).size == 13
    assert ledger.box.head_note() == last  # there is never a second one of a size
    ledger.grow(2)
    assert sealed(ledger).size == 15
    assert not signed_by(ledger.box.head_note(), found.old)
    assert signed_by(ledger.box.head_note(), found.new)
    assert ledger.box.verifier() == signer_of(ledger).verifier == found.new


def test_the_act_is_an_entry_with_who_and_why_and_the_signed_statement(ledger):
    found = rotated(ledger)
    with ledger.database.read() as session:
        [record] = book.entries(session, last=1)
    assert (record.index, record.values["kind"], record.note) == (12, "key_rotated", WISH.reason)
    assert record.values["by"] == "Siti"
    assert read_handover(record.values["data"]["handover"]) == found
    assert record.values["data"]["new"] == str(found.new)


def test_the_new_key_is_for_its_owner_and_the_old_one_is_gone(ledger):
    old = signer_of(ledger)
    rotated(ledger)
    assert stat.S_IMODE(ledger.box.key.stat().st_mode) == 0o600
    new = signer_of(ledger)
    left = {path.name: path.read_bytes() for path in ledger.folder.iterdir() if path.is_file()}
    assert "ledger.key.next" not in left
    assert [name for name, data in left.items() if old.secret.encode() in data] == []
    assert [name for name, data in left.items() if new.secret.encode() in data] == ["ledger.key"]


def test_the_record_is_verified_by_each_key_of_its_time_and_with_checkpoints_kept_elsewhere(ledger):
    keys, kept = [str(ledger.box.verifier())], []
    for turn in range(3):
        (ledger.folder / f"kept{turn}").write_bytes(ledger.box.head_note())
        kept.append(f"kept{turn}")
        keys.append(str(rotated(ledger).new))
        ledger.grow(2)
        sealed(ledger, whole=False)
    assert "VERIFIED: 21" in ledger.run("log", "verify")
    for key in (*keys, "ledger.keys", "ledger.vkey"):
        for file in kept:
            ledger.run("log", "verify", "--key", key, "--against", file)
    said = json.loads((ledger.folder / "ledger.keys").read_text())["keys"]
    ranges = [(key["since"], key["until"]) for key in said]
    assert ranges == [(0, 13), (13, 16), (16, 19), (19, None)]
    assert [key["vkey"] for key in said] == keys


def test_who_trusts_the_old_key_can_follow_offline(ledger, tmp_path_factory):
    old, found = str(ledger.box.verifier()), rotated(ledger)
    third = rotated(ledger)
    elsewhere = tmp_path_factory.mktemp("reader")
    (elsewhere / "identity.json").write_bytes((ledger.folder / "ledger.keys").read_bytes())
    for key in (old, found.new, third.new):
        said = ledger.run("verify", "identity.json", "--key", key, cwd=elsewhere)
        assert str(third.new) in said
    said = json.loads(ledger.run("verify", "identity.json", "--key", old, "--json", cwd=elsewhere))
    assert said["keys"][-1]["vkey"] == str(third.new)
    stranger = new_signer("office.example/ledger").verifier
    assert "No signature leads" in ledger.run(
        "verify", "identity.json", "--key", stranger, cwd=elsewhere, code=2
    )


def test_an_export_is_verified_by_any_of_the_keys(ledger):
    old, found = ledger.box.verifier(), rotated(ledger)
    ledger.grow(3)
    sealed(ledger)
    out = ledger.folder / "out"
    ledger.export(out)
    for keys in (Keys.of(old), Keys.of(found.new), ledger.box.keys()):
        assert verify(out, keys).checkpoint.size == 16
    later = rotated(ledger)
    assert verify(out, ledger.box.keys()).checkpoint.size == 16
    with pytest.raises(Undecided):
        verify(out, Keys.of(later.new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"until": 13', b'"until": 12'),
        (b'"until": 13', b'"until": null'),
        (b'"since": 13', b'"since": 12'),
        (b'"since": 0', b'"since": 1'),
        (b"until 13", b"until 14"),
        (b'"handover"', b'"handed"'),
    ],
)
def test_an_export_that_says_of_its_keys_what_they_did_not_sign_is_found(ledger, old, new):
    from test_verifying import reseal_manifest

    first = ledger.box.verifier()
    rotated(ledger)
    out = ledger.folder / "out"
    ledger.export(out)
    data = (out / "keys.json").read_bytes()
    assert old in data
    (out / "keys.json").write_bytes(data.replace(old, new, 1))
    reseal_manifest(out)
    for keys in (Keys.of(first), ledger.box.keys()):
        with pytest.raises((Refuted, Undecided)):
            verify(out, keys)


def test_where_the_list_of_keys_was_lost_the_next_whole_sealing_makes_it_anew(ledger):
    old = ledger.box.verifier()
    rotated(ledger)
    before = ledger.box.keys()
    ledger.box.keys_file.unlink()
    assert ledger.box.keys().ranges[0].verifier != old
    ledger.export(ledger.folder / "out")
    assert verify(ledger.folder / "out", Keys.of(old)).checkpoint.size == 13
    ledger.run("log", "verify", "--key", old)
    sealed(ledger)
    assert ledger.box.keys() == before


# --- a thief --------------------------------------------------------------------------------------


def test_what_a_retired_key_signs_later_is_refuted_and_what_a_new_one_signs_earlier(ledger):
    old, found = signer_of(ledger), rotated(ledger)
    new, keys = signer_of(ledger), ledger.box.keys()
    tried = ((old, 13, True), (old, 14, False), (new, 13, True), (new, 12, False))
    for signer, size, good in tried:
        note = Checkpoint(found.new.name, size, bytes(32)).signed(signer)
        if good:
            assert keys.read(partial(read_checkpoint, note)).size == size
        else:
            with pytest.raises(Refuted, match="may not sign"):
                keys.read(partial(read_checkpoint, note))
    forged = ledger.folder / "forged"
    forged.write_bytes(Checkpoint(found.new.name, 20, bytes(32)).signed(old))
    assert "may not sign" in ledger.run("verify", forged, "--key", "ledger.keys", code=1)
    assert "may not sign" in ledger.run("log", "verify", "--against", forged, code=1)


def test_a_proof_by_a_retired_key_holds_for_its_time_only(ledger):
    with ledger.database.read() as session:
        [early] = evidence.prove(session, ledger.folder, [4])
    old = signer_of(ledger)
    rotated(ledger)
    keys = ledger.box.keys()
    assert keys.read(early.check).size == 12
    ledger.grow(2)
    sealed(ledger)
    with ledger.database.read() as session:
        [late] = evidence.prove(session, ledger.folder, [13])
    head = read_checkpoint(late.note, keys.newest)
    stolen = read_proof(late.text().replace(late.note, head.signed(old)))
    assert stolen.check(old.verifier).size == 15  # by itself it holds
    with pytest.raises(Refuted, match="may not sign"):
        keys.read(stolen.check)


def test_another_history_of_the_old_keys_time_is_a_fork(ledger):
    old = signer_of(ledger)
    rotated(ledger)
    forged = ledger.folder / "forged"
    forged.write_bytes(Checkpoint(old.name, 9, bytes(32)).signed(old))
    assert "FORK" in ledger.run("log", "verify", "--against", forged, code=3)


def handover(old, new, size=14, **about):
    signers = (new,) if about.get("lost") else (old, new)
    until = about.pop("until", size)
    return Handover(old.verifier, new.verifier, until, size, **about).signed(*signers)


def test_a_key_that_hands_over_twice_is_caught_by_whoever_knows_the_first_time(ledger):
    old = signer_of(ledger)
    rotated(ledger)
    rival = handover(old, new_signer(old.name))
    genuine = ledger.box.handovers()
    for known, notes in (
        (ledger.box.keys(), [rival]),
        (Keys.of(old.verifier), [*genuine, rival]),
        (Keys.of(ledger.box.verifier()), [rival, *genuine]),
    ):
        with pytest.raises(ForkProven, match="handed over to two keys"):
            known.linked(notes)
    said = json.loads(ledger.box.keys_file.read_text())
    said["keys"][1]["handover"] = rival
    (ledger.folder / "identity.json").write_text(json.dumps(said))
    ledger.run("verify", "identity.json", "--key", "ledger.keys", code=3)


def test_nobody_is_led_to_a_key_that_the_old_one_did_not_sign():
    old, thief = new_signer("office.example/log"), new_signer("office.example/log")
    known = Keys.of(old.verifier)
    elsewhere = new_signer("office.example/other")
    for note in (
        handover(old, thief, until=13, lost=True),
        handover(old, thief).replace("14", "15"),
        re.sub("(?m)^— .*\n", "", handover(old, thief), count=1),
        handover(thief, thief),
        handover(old, elsewhere),
        Handover(old.verifier, thief.verifier, 13, 14).signed(old, thief),
        Handover(old.verifier, thief.verifier, 14, 14, lost=True).signed(old, thief),
        Handover(old.verifier, thief.verifier, 14, 14).signed(thief, thief),
        "",
        "x" * 3000,
        "\n" * 20,
    ):
        assert known.linked([note]) == known, note


def test_every_changed_byte_of_a_handover_makes_it_worthless():
    old, new = new_signer("office.example/log"), new_signer("office.example/log")
    note = handover(old, new).encode()
    assert Keys.of(old.verifier).linked([note.decode()]).newest == new.verifier
    for at in range(len(note)):
        changed = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        for keys in (Keys.of(old.verifier), Keys.of(new.verifier)):
            assert keys.linked([changed.decode(errors="replace")]) == keys


def test_keys_that_hand_over_to_each_other_lead_nowhere_without_end():
    one, two = new_signer("office.example/log"), new_signer("office.example/log")
    circle = [handover(one, two, 10), handover(two, one, 10), handover(two, one, 20)]
    for key in (one, two):
        try:
            found = Keys.of(key.verifier).linked(circle)
        except ForkProven:
            continue
        assert len(found.ranges) <= 3
    found = Keys.of(one.verifier).linked([handover(one, two, 10), handover(two, one, 10)])
    assert [key.verifier for key in found.ranges] == [one.verifier, two.verifier]


def insert(ledger, note: str, kind: str = "key_rotated") -> None:
    """Somebody who may write to the database, and has not the key, records a change of the key."""
    database = ledger.database
    with database.write() as session:
        book.append(session, book.Act(kind, "Siti", WISH.at, data={"handover": note}))
    database.close()


@pytest.mark.parametrize("how", ["no words", "a stranger", "lost", "the wrong size"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_change_of_the_key_that_the_key_did_not_sign_is_not_sealed(ledger, how, whole):
    old, thief = signer_of(ledger), new_signer("office.example/ledger")
    note = {
        "no words": "",
        "a stranger": handover(new_signer(old.name), thief, 13),
        "lost": handover(old, thief, 13, until=12, lost=True),
        "the wrong size": handover(old, thief, 12),
    }[how]
    insert(ledger, note, "key_replaced" if how == "lost" else "key_rotated")
    before = ledger.box.head_note()
    with pytest.raises(Refuted, match="Entry 12 names a new key"):
        sealed(ledger, whole=whole)
    with pytest.raises(Refuted, match="Entry 12 names a new key"):
        rotated(ledger)
    assert ledger.box.head_note() == before
    assert signer_of(ledger) == old


def test_log_verify_names_a_change_of_the_key_that_was_never_signed(ledger):
    """Sealed by whoever was made to, with a crosspost that does not look."""
    thief = new_signer("office.example/ledger")
    insert(ledger, handover(new_signer(thief.name), thief, 13))
    ledger.grow(2)
    signer = signer_of(ledger)
    from crosspost.ledger.growth import grown_from

    head = read_checkpoint(ledger.box.head_note(), signer.verifier)
    with ledger.database.read() as session:
        root, leaves = grown_from(head, book.raw_entries(session))
    ledger.box.put_head(Checkpoint(signer.name, 15, root).signed(signer), leaves)
    assert "Entry 12 names a new key" in ledger.run("log", "verify", code=1)


def test_a_ledger_that_goes_on_after_an_ended_one_may_hold_its_changes_of_keys(ledger):
    rotated(ledger)
    for path in ledger.folder.glob("ledger.*"):
        path.unlink()
    ledger.run("log", "init", "--origin", "office.example/second")
    ledger.grow(1)
    ledger.run("log", "seal")
    ledger.run("log", "verify")
    ledger.run("log", "export", "out")
    ledger.run("verify", "out", "--key", "ledger.vkey")
    ledger.run("log", "rotate", "--yes")
    ledger.run("log", "verify")


# --- killed, full, waiting ------------------------------------------------------------------------


def notes_in(folder) -> set[tuple[int, str]]:
    """Every whole checkpoint in the folder, as (size, root)."""
    texts = [path.read_text() for path in folder.glob("ledger.head*")]
    found = [re.match(r"\S+\n(\d+)\n(\S+)\n\n(?:— \S+ \S+\n)+\Z", text) for text in texts]
    return {(int(match[1]), match[2]) for match in found if match}


def looked_at(ledger, given: Keys):
    """What `log verify --key` finds."""
    keys = given.linked(ledger.box.handovers())
    head = keys.read(partial(read_checkpoint, ledger.box.head_note()))
    database = ledger.database
    with database.read() as session:
        found = audit(book.rows(session), head, ledger.box.tree_under(head), None, keys)
    database.close()
    return found


STEPS = 70


@pytest.mark.parametrize("step", range(STEPS))
def test_killed_at_any_step_the_ledger_goes_on_by_exactly_one_key(ledger, step):
    old = ledger.box.verifier()
    ledger.grow(3)
    killed_at(step, partial(rotated, ledger))
    signed = notes_in(ledger.folder)
    ledger.grow(2)
    size = sealed(ledger, whole=bool(step % 2)).size
    signed |= notes_in(ledger.folder)
    assert len(signed) == len({size for size, _ in signed})
    assert size in (17, 18)
    keys, key = ledger.box.keys(), signer_of(ledger)
    assert key.verifier == ledger.box.verifier() == keys.newest
    assert keys.read(partial(read_checkpoint, ledger.box.head_note())).size == size
    assert Keys.of(old).linked(ledger.box.handovers()).newest == key.verifier
    assert (key.verifier != old) == (size == 18)  # it is on record, or it did not happen
    assert stat.S_IMODE(ledger.box.key.stat().st_mode) == 0o600
    assert looked_at(ledger, Keys.of(old)).verdict is Verdict.VERIFIED
    again = rotated(ledger)
    assert again.old == key.verifier
    assert sealed(ledger).size == size + 1


@pytest.mark.parametrize("step", range(0, STEPS, 3))
def test_killed_and_run_again_it_is_one_handover(ledger, step):
    old = ledger.box.verifier()
    killed_at(step, partial(rotated, ledger))
    found = rotated(ledger)
    keys = ledger.box.keys()
    assert keys.ranges[0].verifier == old
    assert keys.newest == found.new
    begun = len(keys.ranges) - 1
    assert begun == 1 or (begun == 2 and found.until > 13)  # it was over, so this is the next
    assert not ledger.box.next_key.exists()


def test_the_kills_reach_from_the_first_step_to_the_last(ledger):
    assert killed_at(0, partial(rotated, ledger))
    assert not ledger.box.keys_file.exists()
    assert not killed_at(STEPS - 1, partial(rotated, ledger))
    assert len(ledger.box.keys().ranges) == 2


@pytest.mark.parametrize("step", range(0, STEPS, 2))
def test_killed_and_set_back_no_two_checkpoints_of_one_size_are_signed(ledger, step):
    before = ledger.keep("before.db")
    killed_at(step, partial(rotated, ledger))
    signed = notes_in(ledger.folder)
    ledger.restore(before)
    ledger.grow(1, mark="-other")
    with suppress(Refuted):
        sealed(ledger)
    signed |= notes_in(ledger.folder)
    assert len(signed) == len({size for size, _ in signed}), signed


def test_a_full_disk_is_said_and_what_is_signed_stays_of_one_history(ledger, monkeypatch):
    old, real, left, said = ledger.box.verifier(), os.fsync, iter(()), []

    def full(file):
        if next(left, 1) == 0:
            raise OSError(28, "No space left on device")
        real(file)

    for fails_at in range(1, 40):
        left = iter(range(fails_at - 1, -1, -1))
        monkeypatch.setattr(os, "fsync", full)
        try:
            rotated(ledger)
        except UserError as error:
            said.append(str(error))
        else:
            break
        finally:
            monkeypatch.undo()
        ledger.grow(1)
        size = sealed(ledger).size
        assert ledger.box.keys().read(partial(read_checkpoint, ledger.box.head_note())).size == size
        assert Keys.of(old).linked(ledger.box.handovers()).newest == signer_of(ledger).verifier
    assert len(said) > 5
    assert all("the disk is full" in words for words in said)


def test_who_waited_for_the_old_key_signs_with_the_new_one(ledger):
    """A daemon that wanted to seal while the key was exchanged."""
    old = ledger.box.verifier()
    begun, waiting, said = threading.Event(), threading.Event(), []

    def exchange():
        with ledger.box.signer():
            begun.set()
            waiting.wait(10)
            # what `rotate` does at its end, while others wait
            new = new_signer(old.name)
            note = handover(old_signer, new, 13)
            from crosspost.durable import write_durably

            write_durably(ledger.box.next_key, new.secret.encode(), mode=0o600)
            keys = Keys.of(new.verifier).linked([note])
            ledger.box.write_keys(keys)
            ledger.box.put_key(keys)

    def wait():
        begun.wait(10)
        waiting.set()
        with ledger.box.signer() as signer:
            said.append(signer.verifier)

    old_signer = signer_of(ledger)
    threads = [threading.Thread(target=work) for work in (exchange, wait)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert said == [ledger.box.verifier()]
    assert said != [old]


def test_a_sealer_at_work_and_a_rotation_do_not_disturb_each_other(ledger):
    stop, problems, notes = threading.Event(), [], set()

    def sealing():
        database = ledger.database
        while not stop.is_set():
            try:
                seal(database, ledger.folder, whole=False)
                notes.add(ledger.box.head_note())
            except Exception as error:  # noqa: BLE001 - the test wants to see it
                problems.append(error)
        database.close()

    thread = threading.Thread(target=sealing)
    thread.start()
    for _ in range(6):
        ledger.grow(2)
        rotated(ledger)
    stop.set()
    thread.join(20)
    assert problems == []
    keys = ledger.box.keys()
    assert len(keys.ranges) == 7
    roots = {}
    for note in notes:
        found = keys.read(partial(read_checkpoint, note))
        assert roots.setdefault(found.size, found.root) == found.root
    ledger.run("log", "verify")


# --- a lost key -----------------------------------------------------------------------------------


def test_a_lost_key_is_said_with_what_to_do_and_another_one_goes_on(ledger):
    old = ledger.box.verifier()
    with pytest.raises(Conflict, match="has its key"):
        rotated(ledger, replace_lost)
    ledger.grow(4)
    ledger.box.key.unlink()
    with pytest.raises(Undecided, match="missing") as raised:
        sealed(ledger)
    assert "log rotate --lost" in raised.value.hint
    with pytest.raises(Undecided, match="missing"):
        rotated(ledger)
    found = rotated(ledger, replace_lost)
    assert (found.old, found.until, found.since, found.lost) == (old, 12, 17, True)
    ledger.grow(1)
    assert sealed(ledger).size == 18
    assert ledger.box.keys().ranges[0].until == 12
    assert "VERIFIED: 18" in ledger.run("log", "verify")
    kept = ledger.folder / "kept"
    kept.write_bytes(ledger.box.head_note())
    assert "VERIFIED" in ledger.run("verify", kept, "--key", "ledger.keys")
    # who trusts the old key has no reason to follow
    ledger.run("verify", kept, "--key", old, code=2)
    ledger.run("verify", "ledger.keys", "--key", old, code=2)
    ledger.run("log", "verify", "--key", old, code=2)


def test_a_lost_key_that_somebody_found_signs_nothing_that_counts(ledger):
    thief = signer_of(ledger)
    ledger.box.key.unlink()
    rotated(ledger, replace_lost)
    keys = ledger.box.keys()
    for size in (13, 14):
        note = Checkpoint(thief.name, size, bytes(32)).signed(thief)
        with pytest.raises(Refuted, match="may not sign"):
            keys.read(partial(read_checkpoint, note))
    with pytest.raises(ForkProven):
        keys.linked([handover(thief, new_signer(thief.name))])
    ledger.box.key.write_text(thief.secret)
    ledger.box.key.chmod(0o600)
    with pytest.raises(UserError):
        sealed(ledger)


def test_a_new_key_never_goes_on_from_a_database_that_was_changed(ledger):
    ledger.attack("DELETE FROM ledger_entry WHERE id = 11")
    with pytest.raises(Refuted):
        rotated(ledger)
    ledger.box.key.unlink()
    with pytest.raises(Refuted):
        rotated(ledger, replace_lost)
    assert not ledger.box.next_key.exists()


@pytest.mark.parametrize("step", range(0, STEPS, 2))
def test_killed_while_a_lost_key_is_replaced_it_can_be_done_again(ledger, step):
    ledger.box.key.unlink()
    killed_at(step, partial(rotated, ledger, replace_lost))
    try:
        sealed(ledger)  # as a daemon tries to
    except Undecided as error:
        hint = error.hint
        rotated(ledger, replace_lost)
        assert "log rotate --lost" in hint
    assert sealed(ledger).size == 13
    assert ledger.box.keys().newest == signer_of(ledger).verifier
    assert [key.until for key in ledger.box.keys().ranges] == [12, None]
    assert notes_in(ledger.folder) == {(13, notes_in(ledger.folder).pop()[1])}


# --- as a command ---------------------------------------------------------------------------------


def test_the_command_asks_says_the_new_key_and_refuses_an_unconfirmed_copy(ledger):
    old = str(ledger.box.verifier())
    assert "Nobody can be asked" in ledger.run("log", "rotate", code=2)
    said = json.loads(ledger.run("log", "rotate", "--yes", "--json", "--reason", "Yearly."))
    assert said["old"] == old
    assert read_verifier(said["new"]) == ledger.box.verifier()
    assert (said["until"], said["since"], said["lost"]) == (13, 13, False)
    assert said["new"] not in ledger.run("log", "rotate", "--yes")
    assert "Yearly." in ledger.run("log", "list")
    assert "has its key" in ledger.run("log", "rotate", "--lost", "--yes", code=1)
    with closing(sqlite3.connect(ledger.folder / "crosspost.db")) as connection:
        connection.execute(
            "INSERT INTO office_state (name, value) VALUES (?, ?)",
            ("copy", '{"at":"2026-11-01T00:00:00.000000Z"}'),
        )
        connection.commit()
    before = ledger.box.key.read_bytes()
    assert "crosspost restore" in ledger.run("log", "rotate", "--yes", code=1)
    assert ledger.box.key.read_bytes() == before


def test_keys_of_a_file_are_read_as_they_were_written(ledger):
    rotated(ledger)
    assert read_keys(ledger.box.keys_file.read_text()) == ledger.box.keys()
