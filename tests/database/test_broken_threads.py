"""A thread of which only some parts are public is never called missed, cancelled or failed without
saying so, and what is public of it is never sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk import claim_again, doing, in_review, last_entry, later, moves_of, parts_of, stored
from desk import scheduled as scheduled_in
from scripted import send

from crosspost import delivery_parts, editorial, queue
from crosspost.delivery_parts import write_part
from crosspost.errors import RejectedContent, RetryLater
from crosspost.lifecycle import NEEDS_PERSON, Status
from crosspost.post import Post
from crosspost.tables import Delivery

POSTS = (Post("One", "en"), Post("Two", "en"), Post("Three", "en"))


@pytest.fixture
def broken(database, bench, platform, clock) -> Delivery:
    """Three parts; the first is public, the second was not taken for now."""
    with database.write() as session:
        delivery = scheduled_in(session, posts=POSTS)
    platform.publishes.extend([platform.accept, RetryLater("Later.")])
    send(bench, claim_again(database, clock()))
    assert stored(database, delivery).status is Status.SCHEDULED
    return stored(database, delivery)


def retried(database, bench, clock, delivery) -> Delivery:
    """A person lets it go on."""
    with database.write() as session:
        by = doing("Siti", clock())
        row = session.get_one(Delivery, delivery.id)
        queue.retry(session, row, clock() + timedelta(hours=2), by)
    send(bench, claim_again(database, clock()))
    return stored(database, delivery)


def test_one_that_becomes_too_late_says_what_is_public(database, bench, platform, clock, broken):
    clock.time = later(hours=3)
    with database.write() as session:
        [missed] = queue.miss(session, bench.doing())
        assert last_entry(session)["data"]["public_parts"] == 1
    assert (missed.status, missed.outcome) == (Status.MISSED, "partly_public")
    assert "1 of 3 parts are public already (https://scripted.example/1)" in missed.reason
    assert missed.status in NEEDS_PERSON
    assert retried(database, bench, clock, broken).status is Status.PUBLISHED
    assert [sent.post.text for sent in platform.public] == ["One", "Two", "Three"]


@pytest.mark.parametrize("before", [Status.SCHEDULED, Status.HELD])
def test_one_that_is_cancelled_says_what_is_public(database, bench, clock, broken, before):
    if before is Status.HELD:
        tamper(database, bench, broken)
    with database.write() as session:
        row = session.get_one(Delivery, broken.id)
        assert row.status is before
        queue.cancel(session, row, doing("Siti", clock()))
    found = stored(database, broken)
    assert found.outcome == "partly_public"
    assert "1 of 3 parts are public" in found.reason
    scheduled_before = before is Status.SCHEDULED
    assert found.status is (Status.FAILED if scheduled_before else Status.CANCELLED)
    assert moves_of(database, broken)[-1] == ("given_up" if scheduled_before else "cancelled")


def tamper(database, bench, delivery) -> None:
    """What is left is not what was approved any more: back to held."""
    with database.write() as session:
        delivery_parts.parts_of(session, delivery)[2].payload = '{"text": "Other"}'
    send(bench, claim_again(database, later(hours=1)))
    assert "1 of 3 parts are public" in stored(database, delivery).reason


def test_one_that_is_refused_says_what_is_public(database, bench, platform, clock, broken):
    platform.publishes.append(RejectedContent("Not this."))
    clock.time = later(hours=1)
    send(bench, claim_again(database, clock()))
    found = stored(database, broken)
    assert (found.status, found.outcome) == (Status.FAILED, "partly_public")
    assert found.reason.endswith("Not this.")


def test_it_cannot_be_edited(database, broken):
    with database.read() as session:
        revision = session.get_one(editorial.Revision, broken.revision_id)
        with pytest.raises(editorial.Conflict):
            editorial._require_editable(session, revision, 1)


def test_a_person_who_finds_one_part_has_not_found_the_thread(database, bench, platform, clock):
    with database.write() as session:
        delivery = in_review(session, posts=POSTS)
        by = doing("Siti", clock(), "I see the first one.")
        queue.resolve_published(session, delivery, "https://web.example/1", by)
    found = stored(database, delivery)
    assert (found.status, found.outcome) == (Status.FAILED, "partly_public")
    assert [part.published_at is not None for part in parts_of(database, delivery)] == [
        True,
        False,
        False,
    ]
    assert retried(database, bench, clock, delivery).status is Status.PUBLISHED
    assert [sent.post.text for sent in platform.public] == ["Two", "Three"]


def test_one_given_up_says_what_is_public(database, bench, platform, clock):
    with database.write() as session:
        delivery = in_review(session, posts=POSTS)
        [first, *_] = delivery_parts.parts_of(session, delivery)
        write_part(session, first, {"remote_id": "id-1", "published_at": clock()})
        queue.give_up(session, delivery, doing("Siti", clock()))
    found = stored(database, delivery)
    assert (found.status, found.outcome) == (Status.FAILED, "given_up")
    assert "1 of 3 parts are public already (id-1)" in found.reason
