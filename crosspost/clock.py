"""Whether the machine's clock can be believed: a jump is told from time that has passed.

Deciding is pure. The clock that nobody can set (time since the machine was started, sleep included)
is the judge of the one that can be set. It must not stop anything itself: `daemon.py` does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A clock that is put right by less than this has not jumped.
MOST = timedelta(minutes=1)


@dataclass(frozen=True)
class Reading:
    """Both clocks at one moment: `wall` is aware, `steady` counts seconds from some start."""

    wall: datetime
    steady: float


def jump(before: Reading, now: Reading) -> timedelta | None:
    """How far the wall clock was moved between two readings, ahead or back (negative); None when by
    no more than `MOST`."""
    passed = timedelta(seconds=now.steady - before.steady)
    moved = now.wall - before.wall - passed
    return moved if abs(moved) > MOST else None


def went_back(newest: datetime | None, now: datetime) -> timedelta | None:
    """How far the clock is behind the newest act on record, negative; None when by no more than
    `MOST`, or nothing is on record."""
    return now - newest if newest is not None and newest - now > MOST else None


def boot_seconds() -> float:
    """Seconds since this machine was started, sleep included, whoever sets its clock meanwhile
    (CLOCK_BOOTTIME, clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Compares the clocks whenever it is asked; any thread may ask."""

    def __init__(self, now: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._now = now
        self._steady = steady
        self._lock = threading.Lock()
        self._last = self._read()

    def jumped(self) -> timedelta | None:
        """How far the clock was moved since the last question; None: it was not. Each jump is told
        once."""
        with self._lock:
            last, self._last = self._last, self._read()
            return jump(last, self._last)

    def _read(self) -> Reading:
        return Reading(self._now(), self._steady())
