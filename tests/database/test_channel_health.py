"""A channel that does not work rests, with its deliveries, and no other channel feels it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk import claim_again, doing, later, scheduled, stored
from scripted import Scripted, send

from crosspost import agenda, breaker, holds, queue, rests, retry
from crosspost.errors import (
    AuthExpired,
    AuthRevoked,
    Conflict,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.reconciler import look
from crosspost.tables import ChannelState, Delivery


@pytest.fixture
def channels(bench) -> dict[str, Scripted]:
    """A platform behind each channel."""
    made = {name: Scripted() for name in ("alpha", "beta", "web")}
    bench.adapter = lambda channel: made[channel]
    return made


def enqueue(database, *channels: str, hours: float = 48) -> list[Delivery]:
    with database.write() as session:
        return [scheduled(session, channel, hours=hours) for channel in channels]


def state(database, channel: str) -> ChannelState:
    with database.read() as session:
        return session.get(ChannelState, channel) or ChannelState(channel=channel)


def fail(database, bench, clock, times: int) -> None:
    """Attempts on the only channel with something to do, each when its time has come."""
    for _ in range(times):
        wake(database, clock)
        send(bench, claim_again(database, clock()))


def wake(database, clock) -> None:
    """As a daemon sleeps: from one wake to the next until something is due."""
    with database.read() as session:
        while not agenda.due(session, clock(), ()):
            clock.time = agenda.next_wake(session, (), clock())


def test_after_failures_in_a_row_the_channel_rests_longer_each_time(
    database, bench, clock, channels
):
    enqueue(database, "web")
    channels["web"].prepares.extend([RetryLater("Down.")] * 8)
    fail(database, bench, clock, breaker.LIMIT - 1)
    assert state(database, "web").paused_until is None
    rests = []
    for _ in range(3):
        fail(database, bench, clock, 1)
        rests.append(state(database, "web").paused_until - clock())
    assert rests == [breaker.FIRST_REST * 2**n * 1.1 for n in range(3)]
    assert "7 attempts in a row did not go through" in state(database, "web").reason


def test_the_rest_is_the_whole_channels_and_one_probe_ends_it(database, bench, clock, channels):
    enqueue(database, "web", "web")
    channels["web"].prepares.extend([RetryLater("Down.")] * breaker.LIMIT)
    fail(database, bench, clock, breaker.LIMIT)
    with database.read() as session:
        until = state(database, "web").paused_until
        assert agenda.due(session, until - timedelta(seconds=1), ()) == []
    clock.time = until
    send(bench, claim_again(database, clock()))
    assert len(channels["web"].public) == 1
    healed = state(database, "web")
    assert (healed.failures, healed.paused_until, healed.reason) == (0, None, "")
    send(bench, claim_again(database, later(60, hours=1)))
    assert len(channels["web"].public) == 2


def test_doubts_in_a_row_rest_the_channel_too(database, bench, clock, channels):
    enqueue(database, *["web"] * breaker.LIMIT)
    channels["web"].publishes.extend([UnknownOutcome("No answer.")] * breaker.LIMIT)
    for _ in range(breaker.LIMIT):
        send(bench, claim_again(database, clock()))
    assert state(database, "web").paused_until == clock() + breaker.FIRST_REST * 1.1


def test_a_success_between_breaks_the_row(database, bench, clock, channels):
    enqueue(database, "web", "web")
    channels["web"].prepares.extend([RetryLater("Down.")] * (breaker.LIMIT - 1))
    fail(database, bench, clock, breaker.LIMIT)
    assert state(database, "web").failures == 0


def test_a_refusal_of_one_post_is_no_sickness(database, bench, clock, channels):
    enqueue(database, *["web"] * (breaker.LIMIT + 1))
    channels["web"].publishes.extend([RejectedContent("No.")] * breaker.LIMIT)
    for _ in range(breaker.LIMIT):
        send(bench, claim_again(database, clock()))
    assert agenda_is_open(database, clock)


def agenda_is_open(database, clock, channel: str = "web") -> bool:
    with database.read() as session:
        return agenda.is_open(session, channel, clock())


def test_one_sick_channel_does_not_keep_another_waiting(database, bench, clock, channels):
    enqueue(database, "alpha", "beta", "beta", "beta")
    channels["alpha"].prepares.extend([RetryLater("Down.", until=later(hours=1))] * 9)
    with database.write() as session:
        claimed = queue.claim(session, (), doing("daemon"))
    for delivery in claimed:
        send(bench, delivery)
    for _ in range(2):
        send(bench, claim_again(database, clock()))
    assert len(channels["beta"].public) == 3


def test_a_platforms_own_time_pauses_the_channel_whatever_the_error(
    database, bench, clock, channels
):
    enqueue(database, "web", "web")
    until = later(minutes=20)
    channels["web"].publishes.append(UnknownOutcome("Busy.", status=503, until=until))
    send(bench, claim_again(database, clock()))
    assert state(database, "web").paused_until == until
    with database.read() as session:
        assert agenda.due(session, clock(), ()) == []
        assert agenda.next_wake(session, (), clock()) == until


def test_a_look_that_is_told_to_wait_pauses_the_channel(database, bench, clock, channels):
    [delivery, _other] = enqueue(database, "web", "web")
    channels["web"].publishes.append(UnknownOutcome("No answer."))
    send(bench, claim_again(database, clock()))
    clock.time = stored(database, delivery).not_before
    channels["web"].finds.append(RateLimited("Slow down.", until=clock() + timedelta(hours=1)))
    look(bench, stored(database, delivery))
    assert state(database, "web").paused_until == clock() + timedelta(hours=1)
    assert stored(database, delivery).not_before == clock() + timedelta(hours=1)


def test_nothing_is_looked_for_while_the_channel_rests(database, bench, clock, channels):
    [delivery] = enqueue(database, "web")
    channels["web"].publishes.append(UnknownOutcome("No answer."))
    send(bench, claim_again(database, clock()))
    until = clock() + timedelta(hours=1)
    with database.write() as session:
        rests.pause(session, "web", until, "Slow down.")
        due = stored(database, delivery).not_before
        assert agenda.unconfirmed(session, (), due) == []
        assert agenda.next_wake(session, (), due) == until
        assert [d.id for d in agenda.unconfirmed(session, (), until)] == [delivery.id]


def test_a_token_that_stays_expired_pauses_the_channel_with_its_reason(
    database, bench, clock, channels
):
    enqueue(database, "web")
    channels["web"].prepares.extend([AuthExpired("Expired.")] * 2)
    fail(database, bench, clock, 1)
    assert state(database, "web").paused_until is None
    fail(database, bench, clock, 1)
    assert state(database, "web").paused_until == clock() + retry.REST
    assert "Expired." in state(database, "web").reason


def test_resume_ends_a_pause_at_once_also_for_what_waited_for_its_end(
    database, bench, clock, channels
):
    [delivery] = enqueue(database, "web")
    channels["web"].prepares.append(AuthRevoked("Wrong token."))
    fail(database, bench, clock, 1)
    assert not agenda_is_open(database, clock)
    with database.write() as session:
        holds.resume(session, "web", doing("Siti", clock(), "New token."))
    assert claim_again(database, clock()).id == delivery.id
    with database.write() as session, pytest.raises(Conflict):
        holds.resume(session, "web", doing("Siti", clock()))
