"""Resident memory of a daemon while it publishes 100,000 deliveries (Linux).

To queue them takes longer than to publish them, since each announcement is approved for real.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from idle import resident_mb
from offices import CROSSPOST, announce, loopback, office, seen

from crosspost.database import Database

CHANNELS = 48


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deliveries", type=int, default=100_000)
    count = parser.parse_args().deliveries
    with loopback() as port, tempfile.TemporaryDirectory() as name:
        config = office(Path(name), port, CHANNELS)
        database = Database(config.database_url)
        for number in range(count // CHANNELS):
            announce(database, config, number, datetime.now(UTC), tuple(config.channels))
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
