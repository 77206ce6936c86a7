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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlmodel import SQLModel

from crosspost import queue
from crosspost.config import Config, load
from crosspost.database import Database
from crosspost.drafts import Draft
from crosspost.editorial import add
from crosspost.founding import upgrade
from crosspost.lifecycle import Status
from crosspost.tables import Delivery, Part, Revision, table
from crosspost.times import moment_of

CONFIG = """
[office]
name = "Bench"
language = "en"
[policy]
approvals = 0
[publishing]
spacing_seconds = 0
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
    add(database, config, draft, queue.Doing("bench", datetime.now(UTC)))


AT_ONCE = 500  # announcements in one transaction


def copies(database: Database, times: int, *, due: datetime, status: Status) -> None:
    """So many copies of the first announcement, to the same channels, due at `due`, in this status.
    Those that wait have its due time, or they were not what was approved. Written in bulk, so the
    record says nothing of them."""
    with database.read() as session:
        revision = dict(session.execute(select(table(Revision)).limit(1)).mappings().one())
        mine = select(table(Delivery)).where(table(Delivery).c.revision_id == revision["id"])
        deliveries = [dict(row) for row in session.execute(mine).mappings()]
        parts = {
            row["delivery_id"]: dict(row) for row in session.execute(select(table(Part))).mappings()
        }
        number, made = (session.execute(text(_LAST.format(name))).scalar_one() for name in _NAMES)
    public = status is Status.PUBLISHED
    for first in range(0, times, AT_ONCE):
        rows: dict[type[SQLModel], list[dict[str, Any]]] = {Revision: [], Delivery: [], Part: []}
        for _ in range(min(AT_ONCE, times - first)):
            number += 1
            rows[Revision].append(
                {**revision, "id": number, "number": number, "code": f"c{number}"}
            )
            for delivery in deliveries:
                made += 1
                about = _about(due, status)
                rows[Delivery].append(
                    {**delivery, **about, "id": made, "revision_id": number, "status": status}
                )
                part = {**parts[delivery["id"]], "id": made, "delivery_id": made}
                sent = {"remote_id": f"copy-{made}", "published_at": due, "begun_at": due}
                rows[Part].append({**part, **({**sent, "payload": "{}"} if public else {})})
        with database.write() as session:
            for model, values in rows.items():
                session.execute(insert(table(model)), values)


_NAMES, _LAST = ("revision", "delivery"), "SELECT max(id) FROM {}"


def _about(due: datetime, status: Status) -> dict[str, Any]:
    """What differs from the first one."""
    ended = due if status is Status.PUBLISHED else None
    return {"due_at": due, "not_after": due + timedelta(days=365), "ended_at": ended}


def until(true: Callable[[], bool], seconds: float, gap: float = 0.2) -> None:
    """Wait until something is so. Raises TimeoutError after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(gap)
