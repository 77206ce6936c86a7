"""An office on disk and real `crosspost` processes, as an admin would run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 30.0
#: Commands that ask before something counts; a script says --yes.
ASKING = ("add", "edit", "approve", "reschedule", "cancel", "retry")


@dataclass
class Desk:
    """A folder with an office, and the commands typed there."""

    folder: Path

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """A `crosspost` process, its output as text through pipes."""
        asks = options.pop("ask", False)
        if arguments and arguments[0] in ASKING and not asks:
            arguments = (*arguments, "--yes")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CROSSPOST_")}
        environment |= {"CROSSPOST_LANGUAGE": "en", **options.pop("env", {})}
        settings = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "crosspost", *arguments],
            cwd=self.folder,
            text=True,
            env=environment,
            **{**settings, **options},
        )

    def run(self, *arguments: str, text: str | None = None, code: int = 0, **options) -> str:
        """A command to its end with exit code `code`; what it printed, both outputs together."""
        if text is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*arguments, **options)
        out, err = process.communicate(text, timeout=PATIENCE)
        assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in out + err
        return out + err

    def json(self, *arguments: str):
        """What a command prints as JSON."""
        process = self.start(*arguments, "--json")
        out, _ = process.communicate(timeout=PATIENCE)
        return json.loads(out)

    def statuses(self, number: int) -> dict[str, str]:
        """Channel -> status of an announcement."""
        return {d["channel"]: d["status"] for d in self.json("show", str(number))["deliveries"]}

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Look again and again, for at most half a minute."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.05)


@pytest.fixture
def empty_desk(tmp_path) -> Desk:
    """A folder without an office."""
    return Desk(tmp_path)


@pytest.fixture
def desk(tmp_path) -> Desk:
    """An office with the site channel, in English, zone Asia/Jakarta."""
    made = Desk(tmp_path)
    made.run(
        *("init", ".", "--name", "Office", "--language", "en", "--person", "Siti"),
        *("--site-url", "https://office.example"),
    )
    return made
