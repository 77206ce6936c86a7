"""Attacks on the stored ledger: `log verify` finds each, names the entry, and never breaks."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest

from crosspost.ledger.audit import Verdict, audit
from crosspost.ledger.book import rows
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.comparing import checkpoint_in
from crosspost.ledger.keys import Keys
from crosspost.ledger.note import Signer, read_signer
from crosspost.ledger.sealing import seal


def look(ledger, against=None, *, leaves=True):
    """What `log verify` finds."""
    verifier = ledger.box.verifier()
    head = read_checkpoint(ledger.box.head_note(), verifier)
    witness = checkpoint_in(against, Keys.of(verifier)) if against else None
    tree = ledger.box.tree_under(head) if leaves else None
    database = ledger.database
    with database.read() as session:
        found = audit(rows(session), head, tree, witness, Keys.of(verifier))
    database.close()
    return found


def assert_refuted(ledger, wrong):
    found = look(ledger)
    assert (found.verdict, found.wrong) == (Verdict.REFUTED, wrong), found
    assert found.problem


def test_an_honest_ledger_is_verified(ledger):
    found = look(ledger)
    assert (found.verdict, found.entries, found.unsealed) == (Verdict.VERIFIED, 12, 0)
    ledger.grow(3)
    found = look(ledger)
    assert (found.verdict, found.entries, found.unsealed) == (Verdict.VERIFIED, 15, 3)


@pytest.mark.parametrize(
    ("wrong", "statement"),
    [
        (7, "UPDATE ledger_entry SET entry = CAST(replace(entry, 'x', 'y') AS BLOB) WHERE id = 7"),
        (7, "UPDATE ledger_entry SET leaf = zeroblob(32) WHERE id = 7"),
        (7, "UPDATE ledger_entry SET entry = 'text' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET entry = 10000000000000 WHERE id = 7"),
        (7, "UPDATE ledger_entry SET leaf = 'text' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET kind = 'published' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET \"by\" = 'Somebody' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET at = '2020-01-01 00:00:00.000000' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET at = 'yesterday' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET at = 5 WHERE id = 7"),
        (7, "UPDATE ledger_entry SET announcement_id = 99 WHERE id = 7"),
        (7, "UPDATE ledger_entry SET delivery_id = NULL WHERE id = 7"),
        (6, "UPDATE ledger_note SET note = 'For no reason.' WHERE id = 6"),
        (6, "UPDATE ledger_note SET salt = zeroblob(32) WHERE id = 6"),
        (6, "UPDATE ledger_note SET salt = zeroblob(3) WHERE id = 6"),
        (6, "UPDATE ledger_note SET salt = 'text' WHERE id = 6"),
        (7, "INSERT INTO ledger_note (id, note, salt) VALUES (7, 'New.', zeroblob(32))"),
        (0, "UPDATE ledger_entry SET id = -1 WHERE id = 0"),
        (7, "DELETE FROM ledger_entry WHERE id = 7"),
        (11, "DELETE FROM ledger_entry WHERE id = 11"),
        (4, "DELETE FROM ledger_entry WHERE id >= 4"),
        (0, "DELETE FROM ledger_entry"),
    ],
)
def test_a_change_by_sql_is_named(ledger, wrong, statement):
    ledger.attack("PRAGMA foreign_keys = OFF", statement)
    assert_refuted(ledger, wrong)


def test_a_consistent_edit_is_named(ledger):
    ledger.rewrite(8, lambda entry: entry.replace(b"daemon", b"nobody"))
    assert_refuted(ledger, 8)


def test_a_consistent_edit_is_refuted_without_the_leaves_too(ledger):
    ledger.rewrite(8, lambda entry: entry.replace(b"daemon", b"nobody"))
    ledger.box.leaves.write_bytes(ledger.box.leaves.read_bytes()[:-1] + b"\0")
    found = look(ledger)
    assert (found.verdict, found.wrong) == (Verdict.REFUTED, None)
    ledger.box.leaves.unlink()
    assert look(ledger).verdict is Verdict.REFUTED


COPY = 'entry, leaf, kind, at, "by", announcement_id, delivery_id'


def test_swapped_entries_are_named(ledger):
    ledger.attack(
        "UPDATE ledger_entry SET id = -1 WHERE id = 4",
        "UPDATE ledger_entry SET id = 4 WHERE id = 8",
        "UPDATE ledger_entry SET id = 8 WHERE id = -1",
    )
    assert_refuted(ledger, 4)


def test_an_inserted_entry_is_named(ledger):
    shift = [f"UPDATE ledger_entry SET id = {n + 1} WHERE id = {n}" for n in range(11, 4, -1)]
    again = f"INSERT INTO ledger_entry (id, {COPY}) SELECT 5, {COPY} FROM ledger_entry WHERE id = 1"
    ledger.attack("PRAGMA foreign_keys = OFF", "DELETE FROM ledger_note", *shift, again)
    assert_refuted(ledger, 5)


def test_a_deleted_entry_is_named_when_the_numbers_were_mended(ledger):
    shift = [f"UPDATE ledger_entry SET id = {n - 1} WHERE id = {n}" for n in range(6, 12)]
    ledger.attack("DELETE FROM ledger_note", "DELETE FROM ledger_entry WHERE id = 5", *shift)
    assert_refuted(ledger, 5)


@pytest.mark.parametrize("entry", ["[1]", "null", "{}", '{"a":1.5}', "{", "[" * 90000, '{"at":5}'])
def test_an_appended_entry_of_no_form_is_named(ledger, entry):
    from crosspost.ledger.hashing import leaf_hash

    leaf = leaf_hash(entry.encode()).hex()
    ledger.attack(
        'INSERT INTO ledger_entry (id, entry, leaf, kind, at, "by") VALUES '
        f"(12, CAST('{entry}' AS BLOB), x'{leaf}', 'x', 'x', 'x')"
    )
    assert_refuted(ledger, 12)


def test_a_rolled_back_database_is_refuted_also_after_it_has_grown(ledger):
    old = ledger.keep("old.db")
    ledger.grow(4)
    seal(ledger.database, ledger.folder)
    ledger.restore(old)
    assert_refuted(ledger, 12)
    ledger.grow(9, mark="-other")
    assert_refuted(ledger, 12)


def test_erased_words_are_counted_and_contradict_nothing(ledger):
    ledger.attack("DELETE FROM ledger_note WHERE id = 6")
    found = look(ledger)
    assert (found.verdict, found.erased) == (Verdict.VERIFIED, 1)


def test_a_back_dated_entry_is_pointed_at(ledger):
    ledger.grow(1, after=-timedelta(days=3))
    ledger.grow(1)
    found = look(ledger)
    assert (found.verdict, found.backdated) == (Verdict.VERIFIED, 12)


# --- what somebody kept elsewhere -----------------------------------------------------------------


def second_history(ledger):
    """Everything is rolled back, head and leaves too, and grows again, signed with the real key."""
    old = {path.name: path.read_bytes() for path in ledger.folder.iterdir()}
    ledger.grow(4)
    seal(ledger.database, ledger.folder)
    kept = ledger.folder / "kept"
    shutil.copy(ledger.box.head, kept)
    for name, data in old.items():
        (ledger.folder / name).write_bytes(data)
    return kept


@pytest.mark.parametrize("more", [4, 9])
def test_a_second_history_is_a_fork_for_who_kept_a_checkpoint(ledger, more):
    kept = second_history(ledger)
    ledger.grow(more, mark="-other")
    seal(ledger.database, ledger.folder)
    assert look(ledger).verdict is Verdict.VERIFIED
    assert look(ledger, kept).verdict is Verdict.FORK


def test_a_shorter_history_with_its_own_head_is_refuted_by_a_kept_checkpoint(ledger):
    kept = second_history(ledger)
    found = look(ledger, kept)
    assert (found.verdict, found.wrong) == (Verdict.REFUTED, 12)
    ledger.grow(9, mark="-other")
    assert look(ledger, kept).verdict is Verdict.REFUTED


def test_a_head_of_a_shorter_other_history_is_a_fork(ledger):
    kept = second_history(ledger)
    ledger.grow(2, mark="-other")
    seal(ledger.database, ledger.folder)
    other = ledger.folder / "other"
    shutil.copy(ledger.box.head, other)
    shutil.copy(kept, ledger.box.head)
    assert look(ledger, other).verdict is not Verdict.VERIFIED


def test_an_honest_kept_checkpoint_agrees(ledger):
    kept = ledger.folder / "kept"
    shutil.copy(ledger.box.head, kept)
    ledger.grow(4)
    seal(ledger.database, ledger.folder)
    assert look(ledger, kept).verdict is Verdict.VERIFIED


# --- as commands, with their exit codes -----------------------------------------------------------


def test_the_way_of_the_command(unsigned):
    assert "no key here" in unsigned.run("log", "verify", code=2)
    said = unsigned.run("log", "init")
    assert "office.example/ledger" in said
    assert unsigned.box.key.read_text().strip() not in said
    assert "key already" in unsigned.run("log", "init", code=1)
    assert "VERIFIED: 12" in unsigned.run("log", "verify")
    unsigned.grow(2)
    assert "2 newer entries" in unsigned.run("log", "verify")
    assert json.loads(unsigned.run("log", "seal", "--json"))["size"] == 14
    assert json.loads(unsigned.run("log", "verify", "--json")) == {
        "verdict": "verified",
        "entries": 14,
        "sealed": 14,
        "unsealed": 0,
        "wrong": None,
        "problem": None,
        "erased": 0,
        "backdated": None,
    }
    unsigned.rewrite(8, lambda entry: entry.replace(b"daemon", b"nobody"))
    said = unsigned.run("log", "verify", code=1)
    assert "REFUTED: Entry 8" in said
    assert json.loads(unsigned.run("log", "verify", "--json", code=1))["wrong"] == 8
    assert "does not match its head" in unsigned.run("log", "seal", code=1)


def test_the_command_ends_with_3_for_a_fork(ledger):
    kept = second_history(ledger)
    ledger.grow(4, mark="-other")
    seal(ledger.database, ledger.folder)
    assert "FORK" in ledger.run("log", "verify", "--against", kept, code=3)


@pytest.mark.parametrize("file", ["vkey", "head"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\0", b"a+b+c", b"x" * (1 << 21)])
def test_a_damaged_key_or_head_cannot_decide(ledger, file, content):
    path = getattr(ledger.box, file)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    ledger.run("log", "verify", code=2)


def test_a_head_that_was_changed_is_refuted_and_one_of_another_key_decides_nothing(ledger):
    note = ledger.box.head_note()
    ledger.box.head.write_bytes(note.replace(b"\n12\n", b"\n13\n"))
    ledger.run("log", "verify", code=1)
    stranger = Signer("office.example/ledger", bytes(32))
    ledger.box.head.write_bytes(Checkpoint(stranger.name, 12, bytes(32)).signed(stranger))
    ledger.run("log", "verify", code=2)
    ledger.box.head.write_bytes(note)
    ledger.run("log", "verify", "--key", stranger.verifier, code=2)
    ledger.run("log", "verify", "--key", ledger.box.verifier())


def test_a_database_that_is_none_cannot_decide(ledger):
    (ledger.folder / "crosspost.db").write_bytes(b"no database " * 1000)
    ledger.run("log", "verify", code=2)
    (ledger.folder / "crosspost.db").unlink()
    ledger.run("log", "verify", code=2)


def test_two_signed_trees_of_one_size_with_the_real_key_are_a_fork(ledger):
    signer = read_signer(ledger.box.key.read_text())
    (ledger.folder / "other").write_bytes(Checkpoint(signer.name, 12, bytes(32)).signed(signer))
    ledger.run("log", "verify", "--against", "other", code=3)


# --- since a checkpoint ---------------------------------------------------------------------------


def test_only_what_came_since_a_checkpoint_is_looked_at(ledger):
    kept = ledger.folder / "kept"
    kept.write_bytes(ledger.box.head_note())
    ledger.grow(5)
    seal(ledger.database, ledger.folder)
    ledger.grow(1)
    said = json.loads(ledger.run("log", "verify", "--since", kept, "--json"))
    assert (said["verdict"], said["entries"], said["unsealed"]) == ("verified", 18, 1)
    ledger.run("log", "verify", "--since", kept, "--against", kept)
    ledger.rewrite(14, lambda entry: entry.replace(b"daemon", b"nobody"))
    assert "Entry 14" in ledger.run("log", "verify", "--since", kept, code=1)


def test_what_the_checkpoint_covers_was_verified_before_and_is_not_looked_at_again(ledger):
    kept = ledger.folder / "kept"
    kept.write_bytes(ledger.box.head_note())
    ledger.grow(5)
    seal(ledger.database, ledger.folder)
    ledger.rewrite(3, lambda entry: entry.replace(b"daemon", b"nobody"))
    ledger.run("log", "verify", "--since", kept)
    assert "Entry 3" in ledger.run("log", "verify", code=1)
    ledger.attack("PRAGMA foreign_keys = OFF", "DELETE FROM ledger_entry WHERE id = 16")
    assert "16" in ledger.run("log", "verify", "--since", kept, code=1)


def test_a_checkpoint_of_another_history_is_no_beginning(ledger):
    signer = read_signer(ledger.box.key.read_text())
    kept, older = ledger.folder / "kept", ledger.folder / "older"
    older.write_bytes(ledger.box.head_note())
    ledger.grow(5)
    seal(ledger.database, ledger.folder)
    kept.write_bytes(ledger.box.head_note())
    ledger.run("log", "verify", "--since", kept, "--against", older)
    kept.write_bytes(Checkpoint(signer.name, 9, bytes(32)).signed(signer))
    assert "FORK" in ledger.run("log", "verify", "--since", kept, code=3)
    kept.write_bytes(Checkpoint(signer.name, 99, bytes(32)).signed(signer))
    assert "Nobody can see" in ledger.run("log", "verify", "--since", kept, code=2)
    ledger.box.leaves.unlink()
    assert "Verify all of it" in ledger.run("log", "verify", "--since", older, code=2)


def test_an_older_copy_is_said_with_what_an_office_does_then(ledger):
    old = ledger.keep("old.db")
    ledger.grow(4)
    seal(ledger.database, ledger.folder)
    ledger.restore(old)
    assert "log init --origin" in ledger.run("log", "seal", code=1)
    assert "log init --origin" in ledger.run("doctor", code=1)
