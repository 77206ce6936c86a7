"""Deliveries a second of a real daemon, as a ratio to a plain thread pool posting the same bytes.

Both speak to the same loopback server with as many connections as there are channels. The daemon
does what it always does: an intent on disk before each call, receipt and ledger entries after it.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import requests

from crosspost import queue
from crosspost.config import load
from crosspost.database import Database
from crosspost.drafts import Draft
from crosspost.editorial import add
from crosspost.times import moment_of

CHANNELS, ANNOUNCEMENTS = 8, 50
CONFIG = """
[office]
name = "Bench"
language = "en"
[policy]
approvals = 0
"""


def office(folder: Path, port: int) -> None:
    secret = "whsec_" + base64.b64encode(b"0" * 24).decode()
    (folder / ".env").write_text(f"SECRET={secret}\n")
    channels = "".join(
        f'[channels.hook-{n}]\nplatform = "webhook"\nurl = "http://127.0.0.1:{port}/{n}"\n'
        'secret = "env:SECRET"\n'
        for n in range(CHANNELS)
    )
    (folder / "crosspost.toml").write_text(CONFIG + channels)
    config = load(folder / "crosspost.toml")
    from crosspost.founding import upgrade

    upgrade(config)
    database = Database(config.database_url)
    now = datetime.now(UTC)
    for n in range(ANNOUNCEMENTS):
        draft = Draft(
            title=f"Announcement {n}",
            body="The road is closed on Sunday morning. " * 20,
            source="Letter 1/2026",
            link="https://office.example/",
            lang="en",
            urgency="normal",
            images=(),
            channels=tuple(config.channels),
            due=moment_of(now, "Asia/Jakarta"),
        )
        add(database, config, draft, queue.Doing("bench", now))
    database.close()


def daemon(folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "crosspost", "daemon", "--once"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begin


def empty(folder: Path) -> float:
    """The same process with nothing to do: start-up, which is not publishing."""
    return daemon(folder)


def pool(port: int) -> float:
    body = json.dumps({"text": "The road is closed on Sunday morning. " * 60}).encode()

    def post(number: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(ANNOUNCEMENTS):
                session.post(f"http://127.0.0.1:{port}/{number}", data=body, timeout=10)

    begin = time.perf_counter()
    with ThreadPoolExecutor(CHANNELS) as workers:
        list(workers.map(post, range(CHANNELS)))
    return time.perf_counter() - begin


def main() -> None:
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("loopback.py"))],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout
        port = int(server.stdout.readline())
        with tempfile.TemporaryDirectory() as name:
            office(Path(name), port)
            all_of_it = daemon(Path(name))
            crosspost = all_of_it - empty(Path(name))
        plain = pool(port)
    finally:
        server.terminate()
        server.wait()
    n = CHANNELS * ANNOUNCEMENTS
    print(f"{n} deliveries, {CHANNELS} channels")
    print(f"daemon           {n / crosspost:8.0f} deliveries/s")
    print(f"requests pool    {n / plain:8.0f} posts/s")
    print(f"ratio            {plain / crosspost:8.2f}")


if __name__ == "__main__":
    main()
