"""Where nothing is to be prepared, a delivery is claimed and begun in one transaction, and it is
taken in the transaction that ends the one before. The promises are the same."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from desk import attempts, later, moves_of, parts_of, scheduled, status_of, stored

from crosspost import delivery_parts, holds, publisher, queue
from crosspost.clerk import Clerk, Question
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import DatabaseError, RateLimited, UnknownOutcome
from crosspost.lifecycle import Status
from crosspost.post import Post
from crosspost.queue import Doing
from crosspost.tables import Delivery
from crosspost.workbench import Following


@pytest.fixture(autouse=True)
def at_once(platform):
    platform.at_once = True


@pytest.fixture
def run(database, config, clock):
    def once(seconds: float = 0) -> None:
        clock.time = later(seconds)
        Daemon(database, config, now=clock).run_once()

    return once


def make(database, count: int = 1, **about) -> list[Delivery]:
    with database.write() as session:
        return [scheduled(session, **about) for _ in range(count)]


def test_the_intent_is_on_disk_before_the_first_byte(database, platform, run):
    deliveries = make(database, 3)
    seen = []

    def look_then_take(outgoing):
        rows = [stored(database, delivery) for delivery in deliveries]
        [current] = [row for row in rows if row.status is Status.PUBLISHING]
        [part] = parts_of(database, current)
        seen.append((current.id, part.handle, part.begun_at is not None))
        assert outgoing.handle["key"] in part.handle
        return platform.accept(outgoing)

    platform.publishes.extend([look_then_take] * 3)
    run()
    assert [number for number, *_ in seen] == [delivery.id for delivery in deliveries]
    assert all(handle and begun for _, handle, begun in seen)


def test_the_record_tells_every_step(database, run):
    deliveries = make(database, 2)
    run()
    for delivery in deliveries:
        assert moves_of(database, delivery)[1:] == ["claimed", "publishing", "published"]
        with database.read() as session:
            [attempt] = attempts(session, delivery)
            assert attempt.outcome == "published"


def test_one_delivery_needs_one_transaction(database, platform, run, monkeypatch):
    make(database, 5)
    written = []
    whole = Database.write

    @contextmanager
    def counted(self):
        written.append(1)
        with whole(self) as session:
            yield session

    monkeypatch.setattr(Database, "write", counted)
    run()
    assert len(platform.public) == 5
    # the rescue, the first look, one for each delivery, and the last look that finds nothing
    assert len(written) <= 5 + 5


def test_what_is_not_as_approved_is_not_begun(database, platform, run):
    good, bad = make(database, 2)
    with database.write() as session:
        [part] = delivery_parts.parts_of(session, bad)
        part.payload = part.payload.replace("Road closed", "Road open")
        session.flush()
    run()
    assert status_of(database, good) is Status.PUBLISHED
    assert status_of(database, bad) is Status.HELD
    assert moves_of(database, bad)[1:] == ["claimed", "alarmed"]
    assert len(platform.public) == 1


def test_a_channel_on_hold_gets_nothing_more_with_the_end_of_the_one_in_hand(
    database, platform, run
):
    first, second = make(database, 2)

    def hold_then_take(outgoing):
        with database.write() as session:
            holds.hold(session, "web", Doing("Siti", later(), "Stop."))
        return platform.accept(outgoing)

    platform.publishes.append(hold_then_take)
    run()
    assert status_of(database, first) is Status.PUBLISHED
    assert status_of(database, second) is Status.SCHEDULED
    assert moves_of(database, second) == ["approved"]


def test_a_channel_that_is_paused_by_a_failure_gets_nothing_with_it(database, platform, run):
    first, second = make(database, 2)
    platform.publishes.append(RateLimited("Slow down.", until=later(minutes=5)))
    run()
    assert status_of(database, first) is Status.SCHEDULED
    assert moves_of(database, second) == ["approved"]


def test_a_doubt_does_not_keep_the_next_one_back(database, platform, run):
    first, second = make(database, 2)
    platform.publishes.append(UnknownOutcome("No answer came."))
    run()
    assert status_of(database, first) is Status.UNCONFIRMED
    assert status_of(database, second) is Status.PUBLISHED


def test_an_adapter_that_fails_to_choose_a_handle_ends_in_a_decision(
    database, platform, run, monkeypatch
):
    good, bad = make(database, 2)
    whole = platform.new_handle

    def fail_on_bad(key, now):
        if f"web-{bad.id}-" in key:
            raise KeyError("token")
        return whole(key, now)

    monkeypatch.setattr(platform, "new_handle", fail_on_bad)
    run()
    assert status_of(database, good) is Status.PUBLISHED
    assert status_of(database, bad) is Status.SCHEDULED
    assert stored(database, bad).outcome == "internal_error"


def test_each_part_of_a_thread_is_begun_on_its_own(database, platform, run):
    posts = tuple(Post(text, "en") for text in ("one", "two", "three"))
    [delivery] = make(database, posts=posts)
    run()
    assert [sent.post.text for sent in platform.public] == ["one", "two", "three"]
    assert moves_of(database, delivery)[1:].count("publishing") == 3
    assert status_of(database, delivery) is Status.PUBLISHED


def test_the_next_one_is_taken_when_the_platform_named_an_old_post(database, platform, run):
    first, second, third = make(database, 3)
    platform.publishes.extend([platform.accept, lambda _outgoing: platform.receipt(1)])
    run()
    assert status_of(database, first) is Status.PUBLISHED
    assert status_of(database, second) is Status.REVIEW
    assert status_of(database, third) is Status.PUBLISHED


def test_what_cannot_be_taken_keeps_nothing_from_being_stored(bench, database, platform):
    [delivery] = make(database)
    with database.write() as session:
        [delivery] = queue.claim(session, (), bench.doing())

    def fail(_session, _keys):
        raise KeyError("next")

    following = Following(Question(fail, "web"))
    bench.store(delivery, lambda s, row: queue.rewrite(s, row, {"reason": "stored"}), following)
    assert stored(database, delivery).reason == "stored"
    with pytest.raises(KeyError):
        bench.take(following)
    bench.close()


def test_what_cannot_be_stored_is_as_before_and_the_next_is_taken_once(
    bench, database, monkeypatch
):
    with database.write() as session:
        scheduled(session)
        [delivery] = queue.claim(session, (), bench.doing())
    tries, taken = [], []

    def change(session, row):
        tries.append(row.reason)
        queue.rewrite(session, row, {"reason": "stored"})
        if len(tries) < 4:
            raise DatabaseError("The disk is full; nothing was changed.")

    following = Following(Question(lambda _session, keys: taken.extend(keys) or ["next"], "web"))
    monkeypatch.setattr(bench.stopping, "wait", lambda _seconds: False)
    bench.store(delivery, change, following)
    assert tries == [""] * len(tries)
    assert (bench.take(following), len(tries)) == ("next", 4)
    assert taken == ["web"]
    bench.close()


def test_changes_handed_in_together_are_one_transaction_in_their_order(database):
    clerk, sessions = Clerk(database), []
    handed = clerk.hand_in(
        lambda session: sessions.append(id(session)) or 1,
        Question(lambda session, _keys: sessions.append(id(session)) or [2], "web"),
    )
    assert (handed.done.result(), handed.answer.result()) == (1, 2)
    assert len(set(sessions)) == 1
    clerk.close()


def test_workers_do_not_hear_of_a_change_before_it_is_durable(database, monkeypatch):
    clerk, open_ = Clerk(database), threading.Event()
    heard = []
    whole = Database.write

    @contextmanager
    def watched(self):
        with whole(self) as session:
            yield session
            heard.append(done.done())
        open_.set()

    monkeypatch.setattr(Database, "write", watched)
    done = clerk.hand_in(lambda _session: open_.wait(0)).done
    done.result()
    assert heard == [False]
    clerk.close()


def test_a_fault_before_the_first_byte_is_a_doubt_once_it_is_begun(
    database, platform, run, monkeypatch
):
    [delivery] = make(database)
    monkeypatch.setattr(publisher, "_Run", lambda *_: 1 / 0)
    run()
    found = stored(database, delivery)
    assert (found.status, found.outcome) == (Status.UNCONFIRMED, "internal_error")
    assert platform.public == []
