"""The channels' accounts, connected: their adapters with what is kept for them, logins on the
record and renewed ahead of time.

It must not ask a person anything (`cli/logins.py` does) or know a platform.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from sqlmodel import Session, col, select

from crosspost.adapters import Adapter, Context, adapter_class, open_adapter
from crosspost.adapters.oauth import OAuthAdapter, by_browser
from crosspost.config import Channel, Config
from crosspost.database import Database
from crosspost.errors import AuthRevoked, PlatformError, UserError
from crosspost.holds import unpause
from crosspost.ledger import book
from crosspost.queue import Doing
from crosspost.tables import ChannelState
from crosspost.vault import Vault, utc_now

log = logging.getLogger("crosspost.connections")


def open_channel(
    config: Config,
    database: Database,
    name: str,
    now: Callable[[], datetime] = utc_now,
    may_send: Callable[[], bool] = lambda: True,
) -> Adapter:
    """The adapter of a configured channel, with its kept session; `may_send` as `Context` has it.
    Raises UserError."""
    vault = Vault(config, database, name, now)
    context = Context(config, name, vault.load, vault.save, vault.exclusive, now, may_send)
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
        if by_browser(adapter_class(channel.platform)):
            yield name


def by_login(channel: Channel) -> bool:
    """Whether its account is connected with `channels login` and a browser, so that its token lies
    in the database and in no file."""
    return "access_token" not in channel.options and by_browser(adapter_class(channel.platform))


def unconnected(session: Session, config: Config) -> list[str]:
    """The channels whose account somebody has to connect first, with a browser."""
    kept = select(ChannelState.channel).where(col(ChannelState.secrets).is_not(None))
    known = set(session.exec(kept))
    return [
        name for name, channel in config.channels.items() if name not in known and by_login(channel)
    ]
