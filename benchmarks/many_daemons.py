"""Deliveries a second of 1, 2 and 4 daemons on one PostgreSQL, as ratios to a plain thread pool.

Needs PostgreSQL's Debian package and the extra `postgres`; it starts a server of its own, which
waits for its disk as a real one does. Everything is queued for one moment, at which all daemons are
ready; the loopback server measures from the first post's arrival to the last one's end, for the
daemons and for the pool that posts the same bytes right after them.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from offices import CROSSPOST, announce, loopback, office, seen, until
from postgres_server import PostgresServer
from throughput import pool

from crosspost.database import Database

#: Seconds that daemons get to start.
START = 3.0


def crew(
    server: PostgresServer, port: int, daemons: int, channels: int, announcements: int
) -> dict[str, object]:
    """What the loopback server saw of so many daemons that published all of it."""
    url = server.make("bench")
    with tempfile.TemporaryDirectory() as name:
        config = office(Path(name), port, channels, database=url)
        due = datetime.now(UTC) + timedelta(seconds=START * daemons + announcements * 0.4)
        database = Database(url)
        for number in range(announcements):
            announce(database, config, number, due, tuple(config.channels))
        database.close()
        seen(port)
        running = [
            subprocess.Popen([*CROSSPOST, "daemon"], cwd=name, stderr=subprocess.DEVNULL)
            for _ in range(daemons)
        ]
        done = "SELECT count(*) FROM delivery WHERE status = 'published'"
        count = channels * announcements
        until(lambda: server.do(done, "bench") == [(count,)], seconds=300)
        by = server.do("SELECT count(DISTINCT claimed_by) FROM delivery", "bench")
        for daemon in running:
            daemon.send_signal(signal.SIGTERM)
        for daemon in running:
            daemon.wait()
    server.drop("bench")
    return {**seen(port), "by": by[0][0]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--channels", type=int, default=48, help="each in order")
    parser.add_argument("--announcements", type=int, default=50, help="each to all channels")
    parser.add_argument("--latency", type=float, default=0, help="ms that the server takes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--daemons", type=int, nargs="*", default=[1, 2, 4])
    asked = parser.parse_args()
    channels, count = asked.channels, asked.channels * asked.announcements
    print(f"{count} deliveries, {channels} channels, {asked.latency:.0f} ms to answer")
    ratios: dict[int, list[float]] = {}
    with PostgresServer(durable=True) as server, loopback(asked.latency / 1000) as port:
        for _ in range(asked.runs):
            for daemons in asked.daemons:
                told = crew(server, port, daemons, channels, asked.announcements)
                if told["count"] != count:
                    raise SystemExit(f"{told['count']} posts instead of {count}")
                ours = float(str(told["seconds"]))
                plain = pool(port, channels, asked.announcements, told)
                ratios.setdefault(daemons, []).append(plain / ours)
                print(
                    f"{daemons} daemon(s), {told['by']} at work: {count / ours:6.0f}/s   "
                    f"pool {count / plain:6.0f}/s   ratio {plain / ours:.2f}",
                    flush=True,
                )
    for daemons, found in ratios.items():
        print(f"{daemons} daemon(s): median ratio {statistics.median(found):.2f}")


if __name__ == "__main__":
    main()
