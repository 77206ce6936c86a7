"""When a platform says to come back, in every way in which platforms say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.retry import LONGEST_WAIT, retry_time

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IN_TWO_MINUTES = NOW + timedelta(minutes=2)
UNIX = str(int(IN_TWO_MINUTES.timestamp()))


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "120"},
        {"retry-after": " 120 "},
        {"Retry-After": "120.0"},
        {"Retry-After": "Mon, 23 Nov 2026 09:02:00 GMT"},
        {"Retry-After": "Mon, 23 Nov 2026 16:02:00 +0700"},
        {"X-RateLimit-Reset": "2026-11-23T09:02:00.000Z", "X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Reset": "2026-11-23T09:02:00Z"},
        {"X-RateLimit-Reset": "2026-11-23T09:02:00"},
        {"RateLimit-Reset": UNIX, "RateLimit-Remaining": "0"},
        {"RateLimit-Reset": "120", "RateLimit-Remaining": "0"},
        {"x-rate-limit-reset": UNIX, "x-rate-limit-remaining": "0"},
        {"x-rate-limit-reset": UNIX + "000"},
        {"X-RateLimit-Reset-After": "120.0", "X-RateLimit-Reset": "1"},
        {"Retry-After": "120", "X-RateLimit-Reset": "2026-11-23T10:00:00Z"},
        {"Retry-After": "soon", "X-RateLimit-Reset": "2026-11-23T09:02:00Z"},
    ],
    ids=str,
)
def test_two_minutes_in_every_notation(headers: dict[str, str]) -> None:
    assert retry_time(headers, NOW) == IN_TWO_MINUTES


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": ""},
        {"Retry-After": "soon"},
        {"Retry-After": "nan"},
        {"Retry-After": "inf"},
        {"Retry-After": "-1e999"},
        {"Retry-After": "9" * 400},
        {"X-RateLimit-Reset": UNIX, "X-RateLimit-Remaining": "298"},
    ],
    ids=str,
)
def test_nothing_usable_is_no_time(headers: dict[str, str]) -> None:
    assert retry_time(headers, NOW) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-5", NOW),
        ("0", NOW),
        ("Mon, 23 Nov 2020 09:00:00 GMT", NOW),
        ("99999999", NOW + LONGEST_WAIT),
        ("2999-01-01T00:00:00Z", NOW + LONGEST_WAIT),
    ],
)
def test_a_time_is_neither_in_the_past_nor_too_far(value: str, expected: datetime) -> None:
    assert retry_time({"Retry-After": value}, NOW) == expected


NAMES = st.sampled_from(
    ["Retry-After", "X-RateLimit-Reset", "RateLimit-Reset", "X-RateLimit-Remaining"]
)
VALUES = st.one_of(
    st.text(),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat),
)


@given(st.dictionaries(NAMES, VALUES))
def test_whatever_the_headers_say_the_time_is_soon_or_none(headers: dict[str, str]) -> None:
    moment = retry_time(headers, NOW)
    assert moment is None or NOW <= moment <= NOW + LONGEST_WAIT
