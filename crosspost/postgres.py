"""PostgreSQL's own: how a connection is set up, how a writer takes its turn, and the server's
failures in words.

It must know no table and decide nothing about deliveries.
"""

from __future__ import annotations

import re
import time
from typing import Any

from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import Connection, Engine

from crosspost.errors import DatabaseError
from crosspost.wording import t

#: How long a writer waits for its turn, in milliseconds.
LOCK_TIMEOUT = 10_000
#: A writer that is silent for so long inside its transaction (stopped, or its machine is gone)
#: loses its turn, its locks and its connection, in milliseconds. Less than others wait for it.
SILENCE = 8_000
#: The writers' turn: an advisory lock of the database, "crosspos" as a number.
TURN = int.from_bytes(b"crosspos", "big")
#: Seconds after which an unused connection is asked whether it still stands.
IDLE = 1.0
#: Seconds to connect.
CONNECT_TIMEOUT = 10


def server_engine(url: str) -> Engine:
    """The engine for a `postgresql://` address. Raises DatabaseError when its driver is not
    installed or the address is none."""
    url = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url)
    try:
        if not url.startswith("postgresql+psycopg://"):
            raise ValueError(url)
        engine = create_engine(
            url,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "crosspost",
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
        )
    except ImportError as error:
        raise DatabaseError(
            t("The driver of this database is not installed: {name}.", name=error.name),
            hint=t("For PostgreSQL, install it with: pip install 'crosspost[postgres]'"),
        ) from error
    except (exc.ArgumentError, ValueError):
        # `from None`: the error may repeat the address, and so the password
        raise DatabaseError(
            t("The address of the queue database cannot be read."),
            hint=t("Write it like: postgresql://ACCOUNT@SERVER:5432/DATABASE"),
        ) from None
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _refuse_broken)
    event.listen(engine, "begin", _take_turn)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    """A server that does not wait for its disk does so for us: an intent outlives a power cut."""
    connection.execute(
        f"SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', false), set_config("
        "'synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)"
    )
    connection.commit()


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _refuse_broken(connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that was cut while nobody used it is replaced. One that was used just now is not
    asked: each question costs as long as a statement of the work."""
    from psycopg import Error

    idle = time.monotonic() - record.info.get("used", time.monotonic())
    try:
        if connection.closed:
            raise exc.DisconnectionError
        if idle > IDLE:
            connection.execute("SELECT 1")
            connection.rollback()
    except Error as error:
        raise exc.DisconnectionError from error


def _take_turn(connection: Connection) -> None:
    """One writer at a time, from its first statement on, as on SQLite: what it has read stays so,
    and the ledger has one order. What holds locks is not held by somebody who was stopped."""
    options = connection.get_execution_options()
    silence = f"set_config('idle_in_transaction_session_timeout', '{SILENCE}', true)"
    if options.get("crosspost_write"):
        connection.exec_driver_sql(f"SELECT {silence}, pg_advisory_xact_lock({TURN})")
    elif options.get(
        "crosspost_plain"
    ):  # not waited for: what follows it on the disk makes it sure
        connection.exec_driver_sql(
            f"SELECT {silence}, set_config('synchronous_commit', 'off', true)"
        )


def sentence(error: exc.DBAPIError, where: str) -> tuple[str, str] | None:
    """What went wrong on the server, and what to do next; None when it is nothing known."""
    state = getattr(error.orig, "sqlstate", None) or ""
    said = str(error.orig)
    for states, signs, words, hint in _known(where):
        if state in states or any(sign in said for sign in signs):
            return words, hint
    lost = error.connection_invalidated or state.startswith(("08", "57P"))
    if lost or (isinstance(error, exc.OperationalError) and not state):
        return (
            t("The database server cannot be reached: {where}.", where=where),
            t("Nothing was changed. Look whether it runs and whether this machine may reach it."),
        )
    return None


def _known(where: str) -> list[tuple[set[str], tuple[str, ...], str, str]]:
    """SQLSTATEs (PostgreSQL, appendix A), or words of the server where it gives no state (when
    connecting); a sentence; the next step."""
    account = t("Look at [storage] database, or at the line in .env that it names.")
    return [
        (
            {"28P01", "28000"},
            ("password authentication failed", "no password supplied"),
            t("The database server refuses this account or its password: {where}.", where=where),
            account,
        ),
        (
            {"3D000"},
            ('FATAL:  role "', 'FATAL:  database "'),
            t("The database server knows no such database or account: {where}.", where=where),
            t("Its administrator makes them; how is in docs/ministry.md."),
        ),
        (
            {"55P03"},
            (),
            t("The queue database is in use by another program: {where}.", where=where),
            t("Close the program that holds it, then try again. Nothing was changed."),
        ),
        (
            {"25006"},
            (),
            t("The database server takes no changes now, it is a standby: {where}.", where=where),
            t("Let [storage] database name the primary server; see docs/ministry.md."),
        ),
        (
            {"53100"},
            (),
            t("The disk of the database server is full; nothing was changed."),
            t("Make room on the disk, then try again."),
        ),
        (
            {"53300"},
            ("too many clients", "remaining connection slots"),
            t("The database server has no connection left: {where}.", where=where),
            t("Raise max_connections there, or run fewer daemons; see docs/ministry.md."),
        ),
        (
            {"42501"},
            (),
            t("This account has not the right to do that in the database: {where}.", where=where),
            t("The account must own the tables, or be granted them; see docs/ministry.md."),
        ),
    ]
