"""The ledger as it is kept: acts are appended, in the transaction of the change that they record.

The only room that writes ledger tables. It must not interpret what it records.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, func, select

from crosspost.errors import NotFound, Refuted
from crosspost.ledger.canonical import canonical
from crosspost.ledger.hashing import leaf_hash, new_salt, salted_digest
from crosspost.lifecycle import MOVES, Status
from crosspost.prepared import Prepared, inserting
from crosspost.tables import Delivery, LedgerEntry, LedgerNote, written
from crosspost.wording import t

VERSION = 1
#: The kinds of entries that end in `published`.
PUBLIC_KINDS = tuple(
    sorted({verb.value for (_, verb), end in MOVES.items() if end is Status.PUBLISHED})
)
#: Where a session remembers the next leaf index while its transaction holds the write lock.
NEXT = "next_leaf"


@dataclass(frozen=True)
class Act:
    """One act, before it is an entry.

    `kind` says what was done, `by` who did it, `at` when (aware). `announcement`, `revision`,
    `code`, `delivery` and `channel` say to what, as far as they apply. `digest` is a salted digest
    of content. `data` holds strings, integers and booleans. `note` is a person's reason in words:
    only its salted digest enters the entry.
    """

    kind: str
    by: str
    at: datetime
    announcement: int | None = None
    revision: int | None = None
    code: str | None = None
    delivery: int | None = None
    channel: str | None = None
    digest: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def stamp(at: datetime) -> str:
    """A time as entries write it: RFC 3339, UTC, microseconds, `Z`."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f"{written(at).replace(' ', 'T')}Z"


_SUBJECTS = ("announcement", "revision", "code", "delivery", "channel", "digest")


def entry_of(act: Act, note_digest: str = "") -> dict[str, Any]:
    """The entry of an act, as JSON values. Absent subjects have no key; nothing is ever null."""
    values: dict[str, Any] = {"v": VERSION, "kind": act.kind, "at": stamp(act.at), "by": act.by}
    for name in _SUBJECTS:
        if (value := getattr(act, name)) is not None:
            values[name] = value
    if act.data:
        values["data"] = dict(act.data)
    if note_digest:
        values["note"] = note_digest
    return values


def append(session: Session, act: Act) -> int:
    """Append the entry of `act`; returns its leaf index, from 0. Commits nothing by itself."""
    index = session.info.get(NEXT)  # nobody else appends in this transaction
    index = _size(session, apart=True) if index is None else index
    session.info[NEXT] = index + 1
    salt = new_salt() if act.note else b""
    _APPENDED.put(session, (index, act, salt))
    if act.note:
        session.add(LedgerNote(id=index, note=act.note, salt=salt))
        session.flush()
    return index


def _row(appended: tuple[int, Act, bytes]) -> dict[str, Any]:
    """The row of an act, which has this index; the salt is that of its note."""
    index, act, salt = appended
    entry = canonical(entry_of(act, salted_digest(salt, act.note) if act.note else ""))
    return {
        "id": index,
        "entry": entry,
        "leaf": leaf_hash(entry),
        "kind": act.kind,
        "at": act.at,
        "by": act.by,
        "announcement_id": act.announcement,
        "delivery_id": act.delivery,
    }


_APPENDED = Prepared(
    inserting(
        LedgerEntry, "id", "entry", "leaf", "kind", "at", "by", "announcement_id", "delivery_id"
    ),
    _row,
)


def size(session: Session) -> int:
    """How many entries there are."""
    return _size(session)


def _size(session: Session, *, apart: bool = False) -> int:
    [[last]] = _LAST.rows(session, {}, apart=apart)
    return 0 if last is None else int(last) + 1


_LAST = Prepared(select(func.max(LedgerEntry.id)))


def newest(session: Session) -> datetime | None:
    """When the last act was done, by the clock of then; None when nothing is on record."""
    return session.exec(
        select(LedgerEntry.at).order_by(col(LedgerEntry.id).desc()).limit(1)
    ).first()


@dataclass(frozen=True)
class Recorded:
    """An entry as read back: its index, its values, and the words that belong to it."""

    index: int
    values: Mapping[str, Any]
    leaf: str  # hex
    note: str  # "" when there is none, or when it was erased


@dataclass(frozen=True)
class Wanted:
    """Which entries: those that all of this says, as far as it is given. `since` and `until` are
    aware; `until` itself is not included."""

    kind: str | None = None
    by: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


#: No wish: every entry.
ANY = Wanted()


def entries(
    session: Session,
    *,
    announcement: int | None = None,
    last: int | None = None,
    wanted: Wanted = ANY,
) -> Iterator[Recorded]:
    """Entries in order: all, those of one announcement, those `wanted`, or only the last so
    many."""
    query = select(LedgerEntry, LedgerNote.note).join(
        LedgerNote, col(LedgerNote.id) == col(LedgerEntry.id), isouter=True
    )
    if announcement is not None:
        query = query.where(LedgerEntry.announcement_id == announcement)
    for column, value in (("kind", wanted.kind), ("by", wanted.by)):
        if value is not None:
            query = query.where(getattr(LedgerEntry, column) == value)
    if wanted.since is not None:
        query = query.where(col(LedgerEntry.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(LedgerEntry.at) < wanted.until)
    if wanted.channel is None:
        query = query.limit(last)
    found = session.exec(query.order_by(col(LedgerEntry.id).desc()))
    recorded: Iterator[Recorded] = (
        Recorded(entry.id, json.loads(entry.entry), entry.leaf.hex(), note or "")
        for entry, note in found
    )
    if wanted.channel is not None:  # which the entry alone knows
        on_it = (one for one in recorded if one.values.get("channel") == wanted.channel)
        recorded = islice(on_it, last)
    yield from reversed(list(recorded))


@dataclass(frozen=True)
class Row:
    """An entry exactly as it is stored, whoever wrote it: nothing here is to be believed.

    Values are as the database driver gives them, so any of them may have any type.
    """

    index: Any
    entry: Any
    leaf: Any
    copies: tuple[Any, ...]  # kind, at, by, announcement, delivery
    note: Any  # None when there is none
    salt: Any


#: Past SQLAlchemy's types on purpose: they would stumble over what does not belong there.
_ROWS = (
    'SELECT e.id, e.entry, e.leaf, e.kind, {at}, e."by", e.announcement_id, e.delivery_id, '
    "n.note, n.salt FROM ledger_entry e LEFT JOIN ledger_note n ON n.id = e.id{some} ORDER BY e.id"
)
#: A time as text in UTC: PostgreSQL's driver would stumble over one that no calendar has.
_AT = {
    "sqlite": "e.at",
    "postgresql": "to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}
_ENTRIES = text("SELECT id, entry FROM ledger_entry ORDER BY id")
_ENTRIES_FROM = text("SELECT id, entry FROM ledger_entry WHERE id >= :first ORDER BY id")
_ENTRY = text("SELECT entry FROM ledger_entry WHERE id = :index")
_SOME = text("SELECT id, entry FROM ledger_entry WHERE id >= :first AND id < :end ORDER BY id")
_OF_KINDS = text(
    "SELECT id, entry FROM ledger_entry WHERE id >= :first AND kind IN :kinds ORDER BY id"
).bindparams(bindparam("kinds", expanding=True))
_NOTES = text("SELECT id, note, salt FROM ledger_note ORDER BY id")
_AT_ONCE = {"yield_per": 1000}


def rows(session: Session, first: int = 0) -> Iterator[Row]:
    """Every entry in order, or those from index `first` on, streamed."""
    some = f" WHERE e.id >= {first:d}" if first else ""
    query = text(_ROWS.format(at=_AT[session.get_bind().dialect.name], some=some))
    for row in session.execute(query, execution_options=_AT_ONCE):
        yield Row(row[0], row[1], row[2], tuple(row[3:8]), row[8], row[9])


def raw_entries(session: Session, first: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Index and bytes of every entry in order, or of those from index `first` on, streamed; as
    unbelieved as a `Row`."""
    query = _ENTRIES if first is None else _ENTRIES_FROM.bindparams(first=first)
    for row in session.execute(query, execution_options=_AT_ONCE):
        yield row[0], row[1]


def raw_of_kinds(session: Session, kinds: Collection[str], first: int) -> Iterator[tuple[Any, Any]]:
    """Index and bytes of the entries of these kinds from index `first` on; as unbelieved."""
    for row in session.execute(_OF_KINDS, {"first": first, "kinds": list(kinds)}):
        yield row[0], row[1]


def published(
    session: Session,
    *,
    announcement: int | None = None,
    delivery: int | None = None,
    channels: Collection[str] = (),
) -> list[int]:
    """The indices of the entries by which deliveries became public: the last one of each delivery
    of an announcement (to these channels, if any), or of one delivery, or of all."""
    query = select(LedgerEntry.delivery_id, func.max(LedgerEntry.id)).where(
        col(LedgerEntry.kind).in_(PUBLIC_KINDS)
    )
    if channels:
        query = query.join(Delivery, col(Delivery.id) == col(LedgerEntry.delivery_id)).where(
            col(Delivery.channel).in_(channels)
        )
    if announcement is not None:
        query = query.where(LedgerEntry.announcement_id == announcement)
    if delivery is not None:
        query = query.where(LedgerEntry.delivery_id == delivery)
    found = session.exec(query.group_by(col(LedgerEntry.delivery_id))).all()
    return sorted(index for _, index in found)


def entry_bytes(session: Session, index: int) -> bytes:
    """One entry as stored. Raises NotFound, Refuted when it is no bytes."""
    found = session.execute(_ENTRY, {"index": index}).first()
    if found is None:
        raise NotFound(
            t("There is no entry {index}.", index=index),
            hint=t("See the entries with: crosspost log list"),
        )
    if not isinstance(found[0], bytes):
        raise Refuted(t("Entry {index} is missing or unreadable.", index=index))
    return found[0]


def entries_from(session: Session, first: int, count: int) -> list[bytes]:
    """`count` entries as stored, from index `first` on. Raises Refuted when one is no bytes, or
    missing."""
    found = session.execute(_SOME, {"first": first, "end": first + count}).all()
    good = [data for index, data in found if isinstance(data, bytes) and isinstance(index, int)]
    if len(good) != count:
        raise Refuted(t("Entry {index} is missing or unreadable.", index=first + len(good)))
    return good


def notes(session: Session) -> Iterator[tuple[int, Any, Any]]:
    """Index, words and salt of every note that is not erased, in order; unbelieved."""
    for row in session.execute(_NOTES, execution_options=_AT_ONCE):
        yield row[0], row[1], row[2]
