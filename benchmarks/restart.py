"""How long a daemon takes from its start until it publishes, with a long queue waiting.

100,000 deliveries wait for tomorrow and one is due: from the start of the process to the arrival of
that one at the server. Beside it the same with an empty queue.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offices import CROSSPOST, announce, copies, loopback, office, seen, until

from crosspost.config import Config
from crosspost.database import Database
from crosspost.lifecycle import Status

CHANNELS, RUNS = 20, 5


def ready(folder: Path, config: Config, database: Database, port: int) -> float:
    """Seconds from a daemon's start to its first post."""
    now = datetime.now(UTC)
    announce(database, config, 2, now, tuple(config.channels)[:1])
    seen(port)
    begin = time.time()
    daemon = subprocess.Popen([*CROSSPOST, "daemon"], cwd=folder, stderr=subprocess.DEVNULL)
    came: list[tuple[float, str]] = []
    try:
        until(lambda: bool(came.extend(seen(port)["came"]) or came), 60, 0.05)
    finally:
        daemon.terminate()
        daemon.wait()
    return came[0][0] - begin


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--waiting", type=int, default=100_000)
    waiting = parser.parse_args().waiting
    for count in (0, waiting):
        with loopback() as port, tempfile.TemporaryDirectory() as name:
            config = office(Path(name), port, CHANNELS)
            database = Database(config.database_url)
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            announce(database, config, 1, tomorrow, tuple(config.channels))
            copies(database, count // CHANNELS, due=tomorrow, status=Status.SCHEDULED)
            times = [ready(Path(name), config, database, port) for _ in range(RUNS)]
            database.close()
        print(
            f"{count:>7} waiting: median {statistics.median(times):.2f} s, most {max(times):.2f} s"
        )


if __name__ == "__main__":
    main()
