"""After each sealing: others are asked to remember it, and what they sign is shown.

Everything here runs beside the daemon's work, in threads that nobody waits for. It must not hinder
sealing or publishing: a witness that is down is asked again later. Only one thing stops the daemon:
a checkpoint with the office's own signature that contradicts its head.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from sqlmodel import Session

from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import ForkProven, Refuted, UserError
from crosspost.leases import Leases
from crosspost.ledger.evidence import Sealed, open_sealed
from crosspost.ledger.note import parts
from crosspost.ledger.strongbox import Strongbox
from crosspost.showing.exhibit import show_checkpoint
from crosspost.timestamps import stamping
from crosspost.witnesses import asking, standing
from crosspost.witnesses.asking import Asked
from crosspost.witnesses.cosignature import Witness, cosignatures
from crosspost.witnesses.remembered import AUTHORITY, recall

log = logging.getLogger("crosspost.daemon")


class Attestation:
    """Of one daemon. `stop` is called with what contradicts the head, and why it is told."""

    def __init__(
        self,
        database: Database,
        config: Config,
        now: Callable[[], datetime],
        stop: Callable[[UserError, str], None],
        leases: Leases,
    ) -> None:
        self._database, self._config, self._now = database, config, now
        self._stop, self._leases = stop, leases
        self._asking: dict[str, threading.Thread] = {}
        self._warned = ""

    def look(self) -> None:
        """Ask every witness that is due and not being asked. Returns at once; never raises."""
        if not Strongbox(self._config.folder).is_founded():
            return
        try:
            if self._leases.on_duty("seal"):
                self._look()
        except UserError as error:
            self._warn(error)

    def _look(self) -> None:
        """The tree is opened only for who is due: this is done every few seconds."""
        with self._database.read() as session:
            witnesses, stamped = self._due(session), self._stamp_is_due(session)
            if not witnesses and not stamped:
                return
            sealed = open_sealed(session, self._config.folder)
        for asked in witnesses:
            self._begin(asked.name, self._ask, asked, sealed)
        if stamped:
            self._begin(AUTHORITY, self._have_stamped, sealed)

    def _begin(self, name: str, work: Callable[..., None], *about: object) -> None:
        thread = threading.Thread(target=work, args=about, name=f"ask-{name}")
        thread.daemon = True  # one that never answers does not keep the daemon alive
        self._asking[name] = thread
        thread.start()

    def _is_asked(self, name: str) -> bool:
        return name in self._asking and self._asking[name].is_alive()

    def _stamp_is_due(self, session: Session) -> bool:
        settings = self._config.ledger
        if settings.timestamp_url is None or self._is_asked(AUTHORITY):
            return False
        known = stamping.how_it_stands(session, self._config, self._now())
        every = timedelta(hours=settings.timestamp_hours)
        return stamping.due(known, _size(Strongbox(self._config.folder)), every, self._now())

    def _have_stamped(self, sealed: Sealed) -> None:
        try:
            stamping.stamp(self._database, self._config, sealed, self._now)
        except UserError as error:
            log.warning("%s", error.problems[0], extra={"event": "timestamp"})
        except Exception as error:  # noqa: BLE001 - the authority's trouble is never the daemon's
            log.error("%s", type(error).__name__, extra={"event": "timestamp"})

    def wait(self, seconds: float) -> None:
        """Until those that are being asked have answered, all together for at most so long."""
        end = time.monotonic() + seconds
        for thread in self._asking.values():
            thread.join(max(0.0, end - time.monotonic()))

    def _due(self, session: Session) -> list[Asked]:
        free = [asked for asked in asking.asked_in(self._config) if not self._is_asked(asked.name)]
        signed = _signed(Strongbox(self._config.folder).shown_note(), free)
        now = self._now()
        known = {one.name: recall(session, one.name, str(one.witness), now) for one in free}
        return [
            one
            for one in free
            if standing.is_due(known[one.name], now, cosigned=one.witness in signed)
        ]

    def _ask(self, asked: Asked, sealed: Sealed) -> None:
        folder = self._config.folder
        try:
            asking.ask_and_keep(self._database, folder, asked, sealed, self._now)
            show_checkpoint(self._config)
        except (Refuted, ForkProven) as error:
            self._stop(error, "witness")
        except UserError as error:
            log.warning("%s", error.problems[0], extra={"event": "witness"})
        except Exception as error:  # noqa: BLE001 - a witness' trouble is never the daemon's
            log.error("%s", type(error).__name__, extra={"event": "witness"})

    def _warn(self, error: UserError) -> None:
        """The same trouble is told once."""
        if str(error) != self._warned:
            log.error("%s", error, extra={"event": "witness"})
        self._warned = str(error)


def _size(box: Strongbox) -> int:
    """Of the head, not verified: it decides only whether to look closer."""
    second = parts(box.head_note())[0].split("\n")[1]
    return int(second) if second.isdecimal() else 0


def _signed(note: bytes, asked: Iterable[Asked]) -> set[Witness]:
    """The witnesses whose cosignatures a note has."""
    found = set()
    for one in asked:
        with suppress(Refuted):  # a damaged one counts as none
            found |= {had.witness for had in cosignatures(note, [one.witness])}
    return found
