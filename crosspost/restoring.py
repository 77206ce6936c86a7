"""A restored database: how it is noticed, what it may have published since, and a person's yes.

Between the copy and now there was a history that this database does not know. What it would send
may be public already, so until a person has confirmed it nothing is sent, missed or rescued. This
room must not send anything again by itself: what is doubtful goes to evidence or to a person.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from crosspost import outcomes
from crosspost.backup import COPY
from crosspost.database import Database
from crosspost.errors import Conflict, RestoreUnconfirmed
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.mark import Mark, is_behind, mark_of, read_mark, sweep, write_mark
from crosspost.queue import Doing
from crosspost.tables import Announcement, Delivery, LedgerEntry, OfficeState
from crosspost.wording import t

CONFIRMED = "restore_confirmed"


@dataclass(frozen=True)
class Restored:
    """How it was noticed. Times are RFC 3339, UTC, and "" when they are not known."""

    copied_at: str  # the database says of itself that it is a copy of then
    seen_at: str  # the mark outside of it says that it knew more then
    missing: int  # so many entries of the record are gone; 0 when that cannot be counted

    def words(self) -> str:
        """The same as a sentence."""
        if self.seen_at and self.missing:
            return t(
                "The database is an older copy: {missing} entries of its record are missing, which "
                "it had on {seen}.",
                missing=self.missing,
                seen=_day(self.seen_at),
            )
        if self.seen_at:
            return t(
                "The database is another one than on {seen}: its record does not go on from there.",
                seen=_day(self.seen_at),
            )
        return t("The database is a copy of {copied}.", copied=_day(self.copied_at))


def restored(session: Session, folder: Path) -> Restored | None:
    """Whether this database is an older copy that nobody has confirmed; None: it is not.

    Raises UserError when the mark in the office's folder cannot be read.
    """
    copy = session.get(OfficeState, COPY)
    copied_at = str(json.loads(copy.value)["at"]) if copy else ""
    mark = read_mark(folder)
    if mark is None or not is_behind(session, mark) or _confirmed_since(session, mark):
        return Restored(copied_at, "", 0) if copy else None
    return Restored(copied_at, mark.at, max(mark.entries - book.size(session), 0))


def _confirmed_since(session: Session, mark: Mark) -> bool:
    """Whether somebody has confirmed a restore after this mark was made: on another machine, or
    just before the mark could be written anew."""
    last = session.exec(
        select(LedgerEntry.at)
        .where(LedgerEntry.kind == CONFIRMED)
        .order_by(col(LedgerEntry.id).desc())
        .limit(1)
    ).first()
    return last is not None and book.stamp(last) > mark.at


def require_confirmed(database: Database, folder: Path) -> None:
    """Raises RestoreUnconfirmed when the database is an older copy that nobody has confirmed."""
    with database.read() as session:
        found = restored(session, folder)
    if found is not None:
        raise RestoreUnconfirmed(
            found.words(),
            hint=t(
                "Nothing is published before a person has confirmed it. See what may be public "
                "already, and confirm, with: crosspost restore"
            ),
        )


@dataclass(frozen=True)
class Questions:
    """What the lost history may have done with the deliveries of a copy, by what is done now."""

    ask: list[Delivery]  # due by now and not sent, as the copy knows: a person says what is public
    look: list[Delivery]  # in the middle of it: looked for, as after any crash
    held: list[Delivery]  # not approved, as the copy knows: whoever approves them looks first


def questions(session: Session, now: datetime) -> Questions:
    """What may be public although this database does not know."""

    def those(*statuses: Status) -> list[Delivery]:
        query = select(Delivery).where(
            col(Delivery.status).in_(statuses), col(Delivery.due_at) <= now
        )
        return list(session.exec(query.order_by(col(Delivery.due_at), col(Delivery.id))))

    return Questions(
        ask=those(Status.SCHEDULED, Status.PREPARING),
        look=those(Status.PUBLISHING, Status.UNCONFIRMED),
        held=those(Status.HELD),
    )


def confirm(database: Database, folder: Path, doing: Doing) -> Questions:
    """A person's yes: this database is the office's from now on. What may be public waits for a
    person; the rest goes on. Raises Conflict when there is nothing to confirm."""
    with database.write() as session:
        found = restored(session, folder)
        if found is None:
            raise Conflict(
                t("The database is no older copy; there is nothing to confirm."),
                hint=t("See how all is with: crosspost status"),
            )
        asked = questions(session, doing.at)
        reason = t("{found} It may have been published since.", found=found.words())
        for delivery in asked.ask:
            outcomes.question(session, delivery, reason, doing)
        data = {"copied": found.copied_at, "seen": found.seen_at, "missing": found.missing}
        data |= {"questioned": len(asked.ask)}
        act = book.Act(kind=CONFIRMED, by=doing.by, at=doing.at, data=data, note=doing.note)
        book.append(session, act)
        if copy := session.get(OfficeState, COPY):
            session.delete(copy)
        session.flush()
        mark = mark_of(session, doing.at)
    write_mark(folder, mark)
    return asked


class Marker:
    """Keeps the mark of a running daemon's database up to date."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._entries = -1

    def keep(self, now: datetime) -> None:
        """Write down how far the record has come. Raises RestoreUnconfirmed, with nothing written,
        when it is not the database any more that it was; UserError when the disk refuses."""
        with self._database.read() as session:
            if book.size(session) == self._entries:
                return
            found = mark_of(session, now)
        require_confirmed(self._database, self._folder)
        if self._entries == -1:
            sweep(self._folder, now)
        write_mark(self._folder, found)
        self._entries = found.entries


def erased_since(before: Database, copy: Database) -> list[tuple[int, str]]:
    """Announcements (number, order) that were erased by law in the database before, and whose text
    came back with the copy. Raises DatabaseError when the one before cannot be read."""
    with before.read() as session:
        known = select(Announcement.id, Announcement.redacted).where(Announcement.redacted != "")
        erased = {int(number or 0): order for number, order in session.exec(known)}
    with copy.read() as session:
        back = select(Announcement.id).where(Announcement.redacted == "")
        return [(n, erased[n]) for n in session.exec(back) if n in erased]


def _day(stamp: str) -> str:
    return stamp[:16].replace("T", " ") + " UTC"
