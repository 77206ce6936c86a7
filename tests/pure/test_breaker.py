"""When a whole channel rests, and what a failed attempt leads to, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost import retry
from crosspost.breaker import FIRST_REST, LIMIT, LONGEST_REST, rest_until
from crosspost.errors import (
    AuthExpired,
    AuthRevoked,
    MediaProcessing,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
    platform_errors,
)
from crosspost.retry import Doubt, GiveUp, Postpone

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=60)


def after(error: Exception, *, publishing: bool = False, **about):
    usual = {"attempt": 1, "now": NOW, "jitter": 0.5, "settle": SETTLE}
    return retry.after_failure(error, publishing=publishing, **{**usual, **about})


@pytest.mark.parametrize("failures", range(LIMIT))
def test_a_few_failures_are_no_sickness(failures):
    assert rest_until(failures, NOW, 1.0) is None


def test_the_rest_is_doubled_up_to_the_longest():
    rests = [rest_until(LIMIT + n, NOW, 0.0) - NOW for n in range(8)]
    assert rests[:4] == [FIRST_REST * 2**n for n in range(4)]
    assert rests[-1] == LONGEST_REST
    assert rests == sorted(rests)


@given(st.integers(LIMIT, 10**9), st.floats(0, 1))
def test_no_rest_is_longer_than_the_longest_and_a_tenth(failures, jitter):
    until = rest_until(failures, NOW, jitter)
    assert FIRST_REST <= until - NOW <= LONGEST_REST * 1.1


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_every_wait_is_random_within_a_growing_bound_that_ends(attempt, jitter):
    decision = after(RetryLater("No."), attempt=attempt, jitter=jitter)
    top = min(retry.FIRST_WAIT * 2 ** min(attempt - 1, 16), retry.LONGEST_BACKOFF)
    assert timedelta(seconds=1) <= decision.at - NOW <= max(top, timedelta(seconds=1))
    assert decision.at - NOW == max(top * jitter, timedelta(seconds=1))


@pytest.mark.parametrize("publishing", [False, True])
@pytest.mark.parametrize("kind", list(platform_errors()), ids=lambda kind: kind.kind)
def test_a_time_that_the_platform_names_is_a_floor_for_the_whole_channel(kind, publishing):
    until = NOW + timedelta(hours=1)
    match after(kind("No.", until=until), publishing=publishing):
        case Postpone(at=at, pause=pause):
            assert at >= until
            assert pause is (kind not in retry.NO_SICKNESS)
        case Doubt(at=at, pause_until=pause_until):
            assert (at, pause_until) == (until, until)
        case GiveUp():
            assert kind in retry.FINAL


def test_what_counts_for_the_breaker():
    assert after(RetryLater("No.")).sick
    assert after(KeyError("x")).sick
    assert after(UnknownOutcome("?"), publishing=True).sick
    assert not after(MediaProcessing("Wait.")).sick
    assert not after(AuthExpired("Old.")).sick
    assert not after(RateLimited("Slow.")).sick  # it has its own pause


def test_an_expired_token_is_renewed_once_and_then_the_channel_waits_for_a_person():
    first = after(AuthExpired("Old."))
    assert (first.pause, first.at - NOW <= retry.FIRST_WAIT) == (False, True)
    again = after(AuthExpired("Old."), before=AuthExpired.kind)
    assert again == after(AuthRevoked("Wrong."))
    assert (again.pause, again.at) == (True, NOW + retry.REST)


def test_a_refusal_is_final_whatever_came_before():
    assert after(RejectedContent("Not this."), publishing=True, attempt=9) == GiveUp()


def test_a_look_waits_for_the_platforms_time_too():
    until = NOW + timedelta(hours=1)
    seen = retry.Look(found=False, clear=False, clean_looks=0, doubted=NOW, until=until)
    assert retry.after_look(seen, now=NOW, settle=SETTLE) == retry.LookAgain(until, pause=True)
