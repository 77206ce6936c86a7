"""What there is to do, and when: due, not held back by anything, and never later than it must."""

from __future__ import annotations

import pytest
from desk import (
    NOW,
    WAYS,
    announce,
    begun,
    claimed,
    doing,
    doubted,
    enqueue,
    later,
    published,
    scheduled,
)

from crosspost import agenda, outcomes, queue, rests
from crosspost.delivery_parts import parts_of
from crosspost.lifecycle import Status
from crosspost.tables import ChannelState


def due(session, at=NOW, busy=()):
    return list(agenda.due(session, at, busy))


def wake(session, at=NOW, busy=()):
    return agenda.next_wake(session, busy, at)


def hold(session, channel: str, *, held: bool = True) -> None:
    session.merge(ChannelState(channel=channel, held=held))
    session.flush()


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.SCHEDULED}))
def test_only_what_is_scheduled_can_be_due(session, status):
    WAYS[status](session)
    assert due(session, later(1)) == []


def test_nothing_is_due_before_its_time_and_it_wakes_the_daemon_then(session):
    delivery = scheduled(session, due=later(60))
    assert due(session, later(59)) == []
    assert wake(session) == later(60)
    assert due(session, later(60)) == [delivery]


def test_what_was_postponed_waits_until_then(session):
    delivery = claimed(session)
    outcomes.postpone(
        session, delivery, later(90), outcomes.Failure("retry_later", "No."), doing("daemon")
    )
    assert due(session, later(89)) == []
    assert wake(session, later(1)) == later(90)
    assert due(session, later(90)) == [delivery]


def test_what_is_too_late_is_not_due_and_wakes_the_daemon_to_be_missed(session):
    scheduled(session, hours=1)
    assert due(session, later(hours=1, seconds=1)) == []
    assert wake(session, later(hours=2)) == later(hours=2)


def test_a_delivery_waits_for_its_page_on_the_site(session):
    revision = announce(session)
    page = scheduled(session, "site", revision=revision)
    post = scheduled(session, "web", revision=revision, waits_for=page.id)
    assert due(session) == [page]
    queue.claim(session, (), doing("daemon"))
    [part] = parts_of(session, page)
    outcomes.begin(session, page, part, doing("daemon"))
    assert due(session) == []
    receipt = outcomes.Receipt("page", "https://office.example/p/x/")
    outcomes.settle_part(session, page, part, receipt, doing("daemon"))
    assert due(session) == [post]
    assert wake(session, later(1)) == later(1)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PUBLISHED}))
def test_no_other_end_of_the_page_lets_the_others_go(session, status):
    revision = announce(session)
    page = WAYS[status](session, "site", revision=revision)
    post = scheduled(session, "web", revision=revision, waits_for=page.id)
    assert post not in due(session)


def test_a_held_channel_sends_nothing_until_it_is_resumed(session):
    delivery = scheduled(session)
    hold(session, "web")
    assert due(session) == []
    assert wake(session) == delivery.not_after
    hold(session, "web", held=False)
    assert due(session) == [delivery]


def test_a_paused_channel_rests_until_its_time_and_others_do_not(session):
    resting, other = scheduled(session, "web"), scheduled(session, "alpha")
    rests.pause(session, "web", later(300), "Slow down.")
    assert due(session, later(299)) == [other]
    assert due(session, later(300)) == [resting, other]
    assert wake(session, later(1), busy=["alpha"]) == later(300)


def woken_for(session, delivery):
    """When a daemon that sleeps from wake to wake can send it; each wake is later than the last."""
    now = NOW
    while due(session, now) != [delivery]:
        before, now = now, wake(session, now)
        assert now > before
    return now


def test_the_latest_of_all_that_holds_it_back_counts(session):
    delivery = scheduled(session, due=later(60))
    queue.rewrite(session, delivery, {"not_before": later(120)})
    rests.pause(session, "web", later(30), "Slow down.")
    assert woken_for(session, delivery) == later(120)
    rests.pause(session, "web", later(180), "Slow down.")
    assert woken_for(session, delivery) == later(180)


def test_a_busy_channel_does_not_wake_the_daemon_but_a_latest_time_does(session):
    delivery = scheduled(session)
    assert due(session, busy=["web"]) == []
    assert wake(session, busy=["web"]) == delivery.not_after


def test_an_empty_queue_never_wakes_the_daemon(session):
    published(session)
    enqueue(session, "alpha")
    assert wake(session) is None


def test_the_earliest_of_several_channels_wakes_the_daemon(session):
    scheduled(session, "alpha", due=later(600))
    scheduled(session, "beta", due=later(300))
    scheduled(session, "web", due=later(900))
    assert wake(session) == later(300)


def test_a_time_that_has_passed_means_now(session):
    scheduled(session, due=later(-600))
    assert wake(session) == NOW


# --- doubts ---------------------------------------------------------------------------------------


def test_a_doubt_is_looked_at_when_its_time_has_come(session):
    delivery = doubted(session)
    assert agenda.unconfirmed(session, (), later(59)) == []
    assert wake(session) == later(60)
    assert agenda.unconfirmed(session, (), later(60)) == [delivery]


def test_a_channel_looks_at_one_doubt_at_a_time_the_longest_waiting_first(session):
    first, second, other = doubted(session), doubted(session), doubted(session, "alpha")
    outcomes.looked(session, first, clear=True, next_look=later(120))
    assert agenda.unconfirmed(session, (), later(200)) == [second, other]
    assert agenda.unconfirmed(session, ("web",), later(200)) == [other]


def test_a_held_channel_is_still_looked_at(session):
    delivery = doubted(session)
    hold(session, "web")
    assert agenda.unconfirmed(session, (), later(60)) == [delivery]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.UNCONFIRMED}))
def test_nothing_but_a_doubt_is_looked_at(session, status):
    WAYS[status](session)
    assert agenda.unconfirmed(session, (), later(days=1)) == []


def test_what_is_being_sent_is_neither_due_nor_looked_at(session):
    begun(session)
    assert due(session) == agenda.unconfirmed(session, (), later(days=1)) == []
