"""Statements that run for every delivery: compiled once, then handed to the driver as they are.

SQLAlchemy writes the text, for SQLite as for PostgreSQL, and converts values by their types; what
it does besides at each execution takes several times as long as the execution. This room must not
know what a statement is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Insert, Select, Update, bindparam, insert, update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.instrumentation import manager_of_class
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlmodel import Session, SQLModel

from crosspost.database import table

Row = TypeVar("Row", bound=SQLModel)
_Values = Mapping[str, Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """A statement for one dialect: its text, what makes the driver's parameters out of values, and
    what converts each column of a row."""

    text: str
    parameters: Callable[[_Values], Any]
    columns: Sequence[_Convert]


class Prepared:
    """A statement of SQLAlchemy Core. What differs from one execution to the next is a `bindparam`
    in it; none of them is a list."""

    def __init__(self, statement: Insert | Update | Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}  # by dialect

    def run(self, session: Session, values: _Values) -> int:
        """Run it in the transaction of `session`, with a value for each name; how many rows it
        wrote. Raises what SQLAlchemy raises, without the values in it."""
        cursor, _ = self._execute(session.connection(), values)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def rows(self, session: Session, values: _Values) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, converted by the types of its columns."""
        cursor, columns = self._execute(session.connection(), values)
        found = cursor.fetchall()
        cursor.close()
        return [tuple([do(value) for do, value in zip(columns, row, strict=True)]) for row in found]

    def _execute(
        self, connection: Connection, values: _Values
    ) -> tuple[DBAPICursor, Sequence[_Convert]]:
        dialect = connection.dialect
        compiled = self._for(dialect)
        parameters = compiled.parameters(values)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.text, parameters)
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, connection, compiled.text) from error
        return cursor, compiled.columns

    def _for(self, dialect: Dialect) -> _Compiled:
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(dialect)
        return self._compiled[dialect.name]

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._statement.compile(dialect=dialect)
        binds = compiled.binds
        into = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
            for name, bind in binds.items()
        }
        fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        names = compiled.positiontup if compiled.positional else list(binds)
        places = [(name, into[name]) for name in names]

        def in_order(values: _Values) -> Any:
            given = {**fixed, **values}
            return tuple([convert(given[name]) for name, convert in places])

        def by_name(values: _Values) -> Any:
            given = {**fixed, **values}
            return {name: convert(given[name]) for name, convert in places}

        return _Compiled(
            compiled.string,
            in_order if compiled.positional else by_name,
            [
                column.type.dialect_impl(dialect).result_processor(dialect, None) or _as_it_is
                for column in getattr(self._statement, "selected_columns", ())
            ],
        )


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


def _as_it_is(value: Any) -> Any:
    return value


def setting(model: type[SQLModel], columns: Iterable[str]) -> Update:
    """An UPDATE of these columns, each to the value under its name."""
    return update(table(model)).values({name: bindparam(name) for name in columns})


def inserting(model: type[SQLModel], *columns: str) -> Insert:
    """An INSERT of a row with these columns, each with the value under its name; the others have
    the model's default."""
    values: dict[str, Any] = {
        column.name: column.default.arg
        for column in table(model).c
        if isinstance(column.default, ScalarElementColumnDefault)
    }
    values |= {name: bindparam(name) for name in columns}
    return insert(table(model)).inline().values(values)


def as_read(model: type[Row], values: Sequence[Any]) -> Row:
    """A row with all columns of `model`'s table, as they were read. It belongs to no session: what
    is changed in it is not written."""
    row: Row = manager_of_class(model).new_instance()
    vars(row).update(zip(table(model).c.keys(), values, strict=True))
    return row
