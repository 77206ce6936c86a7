"""What many have to store is written together; each is told of its own, as if it had been alone."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext

import pytest
from desk import attempts, doing, kinds, later, moves_of, scheduled, status_of, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import select as select_rows

from crosspost import queue
from crosspost.clerk import Clerk, Question
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.lifecycle import Status
from crosspost.prepared import Prepared, Setting, Unmatched, gathering, inserting
from crosspost.queue import Stale
from crosspost.tables import ChannelState, Delivery, table

S = table(ChannelState).c
MADE = Prepared(inserting(ChannelState, "channel", "reason"))
REASON = Setting(ChannelState, ("reason",), ("channel",))
FAILURES = Setting(ChannelState, ("failures",), ("channel", "reason"))
COUNT = Prepared(select(func.count()).select_from(table(ChannelState)))
ONE = Prepared(select(S.reason, S.failures).where(S.channel == bindparam("its_channel")))


def put(session, channel: str, reason: str = "") -> None:
    MADE.put(session, {"channel": channel, "reason": reason}, ("state", channel))


def count(session, *, apart: bool = False) -> int:
    [[found]] = COUNT.rows(session, {}, apart=apart)
    return found


# --- writes that wait -----------------------------------------------------------------------------


def test_what_waits_is_written_before_anybody_asks(database):
    with database.write() as session, gathering(session):
        put(session, "a")
        put(session, "b")
        assert count(session, apart=True) == 0
        assert count(session) == 2


def test_what_waits_is_written_before_a_statement_of_sqlalchemy_s_own(database):
    with database.write() as session, gathering(session):
        put(session, "a")
        assert [state.channel for state in session.exec(select_rows(ChannelState))] == ["a"]
        put(session, "b", "before")
        session.add(ChannelState(channel="c"))
        session.flush()
        assert count(session, apart=True) == 3


def test_what_waits_is_written_at_the_end(database):
    with database.write() as session, gathering(session):
        put(session, "a")
    with database.read() as session:
        assert count(session) == 1


def test_writes_to_one_row_keep_their_order(database):
    with database.write() as session, gathering(session):
        put(session, "a", "first")
        REASON.put(session, {"reason": "second", "its_channel": "a"}, ("state", "a"))
        FAILURES.put(
            session, {"failures": 3, "its_channel": "a", "its_reason": "second"}, ("state", "a")
        )
        REASON.put(session, {"reason": "third", "its_channel": "a"}, ("state", "a"))
    with database.read() as session:
        assert ONE.rows(session, {"its_channel": "a"}) == [("third", 3)]


@pytest.mark.parametrize("several", [1, 2, 40])
def test_a_write_that_finds_no_row_undoes_all(database, several):
    with pytest.raises(Unmatched), database.write() as session, gathering(session):
        for number in range(several):
            put(session, f"c{number}")
        for number in range(several):
            REASON.put(session, {"reason": "x", "its_channel": f"c{number + 1}"})
    with database.read() as session:
        assert count(session) == 0


def test_alone_a_write_says_at_once_whether_it_found_its_row(session):
    put(session, "a")
    assert REASON.put(session, {"reason": "x", "its_channel": "a"})
    assert not REASON.put(session, {"reason": "x", "its_channel": "b"})


ROWS = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=3), st.sampled_from(["", "x", "y"])),
    unique_by=lambda row: row[0],
    max_size=90,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS)
def test_together_they_write_what_they_would_write_one_by_one(database, rows):
    found = []
    for together in (True, False):
        with database.write() as session:
            session.execute(table(ChannelState).delete())
            with gathering(session) if together else nullcontext():
                for channel, reason in rows:
                    put(session, channel, reason)
                for number, (channel, reason) in enumerate(rows):
                    its = {"its_channel": channel, "its_reason": reason}
                    FAILURES.put(session, {"failures": number, **its}, ("state", channel))
            order = select(S.channel, S.reason, S.failures).order_by(S.channel)
            found.append(session.execute(order).all())
    assert found[0] == found[1]


def test_rows_are_asked_for_each_in_its_place(database):
    with database.write() as session:
        for channel in ("a", "b"):
            put(session, channel, channel.upper())
        found = ONE.rows_each(session, [{"its_channel": name} for name in ("b", "none", "a")])
        assert found == [[("B", 0)], [], [("A", 0)]]


# --- the clerk ------------------------------------------------------------------------------------


@pytest.fixture
def clerk(database, monkeypatch):
    """A clerk that begins when all is at hand, and the number of its transactions."""
    clerk, whole = Clerk(database), Database.write
    clerk.written = []

    @contextmanager
    def counted(self):
        clerk.written.append(1)
        with whole(self) as session:
            yield session

    monkeypatch.setattr(Database, "write", counted)
    clerk.begin, gathered = threading.Event(), clerk._gathered
    monkeypatch.setattr(clerk, "_gathered", lambda first: clerk.begin.wait() and gathered(first))
    yield clerk
    clerk.begin.set()
    clerk.close()


def claimed(database, *channels: str) -> list[Delivery]:
    with database.write() as session:
        for channel in channels:
            scheduled(session, channel)
        return queue.claim(session, (), doing("daemon", later()))


def reason(delivery: Delivery, text: str):
    return lambda session: queue.rewrite(session, delivery, {"reason": text})


def test_one_that_was_overtaken_spoils_no_other(database, clerk):
    first, second, third = claimed(database, "alpha", "beta", "web")
    with database.write() as session:
        queue.rewrite(session, queue.get_delivery(session, second.id), {"fence": 9})
    clerk.written.clear()
    handed = [clerk.hand_in(reason(row, f"by {row.id}")) for row in (first, second, third)]
    clerk.begin.set()
    with pytest.raises(Stale):
        handed[1].done.result()
    for row, one in zip((first, third), (handed[0], handed[2]), strict=True):
        one.done.result()
        assert stored(database, row).reason == f"by {row.id}"
    assert stored(database, second).reason == ""


def test_one_that_breaks_a_rule_of_the_database_spoils_no_other(database, clerk):
    with database.write() as session:
        put(session, "a", "there before")
    good = clerk.hand_in(lambda session: put(session, "b"))
    bad = clerk.hand_in(lambda session: put(session, "a", "again"))
    clerk.begin.set()
    good.done.result()
    with pytest.raises(IntegrityError):
        bad.done.result()
    with database.read() as session:
        assert ONE.rows(session, {"its_channel": "a"}) == [("there before", 0)]
        assert count(session) == 2


def test_a_question_is_asked_once_for_all_after_all_changes(database, clerk):
    asked = []

    def ask(session, keys):
        asked.append((list(keys), count(session)))
        return [key.upper() for key in keys]

    handed = [
        clerk.hand_in(lambda session, name=name: put(session, name), Question(ask, name))
        for name in ("a", "b", "c")
    ]
    clerk.begin.set()
    assert [one.answer.result() for one in handed] == ["A", "B", "C"]
    assert asked == [(["a", "b", "c"], 3)]
    assert len(clerk.written) == 1


def test_a_question_that_fails_for_one_is_answered_for_the_others(database, clerk):
    def ask(session, keys):
        put(session, "-".join(keys))
        if "b" in keys:
            raise KeyError("b")
        return [key.upper() for key in keys]

    handed = [
        clerk.hand_in(lambda session, n=name: put(session, n.upper()), Question(ask, name))
        for name in ("a", "b", "c")
    ]
    clerk.begin.set()
    for one in handed:
        one.done.result()
    assert handed[0].answer.result() == "A"
    with pytest.raises(KeyError):
        handed[1].answer.result()
    assert handed[2].answer.result() == "C"
    with database.read() as session:
        found = session.execute(select(S.channel).order_by(S.channel)).scalars().all()
    assert sorted(found) == sorted(["A", "B", "C", "a", "c"])


# --- a daemon with many channels ------------------------------------------------------------------


def test_many_channels_need_few_transactions_and_keep_their_record(
    database, config, clock, platform, monkeypatch
):
    platform.at_once = True
    with database.write() as session:
        made = [scheduled(session, name) for _ in range(5) for name in ("alpha", "beta", "web")]
    Daemon(database, config, now=clock).run_once()
    for delivery in made:
        assert status_of(database, delivery) is Status.PUBLISHED
        assert moves_of(database, delivery)[1:] == ["claimed", "publishing", "published"]
        with database.read() as session:
            [attempt] = attempts(session, delivery)
            assert (attempt.outcome, attempt.fence) == ("published", 1)
            assert kinds(session, delivery)[-3:] == ["claimed", "publishing", "published"]
    assert len(platform.public) == len(made)
