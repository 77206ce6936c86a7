"""Wall time and zone to UTC and back, and times as an admin writes and reads them.

Pure: the time it is comes in as `now`. A wall time that a turned clock skips is refused, and so is
one that it shows twice, for an office must not publish an hour off by luck. This room must not know
what is published, nor load Babel before there is something to show.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from crosspost.errors import TimeError
from crosspost.phrases import Said, parse
from crosspost.timewords import Ahead, Date, Week, Weekday, refusal
from crosspost.wording import base_language, language, t, words

#: Further ahead than this is a mistyped year.
FURTHEST = timedelta(days=2 * 366)
#: How a time is written, in Babel's patterns (Unicode TR 35, "Date Field Symbol Table").
_SPOKEN = {"en": "EEEE, d MMMM y 'at' HH:mm", "id": "EEEE, d MMMM y 'pukul' HH.mm"}
_SHORT = {"en": "EEE d MMM y HH:mm", "id": "EEE d MMM y HH.mm"}
_DAY = "EEEE, d MMMM y"


@dataclass(frozen=True)
class Moment:
    """An instant and how the office says it.

    `utc` is aware and in UTC; `wall` is the same in `zone` (an IANA name), ISO to the second and
    without offset: "2026-12-01T09:00:00".
    """

    utc: datetime
    wall: str
    zone: str


def understand(text: str, zone: str, now: datetime) -> Moment:
    """The moment that `text` names, for an office in `zone` (IANA name), at `now` (aware).

    Days are the office's calendar days; "2 jam lagi" counts elapsed time. The minute that runs
    counts as now. Raises TimeError for what is not understood wholly, has passed, is more than two
    years ahead, or exists not at all or twice on that day and was given without offset.
    """
    said = parse(text, _clock_names(zone, now))
    if said.elapsed is not None:
        return _in_reach(moment_of(now + said.elapsed, zone), now)
    days = _days(said, zone, now)
    day = next((day for day in days if not _is_over(day, said, zone, now)), days[-1])
    return _in_reach(_resolve(datetime.combine(day, said.clock), said, zone), now)


def at_wall(wall: datetime, zone: str) -> Moment:
    """The moment when the clocks in `zone` show `wall` (naive).

    Raises TimeError when they never show it, or show it twice (then only an offset can tell).
    """
    return moment_of(_only(wall, _occurrences(wall, zone), zone), zone)


def moment_of(utc: datetime, zone: str) -> Moment:
    """An instant (aware, in whatever zone) as the office in `zone` says it."""
    local = utc.astimezone(ZoneInfo(zone))
    wall = local.replace(tzinfo=None).isoformat(timespec="seconds")
    return Moment(utc.astimezone(UTC), wall, zone)


def still_due(moment: Moment) -> datetime:
    """When the clocks of `moment.zone` show its wall time by the rules of today, in UTC: what was
    promised is the wall time, and a law may have changed the zone since.

    `moment.utc` where that still fits; of two the nearer one; a time that the clock now skips comes
    when it would have come had the clock not been turned.
    """
    zone = ZoneInfo(moment.zone)
    if moment_of(moment.utc, moment.zone).wall == moment.wall:
        return moment.utc
    wall = datetime.fromisoformat(moment.wall)
    found = _occurrences(wall, moment.zone) or [wall.replace(tzinfo=zone)]
    instants = [one.astimezone(UTC) for one in found]
    return min(instants, key=lambda instant: abs(instant - moment.utc))


def is_late(now: datetime, not_after: datetime) -> bool:
    """Whether the latest time to publish, `not_after`, has passed."""
    return now > not_after


# How times are shown.


def spoken(when: datetime, zone: str, lang: str) -> str:
    """`when` (aware) in full: "Selasa, 1 Desember 2026 pukul 09.00 WIB (UTC+07:00)".

    `understand` reads it back, with or without its bracket.
    """
    local = when.astimezone(ZoneInfo(zone))
    return f"{_formatted(local, _SPOKEN[base_language(lang)], lang)} {_clock_label(local)}"


def short(when: datetime, zone: str, lang: str, now: datetime | None = None) -> str:
    """`when` (aware) for a table: "Tue 1 Dec 2026 09:00"; without the year when `now` is in it."""
    local, pattern = when.astimezone(ZoneInfo(zone)), _SHORT[base_language(lang)]
    if now is not None and now.astimezone(ZoneInfo(zone)).year == local.year:
        pattern = pattern.replace(" y", "")
    return _formatted(local, pattern, lang)


def ago_or_in(when: datetime, now: datetime, lang: str) -> str:
    """How far `when` is from `now` in a round number: "in 2 hours", "3 menit yang lalu"."""
    from babel.dates import format_timedelta

    away = when - now
    if abs(away) < timedelta(seconds=1):
        return words(lang)("now")
    # 90 minutes stay 90 minutes: a larger unit is used only from nearly two of it on.
    return format_timedelta(away, threshold=1.9, add_direction=True, locale=base_language(lang))


def _formatted(local: date, pattern: str, lang: str) -> str:
    from babel.dates import format_date, format_datetime

    show = format_datetime if isinstance(local, datetime) else format_date
    return show(local, pattern, locale=base_language(lang))


def _clock_label(local: datetime) -> str:
    """The clock's name and offset, "WIB (UTC+07:00)"; some zones have no name for theirs."""
    name, offset = local.tzname() or "", local.strftime("%z")
    label = f"(UTC{offset[:3]}:{offset[3:5]})"
    return f"{name} {label}" if name.isalpha() else label


def _typed(when: datetime) -> str:
    """A time, naive or aware, as it can be typed: "2026-12-01 09:00 WIB (UTC+07:00)"."""
    naive = when.replace(tzinfo=None).isoformat(" ", "seconds" if when.second else "minutes")
    return f"{naive} {_clock_label(when)}" if when.tzinfo else naive


# From what is said to a day.


def _clock_names(zone: str, now: datetime) -> set[str]:
    """What the office's clock is called now and in the next two years, in small letters."""
    months = (now + timedelta(days=days) for days in range(-31, FURTHEST.days + 31, 31))
    return {(month.astimezone(ZoneInfo(zone)).tzname() or "").lower() for month in months}


def _days(said: Said, zone: str, now: datetime) -> Sequence[date]:
    """The days that may be meant, in order: the first on which the time is still ahead is."""
    today = now.astimezone(ZoneInfo(zone)).date()
    if said.day is None and said.weekday is None:
        today = now.astimezone(_own_tz(said, zone)).date()
        return today, today + timedelta(days=1)
    if said.day is None:
        return _weekdays(said, zone, today)
    day = _date(said.day, today)
    if said.weekday and day.weekday() != said.weekday.number:
        right = _formatted(day, _DAY, language())
        raise refusal(t("The weekday does not fit the date: it is {date}.", date=right))
    return (day,)


def _weekdays(said: Said, zone: str, today: date) -> Sequence[date]:
    weekday = said.weekday or Weekday(today.weekday())
    week = timedelta(days=7)
    this = today + timedelta(days=weekday.number - today.weekday())
    if weekday.week is Week.THIS:
        return (this,)
    if weekday.week is Week.NEXT and this > today:
        tz = _own_tz(said, zone)
        raise _two_days(*(datetime.combine(d, said.clock, tz) for d in (this, this + week)))
    if weekday.week is Week.COMING:
        first = this if this >= today else this + week
        return first, first + week
    return (this + week,)


def _date(day: Date | Ahead, today: date) -> date:
    """The calendar day that is meant. Raises TimeError when there is none such."""
    if isinstance(day, Ahead):
        return today + timedelta(days=day.days)
    if not 1 <= day.month <= 12:
        raise refusal(t("There is no month {month}.", month=day.month))
    year = day.year or _next_year(day, today)
    if year > today.year + 3:  # before dates end, at the year 9999
        raise _too_far(str(year))
    last = _last_day(year, day.month)
    if not 1 <= day.day <= last:
        month = _formatted(date(year, day.month, 1), "MMMM y", language())
        raise refusal(
            t("{month} has {last} days, no day {day}.", month=month, last=last, day=day.day)
        )
    return date(year, day.month, day.day)


def _next_year(day: Date, today: date) -> int:
    """The year of the next such date, today's included; a 29 February waits for a leap year."""
    year = today.year + ((day.month, day.day) < (today.month, today.day))
    while day.day == 29 > _last_day(year, day.month):
        year += 1
    return year


def _last_day(year: int, month: int) -> int:
    # `calendar` knows it too, and is slow to import.
    return (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day


def _is_over(day: date, said: Said, zone: str, now: datetime) -> bool:
    """Whether the time that is said has passed on `day`, however the clock is turned then."""
    wall = datetime.combine(day, said.clock, _own_tz(said, zone))
    return max(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)) < _this_minute(now)


def _own_tz(said: Said, zone: str) -> ZoneInfo | timezone:
    return ZoneInfo(zone) if said.offset is None else timezone(said.offset)


def _this_minute(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(second=0, microsecond=0)


# From a wall time to the instant.


def _resolve(wall: datetime, said: Said, zone: str) -> Moment:
    if said.offset is not None and not said.zone:
        return moment_of(wall.replace(tzinfo=timezone(said.offset)), zone)
    found = _occurrences(wall, zone)
    fitting = [one for one in found if _is_called(one, said)]
    if found and not fitting:
        right = ", ".join(_clock_label(one) for one in found)
        raise refusal(t("The clock in {zone} is then {right}.", zone=zone, right=right))
    return moment_of(_only(wall, fitting, zone), zone)


def _is_called(one: datetime, said: Said) -> bool:
    """Whether the clock has the name, and the offset beside it, that were written, if any."""
    same_name = said.zone in ("", (one.tzname() or "").lower())
    return same_name and said.offset in (None, one.utcoffset())


def _occurrences(wall: datetime, zone: str) -> list[datetime]:
    """When the clocks in `zone` show `wall`: once, twice (turned back), never (turned ahead).

    By PEP 495 the two folds have one offset, a falling or a rising one.
    """
    first, second = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    before, after = (one.utcoffset() or timedelta() for one in (first, second))
    if before < after:
        return []
    return [first] if before == after else [first, second]


def _only(wall: datetime, found: Sequence[datetime], zone: str) -> datetime:
    if not found:
        raise _gap(wall, zone)
    if len(found) > 1:
        raise _fold(wall, found, zone)
    return found[0]


def _in_reach(moment: Moment, now: datetime) -> Moment:
    """`moment`, unless it has passed or is too far ahead."""
    if moment.utc < _this_minute(now):
        when, lang = spoken(moment.utc, moment.zone, language()), language()
        raise refusal(
            t("{when} has passed ({ago}).", when=when, ago=ago_or_in(moment.utc, now, lang))
        )
    if moment.utc - now > FURTHEST:
        raise _too_far(spoken(moment.utc, moment.zone, language()))
    return moment


# What is refused, and what to write instead.


def _too_far(when: str) -> TimeError:
    return refusal(t("{when} is more than two years ahead. Is the year right?", when=when))


def _two_days(first: datetime, second: datetime) -> TimeError:
    days = [_formatted(one, _DAY, language()) for one in (first, second)]
    return TimeError(
        t("It may be {first} or {second}.", first=days[0], second=days[1]),
        hint=_write(first, second),
    )


def _gap(wall: datetime, zone: str) -> TimeError:
    """The clock is turned ahead over `wall`: say from when to when, and the times around."""
    late, early = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    opens, skipped = _turned(early.astimezone(UTC), late.astimezone(UTC), zone)
    return TimeError(
        t(
            "{wall} does not exist in {zone}: the clock goes from {closes} to {opens} then.",
            wall=_typed(wall),
            zone=zone,
            closes=f"{opens - skipped:%H:%M}",
            opens=f"{opens:%H:%M}",
        ),
        hint=_write(wall - skipped, wall + skipped),
    )


def _turned(early: datetime, late: datetime, zone: str) -> tuple[datetime, timedelta]:
    """The first wall time after the one turn of the clock between `early` and `late` (UTC), and by
    how much it is turned."""
    minutes = range(int((late - early) / timedelta(minutes=1)) + 1)

    def wall(minute: int) -> datetime:
        moment = early + timedelta(minutes=minute)
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    def jumped(minute: int) -> timedelta:
        return wall(minute) - wall(0) - timedelta(minutes=minute)

    skipped = jumped(minutes[-1])
    return wall(bisect_left(minutes, skipped, key=jumped)), skipped


def _fold(wall: datetime, found: Sequence[datetime], zone: str) -> TimeError:
    """The clock is turned back and shows `wall` twice: name both offsets."""
    return TimeError(
        t(
            "{wall} happens twice in {zone}: the clock is turned back.",
            wall=_typed(wall),
            zone=zone,
        ),
        hint=_write(*found),
    )


def _write(first: datetime, second: datetime) -> str:
    return t('Write "{first}" or "{second}".', first=_typed(first), second=_typed(second))
