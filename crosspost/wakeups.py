"""How a daemon hears that somebody wrote to the queue, so that it need not ask all the time.

SQLite counts what other connections commit; PostgreSQL calls (`NOTIFY`, by triggers of the tables,
and by `call`). Either is only a wake-up: the daemon looks at the queue regardless, now and then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import exc, text
from sqlmodel import Session

from crosspost.database import Database
from crosspost.errors import DatabaseError
from crosspost.wording import t

log = logging.getLogger("crosspost.daemon")

#: The name that is called on PostgreSQL.
NAME = "crosspost"
#: Seconds between looks at the connection, and between tries to have one again.
PATIENCE, AGAIN = 1.0, 2.0


class Watch:
    """Whether another connection has written since the last question (SQLite: `data_version`)."""

    def __init__(self, database: Database) -> None:
        self._session = Session(database.engine)
        self._seen = -1

    def changed(self) -> bool:
        """True when something may have changed."""
        try:
            version = self._session.execute(text("PRAGMA data_version")).scalar_one()
        finally:
            self._session.rollback()
        changed = version != self._seen
        self._seen = version
        return bool(changed)


class Listener:
    """A thread that does `wake` when this PostgreSQL calls, and when it could not be heard for a
    while. `start`, and `stop` at the end."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._hear()
            except (exc.DBAPIError, OSError) as error:
                reason = str(getattr(error, "orig", error)).strip()
                log.warning(
                    "%s",
                    t(
                        "The database server is not heard any more, so it is asked: {reason}",
                        reason=reason,
                    ),
                    extra={"event": "database"},
                )
                self._stopping.wait(AGAIN)

    def _hear(self) -> None:
        """Until the connection breaks, or the end."""
        with self._database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                connection.exec_driver_sql(f"LISTEN {NAME}")
                self._wake()
                driver: Any = connection.connection.driver_connection
                while not self._stopping.is_set():
                    if list(driver.notifies(timeout=PATIENCE, stop_after=1)):
                        self._wake()
            except driver_errors() as error:
                raise OSError(str(error)) from error
            finally:
                connection.invalidate()  # it is of no use to anybody else any more


def driver_errors() -> tuple[type[Exception], ...]:
    """What PostgreSQL's driver raises when it is used past SQLAlchemy."""
    import psycopg

    return (psycopg.Error,)


def call(database: Database) -> None:
    """Wake the other daemons, if there can be any. When that fails they look a little later."""
    if not database.on_server:
        return
    try:
        with database.plain() as session:
            session.execute(text(f"NOTIFY {NAME}"))
    except DatabaseError as error:
        log.warning("%s", error, extra={"event": "database"})
