"""The queue database, opened: engine and sessions, and what differs between its two kinds.

It must not know what stands in it (`tables.py`), and decides nothing.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    create_engine,
    event,
    exc,
    text,
)
from sqlalchemy.engine import Connection, Engine
from sqlmodel import Session

from crosspost import postgres, sqlite
from crosspost.errors import DatabaseError, SchemaError
from crosspost.wording import t

#: The newest migration, which this code needs. A test holds it against `migrations/versions`.
SCHEMA = "0001"
#: How long a command waits for another program that writes, in seconds.
BUSY_TIMEOUT = 10.0
#: Bytes that SQLite needs beside its file to read it with WAL, about.
LEAST_ROOM = 65_536


_VERSION = text("SELECT version_num FROM alembic_version")


class Database:
    """The queue database, opened. Two ways in: `read()` and `write()`, each one transaction.

    Raises DatabaseError when the driver of its kind is not installed, or the address is none.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._reader = self.engine
        if self.on_server:
            self._reader = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._plain = self.engine.execution_options(crosspost_plain=True)
        self._writer = self.engine.execution_options(crosspost_write=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        name = self.engine.url.database
        return Path(name) if self.engine.dialect.name == "sqlite" and name else None

    @property
    def on_server(self) -> bool:
        """Whether it is PostgreSQL, which many daemons may share."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view. Raises DatabaseError."""
        with _in_words(self), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def plain(self) -> Iterator[Session]:
        """One transaction that takes no turn, for rows that are no part of the queue. Raises
        DatabaseError."""
        with (
            _in_words(self),
            Session(self._plain, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def write(self, *, any_schema: bool = False) -> Iterator[Session]:
        """One transaction that holds the write lock from its first statement, a question too, to
        its end; all of it or nothing. On PostgreSQL too, where it is an advisory lock.

        Raises DatabaseError when it cannot be had or made durable. On PostgreSQL, where somebody
        may change the tables while daemons run, SchemaError unless `any_schema`.
        """
        with (
            _in_words(self),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            if self.on_server and not any_schema:
                self._require(session.execute(_VERSION).scalar())
            yield session

    def check_schema(self) -> None:
        """Raises SchemaError unless the tables are exactly those that this code knows."""
        self._require(self.schema())

    def _require(self, found: str | None) -> None:
        if found == SCHEMA:
            return
        if found is None:
            raise SchemaError(
                t("The queue database is missing or empty: {where}.", where=self.where()),
                hint=t(
                    "If it was moved, or its disk is not there, bring it back first. "
                    "Only an office that never had one makes it with: crosspost init --upgrade"
                ),
            )
        newer = found > SCHEMA
        raise SchemaError(
            t(
                "The queue database has schema {found}, and this crosspost needs {needed}.",
                found=found,
                needed=SCHEMA,
            ),
            hint=t("It was made by a newer crosspost: install that one here too.")
            if newer
            else t(
                "Stop the daemon, make a copy of the database, then run: crosspost init --upgrade"
            ),
        )

    def schema(self) -> str | None:
        """The migration that the database stands at; None when it has no tables yet."""
        if self.file is not None and not self.file.exists():
            return None
        with self.read() as session:
            try:
                row = session.execute(_VERSION).first()
            except (exc.OperationalError, exc.ProgrammingError) as error:
                if "alembic_version" in str(error.orig):
                    return None
                raise
            return row[0] if row else None

    def where(self) -> str:
        """The database as it may be shown: the file's path, or the URL without its password."""
        url = self.engine.url.set(drivername=self.engine.dialect.name)
        return str(self.file or url.render_as_string(hide_password=True))

    def scrub(self) -> None:
        """Clean what was deleted out of the file, and out of what lies beside it. Raises
        DatabaseError when the file is in use for too long.

        SQLite keeps deleted text in free pages and in its journal; PostgreSQL in dead rows, and its
        write-ahead log is not reached from here.
        """
        with _in_words(self), self.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            if self.on_server:
                connection.execute(text("VACUUM"))
                return
            try:
                sqlite.scrub(connection.connection.driver_connection)
            except sqlite.driver().Error as error:
                raise exc.DBAPIError("VACUUM", None, error) from error

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite:"):
        return postgres.server_engine(url)
    engine = create_engine(
        url,
        module=sqlite.driver(),
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: see `_begin_sqlite`
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    # else INSERT OR REPLACE passes by the triggers of the ledger (sqlite.org/lang_conflict.html)
    cursor.execute("PRAGMA recursive_triggers = ON")
    [_, _, file] = cursor.execute("PRAGMA database_list").fetchone()
    cursor.close()
    sqlite.choose_journal(connection, file)
    record.info[_OPENED] = sqlite.Opened.of(file) if file else None


#: Where a connection keeps which file it has opened.
_OPENED = "crosspost_opened"


def _begin_sqlite(connection: Connection) -> None:
    opened: sqlite.Opened | None = connection.info[_OPENED]
    if opened is not None and not opened.is_there():
        raise DatabaseError(
            t(
                "The queue database cannot be written: {where} was moved or replaced meanwhile.",
                where=opened.file,
            ),
            hint=t(
                "Put the file back in its place, or stop the daemon and start it again. "
                "Nothing was changed."
            ),
        )
    write = connection.get_execution_options().get("crosspost_write")
    if opened is not None and write:
        opened.keep_short(connection.connection.driver_connection)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _in_words(database: Database) -> Iterator[None]:
    """A database's failure as a sentence with the next step, never as a traceback."""
    try:
        yield
    except exc.IntegrityError:
        raise  # a rule of ours was about to be broken: that is a bug, and not the database's
    except exc.DBAPIError as error:
        known = postgres.sentence(error, database.where()) if database.on_server else None
        reason = _reason(database, error)
        words, hint = known or (_sentence(database, reason), _hint(reason))
        raise DatabaseError(words, hint=hint) from error


def _reason(database: Database, error: exc.DBAPIError) -> str:
    """What the driver says. With WAL, a disk that has no room for its `-shm` is only said to have
    failed."""
    said = str(error.orig)
    if "disk I/O error" in said and database.file is not None:
        with suppress(OSError):
            if shutil.disk_usage(database.file.parent).free < LEAST_ROOM:
                return "database or disk is full"
    return said


def _sentence(database: Database, reason: str) -> str:
    where = database.where()
    known = {
        "locked": t("The queue database is in use by another program: {where}.", where=where),
        "readonly": t("The queue database cannot be written: {where}.", where=where),
        "unable to open": t("The queue database cannot be opened: {where}.", where=where),
        "full": t("The disk is full; nothing was changed."),
        "malformed": t("The queue database is damaged: {where}.", where=where),
        "not a database": t("This is not a crosspost database: {where}.", where=where),
    }
    found = [sentence for sign, sentence in known.items() if sign in reason]
    return (found or [t("The queue database failed: {reason}.", reason=reason)])[0]


def _hint(reason: str) -> str:
    if "locked" in reason:
        return t("Close the program that holds it, then try again. Nothing was changed.")
    if "readonly" in reason or "unable to open" in reason:
        return t(
            "The account {user} needs the right to write this file and its folder. Who is only to "
            "read gets a copy: crosspost backup FILE",
            user=_account(),
        )
    if "malformed" in reason or "not a database" in reason:
        return t(
            "Stop the daemon, keep this file, and bring back the last good copy: "
            "crosspost restore FILE"
        )
    if "full" in reason:
        return t("Make room on the disk, then try again.")
    return t(
        "Nothing was changed. Try again; if it stays so, look at the disk or the database server."
    )


def _account() -> str:
    """The name of the account that this process has, as the system knows it; its number if none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
