"""The mark of the database that lies outside of it: how far its record had come, and by which hash.

A database that is behind its mark, or does not hold the entry that the mark names, is not the one
that was here: an old copy was restored, or a server lost its last transactions. So it is noticed
without the ledger's key too. This room must not decide what to do about that.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from crosspost.durable import make_durable, write_durably
from crosspost.errors import UserError
from crosspost.foreign import of_system
from crosspost.ledger import book
from crosspost.leftovers import abandoned
from crosspost.tables import LedgerEntry
from crosspost.wording import t

NAME = "crosspost.mark"
#: Writing one takes no longer, on another machine either.
ABANDONED = timedelta(minutes=1)


@dataclass(frozen=True)
class Mark:
    """The record had `entries` entries, the last of them with the hash `leaf` (hex), at `at`
    (RFC 3339, UTC)."""

    entries: int
    leaf: str
    at: str


def mark_of(session: Session, now: datetime) -> Mark:
    """The mark of the database as it is now."""
    entries = book.size(session)
    leaf = session.get(LedgerEntry, entries - 1)
    return Mark(entries, leaf.leaf.hex() if leaf else "", book.stamp(now))


def is_behind(session: Session, mark: Mark) -> bool:
    """Whether the database is not the one that the mark was made of, as it was or grown since."""
    if mark.entries == 0:
        return False
    entry = session.get(LedgerEntry, mark.entries - 1)
    return entry is None or entry.leaf.hex() != mark.leaf


def read_mark(folder: Path) -> Mark | None:
    """The mark of this office; None when there is none yet. Raises UserError when it is there and
    cannot be read: nobody knows then what the database should hold."""
    path = folder / NAME
    try:
        values = json.loads(path.read_text(encoding="ascii"))
        return Mark(int(values["entries"]), str(values["leaf"]), str(values["at"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            t("The mark of the database cannot be read: {path}.", path=path),
            hint=t(
                "It tells whether an old copy of the database was restored. If it is not that, "
                "move this file away; the daemon makes a new one."
            ),
        ) from error


def sweep(folder: Path, now: datetime) -> None:
    """Remove marks that were never finished, since whoever wrote them was killed."""
    for half in abandoned(folder, rf"{re.escape(NAME)}\.(?P<process>[0-9]+)", ABANDONED, now):
        with suppress(OSError):  # another one may sweep too
            half.unlink()


def write_mark(folder: Path, mark: Mark) -> None:
    """Put a mark in the place of the last one; whenever this is killed, one of them stands.

    Raises UserError when the disk refuses.
    """
    path = folder / NAME
    half = path.with_name(f"{NAME}.{os.getpid()}")
    try:
        write_durably(half, json.dumps(asdict(mark)).encode())
        half.replace(path)
        make_durable(folder)
    except OSError as error:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise UserError(
            t("{path} cannot be written: {reason}.", path=path, reason=of_system(error)),
            hint=t("The daemon's account needs the right to write in this folder."),
        ) from error
