"""The office that a command works for: its settings, its database, who is at the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosspost.config import Config
    from crosspost.database import Database
    from crosspost.queue import Doing
    from crosspost.views import Views

#: What `--config` says; set before any command runs.
config_file: Path | None = None


@dataclass(frozen=True)
class Office:
    """Settings, an opened database of the right schema, the person, and the time of the command."""

    config: Config
    database: Database
    person: str
    now: datetime

    def doing(self, note: str = "") -> Doing:
        """This person, now, for this reason."""
        from crosspost.queue import Doing

        return Doing(self.person, self.now, note)

    @contextmanager
    def views(self) -> Iterator[Views]:
        """What there is to show, in one transaction."""
        from crosspost.views import Views

        with self.database.read() as session:
            yield Views(session, self.config)


def open_office(
    *, secrets: bool = True, typed: Mapping[str, str] | None = None, unseen: bool = False
) -> Office:
    """The office of this folder. `secrets=False` for commands that only read: they need no `.env`.
    `typed` are secrets by their names in `.env`, as they would be if they stood there. `unseen` for
    commands that send nothing: they work where only the daemon's account may read `.env`.

    Raises ConfigError, DatabaseError, SchemaError.
    """
    import atexit

    from crosspost.config import load
    from crosspost.database import Database
    from crosspost.people import current_person

    if secrets:
        from crosspost.adapters import problems_of

        config = load(config_file, check_channel=problems_of, typed=typed, unseen=unseen)
    else:
        config = load(config_file, secrets=False)
    database = Database(config.database_url)
    atexit.register(database.close)  # a server is told that nobody is there any more
    database.check_schema()
    return Office(config, database, current_person(config), datetime.now(UTC))
