"""What the daemon does with a queue, the clock in the test's hand, the platform in memory."""

from __future__ import annotations

import threading
from concurrent.futures import wait

import pytest
from desk import (
    announce,
    begun,
    claimed,
    doubted,
    enqueue,
    kinds,
    later,
    moves_of,
    only_sqlite,
    scheduled,
    status_of,
    stored,
)

from crosspost import daemon as daemon_room
from crosspost.daemon import Daemon
from crosspost.errors import DaemonRunning, DatabaseError, RetryLater
from crosspost.lifecycle import Status
from crosspost.lock import DaemonLock, daemon_runs
from crosspost.post import Post
from crosspost.tables import ChannelState, Delivery

PATIENCE = 20.0


@pytest.fixture
def run(database, config, clock):
    """Run a daemon once at this time; a fresh one each time, as `crosspost daemon --once` does."""

    def once(seconds: float = 0) -> None:
        clock.time = later(seconds)
        Daemon(database, config, now=clock).run_once()

    return once


def make(database, how, *channels: str, **about) -> list[Delivery]:
    with database.write() as session:
        return [how(session, channel, **about) for channel in channels]


def texts(platform) -> list[str]:
    return [sent.post.text for sent in platform.public]


def test_nothing_goes_out_before_its_time_and_then_at_once(database, platform, run):
    [delivery] = make(database, scheduled, "web", due=later(60))
    run(59)
    assert platform.public == []
    run(60)
    assert status_of(database, delivery) is Status.PUBLISHED
    run(61)
    assert len(platform.public) == 1


def test_all_that_is_due_on_all_channels_goes_out_in_one_run(database, platform, run):
    made = make(database, scheduled, "web", "web", "alpha", "web", "beta")
    run()
    assert {status_of(database, delivery) for delivery in made} == {Status.PUBLISHED}
    assert len(platform.public) == 5


def test_a_channel_that_is_quicker_than_the_daemon_leaves_nothing_undone(
    database, config, clock, platform
):
    made = make(database, scheduled, "web", "web", "web")
    daemon = Daemon(database, config, now=clock)
    tick = daemon.tick

    def tick_and_look_away() -> None:
        tick()
        wait(list(daemon._busy.values()), PATIENCE)

    daemon.tick = tick_and_look_away
    daemon.run_once()
    assert {status_of(database, delivery) for delivery in made} == {Status.PUBLISHED}


def test_a_slow_channel_does_not_keep_another_waiting(database, config, clock, platform):
    [slow] = make(database, scheduled, "alpha", posts=(Post("Slow", "en"),))
    first, second = make(database, scheduled, "web", "web")
    both_out = threading.Event()

    def accept(outgoing):
        if outgoing.post.text == "Slow":
            assert both_out.wait(PATIENCE)
        elif len(platform.public) == 1:
            both_out.set()
        return platform.accept(outgoing)

    platform.publishes.extend([accept] * 3)
    Daemon(database, config, now=clock).run_once()
    for delivery in (slow, first, second):
        assert status_of(database, delivery) is Status.PUBLISHED


def test_the_page_goes_first_and_the_others_follow_in_the_same_run(database, platform, run):
    with database.write() as session:
        revision = announce(session)
        page = scheduled(session, "web", revision=revision, posts=(Post("Page", "en"),))
        for channel in ("alpha", "beta"):
            scheduled(session, channel, revision=revision, waits_for=page.id)
    run()
    assert texts(platform) == ["Page", "Road closed", "Road closed"]


def test_what_is_not_approved_stays(database, platform, run):
    make(database, enqueue, "web")
    run(3600)
    assert platform.public == []


def test_what_is_too_late_is_missed_and_said(database, platform, run, caplog):
    [delivery] = make(database, scheduled, "web", hours=2)
    run(2 * 3600 + 1)
    assert platform.public == []
    assert status_of(database, delivery) is Status.MISSED
    assert any(getattr(record, "event", "") == "missed" for record in caplog.records)


def test_what_the_platform_refuses_for_now_goes_out_in_a_later_run(database, platform, run):
    [delivery] = make(database, scheduled, "web")
    platform.publishes.append(RetryLater("No."))
    run()
    assert status_of(database, delivery) is Status.SCHEDULED
    run(60)
    assert status_of(database, delivery) is Status.PUBLISHED


def test_a_dead_daemon_s_post_is_looked_for_and_not_sent_again(database, platform, run):
    [delivery] = make(database, begun, "web")
    platform.finds.append(lambda _outgoing: platform.receipt(1))
    run(5)
    assert status_of(database, delivery) is Status.PUBLISHED
    assert platform.public == []
    assert moves_of(database, delivery)[-2:] == ["doubted", "confirmed"]


def test_what_a_dead_daemon_had_only_prepared_is_sent(database, platform, run):
    [delivery] = make(database, claimed, "web")
    run(5)
    assert status_of(database, delivery) is Status.PUBLISHED
    assert len(platform.public) == 1


def test_a_lost_answer_is_settled_over_several_runs_with_one_post(database, platform, run):
    [delivery] = make(database, scheduled, "web")
    platform.publishes.append(platform.lose)
    platform.finds.append(RetryLater("No."))
    for seconds in (0, 30, 60, 120):
        run(seconds)
    assert status_of(database, delivery) is Status.PUBLISHED
    assert len(platform.public) == 1


def test_a_channel_in_doubt_looks_before_it_sends_something_new(database, platform, run):
    [doubt] = make(database, doubted, "web")
    [new] = make(database, scheduled, "web", due=later(30))

    def look(_outgoing):
        assert status_of(database, new) is Status.SCHEDULED
        return platform.receipt(7)

    platform.finds.append(look)
    run(60)
    assert status_of(database, doubt) is Status.PUBLISHED
    assert status_of(database, new) is Status.PUBLISHED


def test_a_held_channel_sends_nothing_and_the_others_do(database, platform, run):
    held, free = make(database, scheduled, "web", "alpha")
    with database.write() as session:
        session.add(ChannelState(channel="web", held=True))
    run()
    assert status_of(database, held) is Status.SCHEDULED
    assert status_of(database, free) is Status.PUBLISHED


def test_one_channel_s_trouble_is_not_the_others(database, platform, run, monkeypatch, caplog):
    bad, good = make(database, scheduled, "alpha", "web")
    whole = daemon_room.publish

    def fail_on_alpha(bench, claimed, following):
        if claimed.delivery.channel == "alpha":
            raise RuntimeError("trouble")
        whole(bench, claimed, following)

    monkeypatch.setattr(daemon_room, "publish", fail_on_alpha)
    run()
    assert status_of(database, good) is Status.PUBLISHED
    assert any(getattr(record, "event", "") == "trouble" for record in caplog.records)
    assert status_of(database, bad) is Status.SCHEDULED
    monkeypatch.setattr(daemon_room, "publish", whole)
    run(20)
    assert status_of(database, bad) is Status.PUBLISHED


@only_sqlite
def test_a_second_daemon_does_nothing(database, platform, run):
    [delivery] = make(database, scheduled, "web")
    with DaemonLock(database), pytest.raises(DaemonRunning):
        run()
    assert status_of(database, delivery) is Status.SCHEDULED


def test_a_daemon_that_was_asked_to_end_claims_nothing_and_lets_go(
    database, config, clock, platform
):
    [delivery] = make(database, scheduled, "web")
    daemon = Daemon(database, config, now=clock)
    daemon.stop()
    daemon.run_once()
    assert status_of(database, delivery) is Status.SCHEDULED
    assert not daemon_runs(database)


def test_a_database_that_fails_for_a_while_does_not_end_the_daemon(
    database, config, clock, platform, monkeypatch
):
    [delivery] = make(database, scheduled, "web")
    daemon = Daemon(database, config, now=clock)

    def fail():
        raise DatabaseError("The disk is full; nothing was changed.")

    with monkeypatch.context() as patch:
        patch.setattr(database, "read", fail)
        daemon._tick_safely()
    daemon.run_once()
    assert status_of(database, delivery) is Status.PUBLISHED


def test_who_did_it_stands_in_attempt_and_entry(database, config, clock, platform):
    [delivery] = make(database, scheduled, "web")
    daemon = Daemon(database, config, now=clock)
    daemon.run_once()
    assert stored(database, delivery).claimed_by == daemon.name
    with database.read() as session:
        assert kinds(session, delivery)[-3:] == ["claimed", "publishing", "published"]
