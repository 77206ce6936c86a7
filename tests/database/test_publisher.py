"""One claimed delivery through its adapter: what each answer leads to, and that once is once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from desk import (
    attempts,
    claim,
    claim_again,
    doing,
    later,
    moves_of,
    parts_of,
    stored,
)
from scripted import send

from crosspost import queue
from crosspost.adapters import Adapter
from crosspost.database import Database
from crosspost.errors import (
    ConfigError,
    MediaExpired,
    MediaProcessing,
    PlatformError,
    RateLimited,
    RetryLater,
    UnknownOutcome,
    platform_errors,
)
from crosspost.lifecycle import Status
from crosspost.post import Post
from crosspost.retry import CHANNEL_WIDE, DOUBTFUL, FINAL
from crosspost.tables import ChannelState
from crosspost.workbench import Workbench

THREAD = (Post("First", "en"), Post("Second", "en"), Post("Third", "en"))
KINDS = list(platform_errors())


# --- yes ------------------------------------------------------------------------------------------


def test_what_was_approved_is_sent_once_and_its_receipt_is_kept(
    database, bench, platform, delivery
):
    send(bench, delivery)
    [sent] = platform.public
    assert sent.post == Post("Road closed", "en")
    assert sent.prepared == {"token": "t"}
    [part] = parts_of(database, delivery)
    assert (part.remote_id, part.permalink) == ("id-1", "https://scripted.example/1")
    assert json.loads(part.extra) == {"cid": "1"}
    assert stored(database, delivery).status is Status.PUBLISHED


def test_the_intent_and_the_handle_are_durable_before_the_first_byte(
    database, bench, platform, delivery
):
    def look_from_outside(outgoing):
        outside = Database(database.url)
        [part] = parts_of(outside, delivery)
        assert stored(outside, delivery).status is Status.PUBLISHING
        assert json.loads(part.handle) == outgoing.handle
        assert part.begun_at == outgoing.begun == later(0)
        outside.close()
        return platform.accept(outgoing)

    platform.publishes.append(look_from_outside)
    send(bench, delivery)
    assert len(platform.public) == 1


def test_no_transaction_is_open_while_the_platform_is_spoken_to(
    database, bench, platform, delivery
):
    def write_meanwhile(outgoing):
        other = Database(database.url)
        with other.write() as session:
            session.add(ChannelState(channel="alpha", held=True))
        other.close()
        return platform.accept(outgoing)

    platform.publishes.append(write_meanwhile)
    send(bench, delivery)
    assert stored(database, delivery).status is Status.PUBLISHED


# --- no, and perhaps ------------------------------------------------------------------------------


def expected(kind: type[PlatformError]) -> Status:
    if kind in FINAL:
        return Status.FAILED
    return Status.UNCONFIRMED if kind in DOUBTFUL else Status.SCHEDULED


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_each_answer_to_a_post_has_its_consequence(database, bench, platform, delivery, kind):
    platform.publishes.append(kind("Their words.", platform="scripted", status=400))
    send(bench, delivery)
    found = stored(database, delivery)
    assert (found.status, found.outcome) == (expected(kind), kind.kind)
    assert "Their words." in found.reason
    with database.read() as session:
        [attempt] = attempts(session, delivery)
        assert (attempt.outcome, attempt.http_status) == (kind.kind, 400)
        state = session.get(ChannelState, "web")
    paused = state is not None and state.paused_until is not None
    assert paused is (kind in CHANNEL_WIDE)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_before_the_post_nothing_is_ever_in_doubt(database, bench, platform, delivery, kind):
    platform.prepares.append(kind("Their words."))
    send(bench, delivery)
    found = stored(database, delivery)
    assert found.status is (Status.FAILED if kind in FINAL else Status.SCHEDULED)
    assert parts_of(database, delivery)[0].begun_at is None
    assert "publishing" not in moves_of(database, delivery)


def test_a_call_of_which_no_byte_left_is_no_doubt(database, bench, platform, delivery):
    platform.publishes.append(UnknownOutcome("No route to the host.", sent=False))
    send(bench, delivery)
    assert stored(database, delivery).status is Status.SCHEDULED


def test_a_fault_of_an_adapter_while_posting_is_a_doubt_and_shows_no_text(
    database, bench, platform, delivery
):
    platform.publishes.append(ValueError("Bearer tok-3f9a"))
    send(bench, delivery)
    found = stored(database, delivery)
    assert (found.status, found.outcome) == (Status.UNCONFIRMED, "internal_error")
    assert "tok-3f9a" not in found.reason


def test_a_fault_of_an_adapter_before_posting_is_tried_again(database, bench, platform, delivery):
    platform.prepares.append(ZeroDivisionError())
    send(bench, delivery)
    found = stored(database, delivery)
    assert (found.status, found.not_before) == (Status.SCHEDULED, later(15))


@pytest.mark.parametrize("error", [ConfigError("Bad key."), RateLimited("No."), TypeError("bug")])
def test_an_adapter_that_cannot_be_opened_is_a_decision_too(
    database, bench, delivery, monkeypatch, error
):
    def broken(_bench, _channel) -> Adapter:
        raise error

    monkeypatch.setattr(Workbench, "adapter", broken)
    send(bench, delivery)
    assert stored(database, delivery).status is Status.SCHEDULED


def test_waits_grow_with_each_attempt_and_never_undercut_the_platform_s(
    database, bench, platform, clock, delivery
):
    platform.publishes.extend([RetryLater("No.")] * 3)
    platform.publishes.append(RateLimited("No.", until=later(hours=1)))
    waits = []
    for _ in range(4):
        send(bench, delivery)
        found = stored(database, delivery)
        waits.append(found.not_before - clock())
        clock.time = found.not_before
        if len(waits) < 4:
            delivery = claim_again(database, clock())
    assert waits[:3] == [timedelta(seconds=s) for s in (15, 30, 60)]
    assert clock() == later(hours=1)


def test_every_attempt_has_the_same_handle(database, bench, platform, clock, delivery):
    platform.publishes.append(RetryLater("No."))
    send(bench, delivery)
    clock.time = later(60)
    send(bench, claim_again(database, clock()))
    [sent] = platform.public
    assert len(platform.keys) == 1
    assert sent.handle == {"key": f"{platform.keys[0]}/1"}


# --- media ----------------------------------------------------------------------------------------


def test_an_upload_that_goes_on_survives_the_wait(database, bench, platform, clock, delivery):
    platform.prepares.append(MediaProcessing("Not yet.", prepared={"id": "m1"}))
    send(bench, delivery)
    platform.prepares.append(lambda outgoing: {**outgoing.prepared, "ready": True})
    clock.time = later(60)
    send(bench, claim_again(database, clock()))
    assert platform.public[0].prepared == {"id": "m1", "ready": True}


def test_an_upload_that_has_expired_is_made_anew(database, bench, platform, clock, delivery):
    platform.publishes.append(MediaExpired("Gone."))
    send(bench, delivery)
    assert parts_of(database, delivery)[0].prepared == ""
    platform.prepares.append(lambda outgoing: {"had": dict(outgoing.prepared)})
    clock.time = later(60)
    send(bench, claim_again(database, clock()))
    assert platform.public[0].prepared == {"had": {}}


# --- in time --------------------------------------------------------------------------------------


def test_what_became_too_late_while_it_was_prepared_is_not_sent(
    database, bench, platform, clock, delivery
):
    def slowly(_outgoing):
        clock.time = later(hours=3)
        return {}

    platform.prepares.append(slowly)
    send(bench, delivery)
    assert platform.public == []
    assert stored(database, delivery).outcome == "not_begun"
    with database.write() as session:
        [gone] = queue.miss(session, doing("daemon", clock()))
        assert gone.id == delivery.id


def test_a_daemon_that_is_asked_to_end_begins_nothing_more(database, bench, platform, delivery):
    platform.prepares.append(lambda _outgoing: bench.stopping.set() or {})
    send(bench, delivery)
    assert platform.public == []
    assert stored(database, delivery).status is Status.SCHEDULED


# --- threads --------------------------------------------------------------------------------------


def test_a_thread_resumes_at_the_part_that_failed(database, bench, platform, clock):
    delivery = claim(database, posts=THREAD)
    platform.publishes.extend([platform.accept, RetryLater("No.")])
    send(bench, delivery)
    assert stored(database, delivery).status is Status.SCHEDULED
    clock.time = later(60)
    send(bench, claim_again(database, clock()))
    assert [sent.post.text for sent in platform.public] == ["First", "Second", "Third"]
    _, second, third = platform.public
    assert second.parent == second.root == third.root == platform.receipt(1)
    assert third.parent == platform.receipt(2)
    assert stored(database, delivery).status is Status.PUBLISHED
