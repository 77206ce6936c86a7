"""When nothing is sent on a channel for a while: it is paused, since its platform wants it so or
does not work, or spaced, since a backlog must not go out all at once. A person's hold is another
thing (`holds.py`).

This room must not decide that a channel rests (`retry.py`, `breaker.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, update
from sqlmodel import Session, or_, select

from crosspost import agenda, breaker
from crosspost.prepared import Prepared
from crosspost.tables import ChannelState, Delivery, table
from crosspost.wording import t


def pause(session: Session, channel: str, until: datetime, reason: str) -> None:
    """Nothing is sent to this channel before `until`."""
    session.info.pop(_TROUBLED, None)
    state = session.get(ChannelState, channel) or ChannelState(channel=channel)
    state.paused_until = max(until, state.paused_until or until)
    state.reason = reason
    session.add(state)
    session.flush()


def failed_again(
    session: Session, channel: str, now: datetime, jitter: float, reason: str
) -> datetime | None:
    """One more attempt in a row on this channel did not go through. Until when it rests for that,
    None: it goes on."""
    session.info.pop(_TROUBLED, None)
    # read anew: `works` writes past what the session remembers
    state = session.get(ChannelState, channel, populate_existing=True)
    state = state or ChannelState(channel=channel)
    state.failures += 1
    session.add(state)
    session.flush()
    until = breaker.rest_until(state.failures, now, jitter)
    if until is not None:
        words = t(
            "{count} attempts in a row did not go through. The last one: {reason}",
            count=state.failures,
            reason=reason,
        )
        pause(session, channel, until, words)
    return until


def works(session: Session, channel: str, now: datetime) -> None:
    """Something was published on this channel: the row of failures is broken, and a pause whose
    time is over is forgotten."""
    if channel in _troubled(session):
        _WORKS.run(session, {"its_channel": channel, "now": now})


def _troubled(session: Session) -> set[str]:
    """The channels that rest, or on which something failed; asked once in a transaction."""
    found: set[str] | None = session.info.get(_TROUBLED)
    if found is None:
        found = {name for [name] in _WITH_TROUBLE.rows(session, {}, apart=True)}
        session.info[_TROUBLED] = found
    return found


#: Where a session remembers that.
_TROUBLED = "troubled"
_C = table(ChannelState).c
_HAS_TROUBLE = or_(_C.failures > 0, _C.paused_until.is_not(None))
_WITH_TROUBLE = Prepared(select(_C.channel).where(_HAS_TROUBLE))
_WORKS = Prepared(
    update(table(ChannelState))
    .where(
        _C.channel == bindparam("its_channel"),
        _HAS_TROUBLE,
        or_(_C.paused_until.is_(None), _C.paused_until <= bindparam("now")),
    )
    .values(failures=0, paused_until=None, reason="")
)


def space(session: Session, delivery: Delivery, now: datetime, spacing: timedelta) -> None:
    """After an outage a backlog does not go out all at once."""
    if not spacing or delivery.urgent or now - delivery.due_at <= agenda.BACKLOG:
        return
    channel = delivery.channel
    state = session.get(ChannelState, channel) or ChannelState(channel=channel)
    state.spaced_until = now + spacing
    session.add(state)
    session.flush()
