"""A platform in memory: what it answers is written down beforehand, and what is public is seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from desk import NOW

from crosspost.adapters import Adapter, Context
from crosspost.errors import RateLimited, RejectedContent, RetryLater, UnknownOutcome
from crosspost.post import Account, Capabilities, Outgoing, Post, Receipt, Reconcile
from crosspost.publisher import publish, with_parts


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


class Scripted(Adapter):
    """`prepares`, `publishes` and `finds` hold what comes next: an error to raise, a function of
    the outgoing post, or, when nothing is left, that all goes well."""

    platform = "scripted"
    title = "Scripted"

    def __init__(self, **about: Any) -> None:
        self.capabilities = Capabilities(**{"reconcile": Reconcile.LOOKUP, **about})
        self.context = Context()
        self.settings = None
        self.public: list[Outgoing] = []
        self.keys: list[str] = []
        self.prepares: deque[Any] = deque()
        self.publishes: deque[Any] = deque()
        self.finds: deque[Any] = deque()
        self.looks = 0
        self.at_once = False  # nothing is prepared: claimed and begun in one transaction

    def needs_preparing(self, post: Post) -> bool:
        return not self.at_once

    def check(self) -> Account:
        return Account("@office")

    def measure(self, text: str) -> int:
        return len(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        self.keys.append(key)
        return {"key": f"{key}/{len(self.keys)}"}

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        return self._next(self.prepares, outgoing, lambda _outgoing: {"token": "t"})

    def publish(self, outgoing: Outgoing) -> Receipt:
        return self._next(self.publishes, outgoing, self.accept)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        self.looks += 1
        return self._next(self.finds, outgoing, self.search)

    @staticmethod
    def _next(script: deque[Any], outgoing: Outgoing, otherwise: Callable[..., Any]) -> Any:
        step = script.popleft() if script else otherwise
        if isinstance(step, BaseException):
            raise step
        return step(outgoing)

    def accept(self, outgoing: Outgoing) -> Receipt:
        """It is public, and the platform says so."""
        self.public.append(outgoing)
        return self.receipt(len(self.public))

    def lose(self, outgoing: Outgoing) -> Receipt:
        """It is public, and nobody hears of it."""
        self.public.append(outgoing)
        raise UnknownOutcome("No answer came.", platform="scripted", status=504)

    def search(self, outgoing: Outgoing) -> Receipt | None:
        """What a look-up by handle finds among all that is public."""
        for number, seen in enumerate(self.public, 1):
            if seen.handle == outgoing.handle:
                return self.receipt(number)
        return None

    @staticmethod
    def receipt(number: int) -> Receipt:
        return Receipt(f"id-{number}", f"https://scripted.example/{number}", {"cid": str(number)})


#: How long a post may stay unseen; less than the settle time of any adapter.
SLOWEST = 50


class Dead(BaseException):
    """The daemon's process ends here."""


class Slow(Scripted):
    """Takes posts as told, and shows each only after a while."""

    def __init__(self, clock: Clock, **about) -> None:
        super().__init__(**about)
        self.clock = clock
        self.delay = 0
        self.seen_from: list[datetime] = []

    def take(self, outgoing: Outgoing) -> Receipt:
        self.public.append(outgoing)
        self.seen_from.append(self.clock() + timedelta(seconds=self.delay))
        return self.receipt(len(self.public))

    def take_and(self, error: BaseException) -> Callable[[Outgoing], Receipt]:
        def step(outgoing: Outgoing) -> Receipt:
            self.take(outgoing)
            raise error

        return step

    def search(self, outgoing: Outgoing) -> Receipt | None:
        for number, (sent, seen_from) in enumerate(zip(self.public, self.seen_from, strict=True)):
            if sent.handle == outgoing.handle and seen_from <= self.clock():
                return self.receipt(number + 1)
        return None

    def answer(self, word: str):
        """One way in which a publish call can end."""
        return {
            "yes": self.take,
            "yes, unheard": self.take_and(UnknownOutcome("No answer came.")),
            "yes, and death": self.take_and(Dead()),
            "yes, and a fault": self.take_and(KeyError("id")),
            "death": Dead(),
            "no answer": UnknownOutcome("No answer came."),
            "later": RetryLater("Later."),
            "slow down": RateLimited("Slow down.", until=self.clock() + timedelta(minutes=2)),
            "never": RejectedContent("Not this."),
        }[word]


def send(bench, delivery):
    """A claimed delivery on its way, as the daemon's worker sends it."""
    [claimed] = bench.clerk.do(lambda session: with_parts(session, delivery))
    publish(bench, claimed)
