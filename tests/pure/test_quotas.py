"""How much may still be published, and when it may be more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.quotas import NEVER, Quota, Use, free_at, used

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROLLING = Quota(Decimal(3), DAY)
MONTHLY = Quota(Decimal("1.00"), "month", unit="USD")
PACIFIC = Quota(Decimal(2), "day", zone="America/Los_Angeles")


def uses(*ago: float, amount: str = "1") -> list[Use]:
    return [Use(NOW - timedelta(hours=hours), Decimal(amount)) for hours in ago]


@pytest.mark.parametrize(
    ("quota", "before", "amount", "free"),
    [
        (ROLLING, uses(1, 2), "1", None),
        (ROLLING, uses(1, 2, 5), "1", NOW + 19 * HOUR),
        (ROLLING, uses(5, 2, 1), "2", NOW + 22 * HOUR),
        (ROLLING, uses(1, 2, 5), "3", NOW + 23 * HOUR),
        (ROLLING, uses(23.5, 24, 30), "2", None),
        (ROLLING, uses(-1, -2, -3), "1", None),
        (ROLLING, [], "4", NEVER),
        (ROLLING, uses(1, 1, 1, 1), "1", NOW + 23 * HOUR),
        (MONTHLY, uses(1, 2, amount="0.4"), "0.2", None),
        (MONTHLY, uses(1, 2, amount="0.4"), "0.21", datetime(2026, 12, 1, tzinfo=UTC)),
        (MONTHLY, uses(24 * 26, amount="0.99"), "0.2", None),
        (PACIFIC, uses(0.5, 0.9), "1", datetime(2026, 11, 26, 8, 0, tzinfo=UTC)),
        (PACIFIC, uses(0.5, 1.1), "1", None),
        (PACIFIC, uses(1.1, 2), "1", None),
        (Quota(None, DAY), uses(*range(1, 20)), "1", None),
    ],
)
def test_when_there_is_room(quota, before, amount, free):
    assert free_at(quota, before, Decimal(amount), NOW) == free


def test_a_calendar_day_is_that_of_its_zone_also_where_clocks_change():
    quota = Quota(Decimal(1), "day", zone="America/Los_Angeles")
    eve = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)  # the day before the clocks go back
    assert quota.begins(eve) == datetime(2026, 10, 31, 7, 0, tzinfo=UTC)
    assert quota.ends(eve) == datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
    changed = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
    assert quota.ends(changed) == datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "end"),
    [((2026, 12, 31), (2027, 1, 1)), ((2028, 2, 29), (2028, 3, 1)), ((2026, 1, 31), (2026, 2, 1))],
)
def test_a_calendar_month_ends_with_the_month(now, end):
    assert MONTHLY.ends(datetime(*now, 12, tzinfo=UTC)) == datetime(*end, tzinfo=UTC)


HOURS = st.lists(st.floats(0, 100, allow_nan=False), max_size=12)
QUOTAS = st.sampled_from([ROLLING, MONTHLY, PACIFIC])


@given(HOURS, QUOTAS, st.integers(1, 3))
def test_at_the_named_time_there_is_room_and_just_before_there_is_none(hours, quota, amount):
    before = uses(*hours)
    at = free_at(quota, before, Decimal(amount), NOW)
    if at is None:
        assert used(quota, before, NOW) + amount <= quota.limit
    elif at == NEVER:
        assert amount > quota.limit
    else:
        assert at > NOW
        assert free_at(quota, before, Decimal(amount), at) is None
        just_before = at - timedelta(microseconds=1)
        assert free_at(quota, before, Decimal(amount), just_before) is not None


def test_it_is_told_in_words():
    assert ROLLING.words(Decimal(2)) == "2 of 3 posts in 24 hours"
    assert MONTHLY.words(Decimal("0.4")) == "USD 0.40 / 1.00 this month"
