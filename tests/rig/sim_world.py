"""A world with one thread, a clock that somebody turns, and chance: who runs next, who dies, when.

Workers are greenlets. Each runs until it is about to touch the database or a platform; there it
stands still, and the world may let another one go on, let time pass, stop its daemon for a while,
or end it. Everything that happens comes from one seeded source, so a seed tells the whole story.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from crosspost.clerk import Clerk, Handed, Question
from crosspost.errors import DatabaseError

#: A process that is not stopped does the next thing within this time.
PATIENCE = timedelta(seconds=10)


class Dead(BaseException):
    """The daemon's process ends here."""


class World:
    """The clock, chance, and who can run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.steps = 0
        self.story: list[str] = []
        #: Workers whose call has left and has not come back.
        self.calling: set[greenlet] = set()
        self._main = getcurrent()

    def now(self) -> datetime:
        """The present."""
        return self.time

    def chance(self, share: float) -> bool:
        """True in so many of all cases."""
        return self.random.random() < share

    def tell(self, words: str) -> None:
        """A line of the story, kept to explain a failure."""
        self.story.append(f"{self.time:%d %H:%M:%S} {words}")

    def pass_time(self, most: float) -> None:
        """Some seconds, up to `most`."""
        self.time += timedelta(seconds=self.random.uniform(0, most))

    def stand_still(self, *, calling: bool = False) -> None:
        """Called by a worker: whatever may happen to it, or beside it, happens now."""
        here = getcurrent()
        if here is self._main:
            return
        if calling:
            self.calling.add(here)
        try:
            self._main.switch()
        finally:
            self.calling.discard(here)


class Workers:
    """Stands where a daemon has its pool of threads."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alive: dict[greenlet, datetime] = {}  # since when each stands

    def submit(self, do: Callable[[], None]) -> Future[None]:
        """A worker that begins to run when the world lets it."""
        self.alive[greenlet(do)] = self.world.time
        return Future()

    @property
    def calling(self) -> int:
        """How many of them wait for an answer."""
        return sum(worker in self.world.calling for worker in self.alive)

    def run_one(self) -> None:
        """One worker as far as to its next stand; nobody stands for longer than PATIENCE."""
        longest = min(self.alive, key=self.alive.__getitem__)
        worker = self.world.random.choice(list(self.alive))
        if self.world.time - self.alive[longest] > PATIENCE:
            worker = longest
        worker.switch()
        self.alive[worker] = self.world.time
        self.alive = {one: since for one, since in self.alive.items() if not one.dead}

    def die(self) -> None:
        """Every worker ends where it stands."""
        for worker in self.alive:
            if worker:  # one that has never run has nothing to unwind
                with _ended():
                    worker.throw(Dead())
        self.alive = {}

    def shutdown(self, *, wait: bool = True) -> None:
        """As of a pool."""


class _ended:  # noqa: N801 - reads as what has happened
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, Dead)


class OnTheSpot(Clerk):
    """The clerk without its thread: its own code writes, when the world lets it."""

    #: So many writes fail, with nothing stored.
    trouble = 0.0

    def __init__(self, database: Any, world: World) -> None:
        super().__init__(database)
        self.world = world

    def do(self, change: Callable[..., Any]) -> Any:
        return self.hand_in(change).done.result()

    def hand_in(
        self, change: Callable[..., Any] | None = None, question: Question | None = None
    ) -> Handed:
        """All of it in one transaction, before or after which the daemon may stand still."""
        self.world.stand_still()
        handed = Handed(change, question)
        if self.world.chance(self.trouble):
            for future in (handed.done, handed.answer):
                future.set_exception(DatabaseError("The disk is full; nothing was changed."))
        else:
            self._together([handed])
        return handed
