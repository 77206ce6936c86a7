"""The verification keys of one ledger in the order of their time, each for its sizes.

Pure. A key that was exchanged signs no more: what it is said to have signed over a larger ledger is
refuted, so a stolen old key is of no use. Who trusts one key can follow to the next by a statement
that both signed (`handover.py`), and to nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, TypeVar

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.ledger.handover import Handover, read_handover
from crosspost.ledger.note import Verifier, read_verifier
from crosspost.wording import t


@dataclass(frozen=True)
class KeyRange:
    """A key and the sizes of the ledger that it may sign: from `since` to `until`, both included;
    None: it signs now. `handover` is the signed statement by which it became one, "" for the
    first."""

    verifier: Verifier
    since: int = 0
    until: int | None = None
    handover: str = ""

    def covers(self, size: int) -> bool:
        """Whether this key may sign a ledger of so many entries."""
        return self.since <= size and (self.until is None or size <= self.until)

    def values(self) -> dict[str, str | int | None]:
        """As `identity.json` has it."""
        handover = {"handover": self.handover} if self.handover else {}
        return {
            "vkey": str(self.verifier),
            "since": self.since,
            "until": self.until,
            **handover,
        }


class Sized(Protocol):
    """What a key signs for a ledger of a size: a checkpoint, a list of files."""

    @property
    def size(self) -> int: ...


Found = TypeVar("Found", bound=Sized)


@dataclass(frozen=True)
class Keys:
    """At least one key, oldest first."""

    ranges: tuple[KeyRange, ...]

    @classmethod
    def of(cls, verifier: Verifier) -> Keys:
        """One key, for any size."""
        return cls((KeyRange(verifier),))

    @property
    def newest(self) -> Verifier:
        """The key that signs now."""
        return self.ranges[-1].verifier

    def read(self, read: Callable[[Verifier], Found]) -> Found:
        """What `read` finds by the key that signed it, the newest first. Raises as `read` does, and
        Refuted when that key may not sign so large or so small a ledger."""
        problem: Undecided | None = None
        for key in reversed(self.ranges):
            try:
                found = read(key.verifier)
            except Undecided as error:
                problem = problem or error
                continue
            if key.covers(found.size):
                return found
            raise _out_of_range(found.size)
        raise problem or Undecided(t("This is no verification key."))

    def read_now(self, read: Callable[[Verifier], Found]) -> Found:
        """The same, by the key that signs now and no other: for what is signed anew when a key was
        exchanged, and what whoever stole the old one could sign. Raises as `read` does."""
        try:
            return Keys(self.ranges[-1:]).read(read)
        except Undecided as error:
            if len(self.ranges) == 1:
                raise
            self.read(read)  # raises too, unless it is of an older key
            raise Undecided(
                t("It is signed by a key that the office has exchanged since."),
                hint=t("The site may be changing just now: try again in some minutes."),
            ) from error

    def read_ever(self, read: Callable[[Verifier], Found]) -> Found | None:
        """What `read` finds by any of them, of whatever size; None: no signature of theirs holds.
        For who looks for what should not be: also a retired key proves a second history."""
        for key in self.ranges:
            try:
                return read(key.verifier)
            except (Refuted, Undecided):
                continue
        return None

    def linked(self, notes: Iterable[str]) -> Keys:
        """These keys and those before and after them, as far as handovers lead there that a key of
        these has signed; other notes mean nothing. Raises ForkProven when one key handed over
        twice."""
        known = tuple(dict.fromkeys(_valid(notes)))
        ranges = list(self.ranges)
        _require_one_heir(ranges, known)
        while found := _heir(ranges[-1], known):
            handover, note = found
            ranges[-1] = replace(ranges[-1], until=handover.until)
            ranges.append(KeyRange(handover.new, handover.since, None, note))
            _require_one_heir(ranges, known)
        while found := _origin(ranges, known):
            handover, note = found
            ranges[0] = replace(ranges[0], since=handover.since, handover=note)
            ranges.insert(0, KeyRange(handover.old, 0, handover.until))
            _require_one_heir(ranges, known)
        return Keys(tuple(ranges))

    def bears_out(self, said: Keys) -> bool:
        """Whether what somebody says of keys is true by these, who may know more: of the time
        before the first key that is said, and after the last."""
        ours = {key.verifier: key for key in self.ranges}
        for at, key in enumerate(said.ranges):
            known = ours.get(key.verifier)
            if known is None:
                return False
            first, last = at == 0 and not key.since, key is said.ranges[-1] and key.until is None
            begins = first or (known.since, known.handover) == (key.since, key.handover)
            if not begins or not (last or known.until == key.until):
                return False
        return True

    def handovers(self) -> dict[int, str]:
        """The signed statements by the index of the entry that holds each."""
        return {key.since - 1: key.handover for key in self.ranges if key.handover}

    def values(self) -> list[dict[str, str | int | None]]:
        """As `identity.json` has them."""
        return [key.values() for key in self.ranges]


def _out_of_range(size: int) -> Refuted:
    return Refuted(
        t("It is signed by a key that may not sign a ledger of {size} entries.", size=size),
        hint=t("The office has exchanged that key; somebody else may have it."),
    )


# --- from key to key ------------------------------------------------------------------------------

Known = tuple[Handover, str]


def _valid(notes: Iterable[str]) -> Iterable[Known]:
    for note in notes:
        try:
            yield read_handover(note), note
        except (Refuted, Undecided):
            continue  # it can lead nowhere


def _heir(key: KeyRange, known: Collection[Known]) -> Known | None:
    """The handover of this key to the next; of a lost key there is none that it has signed."""
    found = (one for one in known if one[0].old == key.verifier and not one[0].lost)
    return next((one for one in found if one[0].since > key.since), None)


def _origin(ranges: Sequence[KeyRange], known: Collection[Known]) -> Known | None:
    """The handover by which the first key became one, when that is not known yet. With each step
    back the ledger was smaller, so this comes to an end."""
    key, later = ranges[0], ranges[1:2]
    if key.since or key.handover:
        return None
    found = (one for one in known if one[0].new == key.verifier)
    return next((one for one in found if not later or one[0].since < later[0].since), None)


def _require_one_heir(ranges: Sequence[KeyRange], known: Collection[Known]) -> None:
    """A key hands over once. Two heirs of one key: whoever has it made the second."""
    ours = {key.verifier for key in ranges}
    heirs = {
        key.verifier: (following.verifier, following.since) for key, following in pairwise(ranges)
    }
    for handover, _ in known:
        if handover.lost or handover.old not in ours:
            continue  # it binds nobody, or is none of ours
        heir = (handover.new, handover.since)
        if heirs.setdefault(handover.old, heir) != heir:
            raise ForkProven(
                t("FORK: the key {key} handed over to two keys.", key=handover.old),
                hint=t("Get the right verification key from the office itself, and show it this."),
            )


# --- as text --------------------------------------------------------------------------------------


def read_keys(text: str) -> Keys:
    """The keys of one line NAME+ID+KEY, or of an `identity.json`. Raises Undecided."""
    if not text.lstrip().startswith("{"):
        return Keys.of(read_verifier(text))
    try:
        found = [_range(values) for values in json.loads(text)["keys"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Undecided(t("There are no verification keys in this file.")) from error
    if not found:
        raise Undecided(t("There are no verification keys in this file."))
    return Keys(tuple(found))


def handovers_in(text: str) -> list[str]:
    """The signed statements in an `identity.json`; nothing where there are none. Unbelieved."""
    try:
        found = [values.get("handover") for values in json.loads(text)["keys"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return [note for note in found if isinstance(note, str)]


def _range(values: dict[str, object]) -> KeyRange:
    since, until, handover = values["since"], values["until"], values.get("handover", "")
    if not isinstance(since, int) or not (until is None or isinstance(until, int)):
        raise TypeError("sizes are integers")
    if not isinstance(handover, str):
        raise TypeError("a handover is text")
    return KeyRange(read_verifier(str(values["vkey"])), since, until, handover)
