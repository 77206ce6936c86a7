"""The SQLite library that this process uses, everywhere the same one, and the journal it keeps.

Two libraries on one file in one process would undo each other's locks
(sqlite.org/howtocorrupt.html, section 2.2.1), so nobody else imports `sqlite3`. This room must not
open a database.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

#: Bytes that a journal keeps between transactions. Writing over them is as durable as truncating
#: the file, and spares the file system a change of its length at every commit.
JOURNAL_LIMIT = 4_000_000
#: A WAL grows while somebody reads without a break, since it begins anew only when nobody reads it.
#: Each time it has grown by so many bytes, readers are waited for, so many milliseconds at most.
WAL_LIMIT, WAL_PATIENCE = 64_000_000, 250
#: File systems on which locks of another machine may not be seen, and memory is not shared with it
#: (Linux, /proc/self/mounts).
SHARES = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "afs")


@cache
def driver() -> ModuleType:
    """The `sqlite3` module, or `pysqlite3`, which is the same with an SQLite of its own, where that
    is installed and newer."""
    import sqlite3

    try:
        import pysqlite3
    except ImportError:
        return sqlite3
    newer: bool = pysqlite3.sqlite_version_info > sqlite3.sqlite_version_info
    return pysqlite3 if newer else sqlite3


def wal_is_sound() -> bool:
    """Whether this SQLite may use WAL: from 3.51.3 on, or in the mended 3.50.7 and 3.44.6; earlier
    ones can damage a WAL file that two connections write (sqlite.org/wal.html, "WAL-reset bug")."""
    version: tuple[int, int, int] = driver().sqlite_version_info
    mended = {(3, 50): 7, (3, 44): 6}
    return version >= (3, 51, 3) or version[2] >= mended.get(version[:2], 1_000)


@cache
def network_share(folder: Path) -> str:
    """The kind of network file system that a folder is on; "" when it is on none."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    mounts = {line.split()[1]: line.split()[2] for line in lines if len(line.split()) > 2}
    place = next((p for p in [folder, *folder.parents] if str(p) in mounts), None)
    kind = mounts[str(place)] if place else ""
    return kind if kind.startswith(SHARES) else ""


def choose_journal(connection: Any, file: str) -> None:
    """Give the file of a new connection its journal: WAL, whose commit waits for the disk once,
    where that is safe; else a rollback journal, whose commit waits four times.

    A file with a rollback journal becomes one with WAL when nobody holds it and it may be written,
    and stays as it is otherwise, which is safe too. The other way round the driver's
    OperationalError is raised when somebody holds it: WAL must not be used then.
    """
    wal = wal_is_sound() and not network_share(Path(file).parent)
    if wal and _pragma(connection, "journal_mode") != "wal":
        with _patience(connection, 0), suppress(driver().OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
    elif not wal:
        connection.execute("PRAGMA journal_mode = PERSIST")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT}")


def share_as_folder(file: Path) -> None:
    """Let the group write a database file if it may write in its folder. What SQLite puts beside a
    file has the rights of the file, and with WAL who reads puts something there too: without the
    right, one account's reading would keep the others from writing."""
    if file.parent.stat().st_mode & stat.S_IWGRP:
        with suppress(PermissionError):  # it is another account's
            file.chmod(file.stat().st_mode | stat.S_IRGRP | stat.S_IWGRP)


@dataclass
class Opened:
    """The file of a connection: its path, which file that was (device and inode), and how long its
    WAL was, in bytes, when it was last to begin anew."""

    file: str
    which: tuple[int, int]
    length: int = 0

    @classmethod
    def of(cls, file: str) -> Opened:
        """Just after it was opened."""
        return cls(file, _which(file))

    def is_there(self) -> bool:
        """Whether it still has its name. SQLite asks only with a rollback journal; with WAL it
        would write on into a file that was moved away or replaced."""
        try:
            return _which(self.file) == self.which
        except OSError:
            return False

    def keep_short(self, connection: Any) -> None:
        """Begin the WAL anew when it has grown by WAL_LIMIT; no transaction may be open."""
        try:
            size = os.stat(f"{self.file}-wal").st_size  # noqa: PTH116 - at every commit
        except OSError:
            size = 0
        if size < self.length + WAL_LIMIT:
            self.length = min(self.length, size)
            return
        with _patience(connection, WAL_PATIENCE), suppress(driver().OperationalError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.length = size


def scrub(connection: Any) -> None:
    """Clean what was deleted out of the file and its journal; no transaction may be open. Raises
    the driver's OperationalError when somebody reads or writes for too long."""
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("VACUUM")
    mode = _pragma(connection, "journal_mode")
    if mode == "wal":
        [busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise driver().OperationalError("database is locked")
        return
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(f"PRAGMA journal_mode = {mode}")


def pages_in_wal(file: Path) -> set[int]:
    """The numbers of the pages that are in the WAL beside `file`, committed
    (sqlite.org/fileformat2.html, section 4). Frames that a crash has torn count too."""
    found: set[int] = set()
    try:
        with file.with_name(f"{file.name}-wal").open("rb") as wal:
            head = wal.read(32)
            waiting: set[int] = set()
            while len(frame := wal.read(24)) == 24 and frame[8:16] == head[16:24]:
                number, commit = struct.unpack(">II", frame[:8])
                waiting.add(number)
                if commit:
                    found |= waiting
                    waiting.clear()
                wal.seek(struct.unpack(">I", head[8:12])[0], os.SEEK_CUR)
    except FileNotFoundError:
        pass
    return found


@contextmanager
def _patience(connection: Any, milliseconds: int) -> Iterator[None]:
    """Wait so long for a lock, and afterwards as before."""
    before = _pragma(connection, "busy_timeout")
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")


def _pragma(connection: Any, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _which(file: str) -> tuple[int, int]:
    found = os.stat(file)  # noqa: PTH116 - at every transaction
    return found.st_dev, found.st_ino
