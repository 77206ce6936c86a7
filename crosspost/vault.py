"""Where a channel's session is kept between runs: in the database, encrypted with the office's key.

The key is `CROSSPOST_SECRET_KEY`, from `.env`; without it nothing is kept and sessions live as long
as the process. This room must not know what a session contains.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, or_

from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import ConfigError
from crosspost.tables import ChannelState, table
from crosspost.wording import t

#: A renewal that takes longer than this has died with its program.
RENEWAL = timedelta(minutes=5)


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def new_key() -> str:
    """A fresh key for `.env`."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


class Vault:
    """The kept session of one channel. What cannot be opened any more counts as nothing kept."""

    def __init__(
        self,
        config: Config,
        database: Database,
        channel: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._now = now
        self._channel = channel
        self._memory: dict[str, str] = {}
        self._cipher = None
        if config.secret_key is not None:
            from cryptography.fernet import Fernet

            try:
                self._cipher = Fernet(config.secret_key.get_secret_value())
            except ValueError as error:
                raise ConfigError(
                    t("CROSSPOST_SECRET_KEY in .env is not a key of crosspost."),
                    hint=t("Bring back the old line; or remove it, and channels log in anew."),
                ) from error

    def load(self) -> dict[str, str]:
        """What was saved last; empty when nothing was."""
        if self._cipher is None:
            return dict(self._memory)
        from cryptography.fernet import InvalidToken

        with self._database.read() as session:
            state = session.get(ChannelState, self._channel)
        if state is None or state.secrets is None:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._cipher.decrypt(state.secrets))
        except (InvalidToken, ValueError):
            return {}
        return opened

    def save(self, values: dict[str, str]) -> None:
        """Keep `values`; never an empty one in place of a good one. `login_ends` among them (ISO
        8601) says when a person must log in again; it is kept readable, for warnings."""
        if not values or not all(values.values()):
            return
        self._memory = dict(values)
        if self._cipher is None:
            return
        sealed = self._cipher.encrypt(json.dumps(values).encode())
        with self._database.write() as session:
            self._put(session, sealed, values)

    def forget(self) -> None:
        """Keep nothing any more: the settings count again."""
        self._memory = {}
        with self._database.write() as session:
            state = self._state(session)
            state.secrets, state.login_ends = None, None

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Whether this program alone renews the channel's session now: of several daemons, and the
        commands of admins, one wins. No transaction is open meanwhile; one that died gives way
        after `RENEWAL`."""
        until = self._now() + RENEWAL
        alone = self._taken(until)
        try:
            yield alone
        finally:
            if alone:
                self._give_back(until)

    def _taken(self, until: datetime) -> bool:
        lease = col(ChannelState.renewing_until)
        with self._database.write() as session:
            self._state(session)
            session.flush()
            found = session.execute(
                update(table(ChannelState))
                .where(
                    col(ChannelState.channel) == self._channel,
                    or_(lease.is_(None), lease < self._now()),
                )
                .values(renewing_until=until)
            )
        return bool(found.rowcount == 1)  # type: ignore[attr-defined]

    def _give_back(self, until: datetime) -> None:
        with self._database.write() as session:
            session.execute(
                update(table(ChannelState))
                .where(
                    col(ChannelState.channel) == self._channel,
                    col(ChannelState.renewing_until) == until,
                )
                .values(renewing_until=None)
            )

    def _put(self, session: Session, sealed: bytes, values: dict[str, str]) -> None:
        state = self._state(session)
        state.secrets = sealed
        ends = values.get("login_ends")
        state.login_ends = datetime.fromisoformat(ends) if ends else None

    def _state(self, session: Session) -> ChannelState:
        state = session.get(ChannelState, self._channel) or ChannelState(channel=self._channel)
        session.add(state)
        return state
