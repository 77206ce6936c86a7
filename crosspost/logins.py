"""Logins that end: which are to be spoken of now, and in what words.

It only reads, and must not open an adapter or a secret: the end of a login is kept readable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from crosspost import tokens
from crosspost.lifecycle import ENDED
from crosspost.tables import ChannelState, Delivery
from crosspost.wording import t


@dataclass(frozen=True)
class Ending:
    """A login that only a person can renew, and that ends soon or before something is published.
    `late` is the first delivery's time after it."""

    channel: str
    ends: datetime
    late: datetime | None = None

    def sentence(self, show: Callable[[datetime], str]) -> str:
        """For an admin, with what to do; `show` writes a time as the office does."""
        words = t("The login to {channel} ends {ends}.", channel=self.channel, ends=show(self.ends))
        if self.late:
            words += " " + t("An announcement is to go out there {late}.", late=show(self.late))
        advice = t("Renew it: crosspost channels login {channel}", channel=self.channel)
        return f"{words} {advice}"


def endings(session: Session, now: datetime) -> list[Ending]:
    """Every login that is to be spoken of now, the first to end first."""
    known = select(ChannelState).where(col(ChannelState.login_ends).is_not(None))
    found = []
    for state in session.exec(known.order_by(col(ChannelState.login_ends))):
        ends = state.login_ends
        late = _first_after(session, state.channel, ends)
        if ends and tokens.is_ending(ends, now, [late] if late else []):
            found.append(Ending(state.channel, ends, late))
    return found


def _first_after(session: Session, channel: str, ends: datetime | None) -> datetime | None:
    waiting = select(func.min(Delivery.due_at)).where(
        Delivery.channel == channel,
        col(Delivery.status).not_in(list(ENDED)),
        col(Delivery.due_at) >= ends,
    )
    return session.exec(waiting).one()
