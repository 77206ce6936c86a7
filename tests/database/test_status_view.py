"""`status` at a glance: what comes next, and what still needs a person."""

from __future__ import annotations

import pytest
from desk import doing, failed, in_review, later, missed, scheduled

from crosspost import agenda, holds, queue
from crosspost.delivery_parts import parts_of, write_part
from crosspost.post import Post
from crosspost.stories import advice
from crosspost.views import Views


@pytest.fixture
def status(database, config):
    def look(seconds: float = 0) -> dict:
        with database.read() as session:
            return Views(session, config).status(later(seconds), daemon=False)

    return look


def make(database, *ways) -> None:
    with database.write() as session:
        for way, about in ways:
            way(session, **about)


def hold(database, channel: str | None) -> None:
    with database.write() as session:
        holds.hold(session, channel, doing(note="Wrong figures"))


def test_next_is_when_something_goes_out(database, config, status):
    make(database, (scheduled, {"channel": "beta", "due": later(600)}))
    with database.read() as session:
        assert agenda.next_wake(session, (), later(0)) == later(600)
    assert status()["next"] == "2026-11-23T16:10:00+07:00"


def test_nothing_comes_next_while_all_is_on_hold(database, status):
    make(database, (scheduled, {"channel": "beta", "due": later(600)}))
    hold(database, None)
    assert (status()["next"], status(900)["next"], status(900)["overdue"]) == (None, None, False)


def test_what_a_channel_on_hold_has_does_not_come_next(database, status):
    make(
        database,
        (scheduled, {"channel": "alpha", "due": later(600)}),
        (scheduled, {"channel": "beta", "due": later(1200)}),
    )
    hold(database, "alpha")
    assert status()["next"] == "2026-11-23T16:20:00+07:00"
    assert (status(900)["overdue"], status(1300)["overdue"]) == (False, True)
    hold(database, "beta")
    assert status()["next"] is None


def test_what_a_person_has_given_up_needs_nobody_any_more(database, status):
    make(database, (in_review, {}))
    [waiting] = status()["needs_person"]
    with database.write() as session:
        delivery = queue.get_delivery(session, waiting["id"])
        queue.give_up(session, delivery, doing(note="It is not there."))
    assert status()["needs_person"] == []
    assert status()["deliveries"]["failed"] == 1, "it is not hidden"


def test_a_thread_given_up_needs_nobody_and_what_is_public_of_it_is_said(database, config, status):
    make(database, (in_review, {"posts": (Post("One", "en"), Post("Two", "en"))}))
    [waiting] = status()["needs_person"]
    with database.write() as session:
        delivery = queue.get_delivery(session, waiting["id"])
        [first, _] = parts_of(session, delivery)
        link = "https://web.example/1"
        write_part(session, first, {"permalink": link, "published_at": later(1)})
        queue.give_up(session, delivery, doing(note="The rest is of no use."))
    assert status()["needs_person"] == []
    assert status()["deliveries"]["failed"] == 1
    with database.read() as session:
        [shown] = Views(session, config).announcement(waiting["announcement"])["deliveries"]
    assert shown["permalinks"] == [link]
    assert "1 of 2 parts are public already" in shown["reason"]
    assert advice(shown, number=1, daemon_runs=True).startswith(
        "Nothing to do: a person gave it up"
    )


@pytest.mark.parametrize("way", [failed, missed])
def test_what_nobody_has_decided_still_does(database, status, way):
    make(database, (way, {}))
    assert len(status()["needs_person"]) == 1
