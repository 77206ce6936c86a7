"""Another time, taken back, let go after all, settled by a person: whole or not at all."""

from __future__ import annotations

import pytest
from desk import (
    ZONE,
    doing,
    entry_count,
    later,
)
from drafted import ask, begin, bring, deliveries, doubt, refuse, say_yes, statuses

from crosspost import approvals, dispatch, rests
from crosspost.dispatch import Finding
from crosspost.errors import Conflict, NotFound
from crosspost.lifecycle import Status
from crosspost.tables import ChannelState
from crosspost.times import moment_of

TOMORROW = moment_of(later(days=1), ZONE)


# --- reschedule, cancel, retry --------------------------------------------------------------------


def test_another_time_is_given_to_the_channels_named(database, config, approved):
    chosen = dispatch.reschedule(database, config, approved, TOMORROW, doing(), channels=["beta"])
    found = deliveries(database)
    assert chosen.channels == ("beta",)
    assert (found["alpha"].due_at, found["beta"].due_at) == (later(hours=1), later(days=1))
    assert found["beta"].not_after == later(days=1, hours=2)


@pytest.mark.parametrize("act", ["reschedule", "cancel"])
def test_one_channel_too_late_stops_the_whole_act(database, config, approved, act):
    bring(database, "beta", begin)
    entries, channels = entry_count(database), ["alpha", "beta"]
    with pytest.raises(Conflict, match="beta: being published"):
        if act == "cancel":
            dispatch.cancel(database, config, approved, doing(), channels=channels)
        else:
            dispatch.reschedule(database, config, approved, TOMORROW, doing(), channels=channels)
    assert entry_count(database) == entries


def test_without_names_what_is_not_sent_yet_is_cancelled(database, config, approved):
    bring(database, "beta", begin)
    assert dispatch.cancel(database, config, approved, doing()) == ["alpha"]
    with pytest.raises(Conflict, match="alpha: cancelled, beta: being published"):
        dispatch.cancel(database, config, approved, doing())


def test_a_channel_that_it_does_not_go_to_is_named_with_those_it_does(database, config, approved):
    with pytest.raises(NotFound, match="does not go to web") as caught:
        dispatch.cancel(database, config, approved, doing(), channels=["web"])
    assert "alpha, beta" in caught.value.hint


def test_a_retry_goes_out_now_and_wakes_a_paused_channel(database, config, approved):
    bring(database, "alpha", refuse)
    with database.write() as session:
        rests.pause(session, "alpha", later(days=1), "Slow down.")
    assert dispatch.retry(database, config, approved, doing(at=later(days=2))) == ["alpha"]
    found = deliveries(database)["alpha"]
    assert (found.due_at, found.not_after) == (later(hours=1), later(days=2, hours=2))
    with database.read() as session:
        assert session.get_one(ChannelState, "alpha").paused_until is None


def test_what_is_published_is_not_retried(database, config, approved):
    bring(database, "alpha", begin, say_yes)
    with pytest.raises(Conflict, match="alpha: published"):
        dispatch.retry(database, config, approved, doing(), channels=["alpha"])


# --- resolve --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finding", "status"),
    [
        (Finding.PUBLISHED, Status.PUBLISHED),
        (Finding.ABSENT, Status.SCHEDULED),
        (Finding.GIVEN_UP, Status.FAILED),
    ],
)
def test_a_person_settles_what_nobody_else_can(database, config, approved, finding, status):
    bring(database, "alpha", begin, doubt, ask)
    at = doing(at=later(hours=9), note="I looked.")
    dispatch.resolve(database, config, approved, "alpha", finding, at)
    found = deliveries(database)
    assert (found["alpha"].status, found["beta"].status) == (status, Status.SCHEDULED)
    if finding is Finding.ABSENT:
        assert found["alpha"].not_after == later(hours=11)


@pytest.mark.parametrize("finding", Finding)
def test_what_is_not_in_review_is_not_resolved(database, config, approved, finding):
    bring(database, "alpha", begin, doubt)
    with pytest.raises(Conflict, match="alpha: unconfirmed"):
        dispatch.resolve(database, config, approved, "alpha", finding, doing())
    assert statuses(database)["alpha"] is Status.UNCONFIRMED


def test_an_announcement_that_there_is_not_is_not_found(database, config):
    with pytest.raises(NotFound, match="There is no announcement 9"):
        approvals.approve(database, config, 9, doing())
