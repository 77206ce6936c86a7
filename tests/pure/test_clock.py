"""A jump of the clock is told from time that has passed; a wall time keeps its meaning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost import times
from crosspost.clock import MOST, ClockWatch, Reading, boot_seconds, jump, went_back
from crosspost.times import Moment, moment_of, still_due

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


@pytest.mark.parametrize(
    ("wall", "steady", "moved"),
    [
        (0, 0, None),
        (3600, 3600, None),  # an hour of sleep is an hour
        (3659, 3600, None),  # put right by less than a minute
        (3541, 3600, None),
        (3661, 3600, 61),
        (3601, 1, 3600),
        (-3599, 1, -3600),
        (10**9, 5, 10**9 - 5),  # the battery was empty: from 1970
    ],
)
def test_a_jump_is_what_the_wall_clock_moved_beyond_the_time_that_passed(wall, steady, moved):
    after = Reading(NOW + timedelta(seconds=wall), 100.0 + steady)
    expected = None if moved is None else timedelta(seconds=moved)
    assert jump(Reading(NOW, 100.0), after) == expected


@given(st.integers(0, 10**8), st.integers(-(10**8), 10**8))
def test_every_move_of_more_than_a_minute_is_a_jump_and_no_other(passed, moved):
    after = Reading(NOW + timedelta(seconds=passed + moved), float(passed))
    assert (jump(Reading(NOW, 0.0), after) is not None) is (abs(moved) > MOST.total_seconds())


def test_a_watch_tells_each_jump_once_and_compares_with_the_last_reading():
    walls = iter([NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1, seconds=50)])
    steady = iter([0.0, 1.0, 2.0])
    watch = ClockWatch(lambda: next(walls), lambda: next(steady))
    assert watch.jumped() == timedelta(hours=1, seconds=-1)
    assert watch.jumped() is None


def test_a_clock_behind_the_record_went_back():
    assert went_back(NOW + timedelta(hours=1), NOW) == -timedelta(hours=1)
    assert went_back(NOW + MOST, NOW) is None
    assert went_back(NOW - timedelta(days=30), NOW) is None
    assert went_back(None, NOW) is None


def test_the_machine_has_a_clock_that_nobody_sets():
    assert 0 < boot_seconds() <= boot_seconds()


# The law moves a clock: the zone database of today against a moment stored by an older one.


INSTANTS = st.integers(0, 11 * 366 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(
    INSTANTS,
    st.sampled_from([*ZONES, "Asia/Jakarta", "Africa/Casablanca"]),
)
def test_what_the_rules_still_say_stays(utc, zone):
    assert still_due(moment_of(utc, zone)) == utc


@given(
    INSTANTS.map(lambda instant: instant.replace(tzinfo=None)),
    st.sampled_from([*ZONES, "Asia/Jakarta"]),
    st.sampled_from([-60, -30, 30, 60, 120]),
)
def test_after_a_change_the_clock_shows_the_promised_time_and_it_is_moved_only_once(
    wall, zone, off
):
    was = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + timedelta(minutes=off)
    stored = Moment(was, wall.isoformat(), zone)
    due = still_due(stored)
    assert still_due(Moment(due, stored.wall, zone)) == due
    if times._occurrences(wall, zone):
        assert moment_of(due, zone).wall == stored.wall


@pytest.mark.parametrize("zone", ZONES)
def test_at_every_turn_a_skipped_time_comes_as_if_the_clock_had_not_been_turned(zone):
    for turn, by in turns(zone):
        opens = turn.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if by < timedelta():
            first = opens  # shown twice: the nearer one stays
            for instant in (turn, turn + by):
                assert still_due(Moment(instant, first.isoformat(), zone)) == instant
            continue
        skipped = opens - by / 2
        for stale in (turn - timedelta(hours=3), turn + timedelta(hours=3)):
            assert still_due(Moment(stale, skipped.isoformat(), zone)) == turn + by / 2


def turns(zone: str) -> list[tuple[datetime, timedelta]]:
    """Every turn of the clock from 2025 to 2035: when in UTC, and by how much."""
    tz, start = ZoneInfo(zone), datetime(2025, 1, 1, tzinfo=UTC)
    found = []
    for early, late in pairwise(start + timedelta(minutes=30 * n) for n in range(11 * 366 * 48)):
        by = late.astimezone(tz).utcoffset() - early.astimezone(tz).utcoffset()
        if by:
            found.append((late, by))
    assert len(found) == 22
    return found
