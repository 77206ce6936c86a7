"""A site that is being written while somebody verifies it: read again until it keeps still.

What is genuine it must not decide (`verifying.py` does), only whether what was read may be of two
times; then it is no forgery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.manifest import NAME, NEXT, OLD
from crosspost.site.sources import Source
from crosspost.site.verifying import LEDGER, Genuine
from crosspost.wording import t

#: Before each further reading, in seconds. The daemon writes a site in seconds, a large one that it
#: mends in minutes.
PAUSES = (1.0, 2.0, 4.0, 8.0)
#: Files that are written anew whenever others change.
_LISTS = (NAME, NEXT, "checkpoint")


def settled(
    source: Source,
    check: Callable[[Source], Genuine],
    pause: Callable[[float], None],
    pauses: Sequence[float] = PAUSES,
) -> Genuine:
    """What `check` finds in the site; found again after a `pause` (seconds) when the site changed
    meanwhile. Raises Undecided when it never keeps still, and all that `check` raises."""
    watched = _Watched(source)
    try:
        return check(watched)
    except (Refuted, Undecided) as error:
        if not watched.is_being_written():
            raise
        if not pauses:
            raise _restless() from error
    pause(pauses[0])
    return settled(source, check, pause, pauses[1:])


def _restless() -> Undecided:
    return Undecided(
        t("The site is being written just now, so nobody can decide."),
        hint=t(
            "Try again in a minute. If it stays so, the daemon was stopped while it wrote: start "
            "it, or call crosspost log seal."
        ),
    )


@dataclass
class _Watched:
    """A source that remembers which lists were read, and what they said."""

    source: Source
    lists: dict[str, bytes | None] = field(default_factory=dict)

    def read(self, path: str) -> bytes | None:
        """As `Source` says."""
        data = self.source.read(path)
        if path.rpartition("/")[2] in _LISTS:
            self.lists.setdefault(path, data)
        return data

    def names(self) -> list[str] | None:
        """As `Source` says."""
        return self.source.names()

    def where(self, path: str) -> str:
        """As `Source` says."""
        return self.source.where(path)

    def is_being_written(self) -> bool:
        """Whether a list is another one by now, or that of the whole site is put aside."""
        if any(self.source.read(path) != data for path, data in self.lists.items()):
            return True
        listed = self.lists.get(f"{LEDGER}/{NAME}", b"")
        return listed is None and self.source.read(f"{LEDGER}/{OLD}") is not None
