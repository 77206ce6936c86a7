"""Statements that run for every delivery: compiled once, then handed to the driver as they are.

SQLAlchemy writes the text, for SQLite as for PostgreSQL, and converts values by their types; what
it does besides at each execution takes several times as long as the execution. Where many changes
share a transaction, their writes are gathered, and each statement is run once for all of them. This
room must not know what a statement is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Dialect,
    GenerativeSelect,
    Insert,
    Select,
    Update,
    bindparam,
    event,
    insert,
    literal_column,
    update,
)
from sqlalchemy.orm.instrumentation import manager_of_class
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlmodel import Session, SQLModel

from crosspost import driving
from crosspost.tables import table

Row = TypeVar("Row", bound=SQLModel)
Limited = TypeVar("Limited", bound=GenerativeSelect)
_Values = Mapping[str, Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """A statement for one dialect: its text, what makes the driver's parameters out of values, and
    what converts each column of a row."""

    text: str
    parameters: Callable[[_Values], Any]
    columns: Sequence[tuple[int, _Convert]]  # those that need it
    many: tuple[str, str, str] | None = None  # its text for many rows: before, each, after


class Unmatched(Exception):
    """Statements that waited wrote fewer rows than they must; which of them is not known."""


#: Where a session keeps what is gathered.
_GATHERED = "gathered"


class Gathered:
    """Writes of one transaction that wait to be run together, each kind at once: `gathering`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._waiting: dict[Prepared, list[Any]] = {}
        self._rows: set[object] = set()

    def take(self, statement: Prepared, values: Any, row: object) -> None:
        """One more. What waits for the same row is run first, so that the order stays."""
        if row is not None:
            if row in self._rows:
                self.run()
            self._rows.add(row)
        self._waiting.setdefault(statement, []).append(values)

    def run(self) -> None:
        """Run all that waits. Raises Unmatched, and what SQLAlchemy raises."""
        waiting, self._waiting = self._waiting, {}
        self._rows.clear()
        for statement, several in waiting.items():
            if statement.run_each(self.connection, several) != len(several):
                raise Unmatched


@contextmanager
def gathering(session: Session) -> Iterator[Gathered]:
    """While it lasts, `Prepared.put` keeps what it is given until somebody asks the database in
    this transaction, and at its end. Raises Unmatched."""
    connection = session.connection()
    gathered = Gathered(connection)
    session.info[_GATHERED] = gathered
    # before a statement that SQLAlchemy itself runs, too
    event.listen(connection, "before_cursor_execute", lambda *_: gathered.run())
    try:
        yield gathered
        gathered.run()
    finally:
        del session.info[_GATHERED]


class Prepared:
    """A statement of SQLAlchemy Core. What differs from one execution to the next is a `bindparam`
    in it; none of them is a list. Where its values are made out of something else, `made` does so,
    only when it is run: many at once take half the time of as many here and there."""

    def __init__(
        self,
        statement: Insert | Update | Select[Any] | CompoundSelect[Any],
        made: Callable[[Any], _Values] | None = None,
    ) -> None:
        self._statement = statement
        self._made = made
        self._compiled: dict[str, _Compiled] = {}  # by dialect

    def run(self, session: Session, values: Any) -> int:
        """Run it in the transaction of `session`, with a value for each name; how many rows it
        wrote. Raises what SQLAlchemy raises, without the values in it."""
        _run_what_waits(session)
        return self.run_each(session.connection(), [values])

    def put(self, session: Session, values: Any, row: object = None) -> bool:
        """The same for a statement that must write one row: whether it did. While `gathering` it
        waits, and is taken to do so. `row` names what it writes to, if others may as well."""
        gathered: Gathered | None = session.info.get(_GATHERED)
        if gathered is None:
            return self.run(session, values) == 1
        gathered.take(self, values, row)
        return True

    def rows(
        self, session: Session, values: _Values, *, apart: bool = False
    ) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, converted by the types of its columns. `apart`: nothing that may
        wait to be written has anything to do with it."""
        [found] = self.rows_each(session, [values], apart=apart)
        return found

    def rows_each(
        self, session: Session, several: Sequence[_Values], *, apart: bool = False
    ) -> list[list[tuple[Any, ...]]]:
        """The rows of a SELECT for each of several values: on a server one way there and back."""
        if not several:
            return []
        if not apart:
            _run_what_waits(session)
        connection = _connection(session)
        compiled = self._for(connection.dialect)
        with driving.cursor(connection, compiled.text) as cursor:
            if connection.dialect.name == "postgresql" and len(several) > 1:
                parameters = [compiled.parameters(values) for values in several]
                cursor.executemany(compiled.text, parameters, returning=True)  # type: ignore[call-arg]
                found = driving.results(cursor, len(several))
            else:
                found = []
                for values in several:
                    cursor.execute(compiled.text, compiled.parameters(values))
                    found.append(cursor.fetchall())
        return [[_converted(row, compiled.columns) for row in rows] for rows in found]

    def run_each(self, connection: Connection, several: Sequence[Any]) -> int:
        """Run it for each of several values; how many rows were written by all."""
        compiled = self._for(connection.dialect)
        if self._made is not None:
            several = [self._made(one) for one in several]
        parameters = [compiled.parameters(values) for values in several]
        with driving.cursor(connection, compiled.text) as cursor:
            if len(several) == 1:
                cursor.execute(compiled.text, parameters[0])
                return int(cursor.rowcount)
            if compiled.many and connection.dialect.name == "sqlite":
                return driving.in_chunks(cursor, compiled.many, parameters)
            if compiled.many:
                return driving.in_pieces(cursor, compiled.text, compiled.many, parameters)
            cursor.executemany(compiled.text, parameters)
            return int(cursor.rowcount)

    def _for(self, dialect: Dialect) -> _Compiled:
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(dialect)
        return self._compiled[dialect.name]

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._statement.compile(dialect=_by_place(dialect))
        binds = compiled.binds
        into = {
            name: convert
            for name, bind in binds.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect))
        }
        fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        names = compiled.positiontup
        converted = [(place, into[name]) for place, name in enumerate(names) if name in into]
        # a statement without parameters has none to get, and one name alone would give no row
        in_their_order = itemgetter(*names) if len(names) > 1 else None

        def parameters(values: _Values) -> list[Any]:
            given = {**fixed, **values} if fixed else values
            row = list(in_their_order(given)) if in_their_order else [given[x] for x in names]
            for place, convert in converted:
                row[place] = convert(row[place])
            return row

        return _Compiled(
            compiled.string,
            parameters,
            [
                (place, convert)
                for place, column in enumerate(getattr(self._statement, "selected_columns", ()))
                if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
            ],
            self._many(compiled.string, [(name, binds[name].type) for name in names], dialect),
        )

    def _many(
        self,
        text: str,
        places: Sequence[tuple[str, Any]],  # noqa: ARG002
        dialect: Dialect,  # noqa: ARG002
    ) -> tuple[str, str, str] | None:
        """The text before, of, and after the values of one row, where those of others can stand as
        well; None where that cannot be. `places` are the names in their order, with types."""
        start, found, values = text.partition(" VALUES ")
        return (f"{start}{found}", values, "") if found and text.startswith("INSERT") else None


class Setting(Prepared):
    """An UPDATE of columns of one row, each to the value under its name. The row has certain values
    in other columns, its keys: each stands under its name after `its_`."""

    def __init__(self, model: type[SQLModel], columns: Sequence[str], keys: Sequence[str]) -> None:
        its = table(model)
        self._table, self._columns, self._keys = its.name, columns, keys
        wanted = [its.c[key] == bindparam(f"its_{key}") for key in keys]
        super().__init__(
            update(its).values({name: bindparam(name) for name in columns}).where(*wanted)
        )

    def _many(
        self,
        text: str,  # noqa: ARG002
        places: Sequence[tuple[str, Any]],
        dialect: Dialect,
    ) -> tuple[str, str, str] | None:
        names = [name for name, _ in places]
        to = ", ".join(f'"{name}" = new."{name}"' for name in names if name in self._columns)
        where = " AND ".join(f"{self._table}.{key} = new.its_{key}" for key in self._keys)
        listed = ", ".join(f'"{name}"' for name in names)
        row = ", ".join(_place_of(its_type, dialect) for _, its_type in places)
        return (
            f"WITH new({listed}) AS (VALUES ",
            f"({row})",
            f") UPDATE {self._table} SET {to} FROM new WHERE {where}",  # noqa: S608 - all ours
        )


def _by_place(dialect: Dialect) -> Dialect:
    """The dialect with parameters that have a place, not a name."""
    return dialect if dialect.positional else type(dialect)(paramstyle="format")  # type: ignore[call-arg]


def _place_of(its_type: Any, dialect: Dialect) -> str:
    """A parameter among values that belong to no column yet, so that a server asks for its type."""
    if dialect.name == "sqlite":
        return "?"
    if its_type.python_type is str:
        return "CAST(%s AS TEXT)"  # to one with a length would cut it off
    return f"CAST(%s AS {dialect.type_compiler_instance.process(its_type)})"


def _run_what_waits(session: Session) -> None:
    gathered: Gathered | None = session.info.get(_GATHERED)
    if gathered is not None:
        gathered.run()


def _connection(session: Session) -> Connection:
    """The session's; asking it takes longer than a small statement."""
    gathered: Gathered | None = session.info.get(_GATHERED)
    return session.connection() if gathered is None else gathered.connection


def _converted(row: Sequence[Any], columns: Sequence[tuple[int, _Convert]]) -> tuple[Any, ...]:
    values = list(row)
    for place, convert in columns:
        values[place] = convert(values[place])
    return tuple(values)


def first(query: Limited, most: int = 1) -> Limited:
    """Only the first rows of a query, so many in words of the statement: where the number is a
    parameter, SQLite (from 3.47 on) plans the statement anew at each execution."""
    return query.limit(literal_column(str(most))).offset(literal_column("0"))


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
