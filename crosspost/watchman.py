"""Sees what needs a person, and tells them, by the ways of `[alarms]`.

What is due to be told is decided by `alarms.py`; here it is looked up, sent and remembered. Nothing
here may stop or delay publishing: a way that does not work is logged, shown by `status`, and tried
again later.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from crosspost import alarms, sightings
from crosspost.adapters.telling import ping, tell
from crosspost.alarms import Alarm, Known
from crosspost.config import Config
from crosspost.database import Database
from crosspost.durable import write_durably
from crosspost.errors import DaemonRunning, PlatformError, UserError
from crosspost.foreign import of_system
from crosspost.tables import AlarmState, table
from crosspost.wording import t

log = logging.getLogger("crosspost.alarms")

#: How often the daemon looks, and how often it calls the heartbeat.
LOOK = timedelta(seconds=30)
BEAT = timedelta(seconds=60)
#: How old the note "it was still there" may become before it is written anew.
STALE = timedelta(minutes=15)
#: How often the same is told when it cannot be remembered in the database.
ONCE = timedelta(days=1)
#: Beside crosspost.toml: what was told last when the database could not be used.
LAST_WORDS = "crosspost.alarm"


class Watchman:
    """Of one office. Any number may look at once: each alarm is told by one of them."""

    def __init__(self, database: Database, config: Config, now: Callable[[], datetime]) -> None:
        self._database = database
        self._config = config
        self._now = now
        self._beat_worked = True
        self._cried: dict[str, datetime] = {}

    def look(self, *, daemon: bool | None) -> None:
        """Look once; tell what is due. `daemon`: whether one runs, None when that is not known.

        Never raises: what goes wrong is logged.
        """
        try:
            self._look(daemon)
        except UserError as error:
            log.error("%s", error, extra={"event": "alarm"})
        except Exception as error:  # noqa: BLE001 - an alarm's trouble is never the daemon's
            log.error("%s", type(error).__name__, extra={"event": "alarm"})

    def _look(self, daemon: bool | None) -> None:
        now = self._now()
        with self._database.read() as session:
            found = alarms.current(sightings.seen_in(session, self._config, now, daemon))
            known = sightings.known_in(session)
        plan = self._plan(found, known, now)
        stale = {one.key for one in known if now - one.seen_at < STALE}
        if not plan.tell and not plan.forget and all(alarm.key in stale for alarm in found):
            return
        try:
            ours = self._note(found, plan, {one.key: one for one in known}, now)
        except IntegrityError:
            return  # another daemon noted the same alarm at the same moment, and tells it
        if ours:
            self._tell([alarm for alarm in found if alarm.key in ours], now)

    def _plan(self, found: Sequence[Alarm], known: Sequence[Known], now: datetime) -> alarms.Plan:
        repeat = timedelta(hours=self._config.alarms.repeat_hours)
        plan = alarms.plan([alarm.key for alarm in found], known, now, repeat)
        return plan if self._config.alarms.ways else alarms.Plan((), plan.forget)

    def _note(
        self,
        found: Sequence[Alarm],
        plan: alarms.Plan,
        known: Mapping[str, Known],
        now: datetime,
    ) -> set[str]:
        """Remember what is there; the keys that are ours to tell."""
        ours = set()
        with self._database.write() as session:
            for key in plan.forget:
                session.execute(delete(AlarmState).where(col(AlarmState.key) == key))
            for alarm in found:
                trying = alarm.key in plan.tell
                if (
                    sightings.noted(session, alarm, known.get(alarm.key), now, trying=trying)
                    and trying
                ):
                    ours.add(alarm.key)
        return ours

    def _tell(self, found: Sequence[Alarm], now: datetime) -> None:
        said = alarms.message(self._config.office.name, found)
        worked = _by_all_ways(self._config, said, now)
        with self._database.write() as session:
            sightings.remember_ways(session, worked, now)
            if "" in worked.values():
                keys = [alarm.key for alarm in found]
                told = update(table(AlarmState)).where(col(AlarmState.key).in_(keys))
                session.execute(told.values(told_at=now))

    def cry(self, words: str) -> None:
        """Tell, without the database, what hinders all publishing; the same words once a day."""
        now, line = self._now(), " ".join(words.split())
        last = self._cried.get(line)
        if last is not None and now - last < ONCE:
            return
        self._cried[line] = now
        subject = t(
            "crosspost, {office}: nothing can be published", office=self._config.office.name
        )
        closing = t("Told again tomorrow if it is still so.")
        _by_all_ways(self._config, alarms.Message(subject, (line,), closing), now)

    def beat(self) -> None:
        """Call the heartbeat's address, if there is one. Its failure hurts nobody; it is logged
        once."""
        url = self._config.alarms.heartbeat_url
        if url is None:
            return
        problem = ping(url.get_secret_value())
        if problem and self._beat_worked:
            log.warning("%s %s", t("The heartbeat failed."), problem, extra={"event": "heartbeat"})
        self._beat_worked = not problem


# --- telling --------------------------------------------------------------------------------------


def _by_all_ways(config: Config, said: alarms.Message, now: datetime) -> dict[str, str]:
    """Way -> "" when it worked, else what is wrong."""
    worked = {}
    for way, options in config.alarms.ways.items():
        worked[way] = ""
        try:
            tell(config, way, options, said.subject, said.text, now)
        except PlatformError as error:
            worked[way] = str(error)
        except Exception as error:  # noqa: BLE001 - one way's fault is not the other's
            worked[way] = type(error).__name__
        if worked[way]:
            words = t("An alarm could not be delivered by {way}.", way=way)
            log.error("%s %s", words, worked[way], extra={"event": "alarm"})
    return worked


def send_test(config: Config, now: datetime) -> dict[str, str]:
    """Send a message that is no alarm by every way; way -> "" or what is wrong."""
    subject = t("crosspost, {office}: a test", office=config.office.name)
    said = alarms.Message(subject, (t("Alarms of crosspost arrive here."),), t("Nothing to do."))
    return _by_all_ways(config, said, now)


@contextmanager
def last_words(config: Config, now: Callable[[], datetime]) -> Iterator[None]:
    """Around a daemon's life: what ends it is told too, the same once a day, although the database
    may be what is broken."""
    try:
        yield
    except DaemonRunning:
        raise
    except UserError as error:
        _say_last(config, " ".join(error.problems), now())
        raise


def _say_last(config: Config, words: str, now: datetime) -> None:
    path = config.folder / LAST_WORDS
    digest = hashlib.sha256(words.encode()).hexdigest()
    # else nothing was said yet, or nobody knows what
    with suppress(OSError, ValueError, KeyError, TypeError):
        last = json.loads(path.read_text())
        if last["digest"] == digest and now - datetime.fromisoformat(last["at"]) < ONCE:
            return
    try:
        write_durably(path, json.dumps({"digest": digest, "at": now.isoformat()}).encode())
    except OSError as error:
        log.error("%s", of_system(error), extra={"event": "alarm"})
        return  # else it would be told at every start
    told = t("The daemon has ended: {words} Look: crosspost doctor", words=words)
    subject = t("crosspost, {office}: the daemon has ended", office=config.office.name)
    closing = t("Told again tomorrow if it is still so.")
    _by_all_ways(config, alarms.Message(subject, (told,), closing), now)
