"""Resident memory of a daemon while it publishes 100,000 deliveries (Linux)."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from idle import resident_mb
from offices import CROSSPOST, announce, copies, loopback, office, seen

from crosspost.database import Database
from crosspost.lifecycle import Status

CHANNELS = 48


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deliveries", type=int, default=100_000)
    count = parser.parse_args().deliveries
    with loopback() as port, tempfile.TemporaryDirectory() as name:
        config = office(Path(name), port, CHANNELS)
        database = Database(config.database_url)
        now = datetime.now(UTC)
        announce(database, config, 1, now, tuple(config.channels))
        copies(database, count // CHANNELS, due=now, status=Status.SCHEDULED)
        database.close()
        run = [*CROSSPOST, "daemon", "--once"]
        daemon = subprocess.Popen(run, cwd=name, stderr=subprocess.DEVNULL)
        came, step = 0, count // 10
        while daemon.poll() is None:
            came += int(seen(port)["count"])
            if came >= step:
                print(f"{came:>7} published: {resident_mb(daemon.pid):6.1f} MB", flush=True)
                step += count // 10
            time.sleep(1)


if __name__ == "__main__":
    main()
