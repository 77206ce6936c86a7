"""When things run: a ticker that wakes for the next due time, and one worker a channel.

The queue table is the truth; APScheduler, used in this room only, just says when to look at it.
This room must not know what publishing is (`publisher.py`) or what is due (`agenda.py`).
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from crosspost import connections, outcomes
from crosspost.clerk import Question
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import DatabaseError, SchemaError
from crosspost.faults import settle_fault
from crosspost.guard import MARK, SEAL_SOON, Guard
from crosspost.leases import OneDaemon, SharedLeases
from crosspost.lock import DaemonLock
from crosspost.lookout import Lookout, Task
from crosspost.publisher import publish
from crosspost.queue import Stale
from crosspost.reconciler import look
from crosspost.tables import Delivery
from crosspost.timekeeper import Timekeeper
from crosspost.wakeups import Listener, Watch, call
from crosspost.watchman import BEAT, Watchman
from crosspost.watchman import LOOK as WATCH_OVER
from crosspost.wording import t
from crosspost.workbench import Following, Workbench, failure_of, utc_now

if TYPE_CHECKING:
    from crosspost.attestation import Attestation

log = logging.getLogger("crosspost.daemon")

#: How often the daemon asks whether somebody else wrote to the database. One PRAGMA, no query.
WATCH = timedelta(seconds=0.5)
#: It looks at the queue at least this often, whatever it believes about the next due time.
LOOK_ANYWAY = timedelta(seconds=60)
#: How often it looks whether its clock has jumped; by a timer that no clock can disturb.
CLOCK_LOOK = timedelta(seconds=1)
#: How often it looks whether a login is to be renewed; two hours are the shortest known.
RENEW = timedelta(minutes=5)
#: How often it looks whether others are to be asked to remember the record.
ASK = timedelta(seconds=5)
#: How many seconds `run_once` waits for them.
ONCE_PATIENCE = 10.0


class Daemon:
    """Publishes what is due. `run` until it is asked to stop, `run_once` until nothing is due."""

    def __init__(
        self,
        database: Database,
        config: Config,
        *,
        now: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """`now` is the clock; `steady` as a `Timekeeper` takes it."""
        self.database = database
        self.now = now
        self.name = f"daemon@{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.leases = _leases(database, config, self.name)
        self.bench = Workbench(
            database, config, self.name, now, stopping=self.stopping, leases=self.leases
        )
        self.timekeeper = Timekeeper(self.bench, steady)
        self._workers = ThreadPoolExecutor(
            max_workers=max(len(config.channels), 1),  # no channel waits for another's answer
            thread_name_prefix="channel",
        )
        self._busy: dict[str, Future[None]] = {}
        self.lookout = Lookout(self.bench, self.timekeeper, self._busy)
        self._done = 0  # how often a channel has finished something
        self._lock = threading.Lock()  # one look at the queue at a time
        self._idle = threading.Condition()
        self.watchman = Watchman(database, config, now)
        self._looked_at: datetime | None = None  # when a look at the queue went well last
        self._refused = ""  # why it did not since
        self.guard = Guard(database, config, now, self.stopping, self.leases)
        self.attestation = self._attestation(config)
        self._wake: Callable[[datetime], None] = lambda _when: None

    # --- running ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Publish on schedule until `stop`. Raises DaemonRunning, DatabaseError; Refuted, Undecided
        or ForkProven when the ledger is not what was sealed, SchemaError when a newer crosspost has
        changed the tables, with nothing more sent."""
        with DaemonLock(self.database):
            self.guard.wait_until_confirmed(meanwhile=self._watch_over)
            if self.stopping.is_set():
                self._finish()
                return
            self.guard.require()
            self._begin()
            self.bench.open_all()
            scheduler = self._scheduler()
            scheduler.start()
            listener = self._listener()
            log.info("%s", t("The daemon runs. Stop it with Ctrl-C."), extra={"event": "started"})
            try:
                while not self.stopping.wait(CLOCK_LOOK.total_seconds()):
                    if self.timekeeper.jumped() is not None:
                        self._safely(self.timekeeper.mind)
                        _at_once(scheduler, self.now())
            finally:
                if listener is not None:
                    listener.stop()
                scheduler.shutdown(wait=True)
                self._finish()
                log.info("%s", t("The daemon has stopped."), extra={"event": "stopped"})
        self.guard.require_trust()

    def run_once(self) -> None:
        """Publish all that is due now, what follows from it included, then return."""
        with DaemonLock(self.database):
            self.guard.require()
            self._begin()
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
                self.guard.seal_and_show(at_once=True, mend=False)
                if self.attestation is not None:
                    self.attestation.look()
                    self.attestation.wait(ONCE_PATIENCE)
                self._watch_over()
                self._beat()
            finally:
                self._finish()
        self.guard.require_trust()

    def stop(self) -> None:
        """Finish what is in hand, and end."""
        self.stopping.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and Ctrl-C mean `stop`. Only in the main thread."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)

    def _attestation(self, config: Config) -> Attestation | None:
        """Who asks others to remember what is sealed; None where nobody is to be asked."""
        if not config.witnesses and not config.ledger.timestamp_url:
            return None
        from crosspost.attestation import Attestation

        return Attestation(self.database, config, self.now, self.guard.stop, self.leases)

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 2},
            timezone="UTC",
        )
        tick = scheduler.add_job(
            self._tick_safely,
            IntervalTrigger(seconds=self._look_anyway().total_seconds()),
            next_run_time=self.now(),
        )
        if not self.database.on_server:
            watch = Watch(self.database)
            scheduler.add_job(
                lambda: self._wake(self.now()) if watch.changed() else None,
                IntervalTrigger(seconds=WATCH.total_seconds()),
                max_instances=1,
            )
        renewing = IntervalTrigger(seconds=RENEW.total_seconds())
        scheduler.add_job(self._renew, renewing, max_instances=1, next_run_time=self.now())
        daily = IntervalTrigger(days=1)
        scheduler.add_job(lambda: self._safely(self.timekeeper.rezone), daily, max_instances=1)
        soon = IntervalTrigger(seconds=SEAL_SOON.total_seconds())
        scheduler.add_job(self.guard.seal_and_show, soon, max_instances=1, next_run_time=self.now())
        if self.attestation is not None:
            asking = IntervalTrigger(seconds=ASK.total_seconds())
            look = self.attestation.look
            scheduler.add_job(look, asking, max_instances=1, next_run_time=self.now())
        marking = IntervalTrigger(seconds=MARK.total_seconds())
        scheduler.add_job(self.guard.mark, marking, max_instances=1)
        for often, work in ((WATCH_OVER, self._watch_over), (BEAT, self._beat)):
            each = IntervalTrigger(seconds=often.total_seconds())
            scheduler.add_job(work, each, max_instances=1, next_run_time=self.now())
        self._wake = lambda when: tick.modify(next_run_time=when) and None
        return scheduler

    def _begin(self) -> None:
        """Before anything is sent: is it a time that can be believed, and what is there?"""
        self.timekeeper.begin()
        self.leases.start()
        if not self.database.on_server:  # there, a channel's lease brings what was left on it
            self._say_rescued(
                self.bench.clerk.do(lambda session: outcomes.rescue(session, self.bench.doing()))
            )
        self.timekeeper.rezone()

    def _look_anyway(self) -> timedelta:
        """Where others may die, soon enough to take over what they leave."""
        if isinstance(self.leases, SharedLeases):
            return min(LOOK_ANYWAY, self.leases.length / 2)
        return LOOK_ANYWAY

    def _listener(self) -> Listener | None:
        if not self.database.on_server:
            return None
        listener = Listener(self.database, lambda: self._wake(self.now()))
        listener.start()
        return listener

    def _say_rescued(self, left: list[Delivery]) -> None:
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
        self.leases.stop()
        self.bench.close()
        self.guard.mark()
        self.database.close()

    def _watch_over(self) -> None:
        """Tell a person what needs one; that the database cannot be used, without it."""
        if self._failing:
            self.watchman.cry(self._failing)
        else:
            self.watchman.look(daemon=True)

    def _beat(self) -> None:
        """Tell the monitor outside that all is well, if it is."""
        looked = self._looked_at
        if looked is not None and not self._failing and self.now() - looked < 2 * LOOK_ANYWAY:
            self.watchman.beat()

    def _renew(self) -> None:
        """Logins that end soon are renewed between posts, so that none is late for it."""
        try:
            connections.renew(self.bench.config, self.bench.adapter)
        except DatabaseError as error:
            log.error("%s", error, extra={"event": "database"})

    # --- one look at the queue --------------------------------------------------------------------

    @property
    def _failing(self) -> str:
        """Why the database cannot be used now; "" when it can."""
        return self.bench.refused or self._refused

    def _tick_safely(self) -> None:
        self._safely(self.tick)

    def _safely(self, act: Callable[[], object]) -> None:
        """A database that fails for a while does not end the daemon; one that is another does."""
        try:
            act()
        except SchemaError as error:
            self.guard.stop(error, "database")
        except DatabaseError as error:
            log.error("%s", error, extra={"event": "database"})
            self._refused = str(error)

    def tick(self) -> None:
        """Give every free channel what it has to do now, and be woken for what comes next."""
        with self._lock:
            if self.stopping.is_set():
                return
            self.timekeeper.mind()
            found = self.lookout.look()
            self._looked_at, self._refused = self.now(), ""
            self._say_rescued(found.rescued)
            for delivery, number in found.missed:
                _say_missed(delivery, number)
            for task in found.tasks:
                self._give(task)
            if found.wake is not None and found.wake < self.now() + LOOK_ANYWAY:
                self._wake(found.wake)

    def _give(self, first: Task) -> None:
        """Let the channel's worker do it, and what comes after it on the same channel."""
        channel = first.channel

        def do() -> None:
            task: Task | None = first
            try:
                while task is not None:
                    following = Following(Question(self.lookout.next, channel))
                    if not self._do(task, following) and following.taken is None:
                        break
                    if channel == self.bench.config.site_channel:
                        self._wake(self.now())  # others may have waited for this page
                        call(self.database)
                    task = self.bench.take(following)
            except Exception as error:  # noqa: BLE001 - one channel's trouble is not the others'
                _say_trouble(channel, error)
            finally:
                self.leases.release(channel)
                with self._idle:
                    self._busy.pop(channel, None)
                    self._done += 1
                    self._idle.notify_all()
                self._wake(self.now())

        with self._idle:
            self._busy[channel] = self._workers.submit(do)

    def _do(self, task: Task, following: Following) -> bool:
        """Whether it went as it should: not when somebody else works the channel by now."""
        try:
            if task.claimed is not None:
                publish(self.bench, task.claimed, following)
            else:
                look(self.bench, task.delivery)
        except Exception as error:  # noqa: BLE001 - a fault of ours must end in a decision
            _say_trouble(task.channel, error)
            settle_fault(self.bench, task.delivery, error)
            return not isinstance(error, Stale)
        finally:
            self.guard.published.set()
        return True


def _leases(database: Database, config: Config, name: str) -> OneDaemon | SharedLeases:
    if not database.on_server:
        return OneDaemon()
    length = timedelta(seconds=config.storage.lease_seconds)
    return SharedLeases(database, f"{name}:{secrets.token_hex(4)}", length)


def _say_trouble(channel: str, error: Exception) -> None:
    extra = {"event": "trouble", "channel": channel}
    log.error("%s: %s", channel, failure_of(error).words, extra=extra)


def _at_once(scheduler: BackgroundScheduler, now: datetime) -> None:
    """Every job is planned anew: by a clock that went back it would sleep for as long."""
    for job in scheduler.get_jobs():
        job.modify(next_run_time=now)


def _say_missed(delivery: Delivery, number: int) -> None:
    log.error(
        "#%s %s: %s %s",
        number,
        delivery.channel,
        t("missed."),
        delivery.reason,
        extra={"event": "missed", "announcement": number, "channel": delivery.channel},
    )
