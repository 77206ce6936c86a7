"""A look at the queue: what every free channel of a daemon has to do, taken; and when to look next.

This room must not do any of it, nor say when to look (`daemon.py`), nor what is due (`agenda.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from crosspost import agenda, outcomes, queue, sharing
from crosspost.leases import SharedLeases
from crosspost.publisher import Claimed, take
from crosspost.tables import Delivery
from crosspost.timekeeper import Timekeeper
from crosspost.workbench import Workbench


@dataclass(frozen=True)
class Task:
    """What a channel's worker has to do: send what is claimed, else look for what is
    unconfirmed."""

    channel: str
    delivery: Delivery
    claimed: Claimed | None = None


@dataclass(frozen=True)
class Found:
    """What one look at the queue found: missed deliveries with their announcements' numbers, tasks,
    when to look again, and what was taken over from a dead daemon."""

    missed: list[tuple[Delivery, int]]
    tasks: list[Task]
    wake: datetime | None
    rescued: list[Delivery] = field(default_factory=list)


class Lookout:
    """Of one daemon. `busy` are the channels that have something to do, as they are just then."""

    def __init__(self, bench: Workbench, timekeeper: Timekeeper, busy: Collection[str]) -> None:
        self._bench, self._timekeeper, self._busy = bench, timekeeper, busy

    def look(self) -> Found:
        """What is to do on all channels; where daemons share them, on those whose lease this one
        gets. Raises DatabaseError, SchemaError."""
        if isinstance(self._bench.leases, SharedLeases):
            return self._shared(self._bench.leases)
        found: Found = self._bench.clerk.do(self.take)
        return found

    def _shared(self, leases: SharedLeases) -> Found:
        """The same on those channels that this daemon gets the lease of."""
        now = self._bench.now()
        with self._bench.database.read() as session:
            found = sharing.wanted(session, now, list(self._busy), leases.holder)
        if not found.channels and not found.late:
            return Found([], [], found.wake)
        taken = leases.take(found.channels)
        kept: set[str] = set()
        try:
            look = self._bench.clerk.do(lambda session: self.take(session, taken))
            kept = {task.channel for task in look.tasks}
        finally:
            for channel in set(taken) - kept:
                leases.release(channel)
        if len(taken) < len(found.channels):
            return replace(look, wake=now + sharing.LOOK_SOON)
        return look

    def take(self, session: Session, taken: Collection[str] | None = None) -> Found:
        """What every free channel has to do now, taken; and when to look again. `taken`: only what
        there is on these channels, that of a dead daemon before it."""
        now, busy, rescued = self._bench.now(), list(self._busy), []
        if taken is not None:
            for channel in taken:
                self._bench.leases.guard(session, channel)
            rescued = outcomes.rescue(session, self._bench.doing(), taken)
            busy += sharing.not_ours(session, taken)
        doing = self._bench.doing()
        missed = [(d, queue.announcement_of(session, d)) for d in queue.miss(session, doing)]
        looks = [Task(d.channel, d) for d in agenda.unconfirmed(session, busy, now)]
        busy += [task.channel for task in looks]
        claimed = self._tasks(session, agenda.due(session, now, busy))
        busy += [task.channel for task in claimed]
        return Found(missed, [*looks, *claimed], agenda.next_wake(session, busy, now), rescued)

    def next(self, session: Session, channels: Sequence[str]) -> list[Task | None]:
        """What each of these channels has to do next, taken; None when there is nothing now."""
        now = self._bench.now()
        for channel in channels:
            self._bench.leases.guard(session, channel)
        if self._bench.stopping.is_set() or self._timekeeper.jumped() is not None:
            return [None] * len(channels)
        tasks = [Task(d.channel, d) for d in agenda.next_looks(session, channels, now)]
        looking = {task.channel for task in tasks}
        free = [channel for channel in channels if channel not in looking]
        tasks += self._tasks(session, agenda.next_of(session, free, now))
        return list(map({task.channel: task for task in tasks}.get, channels))

    def _tasks(self, session: Session, due: Sequence[Delivery]) -> list[Task]:
        return [Task(c.delivery.channel, c.delivery, c) for c in take(self._bench, session, due)]
