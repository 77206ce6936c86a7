"""The accounts that speak for the office, as the platforms themselves called them last.

It must not ask a platform: `channels check` does, and what it hears is kept here.
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from crosspost.post import Account
from crosspost.tables import ChannelState


def remember(session: Session, channel: str, account: Account) -> None:
    """Whose account a channel is."""
    state = session.get(ChannelState, channel) or ChannelState(channel=channel)
    state.account, state.account_url = account.name, account.url
    session.add(state)
    session.flush()


def remembered(session: Session) -> dict[str, Account]:
    """The accounts that are known, by channel."""
    rows = session.exec(select(ChannelState).order_by(col(ChannelState.channel)))
    return {row.channel: Account(row.account, row.account_url) for row in rows if row.account}
