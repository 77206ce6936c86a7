"""One daemon for one SQLite database: a lock file held for the daemon's whole life.

The kernel lets go of the lock when the process ends, however it ends. It must not be on a network
file system that knows no locks. PostgreSQL needs no lock: fences and leases do the work there.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from sqlalchemy import text

from crosspost.database import Database
from crosspost.errors import DaemonRunning, DatabaseError
from crosspost.foreign import of_system
from crosspost.wording import t

_SEEN = text("SELECT 1 FROM lease WHERE name LIKE 'daemon/%' AND until > clock_timestamp()")
#: A command that looks whether a daemon runs holds the lock for microseconds; so try a few times.
TRIES, GAP = 5, 0.1


class DaemonLock:
    """`with DaemonLock(database):` raises DaemonRunning when another process holds it."""

    def __init__(self, database: Database) -> None:
        self._path = lock_path(database)
        self._file: int | None = None

    def __enter__(self) -> DaemonLock:
        if self._path is None:
            return self
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DatabaseError(
                t("{path} cannot be written: {reason}.", path=self._path, reason=of_system(error)),
                hint=t("The daemon's account needs the right to write in this folder."),
            ) from error
        if not _locked(self._file, fcntl.LOCK_EX, TRIES):
            holder = self._path.read_text(errors="replace").strip()
            os.close(self._file)
            raise DaemonRunning(
                t("A daemon is running on this database already (process {pid}).", pid=holder),
                hint=t("One is enough. See what it does with: crosspost status"),
            )
        with suppress(OSError):  # a full disk: the lock is held, only nobody reads by whom
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def daemon_runs(database: Database) -> bool | None:
    """Whether a daemon holds this database; on PostgreSQL, whether any is seen there. None when
    that cannot be known."""
    if database.on_server:
        with database.read() as session:
            return session.execute(_SEEN).first() is not None
    path = lock_path(database)
    if path is None:
        return None
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _locked(file, fcntl.LOCK_SH, 1)
    finally:
        os.close(file)


def lock_path(database: Database) -> Path | None:
    """The lock file beside the SQLite file; None on PostgreSQL."""
    return database.file and database.file.with_name(database.file.name + ".lock")


def _locked(file: int, kind: int, tries: int) -> bool:
    for left in reversed(range(tries)):
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(GAP)
        else:
            return True
    return False
