"""The words of which times are made, in Indonesian and English, and what each one says.

A piece is a pattern with its reader; the reader gives slots: `day`, `weekday`, `clock`, `part`,
`zone`, `offset` or `elapsed`. To teach a word, add it to its table. This room must not know how
pieces go together (`phrases.py`), nor what day it is (`times.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from typing import Any

from crosspost.errors import TimeError
from crosspost.wording import t

MONTHS = (
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
WEEKDAYS = (
    "senin monday sen mon",
    "selasa tuesday sel tues tue",
    "rabu wednesday rab wed",
    "kamis thursday kam thurs thur thu",
    "jumat jum'at friday jum fri",
    "sabtu saturday sab sat",
    "minggu ahad sunday min sun",
)
NEAR_DAYS = {
    "kemarin": -1, "yesterday": -1,
    "hari ini": 0, "today": 0, "nanti": 0,
    "besok": 1, "tomorrow": 1,
    "lusa": 2, "the day after tomorrow": 2, "day after tomorrow": 2,
}  # fmt: skip
#: The hours of the 24-hour clock that a part of the day may mean. "jam 9 malam" is the one hour of
#: 9 and 21 that lies in its range; none may be longer than twelve hours, or it would mean two.
PARTS = {
    "dini hari": range(6),
    "pagi": range(12), "in the morning": range(12), "morning": range(12), "am": range(12),
    "siang": range(10, 16),
    "in the afternoon": range(12, 19), "afternoon": range(12, 19), "pm": range(12, 24),
    "sore": range(15, 19),
    "in the evening": range(17, 24), "evening": range(17, 24),
    "malam": range(18, 24), "at night": range(18, 24), "night": range(18, 24),
}  # fmt: skip
#: Parts that name the day besides.
PARTS_OF_TODAY = {
    "pagi ini": "pagi", "siang ini": "siang", "sore ini": "sore", "malam ini": "malam",
    "nanti siang": "siang", "nanti sore": "sore", "nanti malam": "malam",
    "this morning": "morning", "this afternoon": "afternoon", "this evening": "evening",
    "tonight": "evening",
}  # fmt: skip
#: Hours ahead of UTC, where a name means the same everywhere. Any other name counts only where it
#: is that of the office's own clock.
ZONES = {"wib": 7, "wita": 8, "wit": 9, "utc": 0, "gmt": 0, "z": 0}
SECONDS = {
    "jam": 3600, "hour": 3600, "hr": 3600,
    "menit": 60, "mnt": 60, "minute": 60, "min": 60,
    "detik": 1, "second": 1, "sec": 1,
}  # fmt: skip
DAYS = {"hari": 1, "day": 1, "minggu": 7, "pekan": 7, "week": 7}
COUNTS = {"se": 1, "satu": 1, "one": 1, "a": 1, "an": 1}
HALVES = ("setengah", "half a", "half an")

#: So much of a refused text is repeated in the message.
QUOTED = 60


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


# Refusals.


def refusal(problem: str) -> TimeError:
    """A time that is refused for `problem`, with examples of what is understood."""
    return TimeError(
        problem,
        hint=t('Examples of what is understood: "31 Dec 09:00", "tomorrow at 9", "in 2 hours".'),
    )


def not_understood(text: str) -> TimeError:
    """No piece begins here, or what it says is not possible."""
    return refusal(t('"{text}" is not understood as a time.', text=quoted(text)))


def quoted(text: str) -> str:
    """The start of `text`, harmless to print."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:QUOTED])
    return shown + "…" if len(text) > QUOTED else shown


def _midnight() -> TimeError:
    return refusal(
        t(
            "Midnight belongs to two days: "
            'write "00:00" with the day that begins, or "23:59" with the day that ends.'
        )
    )


# The hour that is meant.


def hour_meant(written: str, minute: int, part: str | None) -> int:
    """The hour from 0 to 23 that `written` means in that part of the day, or in none.

    Raises TimeError for an hour that does not lie in its part, and for "jam 3" alone, which is the
    night by the clock and the afternoon in most mouths.
    """
    hour = int(written)
    if part is not None:
        return _hour_in(part, hour)
    if len(written) == 1 and 1 <= hour <= 6:
        early, late = (f"{h:02}:{minute:02}" for h in (hour, hour + 12))
        raise refusal(
            t(
                '{hour} may be in the night or in the afternoon: write "{early}" or "{late}".',
                hour=hour,
                early=early,
                late=late,
            )
        )
    return hour


def _hour_in(part: str, hour: int) -> int:
    span = PARTS[part]
    for meant in (hour, hour + 12 if 1 <= hour < 12 else hour):
        if meant in span:
            return meant
    if hour in (0, 12) and (span.start == 0 or span.stop == 24):
        raise _midnight()
    raise refusal(
        t(
            '{hour} does not fit "{part}", which is from {first}:00 to {last}:59.',
            hour=hour,
            part=part,
            first=f"{span.start:02}",
            last=f"{span.stop - 1:02}",
        )
    )


# Readers: what one piece says.

Slots = dict[str, Any]
Reader = Callable[[re.Match[str]], Slots]


def _elapsed(found: re.Match[str]) -> Slots:
    count = 0.5 if found["count"] in HALVES else _count(found)
    return {"elapsed": timedelta(seconds=count * SECONDS[found["unit"].rstrip("s")])}


def _days_ahead(found: re.Match[str]) -> Slots:
    return {"day": Ahead(_count(found) * DAYS[found["unit"].rstrip("s")])}


def _count(found: re.Match[str]) -> int:
    return COUNTS.get(found["count"]) or int(found["count"])


def _iso_date(found: re.Match[str]) -> Slots:
    return {"day": Date(int(found["year"]), int(found["month"]), int(found["day"]))}


def _numeric_date(found: re.Match[str]) -> Slots:
    day, month, year = int(found["day"]), int(found["month"]), found["year"]
    if len(year) != 4:
        raise refusal(t("Write the year of a date with four digits."))
    if month > 12 >= day:
        right = f"{month}/{day}/{year}"
        raise refusal(
            t(
                'There is no month {month}. The day comes before the month: write "{date}".',
                month=month,
                date=right,
            )
        )
    return {"day": Date(int(year), month, day)}


def _named_date(found: re.Match[str]) -> Slots:
    year = int(found["year"]) if found["year"] else None
    return {"day": Date(year, _place(MONTHS, found["month"]) + 1, int(found["day"]))}


def _weekday(found: re.Match[str]) -> Slots:
    lead, tail = found["lead"], found["tail"]
    if lead and tail:
        raise not_understood(found[0])
    week = {
        None: Week.COMING,
        "ini": Week.THIS, "minggu ini": Week.THIS, "this": Week.THIS,
        "depan": Week.NEXT, "next": Week.NEXT,
        "minggu depan": Week.AFTER, "next week": Week.AFTER,
    }[lead or tail]  # fmt: skip
    return {"weekday": Weekday(_place(WEEKDAYS, found["name"]), week)}


def _place(names: tuple[str, ...], name: str) -> int:
    return next(place for place, same in enumerate(names) if name in same.split())


def _clock(found: re.Match[str]) -> Slots:
    """The hour stays as it was written: "9" and "09" are not the same to `hour_meant`."""
    groups = found.groupdict()
    hour, minute, second = (groups.get(name) or "0" for name in ("hour", "minute", "second"))
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise refusal(
            t(
                'There is no {clock} on the clock. A day begins at "00:00" and ends at "23:59".',
                clock=f"{hour}:{minute:>02}",
            )
        )
    return {"clock": (hour, int(minute), int(second))}


def _around(found: re.Match[str]) -> Slots:
    """ "setengah 9" is half before nine; "9 kurang 10", "9 lewat 10" are ten minutes from it."""
    groups = found.groupdict()
    minutes = -30 if groups.get("count") is None else int(groups["count"])
    minutes = -minutes if groups.get("way") == "kurang" else minutes
    hour, minute = divmod(int(found["hour"]) * 60 + minutes, 60)
    if not 1 <= int(found["hour"]) <= 24 or abs(minutes) > 59:
        raise not_understood(found[0])
    return {"clock": (str(hour or 12), minute, 0)}


def _offset(found: re.Match[str]) -> Slots:
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > 14 or minutes > 59:
        raise refusal(t('There is no zone "{zone}".', zone=found[0].upper()))
    sign = -1 if found["sign"] == "-" else 1
    return {"offset": sign * timedelta(hours=hours, minutes=minutes)}


def _refuse_week(found: re.Match[str]) -> Slots:
    """Also because "minggu" is a week and a Sunday."""
    raise refusal(
        t('"{week}" does not say which day: write a date, or "Monday next week".', week=found[0])
    )


def _refuse_number(found: re.Match[str]) -> Slots:
    raise refusal(
        t(
            'What the number {number} means is unclear. Write an hour like "09:00" or "at 9".',
            number=found[0],
        )
    )


def _refuse_midnight(_: re.Match[str]) -> Slots:
    raise _midnight()


# Patterns.


def _any(words: Iterable[str]) -> str:
    """A pattern for one of `words`, the longest first."""
    return "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))


_ON = r"(?:on |pada )?(?:hari )?(?:the |tanggal |tgl\.? ?)?"
_YEAR = r"(?P<year>[1-9]\d{3})"
_MONTH = rf"(?P<month>{_any(' '.join(MONTHS).split())})\.?"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?(?![\d:.])"
_YEAR_OR_NOT = rf"(?:,? {_YEAR}(?![\d:.]))?"
_ISO_DATE = rf"{_ON}{_YEAR}(?P<s>[-/])(?P<month>\d\d?)(?P=s)(?P<day>\d\d?)"
_NUMERIC_DATE = rf"{_ON}(?P<day>\d\d?)(?P<s>[-/])(?P<month>\d\d?)(?P=s)(?P<year>\d+)"
_DOTTED_DATE = rf"{_ON}(?P<day>\d\d?)\.(?P<month>\d\d?)\.{_YEAR}"
_WEEKDAY = (
    r"(?:on |pada )?(?:(?P<lead>next|this) )?"
    rf"(?:hari )?(?P<name>{_any(' '.join(WEEKDAYS).split())})"
    r"(?: (?P<tail>depan|ini|minggu depan|minggu ini|next week))?"
)
_COUNT = rf"(?P<count>\d{{1,3}}|{_any(COUNTS)})"
_MAYBE_HALF = rf"(?P<count>\d{{1,3}}|{_any([*COUNTS, *HALVES])})"
_HOURS = rf"{_MAYBE_HALF} ?(?P<unit>(?:{_any(SECONDS)})s?)"
_WHOLE_DAYS = rf"{_COUNT} ?(?P<unit>(?:{_any(DAYS)})s?)"
_AT = r"(?:at |@ ?|(?:pada )?(?:pukul|pkl\.?|jam) ?)"
_PART = _any([*PARTS, "a.m.", "p.m."])
_TIME = rf"{_AT}?(?P<hour>\d\d?)[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?(?![\d:.])"
_HOUR_WITH_PART = rf"(?P<hour>\d\d?)(?= ?(?:{_PART})(?![a-z]))"
#: A bare "-05:00" is none: in "09:00-10:00" it ends a span of time.
_OFFSET = (
    r"(?:(?:utc|gmt) ?(?=[+-])|(?=\+\d\d:?\d\d))"
    r"(?P<sign>[+-])(?P<hours>\d\d?)(?::?(?P<minutes>\d\d))?"
)

#: Tried in this order wherever a piece may begin.
_TABLE: list[tuple[str, Reader]] = [
    (r"(?:right )?now|sekarang(?: juga)?", lambda _: {"elapsed": timedelta()}),
    (rf"(?:dalam|in) {_HOURS}(?: lagi)?", _elapsed),
    (rf"{_HOURS} (?:lagi|from now)", _elapsed),
    (rf"(?:dalam|in) {_WHOLE_DAYS}(?: lagi)?", _days_ahead),
    (rf"{_WHOLE_DAYS} (?:lagi|from now)", _days_ahead),
    (_any(PARTS_OF_TODAY), lambda found: {"day": Ahead(0), "part": PARTS_OF_TODAY[found[0]]}),
    (_any(NEAR_DAYS), lambda found: {"day": Ahead(NEAR_DAYS[found[0]])}),
    (_ISO_DATE, _iso_date),
    (_NUMERIC_DATE, _numeric_date),
    (_DOTTED_DATE, _numeric_date),
    (rf"{_ON}{_DAY} (?:of )?{_MONTH}{_YEAR_OR_NOT}", _named_date),
    (rf"{_ON}{_MONTH} {_DAY}{_YEAR_OR_NOT}", _named_date),
    (r"(?:minggu|pekan) (?:depan|ini)|(?:next|this) week", _refuse_week),
    (_WEEKDAY, _weekday),
    (r"(?:at )?(?:noon|midday)|tengah hari", lambda _: {"clock": ("12", 0, 0), "part": "siang"}),
    (r"(?:at )?midnight|tengah malam", _refuse_midnight),
    (_TIME, _clock),
    (rf"{_AT}setengah (?P<hour>\d\d?)", _around),
    (rf"{_AT}(?P<hour>\d\d?) (?P<way>lewat|lebih|kurang) (?P<count>\d\d?)(?: menit)?", _around),
    (rf"{_AT}(?P<hour>\d\d?)(?![\d:.])", _clock),
    (_HOUR_WITH_PART, _clock),
    (_PART, lambda found: {"part": found[0].replace(".", "")}),
    (_OFFSET, _offset),
    (_any(ZONES), lambda found: {"zone": found[0]}),
    (r"\d+(?![^ ,])", _refuse_number),
]


@cache
def pieces() -> list[tuple[re.Pattern[str], Reader]]:
    """Every piece, for lower-case text; compiled when first needed, for that takes a while.

    A piece ends before what is no letter or digit; only a time of day may have "pagi", "am" or
    "WIB" written against it.
    """
    return [
        (re.compile(f"(?:{pattern})" + ("" if read is _clock else r"(?![a-z0-9])")), read)
        for pattern, read in _TABLE
    ]
