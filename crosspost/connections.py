"""The channels' accounts, connected: their adapters with what is kept for them, logins kept on the
record, renewed ahead of time, and spoken of before they end.

It must not ask a person anything (`cli/logins.py` does) or know a platform.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from crosspost import tokens
from crosspost.adapters import Adapter, Context, adapter_class, open_adapter
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.config import Config
from crosspost.database import ChannelState, Database, Delivery
from crosspost.errors import AuthRevoked, PlatformError, UserError
from crosspost.ledger import book
from crosspost.lifecycle import ENDED
from crosspost.queue import Doing, unpause
from crosspost.vault import Vault, utc_now
from crosspost.wording import t

log = logging.getLogger("crosspost.connections")


def open_channel(
    config: Config, database: Database, name: str, now: Callable[[], datetime] = utc_now
) -> Adapter:
    """The adapter of a configured channel, with its kept session. Raises UserError."""
    vault = Vault(config, database, name, now)
    context = Context(config, name, vault.load, vault.save, vault.exclusive, now)
    return open_adapter(config, name, context)


def connected(session: Session, channel: str, account: str, doing: Doing) -> None:
    """A person logged in to a channel, as this account: on the record, and its pause is over."""
    unpause(session, channel)
    act = book.Act(
        kind="connected",
        by=doing.by,
        at=doing.at,
        channel=channel,
        data={"account": account},
    )
    book.append(session, act)


# --- renewing ahead of time -----------------------------------------------------------------------


def renew(config: Config, adapter_of: Callable[[str], Adapter]) -> None:
    """Renew what is due on every channel that one logs in to. What goes wrong is a line of the log:
    the channel itself says it when it next has something to send."""
    for name in _with_login(config):
        try:
            adapter = adapter_of(name)
            if isinstance(adapter, OAuthAdapter):
                adapter.renew_if_due()
        except AuthRevoked as error:
            log.error("%s: %s", name, error, extra={"event": "login", "channel": name})
        except PlatformError as error:
            log.warning("%s: %s", name, error, extra={"event": "login", "channel": name})
        except UserError as error:
            log.error("%s: %s", name, error, extra={"event": "login", "channel": name})


def _with_login(config: Config) -> Iterator[str]:
    for name, channel in config.channels.items():
        if issubclass(adapter_class(channel.platform), OAuthAdapter):
            yield name


# --- speaking of the end in time ------------------------------------------------------------------


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
