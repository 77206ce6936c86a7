"""Which daemon works which channel, where many daemons share one PostgreSQL.

A lease is for one channel or one duty, and for a short time on the database's clock; its holder
renews it. Whoever stops renewing, because it died, was stopped or lost its connection, loses it:
another daemon takes it with a higher number, and a write under the older number changes nothing.
This room must not know what is done with a channel. On SQLite the lock file is the lease of all.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import ARRAY, Text, TextClause, bindparam, select, text
from sqlmodel import Session

from crosspost.database import Database
from crosspost.errors import DatabaseError
from crosspost.prepared import Prepared
from crosspost.queue import Stale
from crosspost.tables import Lease, table
from crosspost.wording import t

log = logging.getLogger("crosspost.daemon")

#: What stands before the name in a lease: a channel, a duty that one daemon has, a daemon itself.
CHANNEL, DUTY, DAEMON = "channel/", "duty/", "daemon/"
#: Where a session remembers our leases as they are stored, while its transaction has the turn.
STORED = "leases"


class LeaseLost(Stale):
    """Another daemon works this channel by now; what this one knew of it no longer counts."""


class Leases(Protocol):
    """What a daemon asks before it works a channel. `OneDaemon` and `SharedLeases` are such."""

    def take(self, channels: Sequence[str]) -> list[str]:
        """Those of `channels`, the most urgent first, that this daemon may work from now on."""

    def guard(self, session: Session, channel: str) -> None:
        """Raises LeaseLost unless the channel is still ours, in this writing transaction."""

    def holds(self, channel: str) -> bool:
        """Whether it is surely ours for now, by our own clock: asked before the first byte."""

    def release(self, channel: str) -> None:
        """Others may work it."""

    def on_duty(self, duty: str) -> bool:
        """Whether this daemon, and no other, has this duty now."""

    def start(self) -> None:
        """From now on the daemon is seen, and what it holds is renewed."""

    def stop(self) -> None:
        """Give everything back."""


class OneDaemon:
    """SQLite: whoever has the lock file has every channel and every duty."""

    def take(self, channels: Sequence[str]) -> list[str]:
        return list(channels)

    def guard(self, session: Session, channel: str) -> None:  # noqa: ARG002
        return None

    def holds(self, channel: str) -> bool:  # noqa: ARG002
        return True

    def release(self, channel: str) -> None:  # noqa: ARG002
        return None

    def on_duty(self, duty: str) -> bool:  # noqa: ARG002
        return True

    def start(self) -> None:
        return None

    def stop(self) -> None:
        return None


@dataclass(frozen=True)
class Load:
    """How the channels are shared now: daemons that are seen, channels that are leased by any."""

    daemons: int = 1
    leased: int = 0

    def share(self, wanted: int, mine: int) -> int:
        """How many of `wanted` free channels a daemon that has `mine` takes now: no more than
        makes it even, so that the others find something too."""
        even = math.ceil((self.leased + wanted) / max(self.daemons, 1))
        return max(min(even - mine, wanted), 0)


class SharedLeases:
    """The leases of one daemon, called `holder`, each for `length`. Thread-safe.

    `monotonic` is a clock that goes on while a process is stopped.
    """

    #: Free channels are left to others for so many seconds at most, when they are above our share.
    PATIENCE = 1.0

    def __init__(
        self,
        database: Database,
        holder: str,
        length: timedelta,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.holder = holder
        self.length = length
        self._database = database
        self._monotonic = monotonic
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._left: float | None = None  # since when something is left to others

    # --- taking and giving back -------------------------------------------------------------------

    def take(self, channels: Sequence[str]) -> list[str]:
        """Raises DatabaseError. Never waits for another daemon."""
        if not channels:
            return []
        load = self._load()
        mine = sum(name.startswith(CHANNEL) for name in list(self._held))
        most = load.share(len(channels), mine)
        now = self._monotonic()
        if most < len(channels):
            self._left = self._left if self._left is not None else now
            if now - self._left >= self.PATIENCE:
                most, self._left = len(channels), None
        else:
            self._left = None
        names = self._take([CHANNEL + channel for channel in channels], most)
        return [name.removeprefix(CHANNEL) for name in names]

    def _take(self, names: Sequence[str], most: int) -> list[str]:
        begin = self._monotonic()
        with self._database.plain() as session:
            session.execute(_MAKE, {"names": list(names)})
            asked = {"names": list(names), "most": most, **self._mine()}
            rows = session.execute(_TAKE, asked).all()
        with self._lock:
            for name, number in rows:
                self._held[name] = _Held(number, begin + self.length.total_seconds())
        return [name for name, _ in rows]

    def release(self, channel: str) -> None:
        """When the database cannot be told, the lease ends by itself."""
        with self._lock:
            held = self._held.pop(CHANNEL + channel, None)
        if held is None:
            return
        try:
            with self._database.plain() as session:
                name = {"name": CHANNEL + channel, "number": held.number}
                session.execute(_RELEASE, {**name, **self._mine()})
        except DatabaseError as error:
            log.warning("%s", error, extra={"event": "database"})

    def on_duty(self, duty: str) -> bool:
        """Raises DatabaseError."""
        name = DUTY + duty
        if name in self._held and self._is_fresh(name):
            return True
        return bool(self._take([name], 1))

    # --- being sure -------------------------------------------------------------------------------

    def guard(self, session: Session, channel: str) -> None:
        held = self._held.get(CHANNEL + channel)
        if held is not None and self._stored(session).get(CHANNEL + channel) == held.number:
            return
        raise LeaseLost(
            t("Another daemon works the channel {channel} by now.", channel=channel),
            hint=t("Nothing was changed by this one."),
        )

    def _stored(self, session: Session) -> dict[str, int]:
        """What the database says of our leases, asked once in a writing transaction: whoever takes
        one meanwhile waits for our turn to end before it touches anything on the channel."""
        if STORED not in session.info:
            session.info[STORED] = dict(_OURS.rows(session, {"its_holder": self.holder}))
        stored: dict[str, int] = session.info[STORED]
        return stored

    def holds(self, channel: str) -> bool:
        return self._is_fresh(CHANNEL + channel)

    def _is_fresh(self, name: str) -> bool:
        held = self._held.get(name)
        return held is not None and self._monotonic() < held.until

    # --- renewing ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Raises DatabaseError."""
        self._take([DAEMON + self.holder], 1)
        self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._held.clear()
        try:
            with self._database.plain() as session:
                session.execute(_RELEASE_ALL, self._mine())
                session.execute(_FORGET, {"name": DAEMON + self.holder})
        except DatabaseError as error:
            log.warning("%s", error, extra={"event": "database"})

    def _keep(self) -> None:
        pause = self.length.total_seconds() / 3
        while not self._stopping.wait(pause):
            try:
                self.renew()
            except Exception as error:  # noqa: BLE001 - it must go on: without it nothing is sent
                log.error("%s", error, extra={"event": "database"})

    def renew(self) -> None:
        """Make all that is held last for a whole length from now on. Raises DatabaseError."""
        begin = self._monotonic()
        with self._lock:
            before = dict(self._held)
        with self._database.plain() as session:
            asked = {"names": list(before), **self._mine()}
            kept = {row.name: row.number for row in session.execute(_RENEW, asked)}
        until = begin + self.length.total_seconds()
        with self._lock:
            for name, held in before.items():
                if self._held.get(name) != held:
                    continue  # given back meanwhile, or taken anew
                if kept.get(name) == held.number:
                    self._held[name] = _Held(held.number, until)
                else:
                    del self._held[name]

    def _load(self) -> Load:
        with self._database.plain() as session:
            daemons, leased = session.execute(_LOAD).one()
        return Load(daemons, leased)

    def _mine(self) -> dict[str, object]:
        return {"holder": self.holder, "length": self.length}


@dataclass(frozen=True)
class _Held:
    number: int
    until: float  # on our own clock, counted from before the database was asked


def others_at_work(session: Session, holder: str) -> set[str]:
    """The channels that other daemons work now."""
    rows = session.execute(_OTHERS, {"holder": holder}).scalars()
    return {name.removeprefix(CHANNEL) for name in rows}


def _with_names(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("names", type_=ARRAY(Text)))


_MAKE = _with_names(
    "INSERT INTO lease (name, holder, number) SELECT name, '', 0 FROM unnest(:names) AS name "
    "WHERE name NOT IN (SELECT name FROM lease) ON CONFLICT (name) DO NOTHING"
)
#: Rows that another daemon is taking at this moment are passed by.
_TAKE = _with_names(
    "WITH free AS (SELECT name FROM lease WHERE name = ANY(:names) "
    "AND (holder IN ('', :holder) OR until < clock_timestamp()) "
    "ORDER BY array_position(:names, name::text) LIMIT :most FOR UPDATE SKIP LOCKED) "
    "UPDATE lease SET holder = :holder, number = lease.number + 1, "
    "until = clock_timestamp() + :length FROM free WHERE lease.name = free.name "
    "RETURNING lease.name, lease.number"
)
_RENEW = _with_names(
    "UPDATE lease SET until = clock_timestamp() + :length "
    "WHERE name = ANY(:names) AND holder = :holder RETURNING name, number"
)
_RELEASE = text(
    "UPDATE lease SET holder = '', until = NULL "
    "WHERE name = :name AND holder = :holder AND number = :number"
)
_RELEASE_ALL = text("UPDATE lease SET holder = '', until = NULL WHERE holder = :holder")
_OURS = Prepared(
    select(table(Lease).c.name, table(Lease).c.number).where(
        table(Lease).c.holder == bindparam("its_holder")
    )
)
_FORGET = text("DELETE FROM lease WHERE name = :name")
_OTHERS = text(
    "SELECT name FROM lease WHERE name LIKE 'channel/%' AND holder NOT IN ('', :holder) "
    "AND until > clock_timestamp()"
)
_LOAD = text(
    "SELECT count(*) FILTER (WHERE name LIKE 'daemon/%'), "
    "count(*) FILTER (WHERE name LIKE 'channel/%') FROM lease WHERE until > clock_timestamp()"
)
