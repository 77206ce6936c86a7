"""Real daemons killed at random while they publish to a platform that misbehaves at random.

    .venv/bin/python tests/rig/kill_rig.py --deliveries 10000 --kills 2000

prints what was done and every broken promise, and ends with 1 when there is one. `--seed` repeats
the same choices (not the same interleaving: these are real processes). The rig's platform keeps its
own ledger in a process of its own; `rig_judge.py` holds the two against each other. A person is
part of it: what comes on the desk is looked up there, by the platform's ledger, as a person would
look at the timeline.

For another database than SQLite: `Plan.database_url`, an empty database, and `Plan.daemons`, how
many are at work at once; `Plan.disturb` is called before each kill and may cut connections.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig_adapter import SETTLE
from rig_judge import Seen, Verdict, judge, text_of
from sqlmodel import select

from crosspost import queue
from crosspost.database import Database
from crosspost.delivery_parts import parts_of
from crosspost.ledger.hashing import new_salt, salted_digest
from crosspost.lifecycle import ENDED, Status
from crosspost.migrations import upgrade
from crosspost.post import Post, Reconcile
from crosspost.queue import Doing
from crosspost.tables import Announcement, Attempt, Delivery, Revision
from crosspost.times import moment_of

HERE = Path(__file__).parent
#: How often the person looks at the desk, in kills.
ROUND = 20
#: How long a daemon may take until it is at work, in seconds; a busy machine is slow.
START = 60.0


@dataclass(frozen=True)
class Plan:
    """What is done: so many deliveries over so many kills, faults in `faults` of all calls."""

    deliveries: int = 200
    kills: int = 40
    seed: int = 1
    daemons: int = 1
    faults: float = 0.2
    accounts: int = 2  # of each of the five kinds
    sabotage: str | None = None  # a name of `sabotage.SABOTAGES`: the rig must notice
    database_url: str | None = None  # None: an SQLite file
    disturb: Callable[[random.Random], None] | None = None
    patience: float = 300.0  # seconds for everything to come to rest after the last kill


@dataclass(frozen=True)
class Report:
    """What was done, what both sides wrote down, and the verdict."""

    plan: Plan
    verdict: Verdict
    seen: Seen
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether the machine was fast enough for the adapter's settle time to mean anything."""
        return self.seen.lag < SETTLE - 2

    def __str__(self) -> str:
        acts, plan = self.verdict.acts, self.plan
        lines = [
            f"{plan.deliveries} deliveries, {plan.kills} kills, {plan.daemons} daemon(s)",
            f"seed {plan.seed}, {self.seconds:.0f} s",
            f"posts that became public: {sum(map(len, self.seen.public.values()))}",
            f"faults of the platform: {self.seen.faults.total()} {dict(self.seen.faults)}",
            f"ended: {dict(self.verdict.statuses)}",
            f"doubts: {acts['doubted']}, asked of a person {acts['review_asked']}",
            f"confirmed {acts['confirmed']}, disproved {acts['disproved']}",
            f"repeated under the same key {acts['repeated']}",
            f"slowest way from sending to work: {self.seen.lag:.2f} s",
            f"broken promises: {len(self.verdict.violations)}",
            *self.verdict.violations[:20],
        ]
        return "\n".join(lines)


def run(plan: Plan, folder: Path) -> Report:
    """All of it, in `folder`, which must be empty."""
    began = time.monotonic()
    with _Platform(folder / "platform.jsonl", plan) as platform:
        office = _Office(plan, folder, platform.url)
        with _Nursery(folder, plan) as nursery:
            _kill(plan, office, nursery, platform)
            _come_to_rest(plan, office, nursery, platform)
        seen = Seen.of(platform.ledger)
    verdict = judge(office.database, seen, enqueued=plan.deliveries)
    office.database.close()
    return Report(plan, verdict, seen, time.monotonic() - began)


def _kill(plan: Plan, office: _Office, nursery: _Nursery, platform: _Platform) -> None:
    """Daemons at work, one killed after the other, while new announcements are queued."""
    chance = random.Random(plan.seed)
    alive = [nursery.spawn() for _ in range(plan.daemons)]
    for number in range(1, plan.kills + 1):
        office.enqueue(plan.deliveries * number // plan.kills, chance)
        victim = alive.pop(chance.randrange(len(alive)))
        if chance.random() < 0.8:  # others die while they start, and take over
            nursery.wait_until_at_work(victim)
        time.sleep(chance.uniform(0.0, 0.5))
        if plan.disturb is not None:
            plan.disturb(chance)
            office.database.close()  # our own connections may have been among those cut
        nursery.kill(victim, signal.SIGKILL)
        alive.append(nursery.spawn())
        if number % ROUND == 0:
            office.clear_the_desk(platform, chance)
    nursery.alive = alive


def _come_to_rest(plan: Plan, office: _Office, nursery: _Nursery, platform: _Platform) -> None:
    """No more kills; faults until little is left, then hardly any: what is open must end."""
    chance = random.Random(plan.seed)
    end = time.monotonic() + plan.patience
    calm = time.monotonic() + min(60.0, plan.patience / 2)
    while (left := office.open()) and time.monotonic() < end:
        if left < plan.deliveries / 10 or time.monotonic() > calm:
            platform.share(0.02)
        time.sleep(0.5)
        office.clear_the_desk(platform, chance)
    for daemon in nursery.alive:
        nursery.kill(daemon, signal.SIGTERM)


class _Platform:
    """The platform's process."""

    def __init__(self, ledger: Path, plan: Plan) -> None:
        self.ledger = ledger
        arguments = [str(ledger), str(plan.seed), str(plan.faults)]
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "rig_platform.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def share(self, share: float) -> None:
        """From now on so many calls go wrong."""
        with contextlib.closing(urllib.request.urlopen(f"{self.url}/share?of={share}")):
            pass

    def __enter__(self) -> _Platform:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=30)


class _Nursery:
    """The process that daemons are forked from."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.alive: list[int] = []
        self.births: dict[int, int] = {}  # process id -> the how many-th it was
        self.at_work = folder / "at-work"
        self.order = {"spawn": str(folder / "crosspost.toml"), "sabotage": plan.sabotage}
        self.log = (folder / "daemons.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "rig_daemon.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment(folder),
            text=True,
        )
        self._answer()

    def spawn(self) -> int:
        """A daemon is born; its process id."""
        pid = self._ask(self.order)["pid"]
        self.births[pid] = len(self.births) + 1
        return pid

    def wait_until_at_work(self, pid: int) -> None:
        """It has taken over what was left in hand; of several the one that was born last says so,
        or any that was born after this one."""
        end = time.monotonic() + START
        while self._youngest_at_work() < self.births[pid] and time.monotonic() < end:
            time.sleep(0.01)

    def _youngest_at_work(self) -> int:
        try:
            return self.births.get(int(self.at_work.read_text()), 0)
        except (FileNotFoundError, ValueError):  # not yet, or half written
            return 0

    def kill(self, pid: int, number: int) -> None:
        """It is killed, and buried, so that its lock is free."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        self._ask({"reap": pid})

    def _ask(self, order: dict) -> dict:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def __enter__(self) -> _Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)
        self.log.close()


class _Office:
    """Whoever queues announcements, and looks at what comes on the desk."""

    def __init__(self, plan: Plan, folder: Path, url: str) -> None:
        lines = ['[office]\nname = "Rig"\nlanguage = "en"\n[publishing]\nspacing_seconds = 0\n']
        if plan.database_url:
            lines.append(f'[storage]\ndatabase = "{plan.database_url}"\nlease_seconds = 2\n')
        self.channels = []
        for kind in Reconcile:
            for number in range(plan.accounts):
                name = f"{kind.value.replace('_', '-')}-{number}"
                self.channels.append(name)
                lines.append(
                    f'[channels.{name}]\nplatform = "rig"\nbase_url = "{url}"\n'
                    f'kind = "{kind.value}"\naccount = "{name}"\n'
                )
        (folder / "crosspost.toml").write_text("\n".join(lines))
        _bring_the_adapter(folder)
        self.database = Database(plan.database_url or f"sqlite:///{folder / 'crosspost.db'}")
        upgrade(self.database)
        self.made = 0

    def enqueue(self, until: int, chance: random.Random) -> None:
        """New approved deliveries, due now, until there are so many; some are threads."""
        with self.database.write() as session:
            while self.made < until:
                self.made += 1
                doing = Doing("Siti", datetime.now(UTC))
                parts = chance.choice([1, 1, 1, 2, 3])
                posts = [Post(f"Notice {self.made} part {n + 1}", "en") for n in range(parts)]
                delivery = queue.enqueue(
                    session,
                    new_revision(session, self.made, doing.at),
                    chance.choice(self.channels),
                    posts,
                    due=moment_of(doing.at, "Asia/Jakarta"),
                    not_after=doing.at + timedelta(hours=12),
                    waits_for=None,
                    doing=doing,
                )
                queue.approve(session, delivery, doing)

    def open(self) -> int:
        """How many deliveries have not ended."""
        ended = [status.value for status in ENDED]
        with self.database.read() as session:
            query = select(Delivery.id).where(Delivery.status.not_in(ended))
            return len(session.exec(query).all())

    def clear_the_desk(self, platform: _Platform, chance: random.Random) -> None:
        """A person looks at the timeline for what only a person can tell, when whatever may still
        appear there has appeared."""
        public = Seen.of(platform.ledger).public
        with self.database.write() as session:
            doing = Doing("Siti", datetime.now(UTC), "I looked.")
            for delivery in session.exec(
                select(Delivery).where(Delivery.status == Status.REVIEW)
            ).all():
                if doing.at - _last_try(session, delivery) < timedelta(seconds=SETTLE):
                    continue
                left = [p for p in parts_of(session, delivery) if p.published_at is None]
                if not left:
                    continue  # a bad design: nothing is left to look for, and the judge will say so
                part = left[0]
                if text_of(part) in public:
                    queue.resolve_published(session, delivery, "https://rig.example/seen", doing)
                elif chance.random() < 0.2:
                    queue.give_up(session, delivery, doing)
                else:
                    late = doing.at + timedelta(hours=12)
                    queue.resolve_absent(session, delivery, late, doing)


def _last_try(session, delivery: Delivery) -> datetime:
    """When the last call for it had surely ended: a repeat is recorded in no attempt, and ends
    before the question to a person."""
    attempts = select(Attempt.ended_at).where(
        Attempt.delivery_id == delivery.id, Attempt.number == delivery.attempts
    )
    return session.exec(attempts).one() or datetime.now(UTC)


def new_revision(session, number: int, at: datetime) -> Revision:
    """The first revision of the office's announcement of this number."""
    announcement = Announcement(created_at=at, created_by="Siti")
    session.add(announcement)
    session.flush()
    salt = new_salt()
    revision = Revision(
        announcement_id=announcement.id,
        number=1,
        code=f"c{number}",
        title=f"Notice {number}",
        body="On Sunday.",
        source="Letter 1",
        link="",
        lang="en",
        urgency="normal",
        created_at=at,
        created_by="Siti",
        salt=salt,
        digest=salted_digest(salt, "On Sunday."),
    )
    session.add(revision)
    session.flush()
    return revision


def _bring_the_adapter(folder: Path) -> None:
    """The rig's adapter as a package that somebody has installed."""
    package = folder / "installed" / "rig_adapter-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: rig-adapter\nVersion: 1\n")
    entry = "[crosspost.adapters]\nrig = rig_adapter:RigAdapter\n"
    (package / "entry_points.txt").write_text(entry)


def environment(folder: Path) -> dict[str, str]:
    """In which a process finds the rig's adapter, and nothing of another office."""
    clean = {name: v for name, v in os.environ.items() if not name.startswith("CROSSPOST_")}
    path = os.pathsep.join([str(HERE), str(folder / "installed")])
    return {**clean, "PYTHONPATH": path, "CROSSPOST_LANGUAGE": "en"}


def _arguments() -> Iterator[Plan]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sabotage", default=None)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    yield Plan(given.deliveries, given.kills, seed, sabotage=given.sabotage, patience=1200.0)


if __name__ == "__main__":
    for chosen in _arguments():
        with tempfile.TemporaryDirectory() as place:
            report = run(chosen, Path(place))
        print(report)
        sys.exit(1 if report.verdict.violations else 0)
