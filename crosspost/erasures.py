"""What was erased by law and is still there, as image files or pages: a state to be reached.

The text goes with its row, in one transaction; files may belong to another account than the one who
erased, so what is left is on a list until whoever may remove it has done so. Every part may be done
again, by anybody. This room must not decide what is erased (`redacting.py`), nor write a page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from crosspost.config import Config
from crosspost.database import Database
from crosspost.durable import make_durable
from crosspost.foreign import of_system
from crosspost.tables import Announcement, Erasure, Image, Part, Revision, Video, table
from crosspost.wording import t


@dataclass(frozen=True)
class Unfinished:
    """An erasure of which something is left: the announcement, the order, and what it is."""

    announcement: int
    order: str
    begun: datetime
    reason: str = ""  # whole sentences; "" where nobody has tried yet


@dataclass(frozen=True)
class Finished:
    """How many files were removed just now, and what is left after it."""

    files: int
    left: tuple[Unfinished, ...]


def begin(session: Session, number: int, files: Sequence[str], entries: int, now: datetime) -> None:
    """Put on the list what must go with announcement `number`: files of the media folder, and what
    the site shows until it covers so many `entries` of the ledger."""
    listed = json.dumps(sorted(files))
    session.add(Erasure(announcement_id=number, files=listed, entries=entries, begun_at=now))


def unfinished(session: Session) -> list[Unfinished]:
    """What is on the list."""
    query = (
        select(Erasure, Announcement.redacted)
        .join(Announcement, col(Announcement.id) == col(Erasure.announcement_id))
        .order_by(col(Erasure.announcement_id))
    )
    return [
        Unfinished(row.announcement_id, order, row.begun_at, row.reason)
        for row, order in session.exec(query)
    ]


def finish(database: Database, config: Config, shown: int | None) -> Finished:
    """Remove what is left of all that was erased, as far as this account may. The site covers
    `shown` entries of the ledger; None when that is not known. Raises DatabaseError."""
    files, left = 0, []
    with database.read() as session:
        rows = session.exec(select(Erasure).order_by(col(Erasure.announcement_id))).all()
    for row in rows:
        with database.read() as session:
            digests = [d for d in json.loads(row.files) if not _is_used(session, d)]
            order = session.get_one(Announcement, row.announcement_id).redacted
            codes = _codes(session, row.announcement_id)
        removed, problems = _remove_files(config, digests)
        files += removed
        problems += _remove_pages(config, codes)
        if not problems and _shows(config) and (shown is None or shown < row.entries):
            problems.append(t("The site does not say yet that it was erased."))
        if problems:
            reason = " ".join(problems)
            left.append(Unfinished(row.announcement_id, order, row.begun_at, reason))
            _keep_reason(database, row, reason)
        else:
            _strike(database, row.announcement_id)
    return Finished(files, tuple(left))


def _codes(session: Session, number: int) -> list[str]:
    query = select(Revision.code).where(Revision.announcement_id == number)
    return list(session.exec(query))


def _keep_reason(database: Database, known: Erasure, reason: str) -> None:
    """For `status`, `doctor` and alarms, which try nothing."""
    if known.reason == reason:
        return
    with database.write() as session:
        row = session.get(Erasure, known.announcement_id)
        if row is not None:  # else somebody else has finished it
            row.reason = reason


def _strike(database: Database, number: int) -> None:
    with database.write() as session:
        row = session.get(Erasure, number)
        if row is not None:  # else somebody else has
            session.delete(row)


# --- files ----------------------------------------------------------------------------------------


def _is_used(session: Session, digest: str) -> bool:
    """Whether another announcement shows the same file."""
    for model in (Image, Video):
        its = table(model).c
        if session.execute(select(its.id).where(its.sha256 == digest).limit(1)).first():
            return True
    named = select(Part.id).where(col(Part.payload).contains(digest)).limit(1)
    return session.exec(named).first() is not None


def _remove_files(config: Config, digests: Sequence[str]) -> tuple[int, list[str]]:
    """How many were there and are gone, durably; and a sentence if some are left."""
    removed, refused = 0, []
    for digest in digests:
        try:
            (config.media / digest).unlink()
            removed += 1
        except FileNotFoundError:
            pass
        except OSError as error:
            refused.append(error)
    try:
        if removed:
            make_durable(config.media)
    except OSError as error:
        refused.append(error)
    problems = []
    if refused:
        said = t(
            "{count} files cannot be removed from {folder}: {reason}.",
            count=len(refused),
            folder=config.media,
            reason=of_system(refused[0]),
        )
        problems.append(said)
    return removed, problems


# --- pages ----------------------------------------------------------------------------------------


def _shows(config: Config) -> bool:
    return config.site is not None and config.site_channel is not None


def _remove_pages(config: Config, codes: Sequence[str]) -> list[str]:
    """Nothing of a page is left that does not say yet that it was erased; it is written anew from
    the record."""
    if config.site_folder is None:
        return []
    from crosspost.site.folder import Folder  # `status` asks for the list alone
    from crosspost.site.publishing import withdraw_list

    plain = Folder(config.site_folder)
    folder = Folder(config.site_folder, lambda _name: withdraw_list(plain))
    try:
        for code in codes:
            standing = folder.standing(code)
            if standing is None or not standing.erased:
                folder.clear(code)
    except OSError as error:
        return [t("The pages cannot be erased: {reason}.", reason=of_system(error))]
    return []
