"""The driver's side of a statement: its cursor, its errors, and many rows at once.

It must not know what a statement says, or how its text was made (`prepared.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

#: psycopg takes a statement with more parameters apart anew at each execution.
REMEMBERED = 50
#: So many rows stand in one statement; few numbers, so that few texts are kept.
CHUNKS = (64, 32, 16, 8, 4, 2, 1)


def in_chunks(
    cursor: DBAPICursor, many: tuple[str, str, str], parameters: Sequence[Sequence[Any]]
) -> int:
    """Run a statement for many rows at once. A step of SQLite lets other threads go on, so that a
    step for each row would be a wait for each."""
    done, count = 0, 0
    for size in CHUNKS:
        while len(parameters) - done >= size:
            cursor.execute(_for_rows(many, size), _flat(parameters[done : done + size]))
            done, count = done + size, count + int(cursor.rowcount)
    return count


def in_pieces(
    cursor: DBAPICursor,
    text: str,
    many: tuple[str, str, str],
    parameters: Sequence[Sequence[Any]],
) -> int:
    """The same on a server: a few rows at once, and all on their way before an answer is waited
    for."""
    size = max(REMEMBERED // len(parameters[0]), 1)
    whole = len(parameters) // size * size
    pieces = [_flat(parameters[start : start + size]) for start in range(0, whole, size)]
    count = 0
    for each, values in ((_for_rows(many, size), pieces), (text, parameters[whole:])):
        if values:
            cursor.executemany(each, values)
            count += int(cursor.rowcount)
    return count


def _for_rows(many: tuple[str, str, str], count: int) -> str:
    before, each, after = many
    return f"{before}{', '.join([each] * count)}{after}"


def _flat(rows: Sequence[Sequence[Any]]) -> list[Any]:
    return [value for row in rows for value in row]


def results(cursor: Any, count: int) -> list[Any]:
    """The result sets of `executemany`, one for each of its parameters."""
    found = [cursor.fetchall()]
    while len(found) < count:
        cursor.nextset()
        found.append(cursor.fetchall())
    return found


@contextmanager
def cursor(connection: Connection, text: str) -> Iterator[DBAPICursor]:
    """A cursor of the driver; its errors are raised as SQLAlchemy raises them."""
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, connection, text) from error
    finally:
        cursor.close()


def _as_sqlalchemy(error: Any, connection: Connection, text: str) -> Exception:
    """What SQLAlchemy makes of a driver's error."""
    dialect = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection, None)
    if gone:
        connection.invalidate(error)
    raised: Exception = DBAPIError.instance(
        text,
        (),
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=gone,
        dialect=dialect,
    )
    return raised
