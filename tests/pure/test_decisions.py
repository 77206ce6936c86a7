"""Every observation, every way to reconcile, every time: what is decided, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost import retry
from crosspost.errors import PlatformError, RateLimited, platform_errors
from crosspost.post import Reconcile
from crosspost.retry import (
    CLEAN_LOOKS,
    LONGEST_DOUBT,
    LOOK_GAP,
    Ask,
    Confirm,
    Disprove,
    Doubt,
    GiveUp,
    Look,
    LookAgain,
    Postpone,
    Repeat,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
#: Since when it is in doubt, as far back as anything is decided by.
AGES = [timedelta(0), LOOK_GAP, SETTLE - timedelta(seconds=1), SETTLE, HOUR, LONGEST_DOUBT]
KINDS = [*platform_errors(), KeyError, OSError]


@pytest.mark.parametrize(
    ("found", "clear", "clean", "age"), list(product([True, False], [True, False], range(4), AGES))
)
def test_after_a_look(found, clear, clean, age):
    seen = Look(found=found, clear=clear, clean_looks=clean, doubted=NOW - age)
    decision = retry.after_look(seen, now=NOW, settle=SETTLE)
    if found:
        assert decision == Confirm()
    elif clear and clean >= CLEAN_LOOKS and age >= SETTLE:
        assert decision == Disprove()
    elif age >= LONGEST_DOUBT:
        assert decision == Ask()
    else:
        assert decision == LookAgain(max(NOW + LOOK_GAP, NOW - age + SETTLE))


@given(
    st.integers(0, 100),
    st.booleans(),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.timedeltas(timedelta(seconds=1), timedelta(minutes=30)),
)
def test_absence_never_counts_too_early(clean, clear, age, settle):
    seen = Look(found=False, clear=clear, clean_looks=clean, doubted=NOW - age)
    decision = retry.after_look(seen, now=NOW, settle=settle)
    if decision == Disprove():
        assert clear
        assert clean >= CLEAN_LOOKS
        assert age >= settle
    if isinstance(decision, LookAgain):
        assert decision.at >= NOW + LOOK_GAP
        assert decision.at >= seen.doubted + settle


@pytest.mark.parametrize("kind", Reconcile)
@pytest.mark.parametrize("window", [None, HOUR])
@pytest.mark.parametrize("age", [timedelta(0), HOUR - timedelta(seconds=1), HOUR, 9 * HOUR])
def test_before_a_look(kind, window, age):
    decision = retry.before_look(kind, begun=NOW - age, now=NOW, key_window=window)
    match kind:
        case Reconcile.NONE:
            assert decision == Ask()
        case Reconcile.IDEMPOTENCY_KEY if window is not None and age >= window:
            assert decision == Ask()
        case Reconcile.IDEMPOTENCY_KEY:
            assert decision == Repeat()
        case _:
            assert decision is None


@pytest.mark.parametrize(("kind", "age"), list(product(KINDS, AGES)))
def test_a_failed_repeat_never_says_that_it_is_absent(kind, age):
    decision = retry.after_repeat(kind("No."), now=NOW, doubted=NOW - age)
    assert isinstance(decision, Ask | LookAgain)
    if age >= LONGEST_DOUBT:
        assert decision == Ask()


@pytest.mark.parametrize(
    ("kind", "publishing", "attempt"), list(product(KINDS, [True, False], [1, 2, 9, 10**6]))
)
def test_after_a_failure(kind, publishing, attempt):
    error = kind("No.")
    decision = retry.after_failure(
        error, publishing=publishing, attempt=attempt, now=NOW, jitter=0.5, settle=SETTLE
    )
    ours = not isinstance(error, PlatformError)
    if publishing and (ours or isinstance(error, retry.DOUBTFUL)):
        assert isinstance(decision, Doubt)
        assert decision.at == NOW + SETTLE
    elif isinstance(error, retry.FINAL):
        assert decision == GiveUp()
    else:
        assert isinstance(decision, Postpone)
        assert decision.at > NOW
        assert decision.pause is isinstance(error, retry.CHANNEL_WIDE)
        if decision.pause and kind is not RateLimited:
            assert decision.at >= NOW + retry.REST


@pytest.mark.parametrize("kind", list(platform_errors()), ids=lambda kind: kind.kind)
def test_what_has_not_left_this_machine_is_never_in_doubt(kind):
    decision = retry.after_failure(
        kind("No.", sent=False), publishing=True, attempt=1, now=NOW, jitter=0.5, settle=SETTLE
    )
    assert not isinstance(decision, Doubt)


def test_the_groups_of_errors_do_not_overlap_where_they_decide_differently():
    groups = (retry.CHANNEL_WIDE, retry.FINAL, retry.DOUBTFUL)
    for kind in platform_errors():
        assert sum(issubclass(kind, group) for group in groups) <= 1
