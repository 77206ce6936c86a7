"""Is the file of the queue database whole? Asked before anything is sent.

It must not mend anything, nor know what stands in the tables. A PostgreSQL server looks after its
own files, so there is nothing to ask there.
"""

from __future__ import annotations

import struct
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from crosspost.database import Database
from crosspost.errors import DatabaseError
from crosspost.foreign import of_system
from crosspost.sqlite import pages_in_wal
from crosspost.wording import t

#: What every SQLite 3 file begins with (sqlite.org/fileformat2.html, section 1.2).
MAGIC = b"SQLite format 3\x00"


def require_sound(database: Database, *, thorough: bool = False) -> None:
    """Raises DatabaseError with what is wrong and what to do; `thorough` compares the indices with
    the tables too, which takes several times as long."""
    file = database.file
    if file is None:
        return
    check = "integrity_check" if thorough else "quick_check"
    try:
        with database.read() as session:
            found = session.execute(text(f"PRAGMA {check}(1)")).scalar_one()
            missing = _missing_bytes(session, file)
    except DatabaseError as error:
        # asked only now, since SQLite mends what a journal can mend when it opens the file
        if problem := _problem_seen_alone(database, file):
            raise damaged(file, problem) from error
        raise
    if found != "ok":
        problem = _problem_seen_alone(database, file) or " ".join(str(found).split())
        raise damaged(file, problem)
    if missing > 0:
        raise damaged(file, _cut_off(missing))


def _missing_bytes(session: Session, file: Path) -> int:
    """How many bytes of the last pages are neither in the file nor in its WAL, which SQLite reads
    as zeros. As long as `session` reads, nobody takes away what it sees from either.

    The file is not opened here: closing it would give up the locks of this process on it
    (sqlite.org/howtocorrupt.html, section 2.2).
    """
    pages, size = (
        int(session.execute(text(f"PRAGMA {name}")).scalar_one())
        for name in ("page_count", "page_size")
    )
    whole, rest = divmod(file.stat().st_size, size)
    if whole >= pages:
        return 0
    elsewhere = pages_in_wal(file)
    lost = [page for page in range(whole + 1, pages + 1) if page not in elsewhere]
    return len(lost) * size - (rest if whole + 1 in lost else 0)


def _problem_seen_alone(database: Database, file: Path) -> str:
    database.close()  # with WAL, a connection holds its lock on the file as long as it is open
    return problem_of_file(file)


def _cut_off(missing: int) -> str:
    return t("it is cut off: {missing} bytes are missing", missing=missing)


def problem_of_file(file: Path) -> str:
    """What is wrong with a SQLite file as far as its first bytes and its length tell; "" when
    nothing is. Beside a journal that is still to be applied the length tells nothing. Not while
    this process has the file open in SQLite."""
    try:
        with file.open("rb") as opened:
            head = opened.read(100)
            length = opened.seek(0, 2)
    except OSError as error:
        return t("it cannot be read ({reason})", reason=of_system(error))
    if not head:
        return t("it is empty")
    if not head.startswith(MAGIC) or len(head) < 100:
        return t("it is no SQLite database")
    page = int(struct.unpack(">H", head[16:18])[0])
    page = 65536 if page == 1 else page
    pages = int(struct.unpack(">I", head[28:32])[0])
    counted = head[24:28] == head[92:96]  # else an old program wrote it, and `pages` says nothing
    if counted and length < page * pages and not pages_in_wal(file):
        return _cut_off(page * pages - length)
    return ""


def damaged(file: Path, problem: str) -> DatabaseError:
    """The error that says so, with the way out."""
    return DatabaseError(
        t("The queue database is damaged: {where}: {problem}.", where=file, problem=problem),
        hint=t(
            "Nothing was sent. Keep this file and those beside it, look at the disk, then put the "
            "last good copy in place: crosspost restore FILE"
        ),
    )
