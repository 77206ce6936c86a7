"""The one writer of a status: legal moves, under a fence, each with its entry or not at all."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from desk import (
    NOW,
    WAYS,
    ZONE,
    announce,
    attempts,
    claimed,
    doing,
    enqueue,
    entry_count,
    in_review,
    kinds,
    last_entry,
    later,
    scheduled,
    status_of,
)
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from crosspost import holds, queue, rests
from crosspost.delivery_parts import parts_of
from crosspost.errors import Conflict, NotFound
from crosspost.ledger.hashing import salted_digest
from crosspost.lifecycle import ENDED, MOVES, Status, Verb
from crosspost.post import Post, from_json
from crosspost.queue import Change, Stale
from crosspost.tables import Attempt, Binding, Delivery, Part
from crosspost.times import moment_of

THREAD = (Post("First", "en", link="https://office.example/p/x/"), Post("Second", "en"))
TOMORROW = moment_of(later(days=1), ZONE)


# --- entering -------------------------------------------------------------------------------------


def test_what_enters_is_held_and_recorded_with_its_time_and_digest(session):
    delivery = enqueue(session, due=later(days=1))
    assert delivery.status is Status.HELD
    assert (delivery.fence, delivery.attempts, delivery.approved_digest) == (0, 0, None)
    entry = last_entry(session)
    assert entry["kind"] == "queued"
    assert entry["digest"] == delivery.render_digest
    assert entry["data"] == {
        "due": "2026-11-24T09:00:00.000000Z",
        "wall": "2026-11-24T16:00:00",
        "zone": ZONE,
    }


def test_the_parts_are_stored_in_order_and_their_digest_is_that_of_all(session, tmp_path):
    revision = announce(session)
    delivery = enqueue(session, revision=revision, posts=THREAD)
    parts = parts_of(session, delivery)
    payloads = [json.loads(part.payload) for part in parts]
    assert [from_json(payload, tmp_path) for payload in payloads] == list(THREAD)
    assert delivery.render_digest == salted_digest(revision.salt, payloads)
    assert delivery.render_digest != salted_digest(revision.salt, payloads[:1])


def test_a_revision_goes_to_a_channel_once(session):
    revision = announce(session)
    enqueue(session, "web", revision=revision)
    enqueue(session, "alpha", revision=revision)
    with pytest.raises(IntegrityError, match=r"delivery.revision_id.*channel"):
        enqueue(session, "web", revision=revision)


def test_a_remote_id_belongs_to_one_post_of_a_channel(session):
    ids = [("web", "1"), ("alpha", "1"), ("web", None), ("web", None)]
    for channel, remote_id in ids:
        [part] = parts_of(session, enqueue(session, channel))
        part.remote_id = remote_id
        session.flush()
    [part] = parts_of(session, enqueue(session, "web"))
    part.remote_id = "1"
    with pytest.raises(IntegrityError, match=r"part.channel.*remote_id"):
        session.flush()


# --- the one writer -------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "verb"), MOVES, ids=str)
def test_a_move_writes_the_row_and_one_entry(session, before, verb):
    delivery = WAYS[before](session)
    fence, entries = delivery.fence, len(kinds(session))
    queue.move(session, delivery, verb, doing("Siti", later(5), "Because."))
    after = MOVES[before, verb]
    assert (delivery.status, len(kinds(session))) == (after, entries + 1)
    assert (delivery.ended_at == later(5)) is (after in ENDED)
    entry = last_entry(session)
    assert (entry["kind"], entry["by"], entry["delivery"]) == (verb.value, "Siti", delivery.id)
    assert entry["data"] == {"from": before.value, "to": after.value, "fence": fence}
    assert len(entry["note"]) == 64


@pytest.mark.parametrize("status", Status)
def test_what_is_no_move_is_refused_and_writes_nothing(session, status):
    delivery = WAYS[status](session)
    fence, entries = delivery.fence, len(kinds(session))
    for verb in (verb for verb in Verb if (status, verb) not in MOVES):
        with pytest.raises(Conflict, match="that is not possible now") as caught:
            queue.move(session, delivery, verb, doing())
        assert "crosspost why 1" in caught.value.hint
        session.refresh(delivery)
        assert (delivery.status, delivery.fence, len(kinds(session))) == (status, fence, entries)


@pytest.mark.parametrize("meanwhile", [Verb.CANCEL, Verb.CLAIM])
def test_a_row_that_changed_since_it_was_read_is_not_moved(database, meanwhile):
    with database.write() as session:
        mine = scheduled(session)
    with database.write() as session:
        theirs = session.get_one(Delivery, mine.id)
        queue.move(session, theirs, meanwhile, doing(), Change({"fence": theirs.fence + 1}))
    entries = entry_count(database)
    with pytest.raises(Stale), database.write() as session:
        queue.move(session, mine, Verb.CANCEL, doing())
    with pytest.raises(Stale), database.write() as session:
        queue.rewrite(session, mine, {"reason": "late"})
    assert entry_count(database) == entries


def test_an_old_fence_is_refused_even_in_the_same_status(database):
    with database.write() as session:
        mine = claimed(session)
    with database.write() as session:
        theirs = session.get_one(Delivery, mine.id)
        queue.move(session, theirs, Verb.POSTPONE, doing())
        queue.claim(session, (), doing("another daemon"))
    with pytest.raises(Stale), database.write() as session:
        queue.move(session, mine, Verb.BEGIN, doing("daemon"))
    assert status_of(database, mine) is Status.PREPARING


def test_a_move_that_is_rolled_back_takes_its_entry_with_it(database):
    with database.write() as session:
        delivery = scheduled(session)
    entries = entry_count(database)
    with pytest.raises(RuntimeError), database.write() as session:
        queue.cancel(session, session.get_one(Delivery, delivery.id), doing())
        session.flush()
        raise RuntimeError
    assert status_of(database, delivery) is Status.SCHEDULED
    assert entry_count(database) == entries


def test_an_entry_that_cannot_be_written_takes_the_move_with_it(database, monkeypatch):
    with database.write() as session:
        delivery = scheduled(session)
    monkeypatch.setattr("crosspost.ledger.book.leaf_hash", lambda _entry: None)
    with pytest.raises(IntegrityError), database.write() as session:
        queue.cancel(session, session.get_one(Delivery, delivery.id), doing())
    assert status_of(database, delivery) is Status.SCHEDULED


# --- moves of people ------------------------------------------------------------------------------


def test_approval_binds_exactly_what_is_rendered(session):
    delivery = scheduled(session)
    data = last_entry(session)["data"]
    assert data["render"] == delivery.render_digest
    [binding] = session.exec(select(Binding))
    assert data["approval"] == delivery.approved_digest == binding.digest
    [target] = json.loads(binding.manifest)["deliveries"]
    assert target == {
        "act": "publish",
        "amends": 0,
        "channel": "web",
        "due": "2026-11-23T09:00:00.000000Z",
        "wall": "2026-11-23T16:00:00",
        "zone": ZONE,
        "posts": delivery.render_digest,
    }


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.HELD, Status.SCHEDULED}))
def test_the_time_of_what_is_under_way_or_over_is_not_changed(session, status):
    delivery = WAYS[status](session)
    entries = len(kinds(session))
    with pytest.raises(Conflict, match="its time cannot be changed"):
        queue.reschedule(session, delivery, TOMORROW, TOMORROW.utc, doing())
    assert len(kinds(session)) == entries


@pytest.mark.parametrize("status", [Status.HELD, Status.SCHEDULED])
def test_another_time_is_recorded_and_keeps_the_approval(session, status):
    delivery = WAYS[status](session)
    queue.reschedule(session, delivery, TOMORROW, later(days=2), doing())
    assert (delivery.status, delivery.approved_digest) == (Status.HELD, None)
    assert (delivery.due_at, delivery.wall) == (later(days=1), "2026-11-24T16:00:00")
    assert delivery.not_after == later(days=2)
    assert last_entry(session)["kind"] == "rescheduled"


@pytest.mark.parametrize("status", [Status.FAILED, Status.MISSED])
def test_a_person_lets_it_go_out_after_all(session, status):
    delivery = WAYS[status](session)
    assert delivery.ended_at is not None
    approved = delivery.approved_digest
    queue.retry(session, delivery, later(days=2), doing())
    assert (delivery.status, delivery.not_after) == (Status.SCHEDULED, later(days=2))
    assert queue.claim(session, (), doing("daemon", later(days=1))) == [delivery]
    assert (delivery.ended_at, delivery.outcome, delivery.reason) == (None, "", "")
    assert (delivery.approved_digest, delivery.due_at) == (approved, NOW)


def test_a_person_saw_it_and_its_address_is_kept(session):
    delivery = in_review(session)
    queue.resolve_published(session, delivery, "https://web.example/7", doing(note="I saw it."))
    [part] = parts_of(session, delivery)
    assert (part.permalink, part.published_at) == ("https://web.example/7", NOW)
    assert (delivery.status, delivery.outcome) == (Status.PUBLISHED, "published")
    assert last_entry(session)["data"]["permalink"] == "https://web.example/7"


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.REVIEW}))
def test_what_is_not_in_review_is_not_called_published(session, status):
    delivery = WAYS[status](session)
    with pytest.raises(Conflict, match="not possible now"):
        queue.resolve_published(session, delivery, "https://web.example/7", doing())
    assert "https://web.example/7" not in [p.permalink for p in parts_of(session, delivery)]


def test_a_person_saw_that_it_is_absent_and_it_goes_again(session):
    delivery = in_review(session)
    queue.resolve_absent(session, delivery, TOMORROW.utc, doing())
    assert queue.claim(session, (), doing("daemon", later(hours=1))) == [delivery]
    assert [attempt.number for attempt in attempts(session, delivery)] == [1, 2]


def test_a_person_gives_up_and_only_a_person_can_go_on(session):
    delivery = in_review(session)
    queue.give_up(session, delivery, doing())
    assert (delivery.status, delivery.outcome) == (Status.FAILED, "given_up")
    assert queue.claim(session, (), doing("daemon", later(days=1))) == []


# --- moves of the daemon --------------------------------------------------------------------------


def test_a_claim_raises_the_fence_and_records_the_attempt_before_it_begins(session):
    delivery = scheduled(session)
    assert queue.claim(session, (), doing("daemon", later(1))) == [delivery]
    assert (delivery.status, delivery.fence, delivery.attempts) == (Status.PREPARING, 1, 1)
    [attempt] = attempts(session, delivery)
    assert (attempt.number, attempt.fence, attempt.by) == (1, 1, "daemon")
    assert (attempt.started_at, attempt.ended_at) == (later(1), None)
    assert last_entry(session)["data"]["attempt"] == 1
    assert queue.claim(session, (), doing("daemon", later(2))) == []


def test_each_channel_gets_its_oldest_due_delivery(session):
    newer = scheduled(session, "alpha", due=later(-60))
    older = scheduled(session, "alpha", due=later(-120))
    other = scheduled(session, "beta", due=later(-30))
    assert queue.claim(session, (), doing("daemon")) == [older, other]
    assert newer.status is Status.SCHEDULED


def test_of_two_at_the_same_time_the_one_queued_first_goes_first(session):
    first, second = scheduled(session), scheduled(session)
    assert queue.claim(session, (), doing("daemon")) == [first]
    assert queue.claim(session, (), doing("daemon")) == [second]


def test_a_busy_channel_gets_nothing(session):
    scheduled(session, "alpha")
    other = scheduled(session, "beta")
    assert queue.claim(session, ("alpha",), doing("daemon")) == [other]


def test_what_is_past_its_latest_time_is_missed_and_never_sent(session):
    delivery = scheduled(session, hours=2)
    at = doing("daemon", later(hours=2, seconds=1))
    assert queue.claim(session, (), at) == []
    assert queue.miss(session, at) == [delivery]
    assert (delivery.status, delivery.outcome) == (Status.MISSED, "late")
    assert "daemon was not running" in delivery.reason


def test_at_its_latest_time_it_may_still_go(session):
    delivery = scheduled(session, hours=2)
    at = doing("daemon", later(hours=2))
    assert queue.miss(session, at) == []
    assert queue.claim(session, (), at) == [delivery]


def test_a_miss_keeps_the_reason_that_it_was_postponed_for(session):
    delivery = scheduled(session)
    queue.rewrite(session, delivery, {"outcome": "rate_limited", "reason": "Slow down."})
    queue.miss(session, doing("daemon", later(days=1)))
    assert (delivery.outcome, delivery.reason) == ("rate_limited", "Slow down.")


def test_what_missed_because_its_page_was_not_made_says_so(session):
    revision = announce(session)
    page = enqueue(session, "site", revision=revision)
    delivery = scheduled(session, "web", revision=revision, waits_for=page.id)
    queue.miss(session, doing("daemon", later(days=1)))
    assert "page on the site was not published" in delivery.reason
    assert page.status is Status.HELD


def test_a_pause_is_never_made_shorter_by_another(session):
    rests.pause(session, "web", later(600), "Slow down.")
    rests.pause(session, "web", later(60), "Slow down.")
    scheduled(session)
    assert queue.claim(session, (), doing("daemon", later(599))) == []
    assert holds.unpause(session, "web") is True
    assert holds.unpause(session, "web") is False
    assert len(queue.claim(session, (), doing("daemon", later(1)))) == 1


def test_a_delivery_that_there_is_not_is_not_found(session):
    with pytest.raises(NotFound, match="There is no delivery 7"):
        queue.get_delivery(session, 7)


def test_deliveries_of_a_revision_come_as_they_were_made(session):
    revision = announce(session)
    made = [enqueue(session, name, revision=revision) for name in ("web", "alpha", "beta")]
    enqueue(session, "web")
    assert queue.deliveries_of(session, revision) == made
    assert len(session.exec(select(Part)).all()) == 4
    assert session.exec(select(Attempt)).all() == []
    assert queue.announcement_of(session, made[0]) == revision.announcement_id
    assert NOW + timedelta(hours=2) == made[0].not_after
