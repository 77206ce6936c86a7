"""The kinds of journal that the power-loss rig tries, set in the daemon before it starts."""

from __future__ import annotations

from crosspost import database, sqlite


def wal() -> None:
    """As where the SQLite library is new enough, on whatever machine."""
    sqlite.wal_is_sound = lambda: True


def wal_brought_in_often() -> None:
    """The same, and every few pages are brought into the file, in the middle of everything."""
    wal()
    prepare = database._prepare_sqlite

    def prepare_often(connection, record):
        prepare(connection, record)
        connection.execute("PRAGMA wal_autocheckpoint = 8")

    database._prepare_sqlite = prepare_often


def rollback() -> None:
    """As with an older library."""
    sqlite.wal_is_sound = lambda: False
