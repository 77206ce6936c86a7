"""A restored database publishes nothing until a person confirms it, and nothing a second time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
from desk import (
    begun,
    claimed,
    doing,
    doubted,
    enqueue,
    kinds,
    last_entry,
    later,
    only_sqlite,
    published,
    scheduled,
    status_of,
    stored,
)

from crosspost import guard, queue
from crosspost.backup import back_up, put_in_place
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import Conflict, RestoreUnconfirmed, UserError
from crosspost.lifecycle import Status
from crosspost.mark import NAME, read_mark, write_mark
from crosspost.restoring import Marker, confirm, questions, require_confirmed, restored
from crosspost.tables import OfficeState
from crosspost.times import moment_of
from crosspost.views import Views


def make(database: Database, how, *channels: str, **about):
    with database.write() as session:
        return [how(session, channel, **about) for channel in channels]


def run(database, config, clock, seconds: float = 0) -> None:
    clock.time = later(seconds)
    Daemon(database, config, now=clock).run_once()


def found(database, folder):
    with database.read() as session:
        return restored(session, folder)


@pytest.fixture
def by_hand(database, config, clock, platform, tmp_path):
    """A daemon has run; then a copy of the file was taken; then a post went out, and then somebody
    put the copy back, as one does with `cp`. Gives the delivery that is public."""
    run(database, config, clock)
    [delivery] = make(database, scheduled, "web")
    database.close()
    shutil.copy(tmp_path / "crosspost.db", tmp_path / "copy.db")
    run(database, config, clock, 10)
    assert status_of(database, delivery) is Status.PUBLISHED
    database.close()
    shutil.copy(tmp_path / "copy.db", tmp_path / "crosspost.db")
    return delivery


# --- noticed --------------------------------------------------------------------------------------


@only_sqlite
def test_a_copy_put_back_by_hand_is_noticed_without_any_key_and_nothing_is_sent_twice(
    database, config, clock, platform, by_hand
):
    with pytest.raises(RestoreUnconfirmed, match="3 entries of its record are missing") as caught:
        run(database, config, clock, 20)
    assert "crosspost restore" in caught.value.hint
    assert status_of(database, by_hand) is Status.SCHEDULED
    assert len(platform.public) == 1


@only_sqlite
def test_a_backup_is_noticed_on_a_machine_that_has_never_seen_it(
    database, config, clock, platform, tmp_path
):
    make(database, scheduled, "web")
    copy = back_up(database, tmp_path / "copy.db", doing())
    put_in_place(database, copy.path, later(5))
    assert not (tmp_path / NAME).exists()
    with pytest.raises(RestoreUnconfirmed, match="is a copy of 2026-11-23 09:00 UTC"):
        run(database, config, clock, 20)
    assert platform.public == []


@only_sqlite
def test_a_database_of_another_history_is_noticed_although_it_is_longer(
    database, config, clock, platform, by_hand
):
    make(database, scheduled, "web", "web", "web", due=later(3600))
    with pytest.raises(RestoreUnconfirmed, match="another one than on"):
        run(database, config, clock, 20)


def test_the_database_as_it_was_or_grown_since_is_none(database, config, clock, platform, tmp_path):
    for seconds in (0, 10, 20):
        run(database, config, clock, seconds)
        make(database, scheduled, "web")
        assert found(database, tmp_path) is None


def test_an_office_without_a_mark_begins_one(database, config, clock, platform, tmp_path):
    make(database, scheduled, "web")
    assert found(database, tmp_path) is None
    run(database, config, clock)
    mark = read_mark(tmp_path)
    assert mark is not None
    with database.read() as session:
        assert mark.entries == len(kinds(session))


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"entries": "many"}', "\xff"])
def test_a_mark_that_cannot_be_read_stops_the_daemon_with_a_way_out(
    database, config, clock, platform, tmp_path, torn
):
    make(database, scheduled, "web")
    (tmp_path / NAME).write_text(torn, encoding="latin-1")
    with pytest.raises(UserError, match="mark of the database cannot be read") as caught:
        run(database, config, clock)
    assert "move this file away" in caught.value.hint
    assert platform.public == []


def test_a_daemon_whose_database_loses_entries_while_it_runs_stops(
    database, config, clock, platform, tmp_path
):
    """As when a database server comes back from a copy under it."""
    run(database, config, clock)
    make(database, scheduled, "web", due=later(60))
    daemon = Daemon(database, config, now=clock)
    daemon.guard.require()
    mark = read_mark(tmp_path)
    make(database, scheduled, "web", due=later(60))
    write_mark(tmp_path, type(mark)(mark.entries + 50, "00", mark.at))
    daemon.guard.mark()
    assert daemon.stopping.is_set()
    with pytest.raises(RestoreUnconfirmed):
        daemon.guard.require_trust()
    assert read_mark(tmp_path).entries == mark.entries + 50


def test_a_mark_that_cannot_be_written_is_said_and_stops_nothing(
    database, config, clock, platform, monkeypatch, caplog
):
    [delivery] = make(database, scheduled, "web")

    def full(*_arguments) -> None:
        raise UserError("The mark cannot be written.")

    monkeypatch.setattr("crosspost.restoring.write_mark", full)
    run(database, config, clock)
    assert status_of(database, delivery) is Status.PUBLISHED
    assert any(getattr(record, "event", "") == "mark" for record in caplog.records)


def test_the_mark_is_written_only_when_something_is_new(database, tmp_path):
    make(database, scheduled, "web")
    marker = Marker(database, tmp_path)
    marker.keep(later(0))
    (tmp_path / NAME).unlink()
    marker.keep(later(5))
    assert not (tmp_path / NAME).exists()
    make(database, scheduled, "web")
    marker.keep(later(10))
    assert read_mark(tmp_path).at.startswith("2026-11-23T09:00:10")


def test_what_a_killed_daemon_left_of_a_mark_is_gone_with_the_next_start(database, tmp_path):
    make(database, scheduled, "web")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"{NAME}.{ended.pid}", f"{NAME}.{os.getppid()}", f"{NAME}.old", f"{NAME}.{10**30}"]
    for name in names:
        (tmp_path / name).write_text("{")
        os.utime(tmp_path / name, times=(later(0).timestamp(),) * 2)
    Marker(database, tmp_path).keep(later(30))
    assert all((tmp_path / name).exists() for name in names), "it may be written just now"
    Marker(database, tmp_path).keep(later(90))
    assert [name for name in names if not (tmp_path / name).exists()] == names[:1]


@only_sqlite
def test_status_says_it(database, config, by_hand):
    with database.read() as session:
        about = Views(session, config).status(later(20), daemon=False)
    assert "older copy" in about["restored"]


# --- confirmed ------------------------------------------------------------------------------------


@only_sqlite
def test_what_may_be_public_is_left_to_a_person_and_what_comes_later_goes_on(
    database, config, clock, platform, by_hand, tmp_path
):
    [future] = make(database, scheduled, "web", due=later(3600))
    asked = confirm(database, tmp_path, doing("Siti", later(30), "The disk broke"))
    assert [delivery.id for delivery in asked.ask] == [by_hand.id]
    doubt = stored(database, by_hand)
    assert (doubt.status, doubt.outcome) == (Status.REVIEW, "restored")
    assert "may have been published since" in doubt.reason
    run(database, config, clock, 40)
    assert len(platform.public) == 1
    with database.write() as session:
        row = queue.get_delivery(session, by_hand.id)
        queue.resolve_published(session, row, "https://web.example/1", doing("Siti", later(50)))
    run(database, config, clock, 3600)
    assert status_of(database, future) is Status.PUBLISHED
    assert len(platform.public) == 2


@only_sqlite
def test_it_is_on_record_with_what_is_known(database, by_hand, tmp_path):
    confirm(database, tmp_path, doing("Siti", later(30), "The disk broke"))
    with database.read() as session:
        entry = last_entry(session)
        assert kinds(session)[-2:] == ["questioned", "restore_confirmed"]
    assert entry["by"] == "Siti"
    assert {k: entry["data"][k] for k in ("missing", "questioned", "copied")} == {
        "missing": 3,
        "questioned": 1,
        "copied": "",
    }


#: What the copy knows of a delivery that is due -> what a confirmed restore makes of it.
DUE = {
    enqueue: Status.HELD,
    scheduled: Status.REVIEW,
    claimed: Status.REVIEW,
    begun: Status.PUBLISHING,
    doubted: Status.UNCONFIRMED,
    published: Status.PUBLISHED,
}


@only_sqlite
@pytest.mark.parametrize("how", DUE, ids=lambda how: how.__name__)
def test_each_status_is_settled_by_evidence_or_a_person(database, tmp_path, how):
    [delivery] = make(database, how, "web")
    copy = back_up(database, tmp_path / "copy.db", doing())
    put_in_place(database, copy.path, later(5))
    with database.read() as session:
        told = questions(session, later(5))
    confirm(database, tmp_path, doing(at=later(5)))
    assert status_of(database, delivery) is DUE[how]
    named = [row.id for row in (*told.ask, *told.look, *told.held)]
    assert named == ([] if how is published else [delivery.id])


@only_sqlite
def test_what_was_being_sent_is_looked_for_and_found(database, config, clock, platform, tmp_path):
    [delivery] = make(database, begun, "web")
    copy = back_up(database, tmp_path / "copy.db", doing())
    put_in_place(database, copy.path, later(5))
    confirm(database, tmp_path, doing(at=later(5)))
    platform.finds.append(lambda _outgoing: platform.receipt(1))
    run(database, config, clock, 10)
    assert status_of(database, delivery) is Status.PUBLISHED
    assert platform.public == []


@only_sqlite
def test_nothing_is_missed_or_rescued_before_it_is_confirmed(
    database, config, clock, platform, tmp_path
):
    [open_] = make(database, claimed, "alpha")
    [late] = make(database, scheduled, "web")
    copy = back_up(database, tmp_path / "copy.db", doing())
    put_in_place(database, copy.path, later(5))
    with pytest.raises(RestoreUnconfirmed):
        run(database, config, clock, 86_400)
    assert status_of(database, late) is Status.SCHEDULED
    assert status_of(database, open_) is Status.PREPARING


@only_sqlite
def test_a_confirmed_one_is_the_office_s_and_an_older_one_is_noticed_again(
    database, config, clock, platform, by_hand, tmp_path
):
    confirm(database, tmp_path, doing(at=later(30)))
    assert found(database, tmp_path) is None
    make(database, scheduled, "web", due=later(3600))
    run(database, config, clock, 40)
    database.close()
    shutil.copy(tmp_path / "copy.db", tmp_path / "crosspost.db")
    assert found(database, tmp_path) is not None


def test_there_is_nothing_to_confirm_in_a_database_that_is_the_office_s(database, tmp_path):
    with pytest.raises(Conflict, match="nothing to confirm"):
        confirm(database, tmp_path, doing())


@only_sqlite
def test_a_confirm_that_was_killed_before_the_mark_was_written_counts(
    database, by_hand, tmp_path, monkeypatch
):
    monkeypatch.setattr("crosspost.restoring.write_mark", lambda *_: (_ for _ in ()).throw(OSError))
    with pytest.raises(OSError):  # noqa: PT011 - that of the line above
        confirm(database, tmp_path, doing(at=later(30)))
    assert found(database, tmp_path) is None


@only_sqlite
def test_another_machine_s_daemon_believes_the_confirm_in_the_database(
    database, config, clock, by_hand, tmp_path
):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(tmp_path / NAME, other / NAME)
    confirm(database, tmp_path, doing(at=later(30)))
    require_confirmed(database, other)
    newer = read_mark(other)
    write_mark(other, type(newer)(newer.entries, newer.leaf, "2026-11-24T00:00:00.000000Z"))
    with pytest.raises(RestoreUnconfirmed):
        require_confirmed(database, other)


@only_sqlite
def test_the_daemon_waits_for_the_yes_and_then_begins(
    database, config, clock, platform, by_hand, tmp_path, monkeypatch
):
    monkeypatch.setattr(guard, "CONFIRM_LOOK", timedelta(0))
    daemon = Daemon(database, config, now=clock)
    looks = []

    def require(*_arguments) -> None:
        looks.append(1)
        if len(looks) == 3:
            confirm(database, tmp_path, doing(at=later(30)))
        require_confirmed(database, tmp_path)

    monkeypatch.setattr(guard, "require_confirmed", require)
    daemon.guard.wait_until_confirmed()
    assert len(looks) == 3
    daemon.guard.require()


@only_sqlite
def test_a_waiting_daemon_ends_when_it_is_asked_to(database, config, clock, by_hand, monkeypatch):
    daemon = Daemon(database, config, now=clock)
    monkeypatch.setattr(guard, "CONFIRM_LOOK", timedelta(0))

    def stop(*_arguments) -> None:
        daemon.stop()
        raise RestoreUnconfirmed("An older copy.")

    monkeypatch.setattr(guard, "require_confirmed", stop)
    daemon.run()
    assert status_of(database, by_hand) is Status.SCHEDULED


def test_a_rescheduled_copy_counts_by_its_time_as_the_copy_knows_it(database, tmp_path):
    [delivery] = make(database, scheduled, "web", due=later(60))
    with database.write() as session:
        row = queue.get_delivery(session, delivery.id)
        queue.reschedule(session, row, moment_of(later(600), "UTC"), later(7200), doing())
        queue.approve(session, row, doing())
        session.add(OfficeState(name="copy", value=json.dumps({"at": "2026-11-23T09:00:00Z"})))
    confirm(database, tmp_path, doing(at=later(300)))
    assert status_of(database, delivery) is Status.SCHEDULED
