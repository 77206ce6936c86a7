"""When the law moves a zone's clock, what waits keeps its wall time and gets another instant.

The office promised "nine o'clock"; which instant that is says the zone database, and a newer one
may say another. This room must not change what is due already, or any wall time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import Session, col, select

from crosspost import queue
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.queue import Doing
from crosspost.tables import Delivery
from crosspost.times import Moment, still_due

_WAITING = (Status.HELD, Status.SCHEDULED)


def rezone(session: Session, doing: Doing) -> list[Delivery]:
    """Give every delivery that is still to come the instant that its wall time has by now, each
    with its entry; returns those that were moved."""
    ZoneInfo.clear_cache()  # the files of the system may be newer than this process
    return [
        _moved(session, delivery, due, doing)
        for moment, due in _outdated(session, doing.at)
        for delivery in _of(session, moment)
    ]


def _outdated(session: Session, now: datetime) -> Iterator[tuple[Moment, datetime]]:
    kinds = select(Delivery.due_at, Delivery.wall, Delivery.zone).where(
        col(Delivery.status).in_(_WAITING), col(Delivery.due_at) > now
    )
    for utc, wall, zone in session.exec(kinds.distinct()).all():
        moment = Moment(utc, wall, zone)
        try:
            due = still_due(moment)
        except ZoneInfoNotFoundError:
            continue  # a zone that is gone has no newer rules
        if due != utc:
            yield moment, due


def _of(session: Session, moment: Moment) -> list[Delivery]:
    query = select(Delivery).where(
        col(Delivery.status).in_(_WAITING),
        Delivery.due_at == moment.utc,
        Delivery.wall == moment.wall,
        Delivery.zone == moment.zone,
    )
    return list(session.exec(query))


def _moved(session: Session, delivery: Delivery, due: datetime, doing: Doing) -> Delivery:
    was = delivery.due_at
    queue.rewrite(session, delivery, {"due_at": due, "not_after": delivery.not_after + (due - was)})
    announcement, revision, code = queue.subject(session, delivery.revision_id)
    act = book.Act(
        kind="rezoned",
        by=doing.by,
        at=doing.at,
        announcement=announcement,
        revision=revision,
        code=code,
        delivery=delivery.id,
        channel=delivery.channel,
        data={
            "due": book.stamp(due),
            "was": book.stamp(was),
            "wall": delivery.wall,
            "zone": delivery.zone,
        },
    )
    book.append(session, act)
    return delivery
