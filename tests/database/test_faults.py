"""A fault of ours, wherever it happens in a worker, ends in a decision about the delivery."""

from __future__ import annotations

import pytest
from desk import attempts, begun, claimed, doubted, later, published, scheduled, status_of, stored

from crosspost import outcomes, publisher, reconciler, retry
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import DatabaseError
from crosspost.faults import settle_fault
from crosspost.lifecycle import Status
from crosspost.queue import Stale


@pytest.fixture
def run(database, config, clock):
    def once(seconds: float = 0) -> None:
        clock.time = later(seconds)
        Daemon(database, config, now=clock).run_once()

    return once


def make(database: Database, how, **about):
    with database.write() as session:
        return how(session, **about)


def fault() -> Exception:
    """One that was raised somewhere."""
    try:
        raise RuntimeError
    except RuntimeError as error:
        return error


#: Where it happens (room, name) -> where the delivery is then, and how many posts are public.
PLACES = {
    "before the adapter": (publisher, "not_as_approved", Status.SCHEDULED, 0),
    "in the adapter's opening": (publisher, "_Run", Status.SCHEDULED, 0),
    "while the intent is stored": (outcomes, "begin", Status.SCHEDULED, 0),
    "while the yes is stored": (outcomes, "settle_part", Status.UNCONFIRMED, 1),
    "after the yes was received": (publisher, "settle", Status.UNCONFIRMED, 1),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_becomes_a_decision_at_once(database, platform, run, monkeypatch, caplog, place):
    room, name, status, public = PLACES[place]
    delivery = make(database, scheduled)

    def fail(*_arguments, **_more):
        raise KeyError("secret-token")

    with monkeypatch.context() as patch:
        patch.setattr(room, name, fail)
        run()
    found = stored(database, delivery)
    assert (found.status, found.outcome) == (status, "internal_error")
    assert found.not_before > later(0)
    assert len(platform.public) == public
    with database.read() as session:
        [attempt] = attempts(session, delivery)
    assert attempt.outcome == "internal_error"
    assert "secret-token" not in caplog.text + found.reason + attempt.message
    assert any(getattr(record, "event", "") == "fault" for record in caplog.records)
    run(120)
    assert status_of(database, delivery) is Status.PUBLISHED
    assert len(platform.public) == 1


def test_the_channel_s_other_posts_go_out_in_the_same_run(database, platform, run, monkeypatch):
    bad, good = (make(database, scheduled) for _ in range(2))
    whole = publisher.not_as_approved

    def fail_on_bad(bench, claimed):
        if claimed.delivery.id == bad.id:
            raise RuntimeError
        return whole(bench, claimed)

    monkeypatch.setattr(publisher, "not_as_approved", fail_on_bad)
    run()
    assert status_of(database, bad) is Status.SCHEDULED
    assert status_of(database, good) is Status.PUBLISHED


def test_a_fault_in_a_look_is_no_evidence_and_the_next_look_comes_later(
    database, platform, run, monkeypatch
):
    delivery = make(database, doubted)
    with monkeypatch.context() as patch:
        patch.setattr(reconciler, "with_parts", lambda *_: 1 / 0)
        run(60)
    found = stored(database, delivery)
    assert (found.status, found.clean_looks, found.unclear_looks) == (Status.UNCONFIRMED, 0, 1)
    assert found.not_before >= later(60) + retry.LOOK_GAP
    assert platform.public == []


def test_looks_that_fail_for_hours_lead_to_a_person(database, platform, run, monkeypatch):
    delivery = make(database, doubted)
    monkeypatch.setattr(reconciler, "with_parts", lambda *_: 1 / 0)
    run(retry.LONGEST_DOUBT.total_seconds() + 60)
    assert status_of(database, delivery) is Status.REVIEW


def test_what_somebody_else_has_by_now_is_left_to_them(database, bench):
    delivery = make(database, claimed)
    older = delivery.model_copy()
    older.fence -= 1
    settle_fault(bench, older, fault())
    assert status_of(database, delivery) is Status.PREPARING
    settle_fault(bench, delivery, Stale("moved"))
    assert status_of(database, delivery) is Status.PREPARING


@pytest.mark.parametrize("how", [published, scheduled])
def test_what_is_decided_already_stays(database, bench, how):
    delivery = make(database, how)
    settle_fault(bench, delivery, fault())
    assert status_of(database, delivery) is delivery.status


def test_while_the_database_refuses_it_is_tried_until_it_is_stored(
    database, bench, platform, monkeypatch
):
    delivery = make(database, begun)
    whole, tries = outcomes.doubt, []

    def fail_twice(*arguments):
        tries.append(1)
        if len(tries) < 3:
            raise DatabaseError("The disk is full; nothing was changed.")
        whole(*arguments)

    monkeypatch.setattr(outcomes, "doubt", fail_twice)
    settle_fault(bench, delivery, fault())
    assert status_of(database, delivery) is Status.UNCONFIRMED
