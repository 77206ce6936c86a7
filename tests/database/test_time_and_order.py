"""Urgent ones first, a backlog at a pace, a clock that jumped, a zone with new rules."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk import (
    announce,
    doing,
    doubted,
    enqueue,
    kinds,
    last_entry,
    later,
    scheduled,
    status_of,
    stored,
)

from crosspost import agenda, holds, queue, rezoning
from crosspost.config import Publishing
from crosspost.daemon import Daemon
from crosspost.lifecycle import Status
from crosspost.tables import ChannelState, Delivery
from crosspost.times import Moment

SPACING = timedelta(seconds=10)


def urgent(session, channel: str = "web", **about) -> Delivery:
    """A scheduled delivery of an urgent announcement."""
    revision = announce(session)
    revision.urgency = "urgent"
    delivery = enqueue(session, channel, revision=revision, **about)
    queue.approve(session, delivery, doing())
    return delivery


def claim(session, seconds: float, **about) -> list[int]:
    """The deliveries claimed so long after NOW; each is put back at once, done."""
    found = queue.claim(session, (), doing("daemon", later(seconds, **about)), SPACING)
    for delivery in found:
        queue.move(session, delivery, queue.Verb.REFUSE, doing("daemon", later(seconds, **about)))
    return [delivery.id for delivery in found]


# --- urgent ---------------------------------------------------------------------------------------


def test_an_urgent_one_goes_before_older_ones_of_its_channel(session):
    old = scheduled(session, due=later(-30))
    new = urgent(session)
    assert claim(session, 0) == [new.id]
    assert claim(session, 0) == [old.id]


def test_an_urgent_one_that_is_not_due_keeps_nobody_waiting(session):
    urgent(session, due=later(60))
    old = scheduled(session)
    assert claim(session, 0) == [old.id]


def test_urgent_ones_are_first_across_channels_too(session):
    scheduled(session, "alpha", due=later(-30))
    new = urgent(session, "web")
    assert next(d.id for d in agenda.due(session, later(), ())) == new.id


# --- a backlog ------------------------------------------------------------------------------------


def test_after_an_outage_a_backlog_goes_out_at_a_pace(session):
    made = [scheduled(session, hours=48) for _ in range(3)]
    assert claim(session, 600) == [made[0].id]
    assert claim(session, 609) == []
    assert agenda.next_wake(session, (), later(609)) == later(610)
    assert claim(session, 610) == [made[1].id]
    assert claim(session, 620) == [made[2].id]


def test_what_is_on_time_is_not_spaced(session):
    made = [scheduled(session) for _ in range(3)]
    assert [claim(session, 60), claim(session, 60), claim(session, 60)] == [[d.id] for d in made]


def test_a_new_one_waits_its_turn_behind_the_backlog(session):
    old = [scheduled(session, hours=48) for _ in range(2)]
    new = scheduled(session, due=later(600))
    assert [claim(session, 600 + 10 * n) for n in range(3)] == [[d.id] for d in (*old, new)]


def test_an_urgent_one_does_not_wait_for_the_backlog(session):
    old = [scheduled(session, hours=48) for _ in range(2)]
    assert claim(session, 600) == [old[0].id]
    new = urgent(session, due=later(601))
    assert claim(session, 601) == [new.id]
    assert claim(session, 602) == []


def test_one_channels_backlog_does_not_space_another(session):
    for channel in ("alpha", "web"):
        for _ in range(2):
            scheduled(session, channel, hours=48)
    assert len(claim(session, 600)) == 2
    assert claim(session, 605) == []
    assert len(claim(session, 610)) == 2


def test_the_pace_is_a_setting(database, config, clock, platform):
    with database.write() as session:
        for _ in range(3):
            scheduled(session, hours=48)
    clock.time = later(600)
    Daemon(database, config, now=clock).run_once()
    assert len(platform.public) == 1
    at_once = config.model_copy(update={"publishing": Publishing(spacing_seconds=0)})
    clock.time = later(610)
    Daemon(database, at_once, now=clock).run_once()
    assert len(platform.public) == 3


# --- a clock that jumps ---------------------------------------------------------------------------


class Steady:
    """Seconds that nobody sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.mark.parametrize("hours", [1, -1, 24])
def test_a_jump_of_the_clock_stops_all_sending_and_nothing_is_missed(
    database, config, clock, platform, steady, hours
):
    with database.write() as session:
        delivery = scheduled(session, due=later(60))
    daemon = Daemon(database, config, now=clock, steady=steady)
    clock.time, steady.seconds = later(70, hours=hours), 70.0
    daemon.tick()
    daemon._finish()
    assert platform.public == []
    assert status_of(database, delivery) is Status.SCHEDULED
    with database.read() as session:
        assert last_entry(session)["kind"] == "held"
        state = session.get(ChannelState, agenda.EVERYTHING)
        assert "clock jumped" in state.hold_reason
        assert "crosspost resume" in state.hold_reason


def test_after_resume_it_goes_on(database, config, clock, platform, steady):
    with database.write() as session:
        delivery = scheduled(session)
    daemon = Daemon(database, config, now=clock, steady=steady)
    clock.time = later(hours=1)
    daemon.tick()
    assert platform.public == []
    with database.write() as session:
        holds.resume(session, None, doing("Siti", later(hours=1), "The clock is right now."))
    daemon.tick()
    daemon._finish()
    assert status_of(database, delivery) is Status.PUBLISHED


def test_a_clock_put_right_by_less_than_a_minute_stops_nothing(
    database, config, clock, platform, steady
):
    with database.write() as session:
        scheduled(session)
    daemon = Daemon(database, config, now=clock, steady=steady)
    clock.time, steady.seconds = later(65), 6.0
    daemon.tick()
    daemon._finish()
    assert len(platform.public) == 1


def test_a_daemon_that_starts_before_its_own_record_sends_nothing(
    database, config, clock, platform
):
    with database.write() as session:
        scheduled(session)
        queue.cancel(session, enqueue(session), doing("Siti", later(hours=1)))
    Daemon(database, config, now=clock).run_once()
    assert platform.public == []
    with database.write() as session:
        assert agenda.clock_is_doubted(session)
        holds.resume(session, None, doing("Siti", later()))
    Daemon(database, config, now=clock).run_once()
    assert len(platform.public) == 1


def test_no_absence_counts_by_a_clock_that_jumped(session):
    delivery = doubted(session)
    holds.doubt_clock(session, "It jumped.", doing("daemon", later(30)))
    assert agenda.unconfirmed(session, (), later(hours=1)) == []
    wake = agenda.next_wake(session, (), later(hours=1))
    assert wake is None or wake > later(hours=1)
    holds.resume(session, None, doing("Siti", later(hours=1)))
    due = later(hours=1) + holds.LOOK_AFTER_JUMP
    assert agenda.unconfirmed(session, (), due - timedelta(seconds=1)) == []
    assert [d.id for d in agenda.unconfirmed(session, (), due)] == [delivery.id]
    assert delivery.clean_looks == 0


def test_a_doubted_clock_is_told_once(session):
    assert holds.doubt_clock(session, "It jumped.", doing("daemon"))
    assert not holds.doubt_clock(session, "It jumped.", doing("daemon"))
    assert kinds(session).count("held") == 1


# --- a zone with other rules ----------------------------------------------------------------------


def stale(session, delivery: Delivery, hours: float) -> Delivery:
    """As an older zone database would have stored it: so many hours off."""
    away = timedelta(hours=hours)
    times = {"due_at": delivery.due_at + away, "not_after": delivery.not_after + away}
    queue.rewrite(session, delivery, times)
    return delivery


@pytest.mark.parametrize("how", [enqueue, scheduled])
def test_what_waits_keeps_its_wall_time_on_record(session, how):
    delivery = stale(session, how(session, due=later(hours=5)), 1)
    wall = delivery.wall
    assert rezoning.rezone(session, doing("daemon")) == [delivery]
    session.refresh(delivery)
    assert (delivery.due_at, delivery.not_after) == (later(hours=5), later(hours=7))
    assert delivery.wall == wall
    entry = last_entry(session)
    assert (entry["kind"], entry["data"]["was"]) == ("rezoned", "2026-11-23T15:00:00.000000Z")
    assert rezoning.rezone(session, doing("daemon")) == []


def test_what_is_due_or_over_is_left_alone(session):
    stale(session, scheduled(session, due=later(hours=-5)), 1)
    assert rezoning.rezone(session, doing("daemon")) == []


def test_a_zone_that_is_gone_stops_nothing(session):
    delivery = scheduled(session, due=later(hours=5))
    queue.rewrite(session, delivery, {"zone": "Asia/Nowhere"})
    assert rezoning.rezone(session, doing("daemon")) == []


def test_a_daemon_that_starts_brings_the_times_up_to_date(database, config, clock, platform):
    with database.write() as session:
        delivery = stale(session, scheduled(session, due=later(hours=5)), 1)
    Daemon(database, config, now=clock).run_once()
    assert stored(database, delivery).due_at == later(hours=5)


def test_a_moment_is_what_the_row_says(session):
    delivery = scheduled(session, due=later(hours=5))
    moment = Moment(delivery.due_at, delivery.wall, delivery.zone)
    assert moment.wall == "2026-11-23T21:00:00"
