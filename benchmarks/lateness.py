"""How late posts are: the arrival of a post at the server minus its due time.

500 announcements, their due times scattered over half a minute, each to one of 48 channels, on a
running daemon that has nothing else to do. What the server needs before it reads the clock is in
it.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offices import CROSSPOST, announce, loopback, office, seen, until
from sqlmodel import select

from crosspost.database import Database
from crosspost.tables import Delivery

SPREAD = timedelta(seconds=30)


def lateness(posts: int, channels: int, ahead: float) -> list[float]:
    """Milliseconds of each post, the shortest first."""
    with loopback() as port, tempfile.TemporaryDirectory() as name:
        config = office(Path(name), port, channels)
        database = Database(config.database_url)
        names = tuple(config.channels)
        lots = random.Random(1)
        start = datetime.now(UTC) + timedelta(seconds=ahead)
        for number in range(posts):
            due = start + lots.random() * SPREAD
            announce(database, config, number, due, (lots.choice(names),))
        if datetime.now(UTC) + timedelta(seconds=5) > start:
            raise SystemExit("Queueing took too long; give it more time with --ahead.")
        daemon = subprocess.Popen([*CROSSPOST, "daemon"], cwd=name, stderr=subprocess.DEVNULL)
        came: list[tuple[float, str]] = []
        try:
            until(
                lambda: bool(came.extend(seen(port)["came"]) or len(came) >= posts), ahead + 120, 2
            )
        finally:
            daemon.terminate()
            daemon.wait()
        with database.read() as session:
            due_at = {d.id: d.due_at.timestamp() for d in session.exec(select(Delivery))}
        database.close()
    # the key begins with the channel, the delivery's number, and the part
    return sorted(1000 * (at - due_at[int(key.split("-")[2])]) for at, key in came)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=500)
    parser.add_argument("--channels", type=int, default=48)
    parser.add_argument("--ahead", type=float, default=90, help="s for queueing, before the first")
    asked = parser.parse_args()
    late = lateness(asked.posts, asked.channels, asked.ahead)
    p50, p90, p99 = (late[int(len(late) * share)] for share in (0.5, 0.9, 0.99))
    print(f"{len(late)} posts over {SPREAD.total_seconds():.0f} s, {asked.channels} channels")
    print(f"late by p50 {p50:.1f}  p90 {p90:.1f}  p99 {p99:.1f}  most {late[-1]:.1f} ms")


if __name__ == "__main__":
    main()
