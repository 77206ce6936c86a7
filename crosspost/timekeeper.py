"""Whether a daemon may believe its clock, and what its wall times mean by now.

After a jump of the clock everything is put on hold, on record, until a person resumes. This room
must not send anything or decide what is due; `clock.py` tells what a jump is, `rezoning.py` what a
new zone database changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from crosspost import holds
from crosspost.clock import ClockWatch, boot_seconds, went_back
from crosspost.ledger import book
from crosspost.rezoning import rezone
from crosspost.wording import t
from crosspost.workbench import Workbench, utc_now

log = logging.getLogger("crosspost.daemon")


class Timekeeper:
    """Of one daemon. `steady` are the seconds that tell whether the clock jumped; without it the
    machine's for the machine's clock, and a clock of a test never jumps."""

    def __init__(self, bench: Workbench, steady: Callable[[], float] | None = None) -> None:
        now = bench.now
        self._bench = bench
        steady = steady or (boot_seconds if now is utc_now else lambda: now().timestamp())
        self._clock = ClockWatch(now, steady)
        self._jump: timedelta | None = None  # of the clock, and not on record yet

    def begin(self) -> None:
        """Before anything is sent: a clock behind the newest act on record went back while no
        daemon ran. Raises DatabaseError."""
        with self._bench.database.read() as session:
            newest = book.newest(session)
        if behind := went_back(newest, self._bench.now()):
            self._doubt(behind)

    def jumped(self) -> timedelta | None:
        """How far the clock jumped, until that is on record."""
        self._jump = self._clock.jumped() or self._jump
        return self._jump

    def mind(self) -> None:
        """Nothing more is sent after the clock jumped. Raises DatabaseError when that cannot be
        put on record; then it still is to be."""
        moved = self.jumped()
        if moved is not None:
            self._doubt(moved)
            self._jump = None

    def _doubt(self, moved: timedelta) -> None:
        words, doing = words_of_jump(moved), self._bench.doing()
        if self._bench.clerk.do(lambda session: holds.doubt_clock(session, words, doing)):
            log.error("%s", words, extra={"event": "clock"})

    def rezone(self) -> None:
        """What waits keeps its wall time when the rules of its zone have changed. Raises
        DatabaseError."""
        doing = self._bench.doing()
        for delivery in self._bench.clerk.do(lambda session: rezone(session, doing)):
            log.warning(
                "%s",
                t(
                    "the clock rules of {zone} have changed: delivery {number} on {channel} is due "
                    "{wall} by the new ones",
                    zone=delivery.zone,
                    number=delivery.id,
                    channel=delivery.channel,
                    wall=delivery.wall,
                ),
                extra={"event": "rezoned", "channel": delivery.channel},
            )


def words_of_jump(moved: timedelta) -> str:
    """What happened, and how it goes on."""
    minutes = round(abs(moved).total_seconds() / 60)
    said = (
        t("This machine's clock jumped ahead by {minutes} minutes.", minutes=minutes)
        if moved > timedelta()
        else t("This machine's clock jumped back by {minutes} minutes.", minutes=minutes)
    )
    more = t(
        "Nothing is sent or missed until a person has looked at it: set it right (timedatectl), "
        "then run: crosspost resume"
    )
    return f"{said} {more}"
