"""One thread writes what the workers of a daemon have to store: all that is at hand, in one durable
transaction.

A commit costs a wait for the disk, however much is in it; so while one is being made durable, what
comes meanwhile is gathered for the next. Nobody is told before it is durable. This room must not
know what a change means.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlmodel import Session

from crosspost.database import Database

T = TypeVar("T")
Change = Callable[[Session], T]
_Handed = tuple[Change[Any], Future[Any]]

#: So many changes go into one transaction at most.
BATCH = 100


class Clerk:
    """`do` a change and wait until it is on the disk. Any thread may; `close` at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.SimpleQueue[list[_Handed] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        #: Revision id -> what entries say of it (`queue.subject`). Revisions never change, and none
        #: is made by way of a clerk, so what was read once stays right.
        self.subjects: dict[int, tuple[int, int, str]] = {}
        self._thread: threading.Thread | None = None

    def do(self, change: Change[T]) -> T:
        """What `change` returns, once it is durable. Raises what it raises, with nothing stored;
        DatabaseError when the database refuses. A change may be called twice, so it must do nothing
        but read and write by the session it is given."""
        done: Future[T]
        [done] = self.hand_in(change)
        return done.result()

    def hand_in(self, *changes: Change[Any]) -> list[Future[Any]]:
        """The same without waiting, for changes that belong together: in this order, in one
        transaction if all goes well. What one of them raises is no obstacle to the others."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="clerk", daemon=True)
                self._thread.start()
        handed: list[_Handed] = [(change, Future()) for change in changes]
        self._waiting.put(handed)
        return [done for _, done in handed]

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

    def _gathered(self, first: list[_Handed]) -> tuple[list[_Handed], bool]:
        """What is at hand now, and whether the end was among it."""
        batch = [*first]
        while len(batch) < BATCH:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return batch, True
            batch += more
        return batch, False

    def _together(self, batch: list[_Handed]) -> None:
        """All in one transaction; if one fails, each in its own, so that it spoils no other's."""
        try:
            with self._database.write() as session:
                session.info["subjects"] = self.subjects
                results = [change(session) for change, _ in batch]
        except BaseException as error:  # noqa: BLE001 - whoever waits for it must hear of it
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for item in batch:
                self._together([item])
            return
        for (_, done), result in zip(batch, results, strict=True):
            done.set_result(result)
