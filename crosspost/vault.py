"""Where a channel's session is kept between runs: in the database, encrypted with the office's key.

The key is `CROSSPOST_SECRET_KEY`, from `.env`; without it nothing is kept and sessions live as long
as the process. This room must not know what a session contains.
"""

from __future__ import annotations

import json

from sqlmodel import Session

from crosspost.config import Config
from crosspost.database import ChannelState, Database
from crosspost.errors import ConfigError
from crosspost.wording import t


def new_key() -> str:
    """A fresh key for `.env`."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


class Vault:
    """The kept session of one channel. What cannot be opened any more counts as nothing kept."""

    def __init__(self, config: Config, database: Database, channel: str) -> None:
        self._database = database
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
        """Keep `values`; never an empty one in place of a good one."""
        if not values or not all(values.values()):
            return
        self._memory = dict(values)
        if self._cipher is None:
            return
        sealed = self._cipher.encrypt(json.dumps(values).encode())
        with self._database.write() as session:
            self._put(session, sealed)

    def _put(self, session: Session, sealed: bytes) -> None:
        state = session.get(ChannelState, self._channel) or ChannelState(channel=self._channel)
        state.secrets = sealed
        session.add(state)
