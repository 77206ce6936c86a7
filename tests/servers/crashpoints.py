"""Crash points: the daemon is killed at every system call that writes, syncs, sends or receives.

    python tests/servers/crashpoints.py [--every N] [--kind webhook] [--late-mark]

For each way to reconcile there is one real adapter, against a platform of our own on loopback
whose memory is its ledger, out of the daemon's reach. A real `crosspost daemon --once` is traced by
strace and killed as it enters the n-th call of one name; then the daemon starts again, its clock
moved on until all is settled. The same once more with a daemon that recovers from such a crash.
Judged is what the public sees: exactly one post, or a person who was asked. `--every N` takes each
N-th point only; `--late-mark` is the negative control, a build that writes its intent down after
the post, and must be caught. strace comes from Debian's packages.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "adapters"), str(HERE.parents[1] / "rig")]

#: Way to reconcile -> the adapter that stands for it.
KINDS = {
    "idempotency_key": "webhook",
    "chosen_id": "bluesky",
    "two_phase": "wordpress",
    "lookup": "mastodon",
    "none": "telegram",
}
#: What may change something outside of the process, or tell it what was changed.
CALLS = (
    *("write", "writev", "pwrite64", "fsync", "fdatasync", "ftruncate"),
    *("rename", "unlink", "connect", "sendto", "sendmsg", "recvfrom"),
)
#: When the restarted daemon looks, in minutes after the crash; beyond every settle time and wait.
LOOKS = (0, 1, 3, 6, 12, 30, 60)
PATIENCE = 60.0
TRIES = 20


# --- the daemon that is killed --------------------------------------------------------------------


def launch(*, late_mark: bool) -> None:
    """A process that has imported everything and forks a daemon for each folder on its input; says
    the daemon's process id, and later how it ended."""
    import crosspost.daemon  # noqa: F401 - so that the forks need not
    from crosspost.adapters import adapter_class
    from crosspost.adapters import transport as _transport  # noqa: F401
    from crosspost.cli import main

    for platform in KINDS.values():
        adapter_class(platform)
    if late_mark:
        from sabotage import mark_after_posting

        mark_after_posting()
    for line in sys.stdin:
        folder = Path(line.strip())
        child = os.fork()
        if child == 0:
            log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.kill(os.getpid(), signal.SIGSTOP)  # until strace is attached
            sys.argv = ["crosspost", "--config", str(folder / "crosspost.toml"), "daemon", "--once"]
            main()
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


class Launcher:
    """Starts daemons under strace and kills each at one point."""

    def __init__(self, *, late_mark: bool = False) -> None:
        more = ["--late-mark"] if late_mark else []
        self._process = subprocess.Popen(
            [sys.executable, str(HERE), "--launch", *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "CROSSPOST_LANGUAGE": "en", "CROSSPOST_DEBUG": ""},
        )

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)
        self._process.stdout.close()

    def run(self, folder: Path, call: str = "", number: int = 0) -> int:
        """How a daemon in `folder` ends: 0, or -9 when it came as far as its `number`-th `call`."""
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        _wait_for(lambda: _state(child) == "T")
        inject = ["-e", f"inject={call}:signal=SIGKILL:when={number}"] if call else []
        strace = subprocess.Popen(
            [
                *("strace", "-f", "-o", folder / "trace", "-p", str(child)),
                *("-e", f"trace={','.join(CALLS)}", *inject),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert "attached" in strace.stderr.readline()
        os.kill(child, signal.SIGCONT)
        watchdog = threading.Timer(PATIENCE, os.kill, (child, signal.SIGABRT))
        watchdog.start()
        ended = int(self._process.stdout.readline())
        watchdog.cancel()
        strace.communicate(timeout=PATIENCE)
        assert ended in (0, -signal.SIGKILL), f"the daemon ended with {ended}: {folder}/log"
        return ended


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1][0]


def _wait_for(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


# --- one office, one platform, one delivery -------------------------------------------------------


@dataclass
class Stage:
    """A template of an office in which one delivery of one kind is due now."""

    kind: str
    folder: Path

    @classmethod
    def made(cls, kind: str, folder: Path) -> Stage:
        from cases import CASES
        from pydantic import SecretStr

        name = KINDS[kind]
        options = CASES[name]().options(_Nowhere())
        lines = [
            *("[office]", 'name = "Office"', 'language = "en"', "[policy]"),
            *("approvals = 0", "[channels.only]", f'platform = "{name}"'),
        ]
        secrets = []
        for key, value in options.items():
            if isinstance(value, SecretStr):
                secrets.append(f"{key.upper()}='{value.get_secret_value()}'")
                value = f"env:{key.upper()}"
            lines.append(f"{key} = {json.dumps(value)}")
        (folder / "crosspost.toml").write_text("\n".join(lines) + "\n")
        (folder / ".env").write_text("\n".join(secrets) + "\n")
        for command in (
            ["init", "--upgrade", str(folder)],
            ["log", "init", "--origin", "office.example/ledger"],
            [
                *("add", "The road is closed on Sunday.", "--title", "Road closed", "--yes"),
                *("--source", "Letter 1", "--link", "https://office.example/road"),
            ],
        ):
            config = [] if command[0] == "init" else ["--config", str(folder / "crosspost.toml")]
            done = subprocess.run(
                [sys.executable, "-m", "crosspost", *config, *command],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        return cls(kind, folder)

    @contextmanager
    def set_up(self) -> Iterator[tuple[Path, object]]:
        """A fresh copy of the office, and a fresh platform that it posts to."""
        from cases import CASES

        with tempfile.TemporaryDirectory(prefix="crash-") as temporary:
            folder = Path(temporary) / "office"
            shutil.copytree(self.folder, folder)
            with CASES[KINDS[self.kind]]().start() as platform:
                config = folder / "crosspost.toml"
                config.write_text(config.read_text().replace(_Nowhere.url, platform.url))
                yield folder, platform


class _Nowhere:
    url = "http://127.0.0.1:1"


# --- after the crash ------------------------------------------------------------------------------


def settle(folder: Path) -> str:
    """Start the daemon again and again, later and later; the delivery's status at the end."""
    from crosspost.adapters import problems_of
    from crosspost.config import load
    from crosspost.daemon import Daemon
    from crosspost.database import Database
    from crosspost.tables import Delivery
    from crosspost.workbench import utc_now

    config = load(folder / "crosspost.toml", check_channel=problems_of)
    status = ""
    for minutes in LOOKS:
        database = Database(config.database_url)
        moved = timedelta(minutes=minutes)
        Daemon(database, config, now=lambda moved=moved: utc_now() + moved).run_once()
        with database.read() as session:
            status = session.get_one(Delivery, 1).status.value
        database.close()
        if status in ("published", "review", "failed", "missed"):
            break
    return status


def wrong(platform, status: str) -> str:
    """What is wrong after the crash was settled; "" when nothing is."""
    public = len(platform.posts)
    if public > 1:
        return f"duplicate: {public} posts are public"
    if status == "published" and public != 1:
        return "lost: said to be published, and nothing is public"
    if status not in ("published", "review"):
        return f"not settled: {status}, {public} public"
    return ""


@dataclass
class Result:
    """What the points of one kind showed."""

    points: int = 0
    ends: Counter = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    calls: Counter = field(default_factory=Counter)
    hidden: int = 0
    passed: int = 0  # points that this daemon did not come to


def examine(stage: Stage, launcher: Launcher, *, every: int = 1, again: bool = False) -> Result:
    """Kill at each point (each `every`-th), settle, judge. With `again` the daemon had been killed
    before, as the answer to its post came in, and is killed while it recovers."""
    result = Result()
    first = recorded(stage, launcher, None)
    before = the_answer(stage, launcher, first.most["recvfrom"]) if again else None
    seen = recorded(stage, launcher, before) if again else first
    result.hidden = seen.hidden
    wanted = [(call, n) for call in CALLS for n in range(1, seen.most[call] + 1)]
    for call, number in wanted[::every]:
        with crashed(stage, launcher, before) as (folder, platform):
            if launcher.run(folder, call, number) == 0:
                result.passed += 1  # this time it took fewer of them
                continue
            platform.drain()
            status = settle(folder)
            problem = wrong(platform, status)
            result.points += 1
            result.calls[call] += 1
            result.ends[f"{status}, {len(platform.posts)} public"] += 1
            if problem:
                result.violations.append(f"{stage.kind}, {call} {number}: {problem}")
    return result


def the_answer(stage: Stage, launcher: Launcher, most: int) -> tuple[str, int]:
    """The point where the answer to the post comes in: the last one at which daemons are killed
    with the post public. How many calls an answer takes depends on how it arrives, so that one run
    may come to fewer of them than another."""
    for number in [*range(most, 0, -1)] * TRIES:
        with stage.set_up() as (folder, platform):
            if launcher.run(folder, "recvfrom", number) == -signal.SIGKILL:
                platform.drain()
                if len(platform.posts) == 1:
                    return "recvfrom", number
    raise AssertionError("no daemon was killed as its answer came in")


@contextmanager
def crashed(
    stage: Stage, launcher: Launcher, before: tuple[str, int] | None
) -> Iterator[tuple[Path, object]]:
    """An office and its platform after a crash at `before`, if any; a daemon that did not come to
    that point is no use, so another one is tried."""
    for _ in range(TRIES):
        with stage.set_up() as (folder, platform):
            if before is None or launcher.run(folder, *before) == -signal.SIGKILL:
                platform.drain()
                yield folder, platform
                return
    raise AssertionError(f"no daemon came to {before}")


@dataclass
class Recorded:
    """How often each call is made by the thread that makes it most often; and how many calls of
    other threads are hidden behind those, since strace counts for each thread by itself."""

    most: Counter
    hidden: int


def recorded(stage: Stage, launcher: Launcher, before: tuple[str, int] | None) -> Recorded:
    """A run that nobody kills, after a crash at `before`, if any."""
    with crashed(stage, launcher, before) as (folder, platform):
        assert launcher.run(folder) == 0, (folder / "log").read_text()
        assert len(platform.posts) == 1, (folder / "log").read_text()
        by_thread: Counter = Counter()
        for line in (folder / "trace").read_text().splitlines():
            if found := re.match(r"(\d+) +(\w+)\(", line):
                by_thread[found[1], found[2]] += 1
    most: Counter = Counter()
    for (_, call), count in by_thread.items():
        most[call] = max(most[call], count)
    return Recorded(most, sum(by_thread.values()) - sum(most.values()))


def report(kind: str, again: bool, result: Result, seconds: float) -> None:
    """What one kind showed, as lines."""
    where = "while it recovers" if again else "the first time"
    print(f"{kind}, killed {where}: {result.points} points in {seconds:.0f} s")
    print(f"    at {dict(result.calls)}")
    print(f"    {result.passed} not come to, {result.hidden} hidden behind another thread's")
    print(f"    ends {dict(result.ends)}")
    for violation in result.violations:
        print(f"    VIOLATION {violation}")
    sys.stdout.flush()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--kind", choices=KINDS, action="append")
    options.add_argument("--late-mark", action="store_true")
    options.add_argument("--launch", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.launch:
        launch(late_mark=given.late_mark)
        return 0
    logging.disable(logging.CRITICAL)
    os.environ["CROSSPOST_LANGUAGE"] = "en"
    wrongs = 0
    with Launcher(late_mark=given.late_mark) as launcher:
        for kind in given.kind or KINDS:
            with tempfile.TemporaryDirectory(prefix="stage-") as folder:
                stage = Stage.made(kind, Path(folder))
                for again in (False,) if given.late_mark else (False, True):
                    began = time.monotonic()
                    result = examine(stage, launcher, every=given.every, again=again)
                    report(kind, again, result, time.monotonic() - began)
                    wrongs += len(result.violations)
    print(f"{wrongs} violations")
    return 1 if wrongs else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
