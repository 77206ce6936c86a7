"""What the record costs a delivery: its database time with ledger entries, and without them.

Database time is the processor time of the threads that are within a transaction, whatever they do
there; the machine may be shared, so wall time says nothing. A daemon in this process publishes the
same announcements to a loopback server, in turns with its entries and without (then `book.append`
makes none). On a busy machine even processor time differs much from turn to turn; so in a third
turn it is taken what share of it making and writing them took. That is less than they cost by what
the commit of their pages takes, and more by what reading the clock at each of them takes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offices import announce, loopback, office, seen
from sqlmodel import func, select

from crosspost.config import load
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.ledger import book
from crosspost.tables import LedgerEntry
from crosspost.workbench import utc_now

WAYS = ("read", "plain", "write")


class Spent:
    """Processor time of all threads together, in seconds: within transactions, and of that for
    making and writing entries."""

    def __init__(self) -> None:
        self.database = self.entries = 0.0
        self._lock = threading.Lock()
        self._inside = threading.local()

    def way(self, way: Any) -> Any:
        """The same way into the database, its time taken."""

        @contextmanager
        def entered(database: Database, **options: Any) -> Iterator[Any]:
            begun = time.thread_time()
            try:
                with way(database, **options) as session:
                    yield session
            finally:
                spent = time.thread_time() - begun
                with self._lock:
                    self.database += spent

        return entered

    def entry(self, work: Any) -> Any:
        """The same work on entries, its time taken, once where one does the other."""

        def done(*arguments: Any) -> Any:
            if getattr(self._inside, "yes", False):
                return work(*arguments)
            self._inside.yes, begun = True, time.thread_time()
            try:
                return work(*arguments)
            finally:
                self._inside.yes = False
                spent = time.thread_time() - begun
                with self._lock:
                    self.entries += spent

        return done


@contextmanager
def taking(spent: Spent, *, entries: bool, apart: bool) -> Iterator[None]:
    """Time taken; without `entries`, acts are not recorded. `apart`: that for entries, too."""
    ways = {name: getattr(Database, name) for name in WAYS}
    append, written = book.append, book._APPENDED
    for name, way in ways.items():
        setattr(Database, name, spent.way(way))
    if apart:
        book.append = spent.entry(append)  # type: ignore[assignment]
        written.run_each = spent.entry(written.run_each)  # type: ignore[method-assign]
    elif not entries:
        book.append = lambda _session, _act: 0  # type: ignore[assignment]
    try:
        yield
    finally:
        book.append = append  # type: ignore[assignment]
        vars(written).pop("run_each", None)
        for name, way in ways.items():
            setattr(Database, name, way)


@dataclass(frozen=True)
class Turn:
    """Of each delivery: database time and that for entries, in microseconds; how many entries."""

    database: float
    entries: float
    made: float


def turn(
    port: int, channels: int, announcements: int, *, entries: bool = True, apart: bool = False
) -> Turn:
    """One daemon's work."""
    spent = Spent()
    with tempfile.TemporaryDirectory() as name:
        office(Path(name), port, channels)
        config = load(Path(name) / "crosspost.toml")
        database = Database(config.database_url)
        for number in range(announcements):
            announce(database, config, number, datetime.now(UTC), tuple(config.channels))
        before = _entries(database)
        seen(port)
        with taking(spent, entries=entries, apart=apart):
            Daemon(database, config, now=utc_now).run_once()
        database = Database(config.database_url)
        made = _entries(database) - before
        database.close()
    count = channels * announcements
    if (told := seen(port)["count"]) != count:
        raise SystemExit(f"{told} posts instead of {count}")
    return Turn(spent.database / count * 1e6, spent.entries / count * 1e6, made / count)


def _entries(database: Database) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(LedgerEntry)).one()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--channels", type=int, default=24)
    parser.add_argument("--announcements", type=int, default=20, help="each to all channels")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    rows = []
    with loopback() as port:
        turn(port, asked.channels, 2)  # what is loaded once
        for _ in range(asked.runs):
            without = turn(port, asked.channels, asked.announcements, entries=False)
            recorded = turn(port, asked.channels, asked.announcements)
            timed = turn(port, asked.channels, asked.announcements, apart=True)
            if without.made or not recorded.made:
                raise SystemExit("the turns are not what they say")
            rows.append((without, recorded, timed))
    for without, recorded, timed in rows:
        more = recorded.database / without.database - 1
        print(f"without {without.database:5.0f} µs   with {recorded.database:5.0f}: {more:+4.0%}")
        share = _share(timed)
        print(f"    {timed.made:.1f} entries by themselves {timed.entries:4.0f} µs: {share:+4.0%}")
    pairs = statistics.median(b.database / a.database - 1 for a, b, _ in rows)
    least = min(b.database for _, b, _ in rows) / min(a.database for a, _, _ in rows) - 1
    within = statistics.median(_share(timed) for _, _, timed in rows)
    print(f"entries add {pairs:.1%} (median of the pairs), {least:.1%} (least of each), ", end="")
    print(f"{within:.1%} (within a turn) to a delivery's database time; the goal: < 15 %")


def _share(timed: Turn) -> float:
    return timed.entries / (timed.database - timed.entries)


if __name__ == "__main__":
    main()
