"""The SQLite library that this process uses: everywhere the same one, the newest at hand.

Two libraries on one file in one process would undo each other's locks
(sqlite.org/howtocorrupt.html, section 2.2.1), so nobody else imports `sqlite3`. This room must not
open a database.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType


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
    version = driver().sqlite_version_info
    mended = {(3, 50): 7, (3, 44): 6}
    return version >= (3, 51, 3) or version[2] >= mended.get(version[:2], 1_000)
