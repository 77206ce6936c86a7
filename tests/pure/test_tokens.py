"""When a token is renewed, and when a person must log in again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.tokens import MARGIN, Token, is_ending, reminder

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def token(**values):
    return Token(**{"access": "a", "of": "me", "obtained": NOW, **values})


def test_an_answer_becomes_a_token():
    data = {
        "access_token": "new",
        "expires_in": 7200,
        "refresh_token": "next",
        "refresh_token_expires_in": 86400,
        "scope": "read write",
    }
    got = Token.of_answer(data, "me", NOW)
    assert got == token(
        access="new",
        ends=NOW + 2 * HOUR,
        refresh="next",
        refresh_ends=NOW + DAY,
        scopes="read write",
    )


@pytest.mark.parametrize(
    "data", [{}, {"access_token": ""}, {"access_token": None}, {"access_token": 7}]
)
def test_an_answer_without_a_token_is_none(data):
    with pytest.raises((KeyError, ValueError, TypeError)):
        Token.of_answer(data, "me", NOW)


def test_a_refresh_token_that_is_not_repeated_stays_with_its_end():
    before = token(refresh="old", refresh_ends=NOW + DAY, account="42")
    got = Token.of_answer({"access_token": "new"}, "me", NOW + HOUR, before)
    assert (got.refresh, got.refresh_ends, got.account) == ("old", NOW + DAY, "42")


def test_a_rotated_refresh_token_does_not_take_over_the_old_ones_end():
    before = token(refresh="old", refresh_ends=NOW + DAY)
    got = Token.of_answer({"access_token": "new", "refresh_token": "next"}, "me", NOW, before)
    assert (got.refresh, got.refresh_ends) == ("next", None)


@pytest.mark.parametrize(
    ("seconds", "end"),
    [
        (3600, NOW + HOUR),
        ("3600", NOW + HOUR),
        (0, None),
        (-5, None),
        (True, None),
        ("soon", None),
        (None, None),
        (10**30, None),
        (float("nan"), None),
    ],
)
def test_odd_lifetimes_are_no_end(seconds, end):
    assert Token.of_answer({"access_token": "a", "expires_in": seconds}, "me", NOW).ends == end


@pytest.mark.parametrize(
    ("life", "renewed_after"),
    [(2 * HOUR, 80 * HOUR / 60), (60 * DAY, 40 * DAY), (6 * HOUR / 60, HOUR / 60)],
)
def test_it_is_renewed_when_two_thirds_of_its_life_are_over_and_well_before_the_end(
    life, renewed_after
):
    made = token(ends=NOW + life)
    assert made.renewal() == NOW + renewed_after
    assert not made.is_due(NOW + renewed_after - timedelta(seconds=1))
    assert made.is_due(NOW + renewed_after)
    assert not made.is_over(NOW + renewed_after)


def test_one_without_an_end_is_never_renewed():
    assert not token().is_due(NOW + 10_000 * DAY)
    assert not token().is_over(NOW + 10_000 * DAY)
    assert token().login_ends() is None


@pytest.mark.parametrize(
    ("made", "ends"),
    [
        (token(ends=NOW + HOUR), NOW + HOUR),
        (token(ends=NOW + HOUR, refresh="r"), None),
        (token(ends=NOW + HOUR, refresh="r", refresh_ends=NOW + DAY), NOW + DAY),
    ],
)
def test_a_person_must_log_in_when_nothing_renews_it_any_more(made, ends):
    assert made.login_ends() == ends


TIMES = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis wants bounds without a zone
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(
    st.builds(
        Token,
        access=st.text(min_size=1),
        of=st.just("me"),
        obtained=TIMES,
        ends=st.none() | TIMES,
        refresh=st.text(),
        refresh_ends=st.none() | TIMES,
        scopes=st.text(),
        account=st.text(),
    )
)
def test_what_is_kept_comes_back_and_nothing_kept_is_empty(made):
    kept = made.kept()
    assert all(kept.values())
    assert Token.of_kept(kept, "me") == made
    assert Token.of_kept(kept, "somebody else") is None


@pytest.mark.parametrize(
    "kept", [{}, {"access": "a"}, {"access": "a", "of": "me", "obtained": "yesterday"}]
)
def test_what_is_no_token_is_none(kept):
    assert Token.of_kept(kept, "me") is None


@given(TIMES, st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_there_is_always_time_between_renewal_and_end(obtained, life):
    at = token(obtained=obtained, ends=obtained + life).renewal()
    assert at <= obtained + life - MARGIN


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (15 * DAY, None),
        (14 * DAY, 14),
        (8 * DAY, 14),
        (7 * DAY, 7),
        (1 * DAY + HOUR, 7),
        (1 * DAY, 1),
        (HOUR, 1),
        (timedelta(0), 0),
        (-DAY, 0),
    ],
)
def test_reminders_come_14_7_and_1_days_before(left, days):
    assert reminder(NOW + left, NOW) == days
    assert reminder(None, NOW) is None


def test_an_end_before_something_is_published_is_spoken_of_at_once():
    ends = NOW + 40 * DAY
    assert not is_ending(ends, NOW)
    assert not is_ending(ends, NOW, [ends - DAY])
    assert is_ending(ends, NOW, [ends - DAY, ends + HOUR])
    assert is_ending(NOW + 14 * DAY, NOW)
    assert not is_ending(None, NOW, [NOW])
