"""Leases: one daemon a channel, on the server's clock, and sure of nothing for longer than that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk import NO_ANSWER, claimed, doing, kinds, later, only_postgresql, scheduled, status_of
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc, text

from crosspost import outcomes
from crosspost.database import Database
from crosspost.delivery_parts import parts_of
from crosspost.errors import DatabaseError
from crosspost.leases import LeaseLost, Load, OneDaemon, SharedLeases
from crosspost.lifecycle import Status

LONG, OVER = timedelta(minutes=5), timedelta(seconds=-1)


class Ticks:
    """A clock of this machine, as the test sets it, in seconds."""

    time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def hire(database, ticks):
    """`hire("anna")`: the leases of a daemon of that name; what it takes lasts as long as said."""
    return lambda name, length=LONG: SharedLeases(database, name, length, monotonic=ticks)


def is_ours(database: Database, leases: SharedLeases, channel: str = "web") -> bool:
    try:
        with database.write() as session:
            leases.guard(session, channel)
    except LeaseLost:
        return False
    return True


@only_postgresql
def test_a_channel_belongs_to_one_daemon(database, hire):
    anna, budi = hire("anna"), hire("budi")
    assert anna.take(["web"]) == ["web"]
    assert budi.take(["web"]) == []
    assert (is_ours(database, anna), is_ours(database, budi)) == (True, False)
    assert (anna.holds("web"), budi.holds("web")) == (True, False)


@only_postgresql
def test_what_is_given_back_is_for_others(database, hire):
    anna, budi = hire("anna"), hire("budi")
    anna.take(["web"])
    anna.release("web")
    assert not anna.holds("web")
    assert not is_ours(database, anna)
    assert budi.take(["web"]) == ["web"]
    anna.release("web")  # a second time, as after a fault
    assert is_ours(database, budi)


@only_postgresql
def test_a_lease_that_has_run_out_is_taken_over_and_its_old_holder_moves_nothing(database, hire):
    anna, budi = hire("anna", OVER), hire("budi")
    anna.take(["web"])
    assert budi.take(["web"]) == ["web"]
    assert (is_ours(database, anna), is_ours(database, budi)) == (False, True)
    anna.renew()
    assert not is_ours(database, anna)
    assert not anna.holds("web")


@only_postgresql
def test_a_lease_that_is_renewed_is_kept(database, hire):
    anna, budi = hire("anna", OVER), hire("budi")
    anna.take(["web"])
    anna.length = LONG
    anna.renew()
    assert budi.take(["web"]) == []
    assert is_ours(database, anna)


@only_postgresql
def test_nothing_is_surely_ours_for_longer_than_the_lease_however_the_process_slept(hire, ticks):
    anna = hire("anna")
    anna.take(["web"])
    ticks.time += LONG.total_seconds() - 1
    assert anna.holds("web")
    anna.renew()
    ticks.time += LONG.total_seconds() - 1
    assert anna.holds("web")
    ticks.time += 1
    assert not anna.holds("web")


@only_postgresql
def test_a_lease_taken_again_counts_as_another(database, hire):
    anna = hire("anna", OVER)
    anna.take(["web"])
    old = dict(anna._held)
    anna._take(["channel/web"], 1)
    anna._held = old
    assert not is_ours(database, anna)


@only_postgresql
def test_a_daemon_waits_for_no_other_when_it_takes(database, hire):
    anna = hire("anna")
    anna._take(["channel/web", "channel/alpha"], 2)
    with database.plain() as session:
        session.execute(text("UPDATE lease SET until = NULL, holder = ''"))
    with database.plain() as session:  # another daemon is about to take this one
        session.execute(text("SELECT * FROM lease WHERE name = 'channel/web' FOR UPDATE"))
        assert hire("budi").take(["web", "alpha"]) == ["alpha"]


@only_postgresql
def test_what_ends_gives_everything_back(database, hire):
    anna, budi = hire("anna"), hire("budi")
    anna.start()
    anna.take(["web"])
    assert anna.on_duty("seal")
    assert not budi.on_duty("seal")
    anna.stop()
    assert budi.take(["web"]) == ["web"]
    assert budi.on_duty("seal")
    assert budi.on_duty("seal")


@only_postgresql
def test_two_daemons_have_a_half_each_and_a_slow_one_s_half_does_not_wait_for_long(hire, ticks):
    anna, budi = hire("anna"), hire("budi")
    anna.start()
    budi.start()
    try:
        channels = [f"web-{number}" for number in range(6)]
        assert len(anna.take(channels)) == 3
        left = channels[3:]
        assert anna.take(left) == []
        ticks.time += SharedLeases.PATIENCE
        assert anna.take(left) == left
    finally:
        anna.stop()
        budi.stop()


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 9))
def test_a_share_is_never_more_than_there_is_and_all_shares_together_are_enough(
    wanted, mine, others, daemons
):
    load = Load(daemons, mine + others)
    share = load.share(wanted, mine)
    assert 0 <= share <= wanted
    if mine == others == 0:
        assert share * daemons >= wanted
    if daemons == 1:
        assert Load(1, mine).share(wanted, mine) == wanted


def test_one_daemon_of_a_file_has_everything():
    leases = OneDaemon()
    assert leases.take(["web"]) == ["web"]
    assert leases.holds("web")
    assert leases.on_duty("seal")


# --- what it means for a delivery -----------------------------------------------------------------


@only_postgresql
def test_rescue_takes_only_what_was_left_on_these_channels(database):
    with database.write() as session:
        left, others = claimed(session, "web"), claimed(session, "alpha")
        rescued = outcomes.rescue(session, doing("daemon"), ["web"])
    assert [delivery.id for delivery in rescued] == [left.id]
    assert status_of(database, left) is Status.SCHEDULED
    assert status_of(database, others) is Status.PREPARING


@only_postgresql
def test_a_daemon_without_the_lease_stores_nothing(database, bench, hire):
    with database.write() as session:
        delivery = claimed(session, "web")
    bench.leases = hire("anna", OVER)
    bench.leases.take(["web"])
    hire("budi").take(["web"])
    with pytest.raises(LeaseLost):
        bench.store(
            delivery, lambda s, row: outcomes.postpone(s, row, later(60), NO_ANSWER, doing())
        )
    assert status_of(database, delivery) is Status.PREPARING


def test_a_commit_that_nobody_heard_of_is_not_made_twice(database, bench, monkeypatch):
    with database.write() as session:
        delivery = claimed(session, "web")
    commit = bench.clerk._database.engine.dialect.do_commit
    cut: list[bool] = []

    def commit_and_break(connection) -> None:
        commit(connection)
        if not cut:
            cut.append(True)
            raise exc.OperationalError("COMMIT", {}, Exception("unable to open"))

    monkeypatch.setattr("crosspost.workbench.STORE_AGAIN", 0)
    monkeypatch.setattr(database.engine.dialect, "do_commit", commit_and_break)
    begun = bench.store(
        delivery,
        lambda s, row: outcomes.begin(s, row, parts_of(s, row)[0], doing("daemon")),
    )
    assert cut
    assert begun.status is Status.PUBLISHING
    with database.read() as session:
        assert kinds(session, delivery).count("publishing") == 1
    monkeypatch.undo()
    bench.store(begun, lambda s, row: outcomes.doubt(s, row, later(60), NO_ANSWER, doing()))
    assert status_of(database, delivery) is Status.UNCONFIRMED


@only_postgresql
def test_two_daemons_in_one_queue_claim_nothing_together(database, config, clock, platform):
    from crosspost.daemon import Daemon

    with database.write() as session:
        for channel in ("alpha", "beta", "web"):
            scheduled(session, channel)
    first, second = (Daemon(database, config, now=clock) for _ in range(2))
    for daemon in (first, second):
        daemon.leases.start()
    looks = [daemon.lookout.look() for daemon in (first, second)]
    tasks = [task.channel for look in looks for task in look.tasks]
    assert len(tasks) == len(set(tasks)) >= 2
    for daemon in (first, second):
        daemon._finish()


@only_postgresql
def test_a_daemon_stopped_while_it_renews_is_in_nobody_s_way_for_long(database, hire, monkeypatch):
    anna, budi = hire("anna", OVER), hire("budi")
    anna.take(["web"])
    monkeypatch.setattr("crosspost.postgres.SILENCE", 100)
    with pytest.raises(DatabaseError), database.plain() as session:  # as `renew` does, then stopped
        session.execute(text("UPDATE lease SET until = until"))
        assert budi.take(["web"]) == []
        while not budi.take(["web"]):
            pass
        session.execute(text("SELECT 1"))
