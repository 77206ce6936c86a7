"""The ledger as it is kept: acts are appended, in the transaction of the change that they record.

The only room that writes ledger tables. It must not interpret what it records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, func, select

from crosspost.database import LedgerEntry, LedgerNote, table
from crosspost.ledger.canonical import canonical
from crosspost.ledger.hashing import leaf_hash, new_salt, salted_digest

VERSION = 1
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
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_of(act: Act, note_digest: str = "") -> dict[str, Any]:
    """The entry of an act, as JSON values. Absent subjects have no key; nothing is ever null."""
    values: dict[str, Any] = {"v": VERSION, "kind": act.kind, "at": stamp(act.at), "by": act.by}
    for name in ("announcement", "revision", "code", "delivery", "channel", "digest"):
        if (value := getattr(act, name)) is not None:
            values[name] = value
    if act.data:
        values["data"] = dict(act.data)
    if note_digest:
        values["note"] = note_digest
    return values


def append(session: Session, act: Act) -> int:
    """Append the entry of `act`; returns its leaf index, from 0. Commits nothing by itself."""
    salt = new_salt() if act.note else b""
    entry = canonical(entry_of(act, salted_digest(salt, act.note) if act.note else ""))
    index = session.info.get(NEXT)  # nobody else appends in this transaction
    index = size(session) if index is None else index
    session.info[NEXT] = index + 1
    session.execute(
        insert(table(LedgerEntry)),
        {
            "id": index,
            "entry": entry,
            "leaf": leaf_hash(entry),
            "kind": act.kind,
            "at": act.at,
            "by": act.by,
            "announcement_id": act.announcement,
            "delivery_id": act.delivery,
        },
    )
    if act.note:
        session.add(LedgerNote(id=index, note=act.note, salt=salt))
        session.flush()
    return index


def size(session: Session) -> int:
    """How many entries there are."""
    last = session.exec(select(func.max(LedgerEntry.id))).one()
    return 0 if last is None else last + 1


@dataclass(frozen=True)
class Recorded:
    """An entry as read back: its index, its values, and the words that belong to it."""

    index: int
    values: Mapping[str, Any]
    leaf: str  # hex
    note: str  # "" when there is none, or when it was erased


def entries(
    session: Session, *, announcement: int | None = None, last: int | None = None
) -> Iterator[Recorded]:
    """Entries in order: all, those of one announcement, or only the last so many."""
    query = select(LedgerEntry, LedgerNote.note).join(
        LedgerNote, col(LedgerNote.id) == col(LedgerEntry.id), isouter=True
    )
    if announcement is not None:
        query = query.where(LedgerEntry.announcement_id == announcement)
    rows = session.exec(query.order_by(col(LedgerEntry.id).desc()).limit(last)).all()
    for entry, note in reversed(rows):
        yield Recorded(entry.id, json.loads(entry.entry), entry.leaf.hex(), note or "")
