"""Days of an office in seconds: several daemons, five kinds of platform, people, and bad luck.

    .venv/bin/python tests/rig/simulation.py --steps 1000000

The daemon, queue, publisher and reconciler are the real ones, on a real database; only time, chance
and the platforms are made. Each episode begins with an empty office, lets everything happen that
may, then lets all come to rest, and must find every promise kept. A broken one is shown with the
story that led to it; `--seed N --steps 1` repeats it exactly.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from rig_judge import Seen, of_delivery, of_ledger
from sim_people import ZONE, People
from sim_platform import SimPlatform, Twice
from sim_world import Dead, OnTheSpot, Workers, World
from sqlalchemy import event
from sqlmodel import Session, col, select

from crosspost import daemon as daemon_room
from crosspost import queue, workbench
from crosspost.config import Channel, Config, Office, Publishing
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import Conflict, DatabaseError
from crosspost.lifecycle import ENDED, Status, Verb
from crosspost.migrations import upgrade
from crosspost.post import Reconcile
from crosspost.tables import Delivery, LedgerEntry, Part

#: Where a delivery may rest: at its end, or where only a person moves it.
RESTING = {*ENDED, Status.REVIEW, Status.HELD}
#: So many steps an episode has before it comes to rest.
STEPS = 600
#: A daemon's worker may end with these, and nothing is wrong.
USUAL = (Conflict, DatabaseError)


class Broken(BaseException):
    """A promise was not kept; no code under test may catch it."""


@dataclass
class Running:
    """A daemon of an episode: the real one, its threads replaced. `wakes` is when it wants to be
    woken; until the step `stopped_until` it is stopped."""

    daemon: Daemon
    workers: Workers
    wakes: list[datetime] = field(default_factory=list)
    stopped_until: int = 0


class Episode:
    """One office from its first announcement to rest, in a database that is made empty."""

    def __init__(self, seed: int, database: Database) -> None:
        self.world = World(seed)
        self.database = database
        self.empty_it()
        kinds = [*Reconcile, Reconcile.LOOKUP]
        names = [f"c{number}-{kind.value.replace('_', '-')}" for number, kind in enumerate(kinds)]
        made = [SimPlatform(self.world, kind) for kind in kinds]
        self.platforms = dict(zip(names, made, strict=True))
        self.config = Config(
            path=self.database.file.with_name("crosspost.toml"),
            office=Office(name="Office", zone=ZONE, language="en"),
            publishing=Publishing(spacing_seconds=self.world.random.choice([0, 10])),
            channels={n: Channel(name=n, platform="webhook", options={}) for n in names},
        )
        self.people = People(self.world, self.database, self.platforms)
        self.daemons: list[Running] = []
        self.born = 0
        self.troubles: list[Exception] = []

    def run(self) -> None:
        """Raises Broken or Twice."""
        with _watched(self):
            try:
                self.start_daemon()
                for _ in range(STEPS):
                    self.step()
                self.judge_the_ledger()
                self.come_to_rest()
                self.judge()
            finally:
                for running in self.daemons:
                    running.workers.die()

    def empty_it(self) -> None:
        """A database as `crosspost init` makes it, in the place of the last episode's."""
        self.database.close()
        for file in self.database.file.parent.iterdir():
            file.unlink()
        self.database.file.write_bytes(empty_database())

    # --- what happens -----------------------------------------------------------------------------

    def step(self) -> None:
        """One thing happens."""
        world = self.world
        world.steps += 1
        fate = world.random.random()
        if fate < 0.06:
            self.people.act()
        elif fate < 0.075:
            self.kill(world.random.choice(self.daemons))
        elif fate < 0.085:
            self.stop_for_a_while(world.random.choice(self.daemons))
        elif fate < 0.18 or not self.run_a_worker():
            self.look(world.random.choice(self.daemons))
        world.pass_time(2.0)

    def run_a_worker(self) -> bool:
        """Some worker goes on to its next stand; False when nobody can."""
        able = [r for r in self.daemons if r.workers.alive and r.stopped_until <= self.world.steps]
        if not able:
            return False
        running = self.world.random.choice(able)
        try:
            running.workers.run_one()
        except Dead:
            self.kill(running)
        return True

    def look(self, running: Running) -> None:
        """The daemon's look at the queue. When all sleep, time goes on to what is next."""
        if running.stopped_until > self.world.steps:
            return
        running.wakes.clear()
        running.daemon._tick_safely()
        if not any(r.workers.alive for r in self.daemons):
            soon = self.world.time + timedelta(seconds=60)
            self.world.time = max(self.world.time, min([*running.wakes, soon]))

    def start_daemon(self) -> None:
        """A new process: it takes over what it finds in hand."""
        self.born += 1
        self.world.tell(f"daemon {self.born} starts")
        daemon = Daemon(self.database, self.config, now=self.world.now)
        daemon.name = daemon.bench.name = f"daemon-{self.born}"
        running = Running(daemon, Workers(self.world))
        daemon._workers = running.workers
        daemon._wake = running.wakes.append
        daemon.bench.jitter = self.world.random.random
        daemon.bench._adapters = dict(self.platforms)
        daemon.bench.clerk = clerk = OnTheSpot(self.database, self.world)
        daemon._begin()
        clerk.trouble = 0.003
        self.daemons.append(running)

    def kill(self, running: Running) -> None:
        """SIGKILL; another one starts."""
        self.world.tell(f"{running.daemon.name} dies")
        self.daemons.remove(running)
        running.workers.die()
        self.start_daemon()

    def stop_for_a_while(self, running: Running) -> None:
        """SIGSTOP; another one takes over meanwhile, and no lock prevents it here: fences must. But
        for a process that is stopped between its intent and its call nothing in the queue can help:
        against that is the lock, or the lease that is asked once more before the call."""
        with self.database.read() as session:
            mine = select(Delivery.id).where(
                Delivery.status == Status.PUBLISHING, Delivery.claimed_by == running.daemon.name
            )
            if len(session.exec(mine).all()) != running.workers.calling:
                return
        self.world.tell(f"{running.daemon.name} stands still")
        running.stopped_until = self.world.steps + self.world.random.randint(5, 60)
        if len(self.daemons) < 3:
            self.start_daemon()

    def come_to_rest(self) -> None:
        """All works from now on, and whatever is open must find its end."""
        for platform in self.platforms.values():
            platform.calm = True
        with self.database.write() as session:
            self.people.resume(session, everything=True)
        for running in self.daemons:
            running.stopped_until = 0
            running.daemon.bench.clerk.trouble = 0.0
        for _ in range(20_000):
            self.world.steps += 1
            if not self.run_a_worker():
                if not self.open():
                    return
                self.look(self.world.random.choice(self.daemons))
            self.world.pass_time(2.0)
        raise Broken(f"not at rest: {self.open()}")

    def open(self) -> list[str]:
        """What is neither at its end nor on a person's desk."""
        with self.database.read() as session:
            query = select(Delivery).where(col(Delivery.status).not_in(list(RESTING)))
            return [f"{d.id} {d.channel} {d.status.value}" for d in session.exec(query)]

    # --- what must hold ---------------------------------------------------------------------------

    def judge(self) -> None:
        """At rest: every delivery is what it is said to be, and the record tells of it."""
        public = {
            post.text: [{"at": post.taken.timestamp()}]
            for platform in self.platforms.values()
            for post in platform.public
        }
        seen = Seen(public, Counter(), 0.0)
        with self.database.read() as session:
            parts = defaultdict(list)
            for part in session.exec(select(Part).order_by(col(Part.position))):
                parts[part.delivery_id].append(part)
            for delivery in session.exec(select(Delivery)).all():
                if delivery.status is Status.HELD:
                    continue
                for sentence in of_delivery(delivery, parts[delivery.id], seen):
                    raise Broken(sentence)
        self.judge_the_ledger()

    def judge_the_ledger(self) -> None:
        """At any time: the record agrees with the rows, and nothing went wrong that is no fate."""
        with self.database.read() as session:
            entries = session.exec(select(LedgerEntry).order_by(col(LedgerEntry.id))).all()
            stand = {d.id: d.status for d in session.exec(select(Delivery))}
        for sentence in of_ledger(entries, stand):
            raise Broken(sentence)
        for error in self.troubles:
            if not isinstance(error, USUAL):
                raise Broken(f"a worker ended with {error!r}")


def require_its_turn(session: Session, delivery: Delivery, now: datetime) -> None:
    """Of all that may go out on a channel the urgent ones go first, then the oldest; and one at a
    time."""
    rows = session.exec(select(Delivery).where(Delivery.channel == delivery.channel)).all()
    waited = {row.waits_for for row in rows} - {None}
    found = session.exec(select(Delivery).where(col(Delivery.id).in_(waited))) if waited else ()
    pages = {d.id: d.status for d in found}
    able = [
        row
        for row in rows
        if row.status is Status.SCHEDULED
        and row.due_at <= now <= row.not_after
        and (row.not_before is None or row.not_before <= now)
        and (row.waits_for is None or pages[row.waits_for] is Status.PUBLISHED)
    ]
    first = min(able, key=lambda row: (not row.urgent, row.due_at, row.id))
    if first.id != delivery.id:
        raise Broken(f"delivery {delivery.id} was claimed before {first.id}")


@contextmanager
def _watched(episode: Episode) -> Iterator[None]:
    """Every claim is looked at, and what a worker ends with is kept."""
    move, trouble, again = queue.move, daemon_room._say_trouble, workbench.STORE_AGAIN

    def watched(session, delivery, verb, doing, change=None):
        if verb is Verb.CLAIM:
            require_its_turn(session, delivery, doing.at)
        move(session, delivery, verb, doing, change)

    queue.move = watched
    daemon_room._say_trouble = lambda _channel, error: episode.troubles.append(error)
    workbench.STORE_AGAIN = 0
    try:
        yield
    finally:
        queue.move, daemon_room._say_trouble, workbench.STORE_AGAIN = move, trouble, again


@cache
def empty_database() -> bytes:
    """A queue database as `crosspost init` makes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crosspost.db"
        database = Database(f"sqlite:///{path}")
        upgrade(database)
        database.close()
        return path.read_bytes()


def _no_need_to_survive_power_failures(connection, _record) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")


@dataclass
class Tally:
    """What many episodes came to; `story` is that of the first broken one."""

    steps: int = 0
    episodes: int = 0
    posts: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    broken: str = ""


def simulate(seed: int, steps: int, done: Callable[[Tally], None] | None = None) -> Tally:
    """Episodes from `seed` on until there were so many steps, or one is broken."""
    tally = Tally()
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/crosspost.db")
            event.listen(database.engine, "connect", _no_need_to_survive_power_failures)
            while tally.steps < steps and not tally.broken:
                _one(seed + tally.episodes, database, tally)
                if done is not None:
                    done(tally)
            database.close()
    finally:
        logging.disable(logging.NOTSET)
    return tally


def _one(seed: int, database: Database, tally: Tally) -> None:
    episode = Episode(seed, database)
    try:
        episode.run()
    except (Broken, Twice) as error:
        story = "\n".join(episode.world.story[-40:])
        tally.broken = f"seed {seed}: {error}\n{story}"
    tally.steps += episode.world.steps
    tally.episodes += 1
    tally.posts += sum(len(platform.public) for platform in episode.platforms.values())
    with database.read() as session:
        tally.statuses.update(status.value for status in session.exec(select(Delivery.status)))
        tally.acts.update(session.exec(select(LedgerEntry.kind)))


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()

    def say(tally: Tally) -> None:
        if tally.episodes % 100 == 0:
            print(f"{tally.steps} steps, {time.monotonic() - began:.0f} s", flush=True)

    tally = simulate(given.seed, given.steps, say)
    print(f"{tally.steps} steps in {tally.episodes} episodes, {time.monotonic() - began:.0f} s")
    print(f"posts {tally.posts}, deliveries {dict(tally.statuses)}")
    print(f"acts {dict(tally.acts)}")
    print(tally.broken or "every promise was kept")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
