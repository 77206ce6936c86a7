"""Deliveries a second of a real daemon, as a ratio to a plain thread pool posting the same bytes.

Both speak to the same loopback server with a connection a channel; the pool posts body and headers
of one of the daemon's own posts. The server measures: from the first post's arrival to the last
one's end. The daemon does what it always does: an intent on disk before each call, receipt and
ledger entries after it. It and the pool run in turn, so that a drift of the machine's speed hits
both.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import requests
from offices import CROSSPOST, announce, loopback, office, seen

from crosspost.database import Database


def daemon(port: int, channels: int, announcements: int) -> dict[str, object]:
    """What the server saw of a daemon that published all of it."""
    with tempfile.TemporaryDirectory() as name:
        config = office(Path(name), port, channels)
        database = Database(config.database_url)
        for number in range(announcements):
            announce(database, config, number, datetime.now(UTC), tuple(config.channels))
        database.close()
        seen(port)
        subprocess.run([*CROSSPOST, "daemon", "--once"], cwd=name, check=True, capture_output=True)
    return seen(port)


def pool(port: int, channels: int, announcements: int, like: dict[str, object]) -> float:
    """Seconds that a thread pool takes to post the same bytes as often."""
    body, headers = str(like["body"]).encode(), dict(like["headers"])  # type: ignore[call-overload]
    own = {name: value for name, value in headers.items() if name not in ("Host", "Content-Length")}

    def post(number: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(announcements):
                session.post(
                    f"http://127.0.0.1:{port}/{number}", data=body, headers=own, timeout=30
                )

    with ThreadPoolExecutor(channels) as workers:
        list(workers.map(post, range(channels)))
    return float(seen(port)["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--channels", type=int, default=48, help="each in order")
    parser.add_argument("--announcements", type=int, default=50, help="each to all channels")
    parser.add_argument("--latency", type=float, default=0, help="ms that the server takes")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    channels, count = asked.channels, asked.channels * asked.announcements
    rows = []
    with loopback(asked.latency / 1000) as port:
        for _ in range(asked.runs):
            told = daemon(port, channels, asked.announcements)
            if told["count"] != count:
                raise SystemExit(f"{told['count']} posts instead of {count}")
            ours = float(str(told["seconds"]))
            rows.append((ours, pool(port, channels, asked.announcements, told)))
    print(f"{count} deliveries, {channels} channels, {asked.latency:.0f} ms to answer")
    for ours, plain in rows:
        ratio = plain / ours
        print(f"daemon {count / ours:6.0f}/s   pool {count / plain:6.0f}/s   ratio {ratio:.2f}")
    print(f"median ratio {statistics.median(plain / ours for ours, plain in rows):.2f}")


if __name__ == "__main__":
    main()
