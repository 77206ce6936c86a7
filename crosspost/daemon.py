"""When things run: a ticker that wakes for the next due time, and one worker a channel.

The queue table is the truth; APScheduler, used in this room only, just says when to look at it.
This room must not know what publishing is (`publisher.py`) or what is due (`agenda.py`).
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import text
from sqlmodel import Session

from crosspost import agenda, outcomes, queue
from crosspost.config import Config
from crosspost.database import Database, Delivery
from crosspost.errors import DatabaseError
from crosspost.lock import DaemonLock
from crosspost.publisher import publish
from crosspost.queue import Doing
from crosspost.reconciler import look
from crosspost.wording import t
from crosspost.workbench import Workbench, utc_now

log = logging.getLogger("crosspost.daemon")

#: How often the daemon asks whether somebody else wrote to the database. One PRAGMA, no query.
WATCH = timedelta(seconds=0.5)
#: It looks at the queue at least this often, whatever it believes about the next due time.
LOOK_ANYWAY = timedelta(seconds=60)
MOST_WORKERS = 32


class Daemon:
    """Publishes what is due. `run` until it is asked to stop, `run_once` until nothing is due."""

    def __init__(
        self,
        database: Database,
        config: Config,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.database = database
        self.now = now
        self.name = f"daemon@{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.bench = Workbench(database, config, self.name, now, stopping=self.stopping)
        self._workers = ThreadPoolExecutor(
            max_workers=min(max(len(config.channels), 1), MOST_WORKERS),
            thread_name_prefix="channel",
        )
        self._busy: dict[str, Future[None]] = {}
        self._done = 0  # how often a channel has finished something
        self._lock = threading.Lock()  # one look at the queue at a time
        self._idle = threading.Condition()
        self._wake: Callable[[datetime], None] = lambda _when: None

    # --- running ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Publish on schedule until `stop`. Raises DaemonRunning, DatabaseError."""
        with DaemonLock(self.database):
            self._rescue()
            scheduler = self._scheduler()
            scheduler.start()
            log.info("%s", t("The daemon runs. Stop it with Ctrl-C."), extra={"event": "started"})
            try:
                self.stopping.wait()
            finally:
                scheduler.shutdown(wait=True)
                self._finish()
                log.info("%s", t("The daemon has stopped."), extra={"event": "stopped"})

    def run_once(self) -> None:
        """Publish all that is due now, what follows from it included, then return."""
        with DaemonLock(self.database):
            self._rescue()
            try:
                while not self.stopping.is_set():
                    done = self._done
                    self.tick()
                    with self._idle:
                        if self._done != done:
                            continue  # a channel became free meanwhile and may have more to do
                        if not self._busy:
                            break
                        self._idle.wait()
            finally:
                self._finish()

    def stop(self) -> None:
        """Finish what is in hand, and end."""
        self.stopping.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and Ctrl-C mean `stop`. Only in the main thread."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 2},
            timezone="UTC",
        )
        tick = scheduler.add_job(
            self._tick_safely,
            IntervalTrigger(seconds=LOOK_ANYWAY.total_seconds()),
            next_run_time=self.now(),
        )
        watch = _Watch(self.database)
        scheduler.add_job(
            lambda: self._wake(self.now()) if watch.changed() else None,
            IntervalTrigger(seconds=WATCH.total_seconds()),
            max_instances=1,
        )
        self._wake = lambda when: tick.modify(next_run_time=when) and None
        return scheduler

    def _rescue(self) -> None:
        with self.database.write() as session:
            left = outcomes.rescue(session, self._doing())
        for delivery in left:
            log.warning(
                "%s",
                t(
                    "taken over from a daemon that ended: delivery {number} on {channel}",
                    number=delivery.id,
                    channel=delivery.channel,
                ),
                extra={"event": "rescued", "channel": delivery.channel},
            )

    def _finish(self) -> None:
        self.stopping.set()
        self._workers.shutdown(wait=True)
        self.bench.close()
        self.database.close()

    # --- one look at the queue --------------------------------------------------------------------

    def _tick_safely(self) -> None:
        """A database that fails for a while does not end the daemon."""
        try:
            self.tick()
        except DatabaseError as error:
            log.error("%s", error, extra={"event": "database"})

    def tick(self) -> None:
        """Give every free channel what it has to do now, and be woken for what comes next."""
        with self._lock:
            if self.stopping.is_set():
                return
            busy = list(self._busy)
            with self.database.read() as session:
                wake = agenda.next_wake(session, busy, self.now())
            if wake is not None and wake <= self.now():
                self._start_what_is_due(busy)
                with self.database.read() as session:
                    wake = agenda.next_wake(session, list(self._busy), self.now())
            if wake is not None and wake < self.now() + LOOK_ANYWAY:
                self._wake(wake)

    def _start_what_is_due(self, busy: list[str]) -> None:
        with self.database.write() as session:
            missed = queue.miss(session, self._doing())
            looks = agenda.unconfirmed(session, busy, self.now())
            occupied = {*busy, *(delivery.channel for delivery in looks)}
            claimed = queue.claim(session, occupied, self._doing())
            numbers = {d.id: queue.announcement_of(session, d) for d in missed}
        for delivery in missed:
            log.error(
                "#%s %s: %s %s",
                numbers[delivery.id],
                delivery.channel,
                t("missed."),
                delivery.reason,
                extra={
                    "event": "missed",
                    "announcement": numbers[delivery.id],
                    "channel": delivery.channel,
                },
            )
        for delivery in looks:
            self._give(delivery, look)
        for delivery in claimed:
            self._give(delivery, publish)

    def _give(self, delivery: Delivery, work: Callable[[Workbench, Delivery], None]) -> None:
        """Let the channel's worker do it; the queue is looked at again when it is done."""
        channel = delivery.channel

        def do() -> None:
            try:
                work(self.bench, delivery)
            except Exception as error:  # noqa: BLE001 - one channel's trouble is not the others'
                log.error("%s: %s", channel, error, extra={"event": "trouble", "channel": channel})
            finally:
                with self._idle:
                    self._busy.pop(channel, None)
                    self._done += 1
                    self._idle.notify_all()
                self._wake(self.now())

        with self._idle:
            self._busy[channel] = self._workers.submit(do)

    def _doing(self) -> Doing:
        return Doing(self.name, self.now())


class _Watch:
    """Whether another connection has written since the last question (SQLite: `data_version`)."""

    def __init__(self, database: Database) -> None:
        self._sqlite = database.file is not None
        self._session = Session(database.engine)
        self._seen = -1

    def changed(self) -> bool:
        """True when something may have changed; on PostgreSQL always, since nothing cheap tells."""
        if not self._sqlite:
            return True
        try:
            version = self._session.execute(text("PRAGMA data_version")).scalar_one()
        finally:
            self._session.rollback()
        changed = version != self._seen
        self._seen = version
        return bool(changed)
