"""What publishing and looking up both need: open adapters, a clock, and durable writing.

It must not decide what happens to a delivery.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlmodel import Session

from crosspost import queue
from crosspost.adapters import Adapter
from crosspost.clerk import Clerk, Outcome, Question
from crosspost.config import Config
from crosspost.connections import open_channel
from crosspost.database import Database
from crosspost.errors import DatabaseError, PlatformError, SchemaError, UserError
from crosspost.leases import Leases, OneDaemon
from crosspost.outcomes import Failure
from crosspost.post import Outgoing, Post, Receipt
from crosspost.queue import Doing
from crosspost.signing import Verifier
from crosspost.tables import Delivery, Part, table
from crosspost.wording import t

log = logging.getLogger("crosspost.publisher")

#: Seconds between tries to store what has happened, when the database refuses.
STORE_AGAIN = 2.0


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


@dataclass
class Following:
    """What a channel does next: the question that takes it, and what it took, once that was handed
    in with the end of what the channel does now."""

    question: Question
    taken: Outcome[Any] | None = None


@dataclass
class Workbench:
    """One for a daemon. `name` stands in attempts and entries, `now` is the clock, `stopping` is
    set when the daemon is asked to end."""

    database: Database
    config: Config
    name: str = "daemon"
    now: Callable[[], datetime] = utc_now
    jitter: Callable[[], float] = random.random
    stopping: threading.Event = field(default_factory=threading.Event)
    leases: Leases = field(default_factory=OneDaemon)
    clerk: Clerk = field(init=False)
    refused: str = ""  # why the database does not take what has happened, while it does not
    verify: Verifier = field(default_factory=Verifier)
    _adapters: dict[str, Adapter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clerk = Clerk(self.database)

    def opened(self, channel: str) -> Adapter | None:
        """The channel's adapter if it was used before."""
        return self._adapters.get(channel)

    def adapter(self, channel: str) -> Adapter:
        """The channel's adapter, opened at first use. Raises UserError when it cannot be."""
        if channel not in self._adapters:
            may_send = partial(self.leases.holds, channel)
            self._adapters[channel] = open_channel(
                self.config, self.database, channel, self.now, may_send
            )
        return self._adapters[channel]

    def open_all(self) -> None:
        """Open every adapter ahead, so that the first post need not wait for it. What goes wrong is
        said when there is something to send."""
        for channel in self.config.channels:
            with suppress(Exception):
                self.adapter(channel)

    def close(self) -> None:
        """Write what is left to write, and give back every connection to a platform."""
        self.clerk.close()
        for adapter in self._adapters.values():
            adapter.close()

    def doing(self) -> Doing:
        """The daemon, now."""
        return Doing(self.name, self.now())

    def outgoing(
        self,
        parts: Sequence[Part],
        part: Part,
        post: Post,
        handle: dict[str, str],
        answers_to: Sequence[Receipt] = (),
    ) -> Outgoing:
        """A part and its post with all that is known of them, and what the first of them answers
        to."""
        before = [receipt_of(other) for other in parts if other.position < part.position]
        before = [*answers_to, *before]
        return Outgoing(
            post=post,
            handle=handle,
            prepared=json.loads(part.prepared or "{}"),
            root=before[0] if before else None,
            parent=before[-1] if before else None,
            begun=part.begun_at,
        )

    def store(
        self,
        delivery: Delivery,
        change: Callable[[Session, Delivery], object],
        following: Following | None = None,
    ) -> Delivery:
        """Make a change durable, and keep trying: what has happened outside cannot be undone.
        With it, in the same transaction, take what is `following`.

        `change` moves `delivery` by `queue.py`, whose guard sees to it that the row is still the
        same. It is returned as it is afterwards; when storing fails, it is as before. Raises Stale
        when somebody else has claimed it since, or works its channel; SchemaError when the tables
        have changed; DatabaseError only when the daemon is stopping (the next one finds the row as
        it was and takes over).
        """
        before = dict(vars(delivery))
        tried: dict[str, Any] | None = None

        def guarded(session: Session) -> None:
            nonlocal tried
            self.leases.guard(session, delivery.channel)
            if tried is not None and _is_stored(session, before, tried):
                vars(delivery).update(tried)  # durable, but the connection broke before we heard it
                return
            vars(delivery).update(before)  # it may be the second time
            change(session, delivery)
            tried = dict(vars(delivery))

        while True:
            if following and following.taken is None:
                handed = self.clerk.hand_in(guarded, following.question)
                following.taken = handed.answer
            else:
                handed = self.clerk.hand_in(guarded)
            try:
                handed.done.result()
                self.refused = ""
                return delivery
            except SchemaError:
                vars(delivery).update(before)
                raise
            except DatabaseError as error:
                vars(delivery).update(before)
                if str(error) != self.refused:  # the same again is no news
                    log.error("%s", error, extra={"event": "database"})
                self.refused = str(error)
                if self.stopping.wait(STORE_AGAIN):
                    raise
            except Exception:
                vars(delivery).update(before)
                raise

    def take(self, following: Following) -> Any:
        """What is following; taken now if it was not handed in with anything else. Raises
        DatabaseError."""
        if following.taken is None:
            return self.clerk.ask(following.question)
        return following.taken.result()

    def say(
        self, level: int, event: str, delivery: Delivery, words: str, **fields: str | None
    ) -> None:
        """A line of the log about a delivery."""
        subject = self.clerk.subjects.get(delivery.revision_id)
        number = (
            subject[0]
            if subject
            else self.clerk.do(partial(queue.announcement_of, delivery=delivery))
        )
        known = {"event": event, "announcement": number, "channel": delivery.channel}
        extra = {**known, "attempt": delivery.attempts, **fields}
        log.log(level, "#%s %s: %s", number, delivery.channel, words, extra=extra)


def _is_stored(session: Session, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether a change of a delivery, tried earlier, has been stored."""
    row = session.get(Delivery, before["id"], populate_existing=True)
    now, then, first = (
        {column.name: values.get(column.name) for column in table(Delivery).c}
        for values in (vars(row) if row else {}, after, before)
    )
    return now == then != first


def receipt_of(part: Part) -> Receipt:
    """The stored receipt of a published part."""
    return Receipt(part.remote_id or "", part.permalink, json.loads(part.extra or "{}"))


def failure_of(error: Exception) -> Failure:
    """An error as it is stored and shown; of a fault of ours only where it happened, since its
    text may hold anything."""
    if isinstance(error, PlatformError):
        return Failure(error.kind, str(error), error.status)
    if isinstance(error, UserError):
        return Failure("misconfigured", str(error))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__}, {Path(frame.filename).name}:{frame.lineno}"
    return Failure("internal_error", t("A fault in crosspost ({where}).", where=where))
