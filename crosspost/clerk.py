"""One thread writes what the workers of a daemon have to store: all that is at hand, in one durable
transaction.

A commit costs a wait for the disk, however much is in it; so while one is being made durable, what
comes meanwhile is gathered for the next. Nobody is told before it is durable. This room must not
know what a change means.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from crosspost.database import Database
from crosspost.prepared import Unmatched, gathering

T = TypeVar("T")
Change = Callable[[Session], T]

#: So many are done in one transaction at most.
BATCH = 100


@dataclass(frozen=True)
class Question:
    """What is asked when all changes of a transaction are made; of all keys at once, so that one
    way to the database serves many. `ask` gives an answer for each key, and may write as well."""

    ask: Callable[[Session, Sequence[str]], Sequence[Any]]
    key: str


class Outcome(Generic[T]):
    """What becomes of something; one thread makes it known, others wait for it. (A `Future` can do
    much else and takes ten times as long, and there are two for each post.)"""

    __slots__ = ("_error", "_open", "_value")

    def __init__(self) -> None:
        self._open = threading.Lock()
        self._open.acquire()
        self._value: Any = None
        self._error: BaseException | None = None

    def set_result(self, value: T) -> None:
        """It went well."""
        self._value = value
        self._open.release()

    def set_exception(self, error: BaseException) -> None:
        """It did not."""
        self._error = error
        self._open.release()

    def done(self) -> bool:
        """Whether it is known by now."""
        return not self._open.locked()

    def result(self) -> T:
        """Wait for it. Raises what was set."""
        with self._open:
            if self._error is not None:
                raise self._error
            value: T = self._value
            return value


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed in: a change, a question, or both; and what will have become of it."""

    change: Change[Any] | None = None
    question: Question | None = None
    done: Outcome[Any] = field(default_factory=Outcome)
    answer: Outcome[Any] = field(default_factory=Outcome)

    def apart(self) -> list[Handed]:
        """Its change and its question by themselves."""
        return [
            *([Handed(change=self.change, done=self.done)] if self.change else []),
            *([Handed(question=self.question, answer=self.answer)] if self.question else []),
        ]


class Clerk:
    """`do` a change and wait until it is on the disk. Any thread may; `close` at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.SimpleQueue[Handed | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        #: Revision id -> what entries say of it (`queue.subject`). Revisions never change, and none
        #: is made by way of a clerk, so what was read once stays right.
        self.subjects: dict[int, tuple[int, int, str]] = {}
        self._thread: threading.Thread | None = None

    def do(self, change: Change[T]) -> T:
        """What `change` returns, once it is durable. Raises what it raises, with nothing stored;
        DatabaseError when the database refuses. A change may be called several times, so it must do
        nothing but read and write by the session it is given."""
        done: Outcome[T] = self.hand_in(change).done
        return done.result()

    def ask(self, question: Question) -> Any:
        """The answer, once it is durable. Raises as `do`."""
        return self.hand_in(question=question).answer.result()

    def hand_in(
        self, change: Change[Any] | None = None, question: Question | None = None
    ) -> Handed:
        """The same without waiting; both in one transaction if all goes well. What one of them
        raises is no obstacle to the other."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="clerk", daemon=True)
                self._thread.start()
        handed = Handed(change, question)
        self._waiting.put(handed)
        return handed

    def close(self) -> None:
        """End the thread when all that was handed in is written."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = self._gathered(first)
            self._together(batch)
            if last:
                return

    def _gathered(self, first: Handed) -> tuple[list[Handed], bool]:
        """What is at hand now, and whether the end was among it."""
        batch = [first]
        while len(batch) < BATCH:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return batch, True
            batch.append(more)
        return batch, False

    def _together(self, batch: Sequence[Handed]) -> None:
        """All in one transaction, its writes gathered; if one fails, each in its own and step by
        step, so that it spoils no other's and says what was wrong."""
        try:
            self._carry_out(batch, together=True)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it must hear of it
            each = [one for handed in batch for one in handed.apart()]
            if len(each) == 1 and not isinstance(error, Unmatched | IntegrityError):
                _fail(each[0], error)
                return
            for one in each:
                self._alone(one)

    def _alone(self, handed: Handed) -> None:
        try:
            self._carry_out([handed], together=False)
        except BaseException as error:  # noqa: BLE001 - the same
            _fail(handed, error)

    def _carry_out(self, batch: Sequence[Handed], *, together: bool) -> None:
        with self._database.write() as session:
            session.info["subjects"] = self.subjects
            with gathering(session) if together else nullcontext():
                results = [handed.change(session) if handed.change else None for handed in batch]
                answers = _answers(session, batch)
        for handed, result, answer in zip(batch, results, answers, strict=True):
            handed.done.set_result(result)
            handed.answer.set_result(answer)


def _answers(session: Session, batch: Sequence[Handed]) -> list[Any]:
    """The answer to each question, None where there is none."""
    asked: dict[Any, list[str]] = {}
    for handed in batch:
        if handed.question:
            asked.setdefault(handed.question.ask, []).append(handed.question.key)
    found = {
        (ask, key): answer
        for ask, keys in asked.items()
        for key, answer in zip(keys, ask(session, keys), strict=True)
    }
    return [found[h.question.ask, h.question.key] if h.question else None for h in batch]


def _fail(handed: Handed, error: BaseException) -> None:
    (handed.done if handed.change else handed.answer).set_exception(error)
