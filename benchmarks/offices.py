"""Offices for the benchmarks: a folder with its configuration, queue and loopback server."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from crosspost import queue
from crosspost.config import Config, load
from crosspost.database import Database
from crosspost.drafts import Draft
from crosspost.editorial import add
from crosspost.founding import upgrade
from crosspost.times import moment_of

CONFIG = """
[office]
name = "Bench"
language = "en"
[policy]
approvals = 0
[checks]
repeated = "off"
quiet_time = "off"
"""
STORAGE = """
[storage]
database = "env:QUEUE"
"""
CROSSPOST = (sys.executable, "-m", "crosspost")


@contextmanager
def loopback(delay: float = 0.0) -> Iterator[int]:
    """A server that answers after `delay` seconds; its port."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("loopback.py")), str(delay)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout
        yield int(server.stdout.readline())
    finally:
        server.terminate()
        server.wait()


def seen(port: int) -> dict[str, Any]:
    """What came to the server since the last question (`loopback.py`)."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def office(folder: Path, port: int, channels: int, database: str = "crosspost.db") -> Config:
    """An office with so many webhook channels, whose queue is empty."""
    secret = "whsec_" + base64.b64encode(b"0" * 24).decode()
    (folder / ".env").write_text(f"SECRET={secret}\nQUEUE={database}\n")
    tables = "".join(
        f'[channels.hook-{n}]\nplatform = "webhook"\nurl = "http://127.0.0.1:{port}/{n}"\n'
        'secret = "env:SECRET"\n'
        for n in range(channels)
    )
    (folder / "crosspost.toml").write_text(CONFIG + STORAGE + tables)
    config = load(folder / "crosspost.toml")
    upgrade(config)
    return config


def announce(
    database: Database, config: Config, number: int, due: datetime, channels: tuple[str, ...]
) -> None:
    """Queue an announcement, approved, as `crosspost add` does."""
    draft = Draft(
        title=f"Announcement {number}",
        body="The road is closed on Sunday morning. " * 20,
        source="Letter 1/2026",
        link="https://office.example/",
        lang="en",
        urgency="normal",
        images=(),
        channels=channels,
        due=moment_of(due, "Asia/Jakarta"),
    )
    add(database, config, draft, queue.Doing("bench", due))


def until(true: Callable[[], bool], seconds: float, gap: float = 0.2) -> None:
    """Wait until something is so. Raises TimeoutError after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(gap)
