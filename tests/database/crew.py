"""Several real daemons on one PostgreSQL, publishing to a platform on loopback that they share.

A daemon of the crew can be told to stop itself (SIGSTOP) at a point of its way, and to be one of a
bad design; see `crew_daemon.py`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desk import SECRET, scheduled
from sqlmodel import select

from crosspost.database import Database
from crosspost.post import Post
from crosspost.tables import Delivery
from crosspost.testing.loopback import Platform, Reply

PATIENCE = 60.0
#: Seconds that a lease lasts here: the shortest that the settings allow.
LEASE = 2.0
OFFICE = """[office]
name = "Office"
language = "en"
[storage]
database = "env:QUEUE"
lease_seconds = {lease}
[publishing]
spacing_seconds = 0
"""
CHANNEL = """[channels.{name}]
platform = "webhook"
url = "{url}/{name}"
secret = "env:HOOK"
"""


class Hook(Platform):
    """A receiver that writes down what it gets, by channel, and answers while it is `open`."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[tuple[str, str]] = []  # channel and webhook-id, in order of arrival
        self.open = threading.Event()
        self.open.set()

    def phase_of(self, seen) -> str:
        return "publish"

    def answer(self, seen) -> Reply:
        name = seen.headers["webhook-id"]
        self.got.append((seen.path.strip("/"), name))
        self.open.wait(PATIENCE)
        return Reply(200, json={"id": name})


@dataclass
class Crew:
    """The office's folder, its database, its platform, and the daemons."""

    folder: Path
    database: Database
    hook: Hook
    daemons: list[subprocess.Popen[str]] = field(default_factory=list)

    def found(self, *channels: str, lease: float = LEASE) -> None:
        """Write the settings."""
        lines = [OFFICE.format(lease=lease)]
        lines += [CHANNEL.format(name=name, url=self.hook.url) for name in channels]
        (self.folder / "crosspost.toml").write_text("".join(lines))
        (self.folder / ".env").write_text(f"QUEUE={self.database.url}\nHOOK={SECRET}\n")

    def queue(self, channel: str, count: int = 1) -> list[Delivery]:
        """Approved deliveries that are due, in this order."""
        begin = datetime.now(UTC) - timedelta(seconds=count)
        with self.database.write() as session:
            return [
                scheduled(
                    session,
                    channel,
                    due=begin + timedelta(seconds=number),
                    posts=(Post(f"Notice {number}", "en"),),
                )
                for number in range(count)
            ]

    def start(self, **how: str) -> subprocess.Popen[str]:
        """A daemon: `stop_at` a point of its way, `design` that is bad."""
        log = (self.folder / f"daemon-{len(self.daemons)}.log").open("w")
        daemon = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crew_daemon.py")), json.dumps(how)],
            cwd=self.folder,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "CROSSPOST_LANGUAGE": "en"},
        )
        log.close()
        self.daemons.append(daemon)
        return daemon

    def log(self, daemon: subprocess.Popen[str]) -> str:
        """What a daemon said."""
        return (self.folder / f"daemon-{self.daemons.index(daemon)}.log").read_text()

    def statuses(self) -> set[str]:
        with self.database.read() as session:
            return {status.value for status in session.exec(select(Delivery.status)).all()}

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.everything_said()
            time.sleep(0.05)

    def wait_published(self) -> None:
        self.wait(lambda: self.statuses() == {"published"})

    def wait_stopped(self, daemon: subprocess.Popen[str]) -> None:
        """Until it has stopped itself."""
        stat = Path(f"/proc/{daemon.pid}/stat")
        self.wait(lambda: stat.read_text().rpartition(") ")[2][0] == "T")

    def everything_said(self) -> str:
        return "\n---\n".join(self.log(daemon) for daemon in self.daemons)[-6000:]

    def end(self, daemon: subprocess.Popen[str]) -> int:
        """As `systemctl stop` ends it; its exit code."""
        daemon.send_signal(signal.SIGCONT)
        daemon.send_signal(signal.SIGTERM)
        return daemon.wait(PATIENCE)

    def bury(self) -> None:
        """Whatever still lives is killed."""
        for daemon in self.daemons:
            with suppress(ProcessLookupError):
                daemon.kill()
            daemon.wait(PATIENCE)
