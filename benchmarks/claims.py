"""What claiming costs, with no history and with long ones: 20 of 1,000 due deliveries at a time.

Databases with 0, 100,000 and 1,000,000 published deliveries take turns, so that a drift of the
machine's speed hits all. A claim is one durable transaction: the rows, attempts and ledger entries
of the next delivery of each of 20 channels. What waiting for the disk takes of it is told apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offices import announce, copies, office

from crosspost import queue
from crosspost.database import Database
from crosspost.lifecycle import Status
from crosspost.prepared import gathering
from crosspost.queue import Doing

CHANNELS, DUE = 20, 1_000


def filled(folder: Path, history: int) -> Database:
    """A database with so many published deliveries, and 1,000 that are due."""
    config = office(folder, 9, CHANNELS)
    database = Database(config.database_url)
    now = datetime.now(UTC)
    announce(database, config, 1, now, tuple(config.channels))
    copies(database, history // CHANNELS, due=now - timedelta(days=30), status=Status.PUBLISHED)
    copies(database, DUE // CHANNELS - 1, due=now, status=Status.SCHEDULED)
    return database


def claim(database: Database) -> tuple[float, float]:
    """Milliseconds of a claim, and of it those before the commit."""
    now = datetime.now(UTC)
    begin = time.perf_counter()
    with database.write() as session, gathering(session) as gathered:
        claimed = queue.claim(session, (), Doing("bench", now))
        gathered.run()
        worked = time.perf_counter()
    end = time.perf_counter()
    if len(claimed) != CHANNELS:
        raise SystemExit(f"{len(claimed)} claimed instead of {CHANNELS}")
    return 1000 * (end - begin), 1000 * (worked - begin)


def told(values: list[float]) -> str:
    ordered = sorted(values)
    p50, p99 = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
    return f"p50 {p50:6.1f}  p99 {p99:6.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--histories", type=int, nargs="+", default=[0, 100_000, 1_000_000])
    histories: list[int] = parser.parse_args().histories
    with ExitStack() as stack:
        folders = {h: Path(stack.enter_context(tempfile.TemporaryDirectory())) for h in histories}
        databases = {history: filled(folder, history) for history, folder in folders.items()}
        times: dict[int, list[tuple[float, float]]] = {history: [] for history in histories}
        for _ in range(DUE // CHANNELS):
            for history, database in databases.items():
                times[history].append(claim(database))
        for history, database in databases.items():
            whole, worked = (told(list(column)) for column in zip(*times[history], strict=True))
            print(f"{history:>9} finished: {whole}; before the commit {worked}")
            database.close()


if __name__ == "__main__":
    main()
