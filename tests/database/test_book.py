"""The ledger as it is kept: what an entry says, that it cannot be changed, and erasure by law."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from desk import NOW, entry_count, only_postgresql, only_sqlite, scheduled
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from crosspost.ledger import book
from crosspost.ledger.canonical import canonical
from crosspost.ledger.hashing import leaf_hash, salted_digest
from crosspost.tables import LedgerEntry, LedgerNote

ACT = book.Act(
    kind="approved",
    by="Siti Rahma",
    at=NOW,
    announcement=1,
    revision=2,
    code="bcdfghj",
    delivery=3,
    channel="web",
    data={"from": "held", "fence": 0},
)
REASON = "The mayor asked for it on the telephone."


def raw(session, index: int) -> LedgerEntry:
    return session.get_one(LedgerEntry, index)


def test_the_very_bytes_that_are_hashed_are_kept(session):
    book.append(session, ACT)
    row = raw(session, 0)
    assert row.entry == canonical(json.loads(row.entry))
    assert row.leaf == leaf_hash(row.entry)
    assert row.entry.decode() == (
        '{"announcement":1,"at":"2026-11-23T09:00:00.000000Z","by":"Siti Rahma","channel":"web",'
        '"code":"bcdfghj","data":{"fence":0,"from":"held"},"delivery":3,"kind":"approved",'
        '"revision":2,"v":1}'
    )


def test_entries_are_numbered_from_zero_without_gaps(session):
    assert [book.append(session, ACT) for _ in range(3)] == [0, 1, 2]
    assert book.size(session) == 3
    assert [record.index for record in book.entries(session)] == [0, 1, 2]


def test_a_number_is_not_used_up_by_what_was_rolled_back(database):
    with pytest.raises(RuntimeError), database.write() as session:
        book.append(session, ACT)
        raise RuntimeError
    with database.write() as session:
        assert book.append(session, ACT) == 0
    assert entry_count(database) == 1


def test_a_reason_enters_the_entry_only_as_a_salted_digest(session):
    index = book.append(session, book.Act(kind="cancelled", by="Siti", at=NOW, note=REASON))
    row, note = raw(session, index), session.get_one(LedgerNote, index)
    assert REASON.encode() not in row.entry
    assert json.loads(row.entry)["note"] == salted_digest(note.salt, REASON)
    [record] = book.entries(session)
    assert record.note == REASON


def test_an_erased_reason_leaves_the_entry_as_it_was(session):
    index = book.append(session, book.Act(kind="cancelled", by="Siti", at=NOW, note=REASON))
    before = raw(session, index).entry
    session.delete(session.get_one(LedgerNote, index))
    session.flush()
    [record] = book.entries(session)
    assert record.note == ""
    assert (raw(session, index).entry, record.leaf) == (before, leaf_hash(before).hex())


def test_the_same_reason_twice_does_not_show_as_the_same(session):
    act = book.Act(kind="cancelled", by="Siti", at=NOW, note=REASON)
    first, second = (raw(session, book.append(session, act)).entry for _ in range(2))
    assert first != second


REPLACE = """INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE true
ON CONFLICT (id) DO UPDATE SET by = 'Nobody'"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET by = 'Nobody'",
        "UPDATE ledger_entry SET id = 5",
        "DELETE FROM ledger_entry",
        REPLACE,
    ],
)
def test_an_entry_can_be_neither_changed_nor_removed(database, statement):
    with database.write() as session:
        book.append(session, ACT)
    with pytest.raises(IntegrityError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert entry_count(database) == 1


@only_sqlite
def test_an_entry_cannot_be_replaced_in_sqlite_s_own_way(database):
    with database.write() as session:
        book.append(session, ACT)
    with pytest.raises(IntegrityError, match="append-only"), database.write() as session:
        session.execute(text("INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry"))
    assert entry_count(database) == 1


@only_postgresql
def test_the_ledger_cannot_be_emptied_in_postgresql_s_own_way(database):
    with database.write() as session:
        book.append(session, ACT)
    with pytest.raises(IntegrityError, match="append-only"), database.write() as session:
        session.execute(text("TRUNCATE ledger_entry CASCADE"))
    assert entry_count(database) == 1


@pytest.mark.parametrize("value", [None, 0.5, 2**60], ids=repr)
def test_what_has_no_canonical_form_is_refused_and_nothing_is_written(database, value):
    with pytest.raises(ValueError), database.write() as session:  # noqa: PT011 - see `canonical`
        book.append(session, book.Act(kind="added", by="Siti", at=NOW, data={"n": value}))
    assert entry_count(database) == 0


def test_the_columns_for_questions_say_what_the_entry_says(session):
    scheduled(session)
    for row in session.exec(select(LedgerEntry)):
        entry = json.loads(row.entry)
        assert (row.kind, row.by) == (entry["kind"], entry["by"])
        assert book.stamp(row.at) == entry["at"]
        assert row.announcement_id == entry["announcement"]
        assert row.delivery_id == entry["delivery"]


def test_no_entry_holds_a_text_of_an_announcement(session):
    scheduled(session)
    whole = b"".join(session.exec(select(LedgerEntry.entry)))
    assert not re.search(b"Road closed|On Sunday|Letter 1", whole)


def test_entries_of_one_announcement_and_the_last_few_can_be_asked_for(session):
    first, second = scheduled(session), scheduled(session)
    of_second = list(book.entries(session, announcement=2))
    assert {record.values["delivery"] for record in of_second} == {second.id}
    [last] = book.entries(session, last=1)
    assert last.index == book.size(session) - 1
    assert len(list(book.entries(session))) == 2 * len(of_second)
    assert first.id != second.id


# --- which entries --------------------------------------------------------------------------------


def test_entries_are_found_by_kind_person_channel_and_time(session):
    for minute, (kind, by, channel) in enumerate(
        [("added", "Siti", None), ("claimed", "daemon", "web"), ("claimed", "daemon", "site")]
    ):
        at = NOW + timedelta(minutes=minute)
        book.append(session, book.Act(kind, by, at, announcement=1, channel=channel))

    def found(last=None, **wanted):
        wish = book.Wanted(**wanted)
        return [e.index for e in book.entries(session, last=last, wanted=wish)]

    assert found() == [0, 1, 2]
    assert found(kind="claimed") == [1, 2]
    assert found(by="Siti") == [0]
    assert found(channel="web") == [1]
    assert found(kind="claimed", channel="web", by="daemon") == [1]
    assert found(kind="added", channel="web") == []
    assert found(since=NOW + timedelta(minutes=1)) == [1, 2]
    assert found(until=NOW + timedelta(minutes=1)) == [0]
    assert found(last=1, kind="claimed") == [2]
    assert found(last=1, channel="web") == [1]
