"""The verification keys of one ledger in the order of their time, each for its sizes.

Pure. A key that was exchanged signs no more: what it is said to have signed over a larger ledger is
refuted, so a stolen old key is of no use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.note import Verifier, read_verifier
from crosspost.wording import t


@dataclass(frozen=True)
class KeyRange:
    """A key and the sizes of the ledger that it may sign: from `since` to `until`, both included;
    None: it signs now."""

    verifier: Verifier
    since: int = 0
    until: int | None = None

    def covers(self, size: int) -> bool:
        """Whether this key may sign a ledger of so many entries."""
        return self.since <= size and (self.until is None or size <= self.until)

    def values(self) -> dict[str, str | int | None]:
        """As `identity.json` has it."""
        return {"vkey": str(self.verifier), "since": self.since, "until": self.until}


def read_keys(text: str) -> list[KeyRange]:
    """The keys of one line NAME+ID+KEY, or of an `identity.json`. Raises Undecided."""
    if not text.lstrip().startswith("{"):
        return [KeyRange(read_verifier(text))]
    try:
        found = [_range(values) for values in json.loads(text)["keys"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Undecided(t("There are no verification keys in this file.")) from error
    if not found:
        raise Undecided(t("There are no verification keys in this file."))
    return found


def _range(values: dict[str, object]) -> KeyRange:
    since, until = values["since"], values["until"]
    if not isinstance(since, int) or not (until is None or isinstance(until, int)):
        raise TypeError("sizes are integers")
    return KeyRange(read_verifier(str(values["vkey"])), since, until)


class Signed(Protocol):
    """What holds by a checkpoint."""

    @property
    def checkpoint(self) -> Checkpoint: ...


Found = TypeVar("Found", bound=Signed)


def by_any(keys: Sequence[KeyRange], verify: Callable[[Verifier], Found]) -> Found:
    """What `verify` says by the key that signed it, the newest first. Raises as `verify` does, and
    Refuted when that key may not sign so large or so small a ledger."""
    problem: Undecided | None = None
    for key in reversed(keys):
        try:
            found = verify(key.verifier)
        except Undecided as error:
            problem = problem or error
            continue
        if key.covers(found.checkpoint.size):
            return found
        raise Refuted(
            t(
                "It is signed by a key that may not sign a ledger of {size} entries.",
                size=found.checkpoint.size,
            ),
            hint=t("The office has exchanged that key; somebody else may have it."),
        )
    raise problem or Undecided(t("This is no verification key."))
