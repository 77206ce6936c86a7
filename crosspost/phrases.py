"""The grammar of times as people write them: a phrase is understood whole, or refused.

A phrase is a row of pieces (`timewords.py`) in any order, each kind at most once; what could mean
two things is refused, never guessed. This room must not know what time it is, nor any calendar or
zone: what day "besok" is, and whether it has a 02:30, is found out in `times.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import time, timedelta

from crosspost.timewords import (
    ZONES,
    Ahead,
    Date,
    Reader,
    Slots,
    Week,
    Weekday,
    hour_meant,
    not_understood,
    pieces,
    quoted,
    refusal,
)
from crosspost.wording import t

#: The longest phrase that says anything has about 70 characters.
LONGEST = 100


@dataclass(frozen=True)
class Said:
    """What a phrase says: either `elapsed` from now on, or a time of day with what goes with it.

    `offset` is that of the zone that was written. `zone` is a name of the office's own clock, in
    small letters; whether the clock has that name at that time is still to be seen.
    """

    elapsed: timedelta | None = None
    clock: time = time()
    day: Date | Ahead | None = None
    weekday: Weekday | None = None
    offset: timedelta | None = None
    zone: str = ""


def parse(text: str, own_zones: Collection[str] = ()) -> Said:
    """What `text` says. `own_zones`: names of the office's clock, in small letters.

    Raises TimeError for what is not understood to the last letter, contradicts itself, or has no
    time of day.
    """
    slots: Slots = {}
    rest = _plain(text)
    while rest:
        found, read = _first_piece(rest, own_zones)
        new = read(found)
        if slots and ("elapsed" in (slots | new) or slots.keys() & new.keys()):
            raise refusal(t('"{part}" does not fit what stands before it.', part=found[0]))
        slots |= new
        rest = re.sub(r"^ ?,? ?", "", rest[found.end() :])
    return Said(elapsed=slots["elapsed"]) if "elapsed" in slots else _together(text, slots)


def _plain(text: str) -> str:
    """`text` in small letters with single spaces; refused when no piece could be in it."""
    if not text.strip():
        raise refusal(t("No time is given."))
    spaced = re.sub("[ \u00a0\u2009\u202f]+", " ", text.strip()).replace("\u2019", "'")
    if len(text) > LONGEST or not (spaced.isascii() and spaced.isprintable()):
        raise not_understood(text)
    return _unfolded(spaced.lower())


def _unfolded(text: str) -> str:
    """The machine form `2026-12-01t09:00-05:00` and the bracket of `spoken`, in plain pieces.

    Only in the machine form is a bare "-05:00" an offset: in "09:00-10:00" it ends a span of time.
    """
    text = re.sub(r" ?\((utc[+-]\d\d:\d\d)\)$", r" \1", text)
    machine = re.fullmatch(r"(\d{4}-\d\d-\d\d)t([\d:]+)([+-]\d\d:?\d\d)?(z)?", text)
    if machine is None:
        return text
    day, clock, offset, z = machine.groups(default="")
    return f"{day} {clock}{z}" + (f" utc{offset}" if offset else "")


def _first_piece(rest: str, own_zones: Collection[str]) -> tuple[re.Match[str], Reader]:
    for pattern, read in pieces():
        if found := pattern.match(rest):
            return found, read
    word = re.match(r"[a-z]+\b", rest)
    if word and word[0] in own_zones:
        return word, lambda found: {"zone": found[0]}
    raise not_understood(rest)


def _together(text: str, slots: Slots) -> Said:
    """The pieces as one statement."""
    day, weekday = slots.get("day"), slots.get("weekday")
    if "clock" not in slots:
        raise refusal(t('"{text}" does not say the time of day.', text=quoted(text)))
    if day and weekday and weekday.week is not Week.COMING:
        raise refusal(t('"{text}" says the day in two ways.', text=quoted(text)))
    hour, minute, second = slots["clock"]
    clock = time(hour_meant(hour, minute, slots.get("part")), minute, second)
    return Said(None, clock, day, weekday, *_zone(text, slots))


def _zone(text: str, slots: Slots) -> tuple[timedelta | None, str]:
    """The offset that is written, or known from the name; else the name."""
    offset, name = slots.get("offset"), slots.get("zone", "")
    if name not in ZONES:
        return offset, name
    fixed = timedelta(hours=ZONES[name])
    if offset not in (None, fixed):
        raise refusal(t('"{text}" names two zones that differ.', text=quoted(text)))
    return fixed, ""
