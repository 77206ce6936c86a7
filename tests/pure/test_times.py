"""Times as people write them, the clock that is turned, and how times are shown."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from crosspost import timewords, wording
from crosspost.errors import TimeError
from crosspost.times import (
    FURTHEST,
    Moment,
    ago_or_in,
    at_wall,
    is_late,
    moment_of,
    short,
    spoken,
    understand,
)

JAKARTA, BERLIN, NEW_YORK = "Asia/Jakarta", "Europe/Berlin", "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"  # turns its clock by half an hour, and has no name for it
ZONES = [JAKARTA, "Asia/Makassar", "Asia/Jayapura", BERLIN, NEW_YORK]

#: Monday, 30 November 2026, 10:00:30 in Jakarta.
NOW = datetime(2026, 11, 30, 3, 0, 30, tzinfo=UTC)


@pytest.fixture(params=["en", "id"])
def admin(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both languages of the admin; tests without it speak English."""
    wording.set_language(request.param)
    yield request.param
    wording.set_language("en")


def attempt(text: str, zone: str, now: datetime) -> Moment | TimeError:
    try:
        return understand(text, zone, now)
    except TimeError as error:
        return error


def wall(text: str, zone: str = JAKARTA, now: datetime = NOW) -> str:
    return understand(text, zone, now).wall.replace("T", " ").removesuffix(":00")


def refused(text: str, zone: str = JAKARTA, now: datetime = NOW) -> TimeError:
    with pytest.raises(TimeError) as caught:
        understand(text, zone, now)
    return caught.value


# What is refused.


REFUSED = [
    ("", "No time is given"),
    (" \n\t ", "No time is given"),
    ("foo", "not understood"),
    ("besok jam 9 tepat", '"tepat" is not understood'),
    ("kira-kira besok jam 9", "not understood"),
    ("besok jam sembilan", '"jam sembilan" is not understood'),
    ("tomorrow at nine", "not understood"),
    ("besok 09:00-10:00", '"-10:00" is not understood'),
    ("2026-12-01 09:00-05:00", '"-05:00" is not understood'),
    ("besok 09.00 s/d 10.00", "not understood"),
    ("besok 9,5", "What the number"),
    ("1 jam", "What the number"),
    ("setengah 10", "not understood"),
    ("jam setengah 3", "02:30"),
    ("besok jam setengah 0", "not understood"),
    ("besok jam 9 lewat 60", "not understood"),
    ("kemarin jam 9", "has passed"),
    ("yesterday 09:00", "has passed"),
    ("09:00 CET", '"cet" is not understood'),
    ("besok jam 9 EST", "not understood"),
    ("jam 9 UTC+15", "There is no zone"),
    ("jam 9 UTC+7:75", "There is no zone"),
    ("09:00:00.000", "not understood"),
    ("2026-12-01T09", "What the number 09"),
    ("besok jam ９", "not understood"),
    ("besok jam ٩", "not understood"),
    ("besok\x00jam 9", "not understood"),
    ("besok\njam 9", "not understood"),
    ("beso\u212a jam 9", "not understood"),
    # something is missing
    ("9", "What the number 9 means"),
    ("besok 9", "What the number 9 means"),
    ("besok", "does not say the time of day"),
    ("besok pagi", "does not say the time of day"),
    ("1 Desember 2026", "does not say the time of day"),
    ("2026-12-01", "does not say the time of day"),
    ("3 hari lagi", "does not say the time of day"),
    ("Senin depan", "does not say the time of day"),
    ("WIB", "does not say the time of day"),
    ("minggu depan", "does not say which day"),
    ("minggu depan jam 9", "does not say which day"),
    ("next week at 9", "does not say which day"),
    # it says two things
    ("besok lusa jam 9", '"lusa" does not fit'),
    ("besok jam 9 jam 10", '"jam 10" does not fit'),
    ("besok 2 jam lagi", '"2 jam lagi" does not fit'),
    ("2 jam lagi besok", '"besok" does not fit'),
    ("sekarang jam 9", '"jam 9" does not fit'),
    ("now now", '"now" does not fit'),
    ("Senin Selasa jam 9", '"selasa" does not fit'),
    ("Senin depan, 7 Desember 2026 jam 9", "says the day in two ways"),
    ("next Monday next week at 9", "not understood"),
    ("jam 9 WIB WITA", '"wita" does not fit'),
    ("jam 9 WIB (UTC+08:00)", "names two zones that differ"),
    ("Rabu, 1 Desember 2026 pukul 09.00", "weekday does not fit"),
    ("besok Rabu jam 9", "weekday does not fit"),
    # the hour
    ("24:00", "There is no 24:00"),
    ("besok 24.00", "There is no 24:00"),
    ("jam 25", "There is no 25:00"),
    ("besok 09:75", "There is no 09:75"),
    ("besok 09:30:60", "There is no 09:30"),
    ("besok jam 3", 'write "03:00" or "15:00"'),
    ("tomorrow at 5", 'write "05:00" or "17:00"'),
    ("besok 3.30", 'write "03:30" or "15:30"'),
    ("jam 9 sore", "from 15:00 to 18:59"),
    ("15:00 pagi", "from 00:00 to 11:59"),
    ("besok siang jam 8", "from 10:00 to 15:59"),
    ("jam 12 sore", "from 15:00 to 18:59"),
    ("jam 1 malam", "from 18:00 to 23:59"),
    ("14:00 am", "from 00:00 to 11:59"),
    ("jam 12 malam", "Midnight belongs to two days"),
    ("besok malam jam 12", "Midnight belongs to two days"),
    ("besok tengah malam", "Midnight belongs to two days"),
    ("midnight", "Midnight belongs to two days"),
    ("tomorrow 12am", "Midnight belongs to two days"),
    # the date
    ("12/31/2026 09:00", 'write "31/12/2026"'),
    ("13/13/2026 09:00", "There is no month 13"),
    ("2026-13-01 09:00", "There is no month 13"),
    ("1/0/2026 09:00", "There is no month 0"),
    ("0/12/2026 09:00", "31 days, no day 0"),
    ("31/02/2027 09.00", "28 days, no day 31"),
    ("29 Feb 2027 09:00", "28 days, no day 29"),
    ("31 Feb 09:00", "28 days, no day 31"),
    ("31 Juni 09:00", "30 days, no day 31"),
    ("1/12/26 09:00", "four digits"),
    ("1/12-2026 09:00", "not understood"),
    # the time that it is
    ("2026-11-30 09:59", "has passed"),
    ("hari ini jam 9", "has passed"),
    ("30 Nov 09.00", "has passed"),
    ("1 Desember 1000 09.00", "has passed"),
    ("1/12/2032 09:00", "2032 is more than two years ahead"),
    ("31-12-9999 23:59", "9999 is more than two years ahead"),
    ("9999-12-31T23:59-14:00", "9999 is more than two years ahead"),
    ("5 Desember 2028 09.00", "more than two years ahead"),
    ("999 minggu lagi jam 9", "more than two years ahead"),
]


@pytest.mark.parametrize(("text", "because"), REFUSED)
def test_what_is_not_a_clear_time_ahead_is_refused_with_the_reason(text: str, because: str) -> None:
    assert because in refused(text).problems[0]


def test_a_wrong_weekday_is_told_the_right_one(admin: str) -> None:
    right = {"en": "Tuesday, 1 December 2026", "id": "Selasa, 1 Desember 2026"}
    assert right[admin] in str(refused("Rabu, 1 Desember 2026 pukul 09.00"))


def test_a_time_that_has_passed_is_echoed_with_how_long_ago() -> None:
    assert refused("09:55 30/11/2026", now=NOW.replace(second=0)).problems == (
        "Monday, 30 November 2026 at 09:55 WIB (UTC+07:00) has passed (5 minutes ago).",
    )


@pytest.mark.parametrize(
    "text", ["Jumat depan 09:00", "next Friday at 9", "hari Minggu depan 09.00"]
)
def test_a_next_weekday_that_may_be_this_week_or_the_next_is_refused_with_both_dates(
    text: str,
) -> None:
    first, second = quoted_in(refused(text).hint)
    assert at_wall(datetime.fromisoformat(wall(second)), JAKARTA).utc - understand(
        first, JAKARTA, NOW
    ).utc == timedelta(days=7)


def quoted_in(hint: str) -> list[str]:
    return re.findall(r'"(.+?)"', hint)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        *((text, JAKARTA) for text, _ in REFUSED),
        ("foo", BERLIN),
        ("Jumat depan 09:00", JAKARTA),
        ("Jumat depan 09:00 WITA", JAKARTA),
        ("next Friday 9am", LORD_HOWE),
        ("2027-03-28 02:30", BERLIN),
        ("2027-10-31 02:30", BERLIN),
        ("2027-11-07 01:30:15", NEW_YORK),
        ("2027-04-04 01:45", LORD_HOWE),
        ("2027-10-31 01:30", "Europe/Dublin"),
    ],
)
def test_every_refusal_has_examples_that_are_themselves_understood(
    text: str, zone: str, admin: str
) -> None:
    examples = quoted_in(refused(text, zone).hint)
    assert len(examples) in (2, 3)
    moments = [understand(example, zone, NOW) for example in examples]
    assert len({moment.utc for moment in moments}) == len(moments)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 10_000,
        " " * 10_000 + "x",
        "besok " * 2_000,
        "\x00" * 10_000,
        "١" * 10_000,
        ("1/" * 50)[:100],
        ("in a " * 20)[:100],
        ("minggu " * 15)[:100],
        ("satu se " * 12)[:100],
    ],
)
def test_endless_or_odd_input_is_refused_at_once_and_hardly_repeated(text: str) -> None:
    understand("now", JAKARTA, NOW)  # the pieces are compiled once
    start = perf_counter()
    error = refused(text)
    assert perf_counter() - start < 0.5
    assert len(str(error)) < 300
    assert str(error).replace("\n", " ").isprintable()


# What is understood.

ACCEPTED = [
    ("2026-12-01 09:00", "2026-12-01 09:00"),
    ("2026-12-01T09:00", "2026-12-01 09:00"),
    ("2026-12-01 09:00:15", "2026-12-01 09:00:15"),
    ("2026-12-01T09:00:15", "2026-12-01 09:00:15"),
    ("2026/12/01 09.00", "2026-12-01 09:00"),
    ("1/12/2026 09.00", "2026-12-01 09:00"),
    ("1-12-2026 09:00", "2026-12-01 09:00"),
    ("01.12.2026 09.00", "2026-12-01 09:00"),
    ("1 Desember 2026 09.00", "2026-12-01 09:00"),
    ("1 Des 2026 pukul 14.30", "2026-12-01 14:30"),
    ("tgl 1 Des. 2026 pkl. 14.30", "2026-12-01 14:30"),
    ("1 December 2026 9am", "2026-12-01 09:00"),
    ("December 1, 2026 at 2:30 pm", "2026-12-01 14:30"),
    ("Dec 1st 2:30 p.m.", "2026-12-01 14:30"),
    ("1st of December 2:30pm", "2026-12-01 14:30"),
    ("09.00 1 Des 2026", "2026-12-01 09:00"),
    # without year: the next such date, today's included
    ("1 Des 09.00", "2026-12-01 09:00"),
    ("30 Nov 11.00", "2026-11-30 11:00"),
    ("29 Nov 09.00", "2027-11-29 09:00"),
    ("29 Feb 09.00", "2028-02-29 09:00"),
    # days near by
    ("hari ini 16:00", "2026-11-30 16:00"),
    ("hari ini jam 4 sore", "2026-11-30 16:00"),
    ("today 16:00", "2026-11-30 16:00"),
    ("nanti jam 4 sore", "2026-11-30 16:00"),
    ("besok jam 9", "2026-12-01 09:00"),
    ("besok jam9", "2026-12-01 09:00"),
    ("besok 09:00", "2026-12-01 09:00"),
    ("besok pukul 09.00", "2026-12-01 09:00"),
    ("besok pkl 09.00", "2026-12-01 09:00"),
    ("besok, pukul 9.15", "2026-12-01 09:15"),
    ("besok pagi jam 9", "2026-12-01 09:00"),
    ("besok jam 9 pagi", "2026-12-01 09:00"),
    ("besok jam setengah 9", "2026-12-01 08:30"),
    ("besok pukul setengah 3 siang", "2026-12-01 14:30"),
    ("besok jam setengah 1 siang", "2026-12-01 12:30"),
    ("besok jam 9 kurang 10", "2026-12-01 08:50"),
    ("besok jam 9 lewat 15 menit", "2026-12-01 09:15"),
    ("besok jam 5 kurang 5 sore", "2026-12-01 16:55"),
    ("jam 9 besok pagi", "2026-12-01 09:00"),
    ("tomorrow 9am", "2026-12-01 09:00"),
    ("9am tomorrow", "2026-12-01 09:00"),
    ("tomorrow at 09:00", "2026-12-01 09:00"),
    ("tomorrow morning at 9", "2026-12-01 09:00"),
    ("tomorrow at 5 in the afternoon", "2026-12-01 17:00"),
    ("noon tomorrow", "2026-12-01 12:00"),
    ("besok Selasa jam 9", "2026-12-01 09:00"),
    ("lusa 14.30", "2026-12-02 14:30"),
    ("day after tomorrow 14:30", "2026-12-02 14:30"),
    ("the day after tomorrow at 2:30 pm", "2026-12-02 14:30"),
    ("3 hari lagi jam 9", "2026-12-03 09:00"),
    ("dalam 3 hari, jam 9", "2026-12-03 09:00"),
    ("in 3 days at 9", "2026-12-03 09:00"),
    ("in a week at 9", "2026-12-07 09:00"),
    ("2 minggu lagi jam 9", "2026-12-14 09:00"),
    ("seminggu lagi pukul 09.00", "2026-12-07 09:00"),
    # weekdays; it is Monday
    ("Senin jam 11", "2026-11-30 11:00"),
    ("Senin jam 9", "2026-12-07 09:00"),
    ("Monday 9:00", "2026-12-07 09:00"),
    ("Senin depan 11:00", "2026-12-07 11:00"),
    ("next Monday at 11", "2026-12-07 11:00"),
    ("Monday next week at 9", "2026-12-07 09:00"),
    ("Jumat minggu depan 09:00", "2026-12-11 09:00"),
    ("Jumat ini 09:00", "2026-12-04 09:00"),
    ("this Friday at 9", "2026-12-04 09:00"),
    ("hari Jumat pukul 13.30", "2026-12-04 13:30"),
    ("Jumat 13.30", "2026-12-04 13:30"),
    ("Jum\u2019at 13.30", "2026-12-04 13:30"),
    ("on Friday at 1:30 pm", "2026-12-04 13:30"),
    ("minggu jam 9", "2026-12-06 09:00"),
    ("hari Minggu jam 9", "2026-12-06 09:00"),
    ("Selasa, 1 Desember 2026 pukul 09.00 WIB", "2026-12-01 09:00"),
    ("pada hari Selasa tanggal 1 Desember 2026 pukul 09.00 WIB", "2026-12-01 09:00"),
    # the time of day alone: the next such time
    ("jam 10", "2026-11-30 10:00"),
    ("jam 11", "2026-11-30 11:00"),
    ("jam 9", "2026-12-01 09:00"),
    ("10.00", "2026-11-30 10:00"),
    ("9.59", "2026-12-01 09:59"),
    ("at 9", "2026-12-01 09:00"),
    ("tengah hari", "2026-11-30 12:00"),
    ("00:00", "2026-12-01 00:00"),
    # parts of the day
    ("jam 3 sore", "2026-11-30 15:00"),
    ("jam 15 sore", "2026-11-30 15:00"),
    ("jam 3 pagi", "2026-12-01 03:00"),
    ("jam 3 dini hari", "2026-12-01 03:00"),
    ("jam 12 siang", "2026-11-30 12:00"),
    ("jam 1 siang", "2026-11-30 13:00"),
    ("besok jam 10 siang", "2026-12-01 10:00"),
    ("jam 7 malam", "2026-11-30 19:00"),
    ("jam 9 malam", "2026-11-30 21:00"),
    ("21.00 malam", "2026-11-30 21:00"),
    ("nanti malam jam 8", "2026-11-30 20:00"),
    ("malam ini pukul 8", "2026-11-30 20:00"),
    ("tonight at 8", "2026-11-30 20:00"),
    ("besok 03.30", "2026-12-01 03:30"),
    ("12 pm", "2026-11-30 12:00"),
    # zones
    ("2026-12-01T09:00:00+07:00", "2026-12-01 09:00"),
    ("2026-12-01 09:00 +0700", "2026-12-01 09:00"),
    ("2026-12-01T02:00Z", "2026-12-01 09:00"),
    ("2026-12-01T02:00:00z", "2026-12-01 09:00"),
    ("2026-12-01T09:00-05:00", "2026-12-01 21:00"),
    ("2026-12-01 09:00 UTC-05:00", "2026-12-01 21:00"),
    ("2026-12-01 09:00 UTC+9", "2026-12-01 07:00"),
    ("besok 09.00WIB", "2026-12-01 09:00"),
    ("besok jam 9 WITA", "2026-12-01 08:00"),
    ("besok jam 9 pagi WIT", "2026-12-01 07:00"),
    ("02:00 GMT", "2026-12-01 09:00"),
    ("23:00 UTC", "2026-12-01 06:00"),
    # elapsed time: the seconds of now stay
    ("sekarang", "2026-11-30 10:00:30"),
    ("now", "2026-11-30 10:00:30"),
    ("2 jam lagi", "2026-11-30 12:00:30"),
    ("dalam 2 jam", "2026-11-30 12:00:30"),
    ("in 2 hours", "2026-11-30 12:00:30"),
    ("2 hours from now", "2026-11-30 12:00:30"),
    ("30 menit lagi", "2026-11-30 10:30:30"),
    ("in 30 minutes", "2026-11-30 10:30:30"),
    ("in 30 min", "2026-11-30 10:30:30"),
    ("setengah jam lagi", "2026-11-30 10:30:30"),
    ("in half an hour", "2026-11-30 10:30:30"),
    ("sejam lagi", "2026-11-30 11:00:30"),
    ("in an hour", "2026-11-30 11:00:30"),
    ("90 detik lagi", "2026-11-30 10:02"),
]


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_what_people_write_is_understood(text: str, expected: str) -> None:
    assert wall(text) == expected


@pytest.mark.parametrize("text", [text for text, _ in ACCEPTED])
def test_capitals_and_extra_spaces_change_nothing(text: str) -> None:
    loud = "  " + text.upper().replace(" ", " \u00a0 ") + " "
    assert understand(loud, JAKARTA, NOW) == understand(text, JAKARTA, NOW)


@pytest.mark.parametrize("text", [text for text, _ in ACCEPTED])
@pytest.mark.parametrize("more", ["{} xyz", "xyz {}", "{}?", "{} 7", "{} - 10:00", "{}!", "not {}"])
def test_a_phrase_is_understood_whole_or_not_at_all(text: str, more: str) -> None:
    refused(more.format(text))


def test_now_is_now_itself() -> None:
    assert understand("sekarang", JAKARTA, NOW) == Moment(NOW, "2026-11-30T10:00:30", JAKARTA)


def test_elapsed_time_does_not_care_for_a_turned_clock() -> None:
    before = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)  # 01:30 in Berlin, half an hour before
    moment = understand("in 2 hours", BERLIN, before)
    assert moment == Moment(before + timedelta(hours=2), "2027-03-28T04:30:00", BERLIN)
    assert wall("in 1 day at 01:30", BERLIN, before) == "2027-03-29 01:30"


def test_today_is_the_offices_day_even_when_another_zone_is_written() -> None:
    late = datetime(
        2026, 11, 30, 16, 30, tzinfo=UTC
    )  # 23:30 in Jakarta, 01:30 next day in Jayapura
    assert wall("besok jam 9 WIT", JAKARTA, late) == "2026-12-01 07:00"


def test_a_bare_time_in_another_zone_is_the_next_one_there() -> None:
    early = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)  # Tuesday, 05:00 in Jayapura
    assert wall("22:00 UTC", "Asia/Jayapura", early) == "2026-12-01 07:00"


def test_the_name_of_the_offices_own_clock_is_known_there_and_must_be_true() -> None:
    assert wall("2026-12-01 09:00 CET", BERLIN) == "2026-12-01 09:00"
    for wrong in ("CEST", "CET (UTC+02:00)", "CEST (UTC+02:00)"):
        error = refused(f"2026-12-01 09:00 {wrong}", BERLIN)
        assert error.problems == ("The clock in Europe/Berlin is then CET (UTC+01:00).",)
    assert "CEST (UTC+02:00), CET (UTC+01:00)" in str(
        refused("2027-10-31 02:30 CEST +01:00", BERLIN)
    )


# The clock that is turned.


def turns(zone: str) -> Iterator[tuple[datetime, timedelta]]:
    """Every turn of the clock from 2025 to 2035: its minute in UTC, and by how much."""
    tz, start = ZoneInfo(zone), datetime(2025, 1, 1, tzinfo=UTC)
    halves = (start + timedelta(minutes=30 * n) for n in range(11 * 366 * 48))
    for early, late in pairwise(halves):
        walls = [half.astimezone(tz).replace(tzinfo=None) for half in (early, late)]
        by = walls[1] - walls[0] - (late - early)
        if by:
            yield late, by


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE])
def test_at_every_turn_of_the_clock_skipped_and_doubled_times_are_refused(zone: str) -> None:
    found = list(turns(zone))
    assert len(found) == 22
    for turn, by in found:
        now, opens = turn - timedelta(days=1), turn.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        first, last = (opens - by, opens) if by > timedelta() else (opens, opens - by)
        minute = timedelta(minutes=1)
        for inside in (first, first + 7 * minute, last - minute):
            error = refused(str(inside), zone, now)
            expected = "does not exist" if by > timedelta() else "happens twice"
            assert expected in error.problems[0]
            assert len({understand(w, zone, now).utc for w in quoted_in(error.hint)}) == 2
            with pytest.raises(TimeError, match=expected):
                at_wall(inside, zone)
        for outside in (first - minute, last):
            assert understand(str(outside), zone, now) == at_wall(outside, zone)


def test_a_gap_is_named_with_its_limits_and_the_times_around_it() -> None:
    error = refused("2027-03-28 02:30", BERLIN)
    assert "02:30 does not exist in Europe/Berlin: the clock goes from 02:00 to 03:00" in str(error)
    assert quoted_in(error.hint) == ["2027-03-28 01:30", "2027-03-28 03:30"]


def test_a_doubled_time_is_taken_with_its_offset_or_name() -> None:
    error = refused("2027-10-31 02:30", BERLIN)
    assert quoted_in(error.hint) == [
        "2027-10-31 02:30 CEST (UTC+02:00)",
        "2027-10-31 02:30 CET (UTC+01:00)",
    ]
    first, second = (
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
        datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
    )
    for text, utc in [("CEST", first), ("CET", second), ("+02:00", first), ("UTC+1", second)]:
        moment = understand(f"2027-10-31 02:30 {text}", BERLIN, NOW)
        assert moment == Moment(utc, "2027-10-31T02:30:00", BERLIN)


def test_a_skipped_time_with_an_offset_exists() -> None:
    assert wall("2027-03-28T02:30+01:00", BERLIN) == "2027-03-28 03:30"


def test_a_bare_time_that_was_skipped_this_morning_means_tomorrow() -> None:
    afternoon = datetime(2027, 3, 28, 13, 0, tzinfo=UTC)
    assert wall("02:30", BERLIN, afternoon) == "2027-03-29 02:30"


# Properties.

instants = st.integers(0, 10 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
ODDS = """at pukul jam on pada hari in dalam lagi depan next minggu now noon , - : . / + 2026 2027
    0 1 3 9 12 29 31 99 09:00 9.30 24:00 2026-12-01 1/12/2026 +07:00 UTC-05:00 CET"""
WORDS = [
    *" ".join([*timewords.MONTHS, *timewords.WEEKDAYS, ODDS]).split(),
    *timewords.NEAR_DAYS,
    *timewords.PARTS,
    *timewords.PARTS_OF_TODAY,
    *timewords.ZONES,
    *timewords.SECONDS,
    *timewords.DAYS,
    *timewords.COUNTS,
    *timewords.HALVES,
]
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join)


@given(
    when=instants,
    ahead=st.timedeltas(timedelta(), FURTHEST),
    zone=st.sampled_from([*ZONES, LORD_HOWE, "Asia/Kathmandu", "UTC"]),
    lang=st.sampled_from(["en", "id"]),
)
@example(datetime(2027, 10, 31, 0, 30, tzinfo=UTC), timedelta(), BERLIN, "id")
@example(datetime(2027, 10, 31, 1, 30, tzinfo=UTC), timedelta(), BERLIN, "en")
def test_what_is_spoken_is_understood(
    when: datetime, ahead: timedelta, zone: str, lang: str
) -> None:
    echoed = spoken(when, zone, lang)
    moment = moment_of(when, zone)
    assert understand(echoed, zone, when - ahead) == moment
    label = re.search(r" \(UTC[+-]\d\d:\d\d\)$", echoed)
    assert label
    if zone == LORD_HOWE:  # only the bracket tells its two clocks apart
        assume(isinstance(attempt(moment.wall, zone, when), Moment))
    assert understand(echoed[: label.start()], zone, when - ahead) == moment
    assert understand(short(when, zone, lang) + label[0], zone, when - ahead) == moment


@given(when=instants, zone=st.sampled_from([*ZONES, LORD_HOWE]))
def test_a_moment_and_its_wall_time_are_one(when: datetime, zone: str) -> None:
    moment = moment_of(when, zone)
    local = datetime.fromisoformat(moment.wall)
    assert local == when.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    result = attempt(str(local), zone, when)
    if isinstance(result, Moment):
        assert result == at_wall(local, zone) == moment
    else:
        assert "happens twice" in result.problems[0]


@given(
    text=phrases | st.text(max_size=120) | st.text("0123456789.:/- jamlginowbest", max_size=40),
    now=instants,
    zone=st.sampled_from([*ZONES, LORD_HOWE]),
)
def test_any_text_is_refused_or_a_moment_within_reach(text: str, now: datetime, zone: str) -> None:
    result = attempt(text, zone, now)
    if isinstance(result, Moment):
        assert timedelta(minutes=-1) < result.utc - now <= FURTHEST
        assert result == moment_of(result.utc, zone)
    else:
        assert result.problems
        assert result.hint
        assert len(str(result)) < 400


@given(now=instants, second=st.integers(0, 59), zone=st.sampled_from(ZONES))
def test_the_minute_that_runs_counts_as_now_and_the_one_before_has_passed(
    now: datetime, second: int, zone: str
) -> None:
    later = now + timedelta(seconds=second)
    assert understand(spoken(now, zone, "en"), zone, later).utc == now
    assert "has passed" in str(refused(spoken(now - timedelta(minutes=1), zone, "en"), zone, later))


def test_no_part_of_the_day_lets_an_hour_mean_two() -> None:
    assert all(len(span) <= 12 for span in timewords.PARTS.values())


# How times are shown.


@pytest.mark.parametrize(
    ("zone", "lang", "expected"),
    [
        (JAKARTA, "id", "Selasa, 1 Desember 2026 pukul 09.00 WIB (UTC+07:00)"),
        (JAKARTA, "id-ID", "Selasa, 1 Desember 2026 pukul 09.00 WIB (UTC+07:00)"),
        (JAKARTA, "en", "Tuesday, 1 December 2026 at 09:00 WIB (UTC+07:00)"),
        ("Asia/Makassar", "id", "Selasa, 1 Desember 2026 pukul 10.00 WITA (UTC+08:00)"),
        ("Asia/Jayapura", "en", "Tuesday, 1 December 2026 at 11:00 WIT (UTC+09:00)"),
        (NEW_YORK, "en", "Monday, 30 November 2026 at 21:00 EST (UTC-05:00)"),
        ("Asia/Kathmandu", "en", "Tuesday, 1 December 2026 at 07:45 (UTC+05:45)"),
        (JAKARTA, "jv", "Tuesday, 1 December 2026 at 09:00 WIB (UTC+07:00)"),
    ],
)
def test_a_time_is_spoken_with_weekday_zone_and_offset(zone: str, lang: str, expected: str) -> None:
    assert spoken(datetime(2026, 12, 1, 2, 0, tzinfo=UTC), zone, lang) == expected


def test_a_table_shows_the_year_unless_it_is_this_one() -> None:
    when = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    assert short(when, JAKARTA, "en") == "Tue 1 Dec 2026 09:00"
    assert short(when, JAKARTA, "id", NOW) == "Sel 1 Des 09.00"
    assert short(when, JAKARTA, "en", NOW) == "Tue 1 Dec 09:00"
    next_year = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)  # already 2027 in Jakarta
    assert short(next_year, JAKARTA, "en", NOW) == "Fri 1 Jan 2027 00:00"


@pytest.mark.parametrize(
    ("away", "english", "indonesian"),
    [
        (timedelta(hours=2), "in 2 hours", "dalam 2 jam"),
        (timedelta(hours=1, minutes=59), "in 2 hours", "dalam 2 jam"),
        (timedelta(minutes=90), "in 90 minutes", "dalam 90 menit"),
        (timedelta(minutes=-3), "3 minutes ago", "3 menit yang lalu"),
        (timedelta(seconds=-40), "40 seconds ago", "40 detik yang lalu"),
        (timedelta(days=-3), "3 days ago", "3 hari yang lalu"),
    ],
)
def test_how_far_a_time_is_away(away: timedelta, english: str, indonesian: str) -> None:
    assert ago_or_in(NOW + away, NOW, "en") == english
    assert ago_or_in(NOW + away, NOW, "id") == indonesian


def test_less_than_a_second_away_is_now() -> None:
    assert ago_or_in(NOW + timedelta(milliseconds=300), NOW, "en") == "now"


def test_a_delivery_is_late_only_after_its_latest_time() -> None:
    assert not is_late(NOW, NOW)
    assert is_late(NOW + timedelta(microseconds=1), NOW)


def test_nothing_heavy_is_loaded_before_a_time_is_shown() -> None:
    code = (
        "import sys, crosspost.times as times\n"
        "from datetime import datetime, timezone\n"
        "times.understand('besok jam 9', 'Asia/Jakarta', datetime.now(timezone.utc))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "crosspost.times" in loaded
    assert not loaded & {"babel", "pydantic", "sqlmodel", "typer", "rich", "requests", "calendar"}
