"""What there is to do, and when: the daemon's questions to the queue.

It only reads. "Due" is an answer of this room, never a status; `queue.py` makes the moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select

from crosspost.database import ChannelState, Delivery
from crosspost.lifecycle import Status

#: How many deliveries one look at the queue considers; the rest comes with the next look.
BATCH = 200


def due(session: Session, now: datetime, busy: Iterable[str]) -> Sequence[Delivery]:
    """What may go out now: due, not postponed, its channel free and its page published."""
    page = aliased(Delivery)
    query = (
        select(Delivery)
        .join(ChannelState, col(ChannelState.channel) == col(Delivery.channel), isouter=True)
        .join(page, col(page.id) == col(Delivery.waits_for), isouter=True)
        .where(
            Delivery.status == Status.SCHEDULED,
            Delivery.due_at <= now,
            Delivery.not_after >= now,
            or_(col(Delivery.not_before).is_(None), col(Delivery.not_before) <= now),
            or_(col(Delivery.waits_for).is_(None), page.status == Status.PUBLISHED),
            or_(col(ChannelState.held).is_(None), col(ChannelState.held).is_(False)),
            or_(col(ChannelState.paused_until).is_(None), col(ChannelState.paused_until) <= now),
            col(Delivery.channel).not_in(list(busy)),
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(BATCH)
    )
    return session.exec(query).all()


def next_wake(session: Session, busy: Iterable[str], now: datetime) -> datetime | None:
    """When the daemon has something to do next, if nothing else happens; None: never.

    Busy channels do not count: they wake the daemon themselves when they are done.
    """
    page = aliased(Delivery)
    later = _latest(col(Delivery.due_at), col(Delivery.not_before), col(ChannelState.paused_until))
    free = col(Delivery.channel).not_in(list(busy))
    ready = session.exec(
        select(func.min(later, type_=Delivery.__table__.c.due_at.type))  # type: ignore[attr-defined]
        .select_from(Delivery)
        .join(ChannelState, col(ChannelState.channel) == col(Delivery.channel), isouter=True)
        .join(page, col(page.id) == col(Delivery.waits_for), isouter=True)
        .where(
            Delivery.status == Status.SCHEDULED,
            free,
            or_(col(Delivery.waits_for).is_(None), page.status == Status.PUBLISHED),
            or_(col(ChannelState.held).is_(None), col(ChannelState.held).is_(False)),
        )
    ).one()
    ends = session.exec(
        select(func.min(Delivery.not_after)).where(Delivery.status == Status.SCHEDULED)
    ).one()
    looks = session.exec(
        select(func.min(Delivery.not_before)).where(Delivery.status == Status.UNCONFIRMED, free)
    ).one()
    moments = [moment for moment in (ready, ends, looks) if moment is not None]
    return max(min(moments), now) if moments else None


def _latest(first: Any, *others: Any) -> Any:
    """The latest of several times, those that are NULL left out, in plain SQL."""
    for other in others:
        first = case((or_(other.is_(None), other <= first), first), else_=other)
    return first


def unconfirmed(session: Session, busy: Iterable[str], now: datetime) -> list[Delivery]:
    """Unconfirmed deliveries that are to be looked at now, one for each free channel."""
    rows = session.exec(
        select(Delivery)
        .where(
            Delivery.status == Status.UNCONFIRMED,
            or_(col(Delivery.not_before).is_(None), col(Delivery.not_before) <= now),
            col(Delivery.channel).not_in(list(busy)),
        )
        .order_by(col(Delivery.not_before), col(Delivery.id))
        .limit(BATCH)
    )
    first: dict[str, Delivery] = {}
    for delivery in rows:
        first.setdefault(delivery.channel, delivery)
    return list(first.values())
