"""The grammar of times as people write them, in Indonesian and English alike.

Text goes in, what it says comes out; a phrase is understood whole or refused, never half, and what
could mean two things is refused too. This room must not know what time it is, nor any calendar or
zone: what day "besok" is, and whether it has a 02:30, is found out in `times.py`.

A phrase is a row of pieces in any order, each kind at most once (`_PIECES`): a day, a weekday, a
time of day, a part of the day, a zone. To teach it a word, add the word to its table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import time, timedelta
from enum import Enum
from typing import Any

from crosspost.errors import TimeError
from crosspost.wording import t

#: The longest phrase that says anything has about 70 characters.
LONGEST = 100
#: So much of a refused text is repeated in the message.
QUOTED = 60

_MONTHS = (
    "januari january jan",
    "februari pebruari february feb",
    "maret march mar",
    "april apr",
    "mei may",
    "juni june jun",
    "juli july jul",
    "agustus august agu agt ags aug",
    "september sept sep",
    "oktober october okt oct",
    "november nopember nov nop",
    "desember december des dec",
)
_WEEKDAYS = (
    "senin monday sen mon",
    "selasa tuesday sel tues tue",
    "rabu wednesday rab wed",
    "kamis thursday kam thurs thur thu",
    "jumat jum'at friday jum fri",
    "sabtu saturday sab sat",
    "minggu ahad sunday min sun",
)
_NEAR_DAYS = {
    "hari ini": 0, "today": 0, "nanti": 0,
    "besok": 1, "tomorrow": 1,
    "lusa": 2, "the day after tomorrow": 2, "day after tomorrow": 2,
}  # fmt: skip
#: The hours of the 24-hour clock that a part of the day may mean. "jam 9 malam" is the one hour of
#: 9 and 21 that lies in its range; none may be longer than twelve hours, or it would mean two.
_PARTS = {
    "dini hari": range(6),
    "pagi": range(12), "in the morning": range(12), "morning": range(12), "am": range(12),
    "siang": range(10, 16),
    "in the afternoon": range(12, 19), "afternoon": range(12, 19), "pm": range(12, 24),
    "sore": range(15, 19),
    "in the evening": range(17, 24), "evening": range(17, 24),
    "malam": range(18, 24), "at night": range(18, 24), "night": range(18, 24),
}  # fmt: skip
#: Parts that name the day besides.
_PARTS_OF_TODAY = {
    "pagi ini": "pagi", "siang ini": "siang", "sore ini": "sore", "malam ini": "malam",
    "nanti siang": "siang", "nanti sore": "sore", "nanti malam": "malam",
    "this morning": "morning", "this afternoon": "afternoon", "this evening": "evening",
    "tonight": "evening",
}  # fmt: skip
#: Zones that mean the same everywhere; others count only where they are the office's own.
_ZONES = {"wib": 7, "wita": 8, "wit": 9, "utc": 0, "gmt": 0, "z": 0}
_SECONDS = {
    "jam": 3600, "hour": 3600, "hr": 3600,
    "menit": 60, "mnt": 60, "minute": 60, "min": 60,
    "detik": 1, "second": 1, "sec": 1,
}  # fmt: skip
_DAYS = {"hari": 1, "day": 1, "minggu": 7, "pekan": 7, "week": 7}
_COUNTS = {"se": 1, "satu": 1, "a": 1, "an": 1, "one": 1, "setengah": 0.5, "half a": 0.5,
           "half an": 0.5}  # fmt: skip


@dataclass(frozen=True)
class Date:
    """A date as written; it may not exist. No year: the next such date."""

    year: int | None
    month: int
    day: int


@dataclass(frozen=True)
class Ahead:
    """So many calendar days from today."""

    days: int


class Week(Enum):
    """Which of the days of that name is meant."""

    COMING = "Senin"  # today or in the next six days
    THIS = "Senin ini"  # of the week that runs from Monday to Sunday
    NEXT = "Senin depan"  # not today's; people differ when this week's is still ahead
    AFTER = "Senin minggu depan"  # of the week after this one


@dataclass(frozen=True)
class Weekday:
    """A day of the week, 0 is Monday."""

    number: int
    week: Week = Week.COMING


@dataclass(frozen=True)
class Said:
    """What a phrase says: either `elapsed` from now on, or a time of day with what goes with it.

    `offset` is that of a zone that was written, `zone` a name of the office's own clock, in small
    letters, that has to be true at that time.
    """

    elapsed: timedelta | None = None
    clock: time = time()
    day: Date | Ahead | None = None
    weekday: Weekday | None = None
    zone: str = ""
    offset: timedelta | None = None


def parse(text: str, own_zones: Collection[str] = ()) -> Said:
    """What `text` says. `own_zones`: names of the office's clock besides WIB, WITA, WIT and UTC.

    Raises TimeError for what is not understood to the last letter, or has no time of day.
    """
    slots: dict[str, Any] = {}
    rest = _plain(text)
    while rest:
        found, read = _first_piece(rest, own_zones)
        for slot, value in read(found).items():
            if slot in slots or "elapsed" in slots:
                raise refusal(
                    t('"{part}" does not fit what stands before it.', part=_quoted(found[0]))
                )
            slots[slot] = value
        rest = re.sub(r"^ ?,? ?", "", rest[found.end() :])
    return _together(text, slots)


def refusal(*problems: str) -> TimeError:
    """A time that is refused, with examples of what is understood."""
    return TimeError(
        *problems,
        hint=t('Write it for example like this: "31 December 09:00", "tomorrow at 9", "in 2 hours".'),
    )


def _plain(text: str) -> str:
    """`text` in small letters with single spaces; refused when the grammar cannot know it."""
    if not text.strip():
        raise refusal(t("No time is given."))
    spaced = re.sub("[ \u00a0\u2009\u202f]+", " ", text.strip()).replace("\u2019", "'")
    if len(text) > LONGEST or not (spaced.isascii() and spaced.isprintable()):
        raise _not_understood(text)
    return _iso_opened(spaced.lower())


def _iso_opened(text: str) -> str:
    """The machine form `2026-12-01t09:00-05:00` as `2026-12-01 09:00 utc-05:00`.

    Only there may a bare "-05:00" be an offset: in "besok 09:00-10:00" it ends a span of time.
    """
    text = re.sub(r" ?\((utc[+-]\d\d:\d\d)\)$", r" \1", text)
    machine = re.fullmatch(r"(\d{4}-\d\d-\d\d)t([\d:]+)([+-]\d\d:?\d\d|z)?", text)
    if machine is None:
        return text
    day, clock, offset = machine.groups(default="")
    return f"{day} {clock} {'utc' if offset[:1] in ('+', '-') else ''}{offset}".rstrip()


def _first_piece(rest: str, own_zones: Collection[str]) -> tuple[re.Match[str], _Reader]:
    for pattern, read in _PIECES:
        if found := pattern.match(rest):
            return found, read
    word = re.match(r"[a-z]+\b", rest)
    if word and word[0] in own_zones:
        return word, lambda found: {"zone": found[0]}
    raise _not_understood(rest)


def _not_understood(text: str) -> TimeError:
    return refusal(t('"{text}" is not understood as a time.', text=_quoted(text)))


def _quoted(text: str) -> str:
    """The start of `text`, harmless to print."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:QUOTED])
    return shown + "…" if len(text) > QUOTED else shown


def _together(text: str, slots: dict[str, Any]) -> Said:
    """The pieces as one statement; refused when the time of day is missing or they contradict."""
    if "elapsed" in slots:
        return Said(elapsed=slots["elapsed"])
    if "clock" not in slots:
        raise refusal(t('"{text}" does not say the time of day.', text=_quoted(text)))
    weekday = slots.get("weekday")
    if weekday and weekday.week is not Week.COMING and "day" in slots:
        raise refusal(t('"{text}" says the day in two ways.', text=_quoted(text)))
    offset, zone = slots.get("offset"), slots.get("zone", "")
    if zone in _ZONES:
        fixed = timedelta(hours=_ZONES[zone])
        if offset not in (None, fixed):
            raise refusal(
                t('"{text}" names two zones that differ.', text=_quoted(text)),
            )
        offset, zone = fixed, ""
    hour, minute, second = slots["clock"]
    clock = time(_hour(hour, minute, slots.get("part")), minute, second)
    return Said(None, clock, slots.get("day"), weekday, zone, offset)


def _hour(written: str, minute: int, part: str | None) -> int:
    """The hour from 0 to 23 that is meant by `written`, with or without a part of the day."""
    hour = int(written)
    if part is None:
        if len(written) == 1 and 1 <= hour <= 6:
            raise refusal(
                t(
                    '{hour} may be in the night or in the afternoon: write "{early}" or "{late}".',
                    hour=hour,
                    early=f"{hour:02}:{minute:02}",
                    late=f"{hour + 12}:{minute:02}",
                )
            )
        return hour
    if hour in (0, 12) and part in ("am", "malam", "at night", "night", "evening"):
        raise _midnight()
    meant = {hour, hour + 12} if 1 <= hour < 12 else {hour}
    fitting = [h for h in meant if h in _PARTS[part]]
    if not fitting:
        raise refusal(
            t(
                '{hour} does not fit "{part}", which is from {first}:00 to {last}:59.',
                hour=hour,
                part=part,
                first=f"{_PARTS[part].start:02}",
                last=f"{_PARTS[part].stop - 1:02}",
            )
        )
    return fitting[0]


def _midnight() -> TimeError:
    return refusal(
        t(
            "Midnight belongs to two days: "
            'write "00:00" with the day that begins, or "23:59" with the day that ends.'
        )
    )


# Readers: what one piece says, as slots.

_Slots = dict[str, Any]
_Reader = Callable[[re.Match[str]], _Slots]


def _elapsed(found: re.Match[str]) -> _Slots:
    seconds = _SECONDS[found["unit"].rstrip("s")]
    return {"elapsed": timedelta(seconds=seconds * _count(found["count"]))}


def _days_ahead(found: re.Match[str]) -> _Slots:
    count = _count(found["count"])
    if count != int(count):
        raise _not_understood(found[0])
    return {"day": Ahead(int(count) * _DAYS[found["unit"].rstrip("s")])}


def _count(word: str) -> float:
    return _COUNTS[word] if word in _COUNTS else int(word)


def _numeric_date(found: re.Match[str]) -> _Slots:
    day, month, year = int(found["day"]), int(found["month"]), int(found["year"])
    if len(found["year"]) != 4:
        raise refusal(t("Write the year of a date with four digits."))
    if month > 12 >= day:
        raise refusal(
            t(
                'There is no month {month}. The day comes before the month: write "{date}".',
                month=month,
                date=f"{month}/{day}/{year}",
            )
        )
    return {"day": Date(year, month, day)}


def _iso_date(found: re.Match[str]) -> _Slots:
    return {"day": Date(int(found["year"]), int(found["month"]), int(found["day"]))}


def _named_date(found: re.Match[str]) -> _Slots:
    year = int(found["year"]) if found["year"] else None
    return {"day": Date(year, _index(_MONTHS, found["month"]), int(found["day"]))}


def _weekday(found: re.Match[str]) -> _Slots:
    week = {
        None: Week.COMING,
        "ini": Week.THIS, "minggu ini": Week.THIS, "this": Week.THIS,
        "depan": Week.NEXT, "next": Week.NEXT,
        "minggu depan": Week.AFTER, "next week": Week.AFTER,
    }  # fmt: skip
    if found["lead"] and found["tail"]:
        raise _not_understood(found[0])
    which = week[found["lead"] or found["tail"]]
    return {"weekday": Weekday(_index(_WEEKDAYS, found["name"]), which)}


def _index(names: tuple[str, ...], name: str) -> int:
    """Where `name` stands; months count from 1, weekdays from 0."""
    place = next(i for i, same in enumerate(names) if name in same.split())
    return place + 1 if names is _MONTHS else place


def _clock(found: re.Match[str]) -> _Slots:
    parts = found.groupdict()
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    if int(found["hour"]) > 23 or minute > 59 or second > 59:
        raise refusal(
            t(
                'There is no {clock} on the clock. A day begins at "00:00" and ends at "23:59".',
                clock=f"{found['hour']}:{minute:02}",
            )
        )
    return {"clock": (found["hour"], minute, second)}


def _offset(found: re.Match[str]) -> _Slots:
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > 14 or minutes > 59:
        raise refusal(t('No zone is "{zone}".', zone=found[0]))
    sign = -1 if found["sign"] == "-" else 1
    return {"offset": sign * timedelta(hours=hours, minutes=minutes)}


def _week_only(found: re.Match[str]) -> _Slots:
    raise refusal(
        t(
            '"{week}" does not say which day: write "Monday next week" or a date.',
            week=found[0],
        )
    )


def _number_only(found: re.Match[str]) -> _Slots:
    raise refusal(
        t(
            'What the number {number} means is unclear. Write an hour like "09:00" or "at 9".',
            number=found[0],
        )
    )


def _refuse_midnight(found: re.Match[str]) -> _Slots:
    raise _midnight()


def _any(words: Iterable[str]) -> str:
    """A pattern for one of `words`, the longest first."""
    return "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))


_MONTH = rf"(?P<month>{_any(' '.join(_MONTHS).split())})\.?"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?(?![\d:.])"
_YEAR = r"(?:,? (?P<year>[1-9]\d{3})(?![\d:.]))?"
_ON = r"(?:on |pada )?(?:hari )?(?:the |tanggal |tgl\.? ?)?"
_AT = r"(?:at |@ ?|(?:pada )?(?:pukul|pkl\.?|jam) ?)"
_PART = _any([*_PARTS, "a.m.", "p.m."])
_FEW = rf"(?P<count>\d{{1,4}}|{_any(_COUNTS)}) ?(?P<unit>(?:{{units}})s?)"
_TIMES, _WHOLE_DAYS = _FEW.format(units=_any(_SECONDS)), _FEW.format(units=_any(_DAYS))

#: Tried in this order at each place. A piece ends where no letter or digit follows, but a time of
#: day may have "pagi", "am", "WIB" written against it.
_PIECES: list[tuple[re.Pattern[str], _Reader]] = [
    (re.compile(pattern + ("" if read is _clock else r"(?![a-z0-9])")), read)
    for pattern, read in [
        (r"(?:right )?now|sekarang(?: juga)?", lambda _: {"elapsed": timedelta()}),
        (rf"(?:dalam|in) {_TIMES}(?: lagi)?", _elapsed),
        (rf"{_TIMES} (?:lagi|from now)", _elapsed),
        (rf"(?:dalam|in) {_WHOLE_DAYS}(?: lagi)?", _days_ahead),
        (rf"{_WHOLE_DAYS} (?:lagi|from now)", _days_ahead),
        (_any(_PARTS_OF_TODAY), lambda m: {"day": Ahead(0), "part": _PARTS_OF_TODAY[m[0]]}),
        (_any(_NEAR_DAYS), lambda m: {"day": Ahead(_NEAR_DAYS[m[0]])}),
        (_ON + r"(?P<year>[1-9]\d{3})(?P<s>[-/])(?P<month>\d\d?)(?P=s)(?P<day>\d\d?)", _iso_date),
        (_ON + r"(?P<day>\d\d?)(?P<s>[-/])(?P<month>\d\d?)(?P=s)(?P<year>\d+)", _numeric_date),
        (_ON + r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>[1-9]\d{3})", _numeric_date),
        (rf"{_ON}{_DAY} (?:of )?{_MONTH}{_YEAR}", _named_date),
        (rf"{_ON}{_MONTH} {_DAY}{_YEAR}", _named_date),
        (r"(?:minggu|pekan) (?:depan|ini)|(?:next|this) week", _week_only),
        (
            r"(?:on |pada )?(?:(?P<lead>next|this) )?(?:hari )?"
            rf"(?P<name>{_any(' '.join(_WEEKDAYS).split())})"
            r"(?: (?P<tail>depan|ini|minggu depan|minggu ini|next week))?",
            _weekday,
        ),
        (r"(?:at )?(?:noon|midday)|tengah hari", lambda _: {"clock": ("12", 0, 0), "part": "siang"}),
        (r"(?:at )?midnight|tengah malam", _refuse_midnight),
        (
            _AT + r"?(?P<hour>\d\d?)[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?(?![\d:.])",
            _clock,
        ),
        (_AT + r"(?P<hour>\d\d?)(?![\d:.])", _clock),
        (rf"(?P<hour>\d\d?)(?= ?(?:{_PART})(?![a-z]))", _clock),
        (_PART, lambda m: {"part": m[0].replace(".", "")}),
        (
            r"(?:(?:utc|gmt) ?(?=[+-])|(?=\+\d\d:?\d\d))"
            r"(?P<sign>[+-])(?P<hours>\d\d?)(?::?(?P<minutes>\d\d))?",
            _offset,
        ),
        (_any(_ZONES), lambda m: {"zone": m[0]}),
        (r"\d+", _number_only),
    ]
]
