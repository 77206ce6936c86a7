"""A copy of the queue database while everything runs, and such a copy put back in its place.

A copy says of itself that it is one, so whoever opens it later, on whatever machine, publishes
nothing before a person has confirmed it (`restoring.py`). This room must not open the database that
it replaces as anything but a file, since that one may be damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crosspost.database import Database
from crosspost.durable import make_durable
from crosspost.errors import Conflict, DaemonRunning, DatabaseError, UserError
from crosspost.foreign import of_system
from crosspost.ledger import book
from crosspost.leftovers import abandoned
from crosspost.lock import DaemonLock
from crosspost.queue import Doing
from crosspost.soundness import MAGIC, problem_of_file
from crosspost.sqlite import driver
from crosspost.wording import t

#: The name of the fact, in `office_state`, by which a copy says that it is one.
COPY = "copy"
#: What may lie beside a SQLite file and holds a part of it; and what is made of that again.
JOURNALS = ("-journal", "-wal")
BESIDE = (*JOURNALS, "-shm")
#: How long a copy waits for a program that is writing, in seconds.
PATIENCE = 30.0
#: A copy that was begun and not written to for so long is nobody's, when its process is gone too;
#: one of another machine, on a shared disk, may still be looked through.
ABANDONED = timedelta(minutes=30)


@dataclass(frozen=True)
class Copy:
    """A backup that was made: where, its bytes, and their SHA-256 (hex), as the record says."""

    path: Path
    size: int
    sha256: str


def back_up(database: Database, path: Path, doing: Doing) -> Copy:
    """Copy the database to `path` (mode 0600) as it is at one moment, while others go on.

    The copy is checked, durable and whole before it has its name. It is on the record afterwards,
    with its digest: who took all words out of the office, published or not, and which bytes those
    were. Raises Conflict when there is something at `path`, DatabaseError, UserError.
    """
    source = _file_of(database)
    if not path.parent.is_dir():
        raise UserError(
            t("There is no folder {folder}.", folder=path.parent),
            hint=t("Make it first, on a disk that is not the database's."),
        )
    if path.exists() or path.is_symlink():
        raise Conflict(
            t("{path} is there already; nothing was changed.", path=path),
            hint=t("Give the backup another name, for example with the date in it."),
        )
    with _in_words(path), _half_of(path, doing.at) as half:
        _copy(source, half)
        _declare_copy(half, {"at": book.stamp(doing.at), "by": doing.by})
        _require_whole(half)
        copy = Copy(path, half.stat().st_size, _digest(half))
        make_durable(half)
        try:
            _name_and_record(database, half, copy, doing)
        except BaseException:
            if path.exists() and path.samefile(half):
                path.unlink()
            raise
    return copy


def _name_and_record(database: Database, half: Path, copy: Copy, doing: Doing) -> None:
    """The entry and the file, or neither: no copy of all words is without its entry."""
    data = {"sha256": copy.sha256, "bytes": copy.size}
    with database.write() as session:
        book.append(session, book.Act("backed_up", doing.by, doing.at, data=data))
        os.link(half, copy.path)  # refuses, where a rename would write over
        make_durable(copy.path.parent)


def put_in_place(database: Database, path: Path, now: datetime) -> Path | None:
    """Make the copy at `path` the queue database, and return where the one before it lies now (None
    when there was none). `path` itself is left as it is.

    Whenever this is killed, the old database is there, or none, or the copy. Raises DaemonRunning,
    DatabaseError when the copy is no good, with nothing changed.
    """
    target = require_placeable(database, path)
    database.close()
    with _no_daemon(database), _in_words(path), _half_of(target, now) as half:
        for end in ("", *JOURNALS):  # a journal beside a copy made by hand belongs to it
            if Path(f"{path}{end}").exists():
                shutil.copyfile(f"{path}{end}", f"{half}{end}")
        _declare_copy(half, {"at": book.stamp(_changed_at(path)), "by": ""})
        _require_whole(half)
        _give_to_the_same(half, target)
        make_durable(half)
        aside = _move_aside(target, now)
        half.replace(target)
        make_durable(target.parent)
    return aside


def require_placeable(database: Database, path: Path) -> Path:
    """The file of the queue database. Raises UserError when there is no copy at `path`, when it is
    that database itself, or when a daemon runs."""
    target = _file_of(database)
    if not path.is_file():
        raise UserError(t("There is no {path} here.", path=path), hint=t("Nothing was changed."))
    if target.exists() and path.samefile(target):
        raise Conflict(
            t("{path} is the queue database itself.", path=path), hint=t("Nothing was changed.")
        )
    with _no_daemon(database):
        return target


@contextmanager
def _no_daemon(database: Database) -> Iterator[None]:
    """No daemon writes to the database while another takes its place. Raises DaemonRunning."""
    try:
        with DaemonLock(database):
            yield
    except DaemonRunning as error:
        raise DaemonRunning(
            *error.problems,
            hint=t("Nothing was changed. Stop the daemon, then put the backup in place."),
        ) from error


def _file_of(database: Database) -> Path:
    if database.file is None:
        raise UserError(
            t("The queue database is on a PostgreSQL server, which has its own backups."),
            hint=t(
                "Copy it with pg_dump --format=custom, bring it back with pg_restore; see "
                "docs/operating.md. An older copy is noticed: crosspost restore"
            ),
        )
    return database.file


@contextmanager
def _half_of(path: Path, now: datetime) -> Iterator[Path]:
    """A file beside `path`, for its owner only, that is gone afterwards whatever happens; if this
    is killed, the next one in that folder removes it."""
    _sweep(path.parent, now)
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield half
    finally:
        for end in ("", *BESIDE):
            with suppress(OSError):
                Path(f"{half}{end}").unlink(missing_ok=True)


def _sweep(folder: Path, now: datetime) -> None:
    """Such a file may hold every word of the office."""
    ends = "|".join(re.escape(end) for end in BESIDE)
    name = rf"\..+\.(?P<process>[0-9]+)\.half(?P<beside>{ends})?"
    with suppress(OSError):
        for half in [*abandoned(folder, name, ABANDONED, now)]:
            if half.name.endswith(BESIDE) or _is_ours(half):
                half.unlink()


def _is_ours(half: Path) -> bool:
    """Whether it is a SQLite database, or the begin of one."""
    with half.open("rb") as file:
        return file.read(len(MAGIC)) in (MAGIC, b"")


def _copy(source: Path, half: Path) -> None:
    """In one step: a copy in several would begin anew whenever somebody writes meanwhile."""
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(driver().connect(address, uri=True, timeout=PATIENCE)) as here,
        closing(driver().connect(half)) as there,
    ):
        there.execute("PRAGMA synchronous = OFF")  # made durable at the end, as a whole
        here.backup(there, pages=-1)


def _declare_copy(half: Path, about: dict[str, str]) -> None:
    """Write into a copy that it is one, unless it says so already."""
    with closing(driver().connect(half)) as copy, copy:
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'office_state'").fetchone():
            raise DatabaseError(
                t("This is not a crosspost database: {where}.", where=half.name),
                hint=t("Nothing was changed."),
            )
        copy.execute(
            "INSERT OR IGNORE INTO office_state (name, value) VALUES (?, ?)",
            (COPY, json.dumps(about)),
        )


def _require_whole(half: Path) -> None:
    with closing(driver().connect(half)) as copy:
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DatabaseError(
            t("The copy is damaged: {problem}.", problem=" ".join(str(found).split())),
            hint=t("Nothing was changed. Take another copy; look at the disk: crosspost doctor"),
        )


def _give_to_the_same(half: Path, target: Path) -> None:
    """Owner, group and mode of the database that it replaces; else as any new file."""
    if target.exists():
        about = target.stat()
        half.chmod(about.st_mode & 0o777)
        with suppress(PermissionError):
            os.chown(half, about.st_uid, about.st_gid)
        return
    mask = os.umask(0)
    os.umask(mask)
    half.chmod(0o666 & ~mask)


def _move_aside(target: Path, now: datetime) -> Path | None:
    """The old database under another name, and its journal under the one that belongs to that: a
    journal that is left would be applied to the copy. Under either name, whenever this is killed,
    the database has its journal beside it."""
    aside = target.with_name(f"{target.name}.replaced-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}")
    there = target.exists()
    for end in JOURNALS:
        with suppress(FileNotFoundError):
            shutil.copy2(f"{target}{end}", f"{aside}{end}")
            make_durable(Path(f"{aside}{end}"))
    if there:
        target.replace(aside)
        make_durable(target.parent)
    for end in BESIDE:
        Path(f"{target}{end}").unlink(missing_ok=True)
    make_durable(target.parent)
    return aside if there else None


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """What disk and SQLite raise, as a sentence; nothing has been changed then."""
    try:
        yield
    except FileExistsError as error:
        raise Conflict(
            t("{path} is there already; nothing was changed.", path=path),
            hint=t("Give the backup another name, for example with the date in it."),
        ) from error
    except OSError as error:
        raise UserError(
            t(
                "{path} cannot be written: {reason}.",
                path=error.filename2 or error.filename or path,
                reason=of_system(error),
            ),
            hint=t("Nothing was changed."),
        ) from error
    except driver().Error as error:
        problem = problem_of_file(path) if path.exists() else ""
        raise DatabaseError(
            t("{path} cannot be copied: {reason}.", path=path, reason=problem or str(error)),
            hint=t("Nothing was changed. See what is wrong with: crosspost doctor"),
        ) from error
