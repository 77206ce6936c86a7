"""What must be sure before a daemon sends anything, and stay sure while it runs.

The file is whole, the database is the one that was here, and the ledger goes on from what was
sealed. What is not so stops the daemon before it sends. The site shows only what was found sound,
so it is brought up to date here too, and what was erased by law goes with it. This room must not
mend what it finds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from crosspost import erasures
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import ForkProven, Refuted, RestoreUnconfirmed, Undecided, UserError
from crosspost.leases import Leases
from crosspost.ledger.sealing import seal_if_due
from crosspost.ledger.strongbox import Strongbox
from crosspost.restoring import Marker, require_confirmed
from crosspost.showing.exhibit import show
from crosspost.soundness import require_sound
from crosspost.witnesses.conflicts import require_no_conflict
from crosspost.wording import t

log = logging.getLogger("crosspost.daemon")

#: How often the ledger is sealed, where it has a key, and the site brought up to date with it.
SEAL = timedelta(seconds=60)
#: How soon after something became public.
SEAL_SOON = timedelta(seconds=2)
#: How often every entry of the ledger is compared with what was sealed, and not only the last one.
COMPARE = timedelta(hours=1)
#: How often every page is compared with the record, when it starts and later.
MEND = timedelta(days=1)
#: How often the mark of the database is brought up to date: a copy that is newer than the mark is
#: not noticed as one.
MARK = timedelta(seconds=5)
#: How often a daemon that waits for a person's yes to a restored database looks for it.
CONFIRM_LOOK = timedelta(seconds=2)


class Guard:
    """Of one daemon. `stopping` is set when something cannot be relied on any more; why, is raised
    by `require_trust`."""

    def __init__(
        self,
        database: Database,
        config: Config,
        now: Callable[[], datetime],
        stopping: threading.Event,
        leases: Leases,
    ) -> None:
        self._database = database
        self._config = config
        self._folder = config.folder
        self._now = now
        self._stopping = stopping
        self._leases = leases
        self._marker = Marker(database, config.folder)
        self._sealed: datetime | None = None
        self._compared: datetime | None = None  # when every entry was, with what was sealed
        self._looked: datetime | None = None  # when it was sealed and shown last
        self._mended: datetime | None = None  # when every page was compared with the record
        self._shown: int | None = None  # entries that the site covers
        self.published = threading.Event()  # since the ledger was sealed last
        self.trouble: UserError | None = None

    def require(self) -> None:
        """Raises DatabaseError, RestoreUnconfirmed, Refuted, Undecided or ForkProven when nothing
        may be sent."""
        require_sound(self._database)
        require_confirmed(self._database, self._folder)
        self.mark()
        self.seal()
        self.require_trust()

    def wait_until_confirmed(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """With an old copy of the database, do nothing (but `meanwhile`, again and again) until a
        person has confirmed it, or the daemon is to end. Raises DatabaseError when the file is not
        whole."""
        require_sound(self._database)
        told = False
        while not self._stopping.is_set():
            try:
                require_confirmed(self._database, self._folder)
            except RestoreUnconfirmed as error:
                if not told:
                    log.error("%s", error, extra={"event": "restored"})
                told = True
            else:
                return
            meanwhile()
            self._stopping.wait(CONFIRM_LOOK.total_seconds())

    def require_trust(self) -> None:
        """Raises what was found while the daemon ran."""
        if self.trouble is not None:
            raise self.trouble

    def seal(self, *, at_once: bool = False) -> None:
        """Sign what the ledger holds now. One that does not continue what was sealed before stops
        the daemon: what it would record could not be proved. Of several daemons one does it."""
        with self._sound_or_stopped():
            founded = Strongbox(self._folder).is_founded()
            if founded and not self._leases.on_duty("seal"):
                return
            with self._database.read() as session:
                require_no_conflict(session, self._folder)
            now = self._now()
            whole = self._compared is None or now - self._compared >= COMPARE
            last = self._sealed
            self._sealed = seal_if_due(
                self._database, self._folder, now=now, last=last, at_once=at_once, whole=whole
            )
            if whole and self._sealed != last:
                self._compared = now

    def seal_and_show(self, *, at_once: bool = False, mend: bool = True) -> None:
        """Seal each minute, and soon after something became public; then the site follows, and is
        mended each day."""
        now = self._now()
        at_once = at_once or self.published.is_set()
        if self._looked is not None and not at_once and now - self._looked < SEAL:
            return
        self.published.clear()
        self._looked = now
        self.seal(at_once=at_once)
        founded = Strongbox(self._folder).is_founded()
        if self.trouble is not None or (founded and not self._leases.on_duty("seal")):
            return
        whole = mend and (self._mended is None or now - self._mended >= MEND)
        with self._sound_or_stopped():
            self._shown = show(self._database, self._config, whole=whole, since=self._shown)
            self._mended = now if whole else self._mended
        with self._sound_or_stopped():
            self._finish_erasures()

    def _finish_erasures(self) -> None:
        """What was erased by somebody who may not remove files goes now."""
        for one in erasures.finish(self._database, self._config, self._shown).left:
            said = t("Announcement {number} is not erased everywhere.", number=one.announcement)
            log.warning("%s %s", said, one.reason, extra={"event": "erasure"})

    @contextmanager
    def _sound_or_stopped(self) -> Iterator[None]:
        try:
            yield
        except (Refuted, Undecided, ForkProven) as error:
            self.stop(error, "ledger")
        except UserError as error:
            log.error("%s", error, extra={"event": "ledger"})

    def mark(self) -> None:
        """Write down outside of the database how far its record has come. One that has lost some of
        it stops the daemon: with it may be lost what was published."""
        try:
            self._marker.keep(self._now())
        except RestoreUnconfirmed as error:
            self.stop(error, "restored")
        except UserError as error:
            log.error("%s", error, extra={"event": "mark"})

    def stop(self, error: UserError, event: str) -> None:
        """Nothing more is sent: what was found is raised by `require_trust`."""
        log.error("%s", error, extra={"event": event})
        self.trouble = error
        self._stopping.set()
