"""What there is to do, and when: the daemon's questions to the queue.

It only reads. "Due" is an answer of this room, never a status; `queue.py` makes the moves. Each
question is answered from an index, so that neither a long history nor a long queue makes it slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Column, Select, bindparam, exists, literal, union_all
from sqlmodel import Session, func, or_, select

from crosspost.lifecycle import Status
from crosspost.prepared import Prepared, as_read, first
from crosspost.tables import ChannelState, Delivery, OfficeState, table

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
    the oldest first. The rows belong to no session."""
    occupied = set(busy)
    free = [channel for channel in _due_channels(session, now) if channel not in occupied]
    found = next_of(session, free, now)
    return sorted(found, key=lambda d: (not d.urgent, d.due_at, d.id or 0))


def _due_channels(session: Session, now: datetime) -> Iterable[str]:
    """Every channel that has something due, and with a backlog some that have not."""
    rows = _DUE_CHANNELS.rows(session, {"now": now})
    return channels(session, Status.SCHEDULED) if len(rows) == BATCH else {row[0] for row in rows}


def next_due(session: Session, channel: str, now: datetime) -> Delivery | None:
    """What may go out on this channel now: due, not postponed, its channel neither held nor paused,
    its page published. Urgent ones go before all others, and are not spaced. The row belongs to no
    session."""
    found = next_of(session, [channel], now)
    return found[0] if found else None


def next_of(session: Session, names: Sequence[str], now: datetime) -> list[Delivery]:
    """`next_due` of each of these channels that has one."""
    asked = [{"its_channel": name, "now": now} for name in names]
    return [as_read(Delivery, row) for [row] in filter(None, _NEXT_DUE.rows_each(session, asked))]


_D, _C = table(Delivery).c, table(ChannelState).c
_PAGE = table(Delivery).alias("page")
_MAY_BEGIN = or_(_D.not_before.is_(None), _D.not_before <= bindparam("now"))
_ITS_STATE = or_(_C.channel == bindparam("its_channel"), _C.channel == EVERYTHING)
_STILL_PAUSED = _C.paused_until > bindparam("now")
_DUE_CHANNELS = Prepared(
    first(
        select(_D.channel)
        .where(_D.status == Status.SCHEDULED, _D.due_at <= bindparam("now"))
        .order_by(_D.due_at),
        most=BATCH,
    )
)


def _first_due(*, urgent: bool) -> Select[Any]:
    """The next one that may go out, by one step in an index."""
    its_state = or_(_C.channel == bindparam("its_channel"), _C.channel == EVERYTHING)
    query = (
        select(*_D)
        .join(_PAGE, _PAGE.c.id == _D.waits_for, isouter=True)
        .where(
            _D.status == Status.SCHEDULED,
            _D.channel == bindparam("its_channel"),
            _D.urgent == literal(urgent, literal_execute=False),
            _D.due_at <= bindparam("now"),
            _D.not_after >= bindparam("now"),
            _MAY_BEGIN,
            or_(_D.waits_for.is_(None), _PAGE.c.status == Status.PUBLISHED),
            ~exists().where(its_state, or_(_C.held, _STILL_PAUSED)),
        )
        .order_by(_D.due_at, _D.id)
    )
    if not urgent:
        query = query.where(~exists().where(its_state, _C.spaced_until > bindparam("now")))
    return select(first(query).subquery())


_NEXT_DUE = Prepared(first(union_all(_first_due(urgent=True), _first_due(urgent=False))))


def is_open(session: Session, channel: str, now: datetime) -> bool:
    """Whether anything may be sent to this channel: neither held by a person nor paused."""
    return not is_paused(session, channel, now) and not is_held(session, channel)


def is_paused(session: Session, channel: str, now: datetime) -> bool:
    """Whether this channel rests, since its platform wants it so or does not work."""
    return bool(_PAUSED.rows(session, {"its_channel": channel, "now": now}))


def is_held(session: Session, channel: str) -> bool:
    """Whether a person holds this channel, or all of them."""
    return bool(_HELD.rows(session, {"its_channel": channel}))


_HELD = Prepared(select(_C.channel).where(_ITS_STATE, _C.held))
_PAUSED = Prepared(select(_C.channel).where(_ITS_STATE, _STILL_PAUSED))


def clock_is_doubted(session: Session) -> bool:
    """Whether the office's clock is not believed: then nothing is late, and no absence counts."""
    return bool(_CLOCK_DOUBTED.rows(session, {}))


_CLOCK_DOUBTED = Prepared(
    select(table(OfficeState).c.name).where(table(OfficeState).c.name == CLOCK)
)


def late(session: Session, now: datetime) -> list[Delivery]:
    """Scheduled deliveries whose latest time has passed, the oldest first, a batch of them; none
    while the clock that says so is not believed."""
    if clock_is_doubted(session):
        return []
    return [session.get_one(Delivery, number) for [number] in _LATE.rows(session, {"now": now})]


_LATE = Prepared(
    first(
        select(_D.id)
        .where(_D.status == Status.SCHEDULED, _D.not_after < bindparam("now"))
        .order_by(_D.due_at),
        most=BATCH,
    )
)


def next_wake(session: Session, busy: Iterable[str], now: datetime) -> datetime | None:
    """When the daemon has something to do next, if nothing else happens; None: never.

    `now` when there is something to do at once. Busy channels do not count for that: they look for
    more themselves when they are done. It may be too early, never too late.
    """
    occupied = list(busy)
    if due(session, now, occupied) or unconfirmed(session, occupied, now):
        return now
    moments = [row[0] for moment in _MOMENTS for row in moment.rows(session, {"now": now})]
    if not clock_is_doubted(session):
        moments += [row[0] for row in _LATE_FROM.rows(session, {})]
    return max(min(moments), now) if moments else None


def _first(column: Column[Any], *conditions: Any) -> Prepared:
    """The earliest time in a column."""
    query = select(column).where(column.is_not(None), *conditions)
    return Prepared(first(query.order_by(column)))


_SCHEDULED = _D.status == Status.SCHEDULED
_NOW: BindParameter[Any] = bindparam("now")
#: When something may be to do, if nothing is now: each found by one step in an index.
_MOMENTS = (
    _first(_D.due_at, _SCHEDULED, _D.due_at > _NOW),
    _first(_D.not_before, _SCHEDULED, _D.not_before > _NOW),
    _first(_D.not_before, _D.status == Status.UNCONFIRMED, _D.not_before > _NOW),
    _first(_C.paused_until, _C.paused_until > _NOW),
    _first(_C.spaced_until, _C.spaced_until > _NOW),
)
_LATE_FROM = _first(_D.not_after, _SCHEDULED)


def unconfirmed(session: Session, busy: Iterable[str], now: datetime) -> list[Delivery]:
    """Unconfirmed deliveries that are to be looked at now, one for each channel that is not
    busy. The rows belong to no session."""
    occupied = set(busy)
    names = [name for name in channels(session, Status.UNCONFIRMED) if name not in occupied]
    found = [delivery for name in names if (delivery := next_look(session, name, now))]
    return sorted(found, key=lambda delivery: (delivery.not_before or now, delivery.id or 0))


def next_look(session: Session, channel: str, now: datetime) -> Delivery | None:
    """The unconfirmed delivery of this channel that is to be looked at now. A pause is for looks
    too, a person's hold is not; with a clock that is not believed no absence would count. The row
    belongs to no session."""
    rows = _NEXT_LOOK.rows(session, {"its_channel": channel, "now": now})
    return as_read(Delivery, rows[0]) if rows else None


def next_looks(session: Session, names: Sequence[str], now: datetime) -> list[Delivery]:
    """`next_look` of each of these channels that has one."""
    doubtful = set(channels(session, Status.UNCONFIRMED)).intersection(names)
    found = (next_look(session, name, now) for name in names if name in doubtful)
    return [delivery for delivery in found if delivery]


_NEXT_LOOK = Prepared(
    first(
        select(*_D)
        .where(
            _D.status == Status.UNCONFIRMED,
            _D.channel == bindparam("its_channel"),
            _MAY_BEGIN,
            ~exists().where(_ITS_STATE, _STILL_PAUSED),
            ~exists().where(table(OfficeState).c.name == CLOCK),
        )
        .order_by(_D.not_before, _D.id)
    )
)


def channels(session: Session, status: Status) -> Iterator[str]:
    """The channels that have deliveries in a status, each found by one step in the index."""
    after: str | None = ""
    while after is not None:
        [[after]] = _NEXT_CHANNEL.rows(session, {"its_status": status, "after": after})
        if after is not None:
            yield after


_NEXT_CHANNEL = Prepared(
    select(func.min(_D.channel)).where(
        _D.status == bindparam("its_status"), _D.channel > bindparam("after")
    )
)
