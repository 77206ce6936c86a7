"""Any order of acts, answers, crashes and clocks, over the real queue: what must always hold.

The platform of this file is honest but slow: what it has taken may be seen only much later.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, deque
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from desk import ZONE, announce, config_in, doing, enqueue
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from scripted import SLOWEST, Clock, Dead, Slow, send
from sqlalchemy import event
from sqlmodel import select

from crosspost import agenda, outcomes, queue
from crosspost.database import Database
from crosspost.errors import Conflict, RetryLater
from crosspost.ledger import book
from crosspost.ledger.hashing import leaf_hash
from crosspost.lifecycle import MOVES, Status, Verb
from crosspost.migrations import upgrade
from crosspost.post import Reconcile
from crosspost.queue import Stale
from crosspost.reconciler import look
from crosspost.tables import Attempt, Delivery, LedgerEntry, Part
from crosspost.times import moment_of
from crosspost.workbench import Workbench

NOTHING_OF_IT = {Status.HELD, Status.FAILED, Status.MISSED, Status.CANCELLED}


ANSWERS = [
    *("yes", "yes, unheard", "yes, and death", "yes, and a fault", "death", "no answer"),
    *("later", "slow down", "never"),
]
DEADLY = ["yes, and death", "death"]
PEOPLE = ["approve", "cancel", "reschedule", "retry", "resolve", "give up"]


@cache
def empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crosspost.db"
        database = Database(f"sqlite:///{path}")
        upgrade(database)
        database.close()
        return path.read_bytes()


class Queue(RuleBasedStateMachine):
    """An office with two channels: one is looked up, one nobody can ask but a person."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = self.open()
        self.clock = Clock()
        config = config_in(Path(self.folder.name), "alpha", "web")
        self.bench = Workbench(self.database, config, "daemon", self.clock, jitter=lambda: 0.0)
        self.platforms = {
            "alpha": Slow(self.clock, reconcile=Reconcile.LOOKUP),
            "web": Slow(self.clock, reconcile=Reconcile.NONE),
        }
        self.bench.adapter = lambda channel: self.platforms[channel]
        self.alive = True
        self.fences: dict[int, int] = {}
        self.old: list[Delivery] = []

    def open(self) -> Database:
        """An empty queue database."""
        path = Path(self.folder.name) / "crosspost.db"
        path.write_bytes(empty_database())
        database = Database(f"sqlite:///{path}")
        event.listen(database.engine, "connect", _no_need_to_survive_power_failures)
        return database

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    # --- acts ---------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.announce({"alpha", "web"}, waits=False)

    @rule(channels=st.sets(st.sampled_from(["alpha", "web"]), min_size=1), waits=st.booleans())
    def announce(self, channels, waits) -> None:
        with self.database.write() as session:
            revision, first = announce(session), None
            for channel in sorted(channels):
                delivery = enqueue(
                    session, channel, revision=revision, due=self.clock(), waits_for=first
                )
                first = delivery.id if waits else None
                queue.approve(session, delivery, doing("Siti", self.clock()))

    @precondition(lambda self: self.fences)
    @rule(data=st.data(), act=st.sampled_from(PEOPLE))
    def person(self, data, act) -> None:
        """Somebody does something to a delivery: it works exactly when the table has it."""
        number = data.draw(st.sampled_from(sorted(self.fences)))
        before = self.entries()
        try:
            with self.database.write() as session:
                delivery = session.get_one(Delivery, number)
                status = delivery.status
                verb = self.do(session, delivery, act)
        except Conflict:
            assert self.entries() == before
            possible = {
                "approve": {Status.HELD},
                "cancel": {Status.HELD, Status.SCHEDULED},
                "reschedule": {Status.HELD, Status.SCHEDULED},
                "retry": {Status.FAILED, Status.MISSED},
                "resolve": {Status.REVIEW},
                "give up": {Status.REVIEW},
            }
            assert status not in possible[act]
        else:
            assert verb is None or (status, verb) in MOVES
            returned = act == "reschedule" and status is Status.SCHEDULED  # its approval is void
            assert self.entries() == before + 1 + returned

    def do(self, session, delivery, act) -> Verb | None:
        """An act of a person who looks at the platform before saying anything about it."""
        by = doing("Siti", self.clock(), "Because.")
        due, not_after = moment_of(self.clock(), ZONE), self.clock() + timedelta(hours=2)
        if act in ("resolve", "give up") and self.public()[delivery.id]:
            queue.resolve_published(session, delivery, "https://web.example/seen", by)
            return Verb.RESOLVE_PUBLISHED
        match act:
            case "approve":
                queue.approve(session, delivery, by)
                return Verb.APPROVE
            case "cancel":
                queue.cancel(session, delivery, by)
                return Verb.CANCEL
            case "retry":
                queue.retry(session, delivery, not_after, by)
                return Verb.RETRY
            case "resolve":
                queue.resolve_absent(session, delivery, not_after, by)
                return Verb.RESOLVE_ABSENT
            case "give up":
                queue.give_up(session, delivery, by)
                return Verb.GIVE_UP
        queue.reschedule(session, delivery, due, not_after, by)
        return None

    # --- the daemon ---------------------------------------------------------------------------

    def wake(self, seconds: int, answers: bool, words: list[str], delay: int) -> None:
        """The daemon, so much later: started anew if it is dead, then one look at the queue, in the
        order of `daemon.py`. There is always something to do."""
        self.clock.time += timedelta(seconds=seconds)
        if Status.SCHEDULED not in {status for _, status, *_ in self.rows()}:
            self.announce({"alpha", "web"}, waits=False)
        with self.database.write() as session:
            if not self.alive:
                outcomes.rescue(session, self.bench.doing())
            self.alive = True
            queue.miss(session, self.bench.doing())
            looks = agenda.unconfirmed(session, (), self.clock())
            busy = [delivery.channel for delivery in looks]
            claimed = queue.claim(session, busy, self.bench.doing())
        self.old += claimed
        for delivery in looks:
            platform = self.platforms[delivery.channel]
            platform.finds = deque([] if answers else [RetryLater("Later.")])
            look(self.bench, delivery)
        for delivery, word in zip(claimed, words, strict=False):
            platform = self.platforms[delivery.channel]
            platform.delay, platform.publishes = delay, deque([platform.answer(word)])
            try:
                send(self.bench, delivery)
            except Dead:
                self.alive = False
                return

    @rule(word=st.sampled_from(ANSWERS), seconds=st.sampled_from([1, 31, 61]))
    def the_platforms_answer(self, word, seconds) -> None:
        self.wake(seconds, True, [word, word], 0)

    @rule(word=st.sampled_from(ANSWERS), answers=st.booleans())
    def the_platforms_answer_slowly(self, word, answers) -> None:
        self.wake(31, answers, [word, "yes"], SLOWEST)

    @rule(word=st.sampled_from(DEADLY))
    def the_daemon_dies_and_starts_again(self, word) -> None:
        self.wake(31, True, [word, word], SLOWEST)
        self.wake(1, True, ["yes", "yes"], 0)

    @rule()
    def a_long_time_passes(self) -> None:
        self.clock.time += timedelta(seconds=8000)

    # --- what is refused ----------------------------------------------------------------------

    @precondition(lambda self: self.old)
    @rule(data=st.data(), verb=st.sampled_from(Verb))
    def somebody_acts_on_what_was(self, data, verb) -> None:
        old = data.draw(st.sampled_from(self.old))
        before = self.entries()
        try:
            with self.database.write() as session:
                now = session.get_one(Delivery, old.id)
                unchanged = (now.status, now.fence) == (old.status, old.fence)
                session.expunge(now)
                if not unchanged:
                    queue.move(session, old, verb, doing("somebody", self.clock()))
        except Stale:
            pass
        except Conflict:
            assert (old.status, verb) not in MOVES
        assert self.entries() == before

    @precondition(lambda self: self.fences)
    @rule(data=st.data(), act=st.sampled_from(PEOPLE))
    def somebody_fails_half_way(self, data, act) -> None:
        number = data.draw(st.sampled_from(sorted(self.fences)))
        before = self.entries(), self.rows()
        try:
            with self.database.write() as session:
                self.do(session, session.get_one(Delivery, number), act)
                raise Conflict("The cable was pulled.")
        except Conflict:
            assert (self.entries(), self.rows()) == before

    # --- what always holds --------------------------------------------------------------------

    def entries(self) -> int:
        with self.database.read() as session:
            return book.size(session)

    def rows(self) -> list[tuple]:
        with self.database.read() as session:
            query = select(Delivery).order_by(Delivery.id)
            return [(d.id, d.status, d.fence, d.due_at, d.reason) for d in session.exec(query)]

    def public(self) -> Counter[int]:
        """Delivery -> how many posts of it people can see, now or soon."""
        keys = [sent.handle["key"] for p in self.platforms.values() for sent in p.public]
        return Counter(int(key.split("-")[1]) for key in keys)

    @invariant()
    def what_always_holds(self) -> None:
        with self.database.read() as session:
            deliveries = session.exec(select(Delivery)).all()
            tried = Counter(session.exec(select(Attempt.delivery_id)))
            receipts = dict(session.exec(select(Part.delivery_id, Part.published_at)).all())
            entries = session.exec(select(LedgerEntry).order_by(LedgerEntry.id)).all()
        public = self.public()
        for delivery in deliveries:
            self.it_is_public_at_most_once_and_as_it_is_said(delivery, public[delivery.id])
            self.its_fence_only_grows_and_counts_its_attempts(delivery, tried[delivery.id])
            has_receipt = receipts[delivery.id] is not None
            assert has_receipt is (delivery.status is Status.PUBLISHED)
        self.the_ledger_tells_every_move_and_no_other(entries, {d.id: d.status for d in deliveries})

    def it_is_public_at_most_once_and_as_it_is_said(self, delivery, public: int) -> None:
        assert public <= 1
        if delivery.status is Status.PUBLISHED:
            assert public == 1
        if delivery.status in NOTHING_OF_IT:
            assert public == 0

    def its_fence_only_grows_and_counts_its_attempts(self, delivery, tried: int) -> None:
        assert delivery.fence >= self.fences.get(delivery.id, 0)
        assert delivery.fence == tried
        self.fences[delivery.id] = delivery.fence

    def the_ledger_tells_every_move_and_no_other(self, entries, stand: dict) -> None:
        told: dict[int, Status] = {}
        assert [entry.id for entry in entries] == list(range(len(entries)))
        for entry in entries:
            assert entry.leaf == leaf_hash(entry.entry)
            values = json.loads(entry.entry)
            if values["kind"] == "queued":
                told[values["delivery"]] = Status.HELD
            elif values["kind"] in set(Verb):
                before, after = Status(values["data"]["from"]), Status(values["data"]["to"])
                assert told[values["delivery"]] is before
                assert MOVES[before, Verb(values["kind"])] is after
                told[values["delivery"]] = after
        assert told == stand


def _no_need_to_survive_power_failures(connection, _record) -> None:
    connection.execute("PRAGMA synchronous = OFF")


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.servers
def test_the_same_always_holds_on_postgresql(postgres_server, postgresql_url):
    class OnServer(Queue):
        def open(self) -> Database:
            postgres_server.empty("office")
            return Database(postgresql_url)

    run_state_machine_as_test(OnServer, settings=TestQueue.settings)
