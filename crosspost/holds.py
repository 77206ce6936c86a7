"""Hold and resume: nothing is sent to one channel, or to any, until a person lets it go on.

It only writes what the person decided, and the entry of it; that nothing is sent meanwhile is seen
to by `agenda.is_open`, asked at every claim and once more before the first byte of a post.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from sqlmodel import Session, col, select

from crosspost import agenda, queue
from crosspost.agenda import EVERYTHING
from crosspost.errors import Conflict
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.queue import Doing
from crosspost.tables import ChannelState, Delivery, OfficeState
from crosspost.wording import t

#: After a jump of the clock unconfirmed posts are looked for so much later: longer than the settle
#: time of any adapter.
LOOK_AFTER_JUMP = timedelta(minutes=15)


def hold(session: Session, channel: str | None, doing: Doing) -> None:
    """From now on nothing is sent to `channel`, or to any (None). Raises Conflict when it is on
    hold already."""
    state = _state(session, channel)
    if state.held:
        raise Conflict(
            t("It is on hold already: {reason}", reason=state.hold_reason),
            hint=t("What is on hold: crosspost channels list"),
        )
    _write(session, state, held=True, doing=doing)


def resume(session: Session, channel: str | None, doing: Doing) -> None:
    """Sending goes on; a pause of that one channel ends too, since a person has looked at it.
    Raises Conflict when it is neither on hold nor paused."""
    state = _state(session, channel)
    paused = channel is not None and unpause(session, channel)
    if not state.held and not paused:
        raise Conflict(t("It is not on hold."), hint=t("What is on hold: crosspost channels list"))
    if channel is None:
        _believe_clock(session, doing)
    _write(session, state, held=False, doing=doing)


def doubt_clock(session: Session, words: str, doing: Doing) -> bool:
    """The clock jumped, as `words` say: nothing is sent, nothing is late and no absence counts
    until a person resumes. False when it is doubted already."""
    if agenda.clock_is_doubted(session):
        return False
    session.add(OfficeState(name=agenda.CLOCK, value=json.dumps(words)))
    _write(session, _state(session, None), held=True, doing=replace(doing, note=words))
    return True


def _believe_clock(session: Session, doing: Doing) -> None:
    """A person has looked at the clock. What the platforms were asked before counts no more: how
    long ago a post was sent is known only by the clock that jumped."""
    doubted = session.get(OfficeState, agenda.CLOCK)
    if doubted is None:
        return
    session.delete(doubted)
    open_ = session.exec(select(Delivery).where(Delivery.status == Status.UNCONFIRMED)).all()
    for delivery in open_:
        columns = {"not_before": doing.at + LOOK_AFTER_JUMP, "clean_looks": 0}
        queue.rewrite(session, delivery, columns)


def _state(session: Session, channel: str | None) -> ChannelState:
    name = channel or EVERYTHING
    return session.get(ChannelState, name) or ChannelState(channel=name)


def _write(session: Session, state: ChannelState, *, held: bool, doing: Doing) -> None:
    state.held, state.hold_reason = held, doing.note if held else ""
    session.add(state)
    session.flush()
    act = book.Act(
        kind="held" if held else "resumed",
        by=doing.by,
        at=doing.at,
        channel=None if state.channel == EVERYTHING else state.channel,
        note=doing.note,
    )
    book.append(session, act)


def unpause(session: Session, channel: str) -> bool:
    """A person let the channel go on, and what waited for the end of the pause with it; True when
    it was paused."""
    state = session.get(ChannelState, channel)
    if state is None or (state.paused_until is None and not state.failures):
        return False
    until = state.paused_until
    state.paused_until, state.reason, state.failures = None, "", 0
    session.add(state)
    session.flush()
    waiting = select(Delivery).where(
        Delivery.status == Status.SCHEDULED,
        Delivery.channel == channel,
        col(Delivery.not_before).is_not(None),
    )
    for delivery in session.exec(waiting).all():
        queue.rewrite(session, delivery, {"not_before": None})
    return until is not None
