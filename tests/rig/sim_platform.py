"""Platforms of all five kinds in memory: honest, slow, and at times out of order.

A call that leaves has its effect at a moment that nobody here controls; whoever looks sees it from
then on. A second post with the same text is the violation that all of this is about, and raises at
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sim_world import Dead, World

from crosspost.adapters import Adapter, Context
from crosspost.errors import (
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaProcessing,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Account, Capabilities, Outgoing, Receipt, Reconcile

#: Seconds: a post is seen so long after its call began at the latest; less than the settle time.
UNSEEN = 50.0
KEY_WINDOW = timedelta(hours=1)
#: How an answer to a publish call can be, and how often compared with each other: whether the post
#: is there, and what is heard.
ANSWERS = {
    "yes": 60,
    "yes, unheard": 9,
    "yes, and death": 4,
    "yes, and a fault": 2,
    "yes, broken": 3,
    "no answer": 6,
    "death": 3,
    "unreachable": 4,
    "later": 3,
    "slow down": 3,
    "come back": 1,
    "expired": 1,
    "revoked": 1,
    "never": 1,
}
FINDS = {"yes": 20, "later": 2, "slow down": 1, "fault": 1, "death": 1}
PREPARES = {"yes": 30, "later": 2, "processing": 1, "slow down": 1, "expired": 1, "death": 1}


class Twice(BaseException):
    """A post is public twice; no code under test may catch it."""


@dataclass
class Public:
    """A post that people see from `seen_from` on."""

    remote_id: str
    text: str
    key: str
    container: str
    taken: datetime
    seen_from: datetime


class SimPlatform(Adapter):
    """One channel's platform. `calm`: everything goes well from now on."""

    platform = "sim"
    title = "Sim"

    def __init__(self, world: World, kind: Reconcile) -> None:
        self.world = world
        self.kind = kind
        self.context = Context()
        self.settings = None
        window = KEY_WINDOW if kind is Reconcile.IDEMPOTENCY_KEY else None
        self.capabilities = Capabilities(reconcile=kind, key_window=window)
        self.public: list[Public] = []
        self.calm = False
        self.containers = 0

    def check(self) -> Account:
        return Account("@office")

    def measure(self, text: str) -> int:
        return len(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"key": key}

    # --- the three calls ------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        word = self._draw(PREPARES)
        self.world.stand_still()
        self._fail(word)
        if self.kind is not Reconcile.TWO_PHASE:
            return {}
        if "container" in outgoing.prepared:
            return dict(outgoing.prepared)
        self.containers += 1
        return {"container": f"c{self.containers}"}

    def publish(self, outgoing: Outgoing) -> Receipt:
        began = self.world.now()
        word = self._draw(ANSWERS)
        if word == "death" and self.world.chance(0.5):
            raise Dead  # the intent is durable, and not a byte has left
        post = self._take(outgoing) if word.startswith("yes") else None
        self.world.tell(f"publish {outgoing.post.text!r}: {word}")
        self.world.stand_still(calling=True)
        if self.world.now() - began > timedelta(seconds=30):
            raise UnknownOutcome("The server did not answer in time.")
        self._fail(word)
        assert post is not None
        return _receipt(post)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        word = self._draw(FINDS)
        found = next((p for p in self.public if self._is_it(p, outgoing)), None)
        seen = found is not None and found.seen_from <= self.world.now()
        self.world.stand_still()
        self._fail(word)
        return _receipt(found) if found is not None and seen else None

    # --- what happens there ---------------------------------------------------------------------

    def _take(self, outgoing: Outgoing) -> Public:
        now, key = self.world.now(), outgoing.handle["key"]
        for known in self.public:
            remembered = now - known.taken <= KEY_WINDOW + timedelta(minutes=10)
            if self.kind is Reconcile.IDEMPOTENCY_KEY and known.key == key and remembered:
                return known
        if any(known.text == outgoing.post.text for known in self.public):
            raise Twice(f"{outgoing.post.text!r} is public twice")
        delay = self.world.random.uniform(0, UNSEEN) if self.world.chance(0.5) else 0.0
        container = str(outgoing.prepared.get("container", ""))
        number, seen = len(self.public) + 1, now + timedelta(seconds=delay)
        post = Public(f"id-{number}", outgoing.post.text, key, container, now, seen)
        self.public.append(post)
        return post

    def _is_it(self, post: Public, outgoing: Outgoing) -> bool:
        match self.kind:
            case Reconcile.CHOSEN_ID:
                return post.key == outgoing.handle["key"]
            case Reconcile.TWO_PHASE:
                return post.container == outgoing.prepared.get("container")
            case _:
                return post.text == outgoing.post.text

    def _draw(self, words: dict[str, int]) -> str:
        if self.calm:
            return "yes"
        [word] = self.world.random.choices(list(words), list(words.values()))
        return word

    def _fail(self, word: str) -> None:
        """What is heard, when it is no plain yes."""
        soon = self.world.now() + timedelta(seconds=self.world.random.uniform(1, 300))
        errors: dict[str, BaseException | PlatformError] = {
            "yes, unheard": UnknownOutcome("No answer came."),
            "yes, and death": Dead(),
            "yes, and a fault": KeyError("id"),
            "yes, broken": DuplicateDetected("It is there already."),
            "no answer": UnknownOutcome("No answer came.", until=soon),
            "death": Dead(),
            "unreachable": RetryLater("No connection.", sent=False),
            "later": RetryLater("Later."),
            "slow down": RateLimited("Slow down.", until=soon),
            "come back": RetryLater("Come back.", until=soon),
            "expired": AuthExpired("Expired."),
            "revoked": AuthRevoked("Revoked."),
            "never": RejectedContent("Not this."),
            "processing": MediaProcessing("Wait."),
            "fault": TypeError("None"),
        }
        if word in errors:
            raise errors[word]


def _receipt(post: Public) -> Receipt:
    return Receipt(post.remote_id, f"https://sim.example/{post.remote_id}")
