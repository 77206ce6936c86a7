"""Any order of acts, answers, crashes and clocks, over the real queue: what must always hold.

The platform of this file is honest but slow: what it has taken may be seen only much later.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from desk import ZONE, announce, config_in, doing, enqueue
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scripted import Clock, Scripted, send
from sqlalchemy import event
from sqlmodel import select

from crosspost import agenda, outcomes, queue
from crosspost.database import Attempt, Database, Delivery, LedgerEntry, Part
from crosspost.errors import Conflict, RateLimited, RejectedContent, RetryLater, UnknownOutcome
from crosspost.ledger import book
from crosspost.ledger.hashing import leaf_hash
from crosspost.lifecycle import MOVES, Status, Verb
from crosspost.migrations import upgrade
from crosspost.post import Outgoing, Receipt, Reconcile
from crosspost.queue import Stale
from crosspost.reconciler import look
from crosspost.times import moment_of
from crosspost.workbench import Workbench

#: How long a post may stay unseen; less than the settle time of any adapter.
SLOWEST = 50
NOTHING_OF_IT = {Status.HELD, Status.FAILED, Status.MISSED, Status.CANCELLED}


class Dead(BaseException):
    """The daemon's process ends here."""


class Slow(Scripted):
    """Takes posts as told, and shows each only after a while."""

    def __init__(self, clock: Clock, **about) -> None:
        super().__init__(**about)
        self.clock = clock
        self.delay = 0
        self.seen_from: list[datetime] = []

    def take(self, outgoing: Outgoing) -> Receipt:
        self.public.append(outgoing)
        self.seen_from.append(self.clock() + timedelta(seconds=self.delay))
        return self.receipt(len(self.public))

    def take_and(self, error: BaseException) -> Callable[[Outgoing], Receipt]:
        def step(outgoing: Outgoing) -> Receipt:
            self.take(outgoing)
            raise error

        return step

    def search(self, outgoing: Outgoing) -> Receipt | None:
        for number, (sent, seen_from) in enumerate(zip(self.public, self.seen_from, strict=True)):
            if sent.handle == outgoing.handle and seen_from <= self.clock():
                return self.receipt(number + 1)
        return None

    def answer(self, word: str):
        """One way in which a publish call can end."""
        return {
            "yes": self.take,
            "yes, unheard": self.take_and(UnknownOutcome("No answer came.")),
            "yes, and death": self.take_and(Dead()),
            "yes, and a fault": self.take_and(KeyError("id")),
            "death": Dead(),
            "no answer": UnknownOutcome("No answer came."),
            "later": RetryLater("Later."),
            "slow down": RateLimited("Slow down.", until=self.clock() + timedelta(minutes=2)),
            "never": RejectedContent("Not this."),
        }[word]


ANSWERS = [
    *("yes", "yes, unheard", "yes, and death", "yes, and a fault", "death", "no answer"),
    *("later", "slow down", "never"),
]
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
        path = Path(self.folder.name) / "crosspost.db"
        path.write_bytes(empty_database())
        self.database = Database(f"sqlite:///{path}")
        event.listen(self.database.engine, "connect", _no_need_to_survive_power_failures)
        self.clock = Clock()
        config = config_in(path.parent, "alpha", "web")
        self.bench = Workbench(self.database, config, "daemon", self.clock, jitter=lambda: 0.0)
        self.platforms = {
            "alpha": Slow(self.clock, reconcile=Reconcile.LOOKUP),
            "web": Slow(self.clock, reconcile=Reconcile.NONE),
        }
        self.bench.adapter = lambda channel: self.platforms[channel]
        self.alive = True
        self.fences: dict[int, int] = {}
        self.old: list[Delivery] = []

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    # --- acts ---------------------------------------------------------------------------------

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
            assert self.entries() == before + 1

    def do(self, session, delivery, act) -> Verb | None:
        """An act of a person who looks at the platform before saying anything about it."""
        by = doing("Siti", self.clock(), "Because.")
        due, not_after = moment_of(self.clock(), ZONE), self.clock() + timedelta(hours=2)
        if act in ("resolve", "give up") and self.is_public(delivery):
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
                queue.retry(session, delivery, due, not_after, by)
                return Verb.RETRY
            case "resolve":
                queue.resolve_absent(session, delivery, due, not_after, by)
                return Verb.RESOLVE_ABSENT
            case "give up":
                queue.give_up(session, delivery, by)
                return Verb.GIVE_UP
        queue.reschedule(session, delivery, due, not_after, by)
        return None

    # --- the daemon ---------------------------------------------------------------------------

    @precondition(lambda self: self.alive)
    @rule(
        words=st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=2),
        delay=st.sampled_from([0, SLOWEST]),
    )
    def publish_what_is_due(self, words, delay) -> None:
        with self.database.write() as session:
            claimed = queue.claim(session, (), self.bench.doing())
        self.old += claimed
        for delivery, word in zip(claimed, words, strict=False):
            platform = self.platforms[delivery.channel]
            platform.delay = delay
            platform.publishes = deque([platform.answer(word)])
            try:
                send(self.bench, delivery)
            except Dead:
                self.alive = False
                return

    @precondition(lambda self: self.alive)
    @rule(answers=st.booleans())
    def look_for_what_is_unconfirmed(self, answers) -> None:
        with self.database.read() as session:
            found = agenda.unconfirmed(session, (), self.clock())
        for delivery in found:
            if not answers:
                self.platforms[delivery.channel].finds.append(RetryLater("Later."))
            look(self.bench, delivery)
            self.platforms[delivery.channel].finds.clear()

    @precondition(lambda self: self.alive)
    @rule()
    def miss_what_is_late(self) -> None:
        with self.database.write() as session:
            queue.miss(session, self.bench.doing())

    @precondition(lambda self: not self.alive)
    @rule()
    def start_again(self) -> None:
        with self.database.write() as session:
            outcomes.rescue(session, self.bench.doing())
        self.alive = True

    @rule(seconds=st.sampled_from([1, 31, 61, 180, 3600, 8000]))
    def wait(self, seconds) -> None:
        self.clock.time += timedelta(seconds=seconds)

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
            return [
                (d.id, d.status, d.fence, d.due_at, d.reason)
                for d in session.exec(select(Delivery).order_by(Delivery.id))
            ]

    def is_public(self, delivery: Delivery) -> bool:
        return self.public()[delivery.id] > 0

    def public(self) -> Counter[int]:
        """Delivery -> how many posts of it people can see, now or soon."""
        keys = [sent.handle["key"] for p in self.platforms.values() for sent in p.public]
        return Counter(int(key.split("-")[1]) for key in keys)

    @invariant()
    def nothing_is_public_twice(self) -> None:
        assert all(count == 1 for count in self.public().values())

    @invariant()
    def what_is_said_is_so(self) -> None:
        public = self.public()
        for number, status, *_ in self.rows():
            if status is Status.PUBLISHED:
                assert public[number] == 1
            if status in NOTHING_OF_IT:
                assert public[number] == 0

    @invariant()
    def a_fence_only_grows_and_counts_the_attempts(self) -> None:
        with self.database.read() as session:
            tried = Counter(session.exec(select(Attempt.delivery_id)))
        for number, _, fence, *_ in self.rows():
            assert fence >= self.fences.get(number, 0)
            assert fence == tried[number]
            self.fences[number] = fence

    @invariant()
    def the_ledger_tells_every_move_and_no_other(self) -> None:
        told: dict[int, Status] = {}
        with self.database.read() as session:
            rows = session.exec(select(LedgerEntry).order_by(LedgerEntry.id)).all()
            records = list(book.entries(session))
        assert [row.id for row in rows] == list(range(len(rows)))
        assert all(row.leaf == leaf_hash(row.entry) for row in rows)
        for values in (record.values for record in records):
            if values["kind"] == "queued":
                told[values["delivery"]] = Status.HELD
            elif values["kind"] in set(Verb):
                before, after = Status(values["data"]["from"]), Status(values["data"]["to"])
                assert told[values["delivery"]] is before
                assert MOVES[before, Verb(values["kind"])] is after
                told[values["delivery"]] = after
        assert told == {number: status for number, status, *_ in self.rows()}

    @invariant()
    def a_receipt_is_kept_where_and_only_where_it_is_published(self) -> None:
        with self.database.read() as session:
            query = select(Delivery.status, Part.published_at).join(Part)
            for status, published_at in session.exec(query):
                assert (published_at is not None) is (status is Status.PUBLISHED)


def _no_need_to_survive_power_failures(connection, _record) -> None:
    connection.execute("PRAGMA synchronous = OFF")


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
