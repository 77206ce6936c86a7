"""What there is to do, and when: the daemon's questions to the queue.

It only reads. "Due" is an answer of this room, never a status; `queue.py` makes the moves. Each
question is answered from an index, so that neither a long history nor a long queue makes it slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select

from crosspost.database import ChannelState, Delivery, OfficeState
from crosspost.lifecycle import Status

#: How many late deliveries one look at the queue takes; the rest comes with the next look.
BATCH = 200
#: A delivery that is later than this is a backlog's, and spaced.
BACKLOG = timedelta(minutes=1)
#: The name of the office's state while its clock is not believed.
CLOCK = "clock_doubted"
#: Stands for all channels where a channel's name stands; no channel can be called so.
EVERYTHING = "*"


def due(session: Session, now: datetime, busy: Iterable[str]) -> list[Delivery]:
    """What may go out now: of each channel that is not busy the next one, urgent ones first, then
    the oldest first."""
    occupied = set(busy)
    found = [
        delivery
        for channel in channels(session, Status.SCHEDULED)
        if channel not in occupied and (delivery := next_due(session, channel, now))
    ]
    return sorted(found, key=lambda d: (not d.urgent, d.due_at, d.id or 0))


def next_due(session: Session, channel: str, now: datetime) -> Delivery | None:
    """What may go out on this channel now: due, not postponed, its channel neither held nor paused,
    its page published. Urgent ones go before all others, and are not spaced."""
    if not is_open(session, channel, now):
        return None
    its = {"its_channel": channel, "now": now}
    urgent = session.exec(_NEXT_DUE, params={**its, "urgent": True}).first()
    if urgent is not None or _is_spaced(session, channel, now):
        return urgent
    return session.exec(_NEXT_DUE, params={**its, "urgent": False}).first()


def _is_spaced(session: Session, channel: str, now: datetime) -> bool:
    """Whether one of a backlog went out on this channel a moment ago."""
    state = session.get(ChannelState, channel)
    return state is not None and state.spaced_until is not None and state.spaced_until > now


_PAGE = aliased(Delivery)
#: Statements of the daemon's way are built once: building one costs more than running it.
_NEXT_DUE = (
    select(Delivery)
    .join(_PAGE, col(_PAGE.id) == col(Delivery.waits_for), isouter=True)
    .where(
        Delivery.status == Status.SCHEDULED,
        col(Delivery.channel) == bindparam("its_channel"),
        col(Delivery.urgent) == bindparam("urgent"),
        col(Delivery.due_at) <= bindparam("now"),
        col(Delivery.not_after) >= bindparam("now"),
        or_(col(Delivery.not_before).is_(None), col(Delivery.not_before) <= bindparam("now")),
        or_(col(Delivery.waits_for).is_(None), col(_PAGE.status) == Status.PUBLISHED),
    )
    .order_by(col(Delivery.due_at), col(Delivery.id))
    .limit(1)
)


def is_open(session: Session, channel: str, now: datetime) -> bool:
    """Whether anything may be sent to this channel: neither held by a person nor paused."""
    return not is_paused(session, channel, now) and not is_held(session, channel)


def is_paused(session: Session, channel: str, now: datetime) -> bool:
    """Whether this channel rests, since its platform wants it so or does not work."""
    state = session.get(ChannelState, channel)
    return state is not None and state.paused_until is not None and state.paused_until > now


def is_held(session: Session, channel: str) -> bool:
    """Whether a person holds this channel, or all of them."""
    states = (session.get(ChannelState, name) for name in (channel, EVERYTHING))
    return any(state is not None and state.held for state in states)


def clock_is_doubted(session: Session) -> bool:
    """Whether the office's clock is not believed: then nothing is late, and no absence counts."""
    return session.get(OfficeState, CLOCK) is not None


def next_wake(session: Session, busy: Iterable[str], now: datetime) -> datetime | None:
    """When the daemon has something to do next, if nothing else happens; None: never.

    `now` when there is something to do at once. Busy channels do not count for that: they look for
    more themselves when they are done. It may be too early, never too late.
    """
    occupied = list(busy)
    if due(session, now, occupied) or unconfirmed(session, occupied, now):
        return now
    scheduled = Delivery.status == Status.SCHEDULED
    moments = (
        _first(session, Delivery.due_at, scheduled, col(Delivery.due_at) > now),
        _first(session, Delivery.not_before, scheduled, col(Delivery.not_before) > now),
        None if clock_is_doubted(session) else _first(session, Delivery.not_after, scheduled),
        _first(
            session,
            Delivery.not_before,
            Delivery.status == Status.UNCONFIRMED,
            col(Delivery.not_before) > now,
            col(Delivery.channel).not_in(occupied),
        ),
        _first(session, ChannelState.paused_until, col(ChannelState.paused_until) > now),
        _first(session, ChannelState.spaced_until, col(ChannelState.spaced_until) > now),
    )
    known = [moment for moment in moments if moment is not None]
    return max(min(known), now) if known else None


def unconfirmed(session: Session, busy: Iterable[str], now: datetime) -> list[Delivery]:
    """Unconfirmed deliveries that are to be looked at now, one for each channel that is not
    busy."""
    occupied = set(busy)
    found = [
        delivery
        for channel in channels(session, Status.UNCONFIRMED)
        if channel not in occupied and (delivery := next_look(session, channel, now))
    ]
    return sorted(found, key=lambda delivery: (delivery.not_before or now, delivery.id or 0))


def next_look(session: Session, channel: str, now: datetime) -> Delivery | None:
    """The unconfirmed delivery of this channel that is to be looked at now. A pause is for looks
    too, a person's hold is not; with a clock that is not believed no absence would count."""
    if is_paused(session, channel, now) or clock_is_doubted(session):
        return None
    return session.exec(_NEXT_LOOK, params={"its_channel": channel, "now": now}).first()


_NEXT_LOOK = (
    select(Delivery)
    .where(
        Delivery.status == Status.UNCONFIRMED,
        col(Delivery.channel) == bindparam("its_channel"),
        or_(col(Delivery.not_before).is_(None), col(Delivery.not_before) <= bindparam("now")),
    )
    .order_by(col(Delivery.not_before), col(Delivery.id))
    .limit(1)
)


def channels(session: Session, status: Status) -> Iterator[str]:
    """The channels that have deliveries in a status, each found by one step in the index."""
    after = ""
    while True:
        found = session.exec(
            select(func.min(Delivery.channel)).where(
                Delivery.status == status, col(Delivery.channel) > after
            )
        ).one()
        if found is None:
            return
        yield found
        after = found


def _first(session: Session, column: Any, *conditions: Any) -> datetime | None:
    """The earliest time in a column."""
    query = select(column).where(column.is_not(None), *conditions)
    moment: datetime | None = session.exec(query.order_by(column).limit(1)).first()
    return moment
