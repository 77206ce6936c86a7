"""What of the queue is for this daemon, where several share one PostgreSQL: channels with something
to do, free, and leased before anything on them is touched.

It must not move a delivery, and is not used on SQLite, where one daemon has all channels.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from crosspost import agenda
from crosspost.leases import others_at_work
from crosspost.lifecycle import IN_HAND, Status
from crosspost.tables import Delivery

#: When channels were left to other daemons, it looks so much later whether they took them.
LOOK_SOON = timedelta(seconds=0.2)


@dataclass(frozen=True)
class Wanted:
    """Channels that nobody works and that have something to do, the most urgent first; and when to
    look again, if nothing happens before. `late`: something is to be declared missed."""

    channels: list[str]
    wake: datetime | None
    late: bool


def wanted(session: Session, now: datetime, busy: Collection[str], holder: str) -> Wanted:
    """What a daemon, called `holder` and itself at work on `busy`, might do now."""
    taken = set(busy) | others_at_work(session, holder)
    left = [channel for channel in _left_in_hand(session) if channel not in taken]
    looks = [delivery.channel for delivery in agenda.unconfirmed(session, taken, now)]
    due = [delivery.channel for delivery in agenda.due(session, now, taken)]
    found = list(dict.fromkeys([*left, *looks, *due]))
    wake = agenda.next_wake(session, taken, now)
    return Wanted(found, wake, late=wake is not None and wake <= now and not (looks or due))


def not_ours(session: Session, taken: Collection[str]) -> set[str]:
    """Every channel that has something to do, but those taken."""
    statuses = (Status.SCHEDULED, Status.UNCONFIRMED)
    return {c for status in statuses for c in agenda.channels(session, status)} - set(taken)


def _left_in_hand(session: Session) -> list[str]:
    """The channels of deliveries that some daemon has, or had, in hand."""
    query = select(Delivery.channel).where(col(Delivery.status).in_(list(IN_HAND))).distinct()
    return list(session.exec(query))
