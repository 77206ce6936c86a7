"""An unconfirmed post is settled by evidence only; nothing is sent but the same under its key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk import begun, claim, claim_again, doing, later, moves_of, parts_of, stored
from scripted import send
from sqlalchemy import text

from crosspost import delivery_parts, holds, outcomes, queue
from crosspost.errors import (
    ConfigError,
    Conflict,
    MediaExpired,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.lifecycle import Status
from crosspost.post import Capabilities, Post, Reconcile
from crosspost.reconciler import look
from crosspost.retry import LONGEST_DOUBT
from crosspost.tables import Delivery
from crosspost.workbench import Workbench

SETTLE = Capabilities().settle


@pytest.fixture
def unconfirmed(database, bench, platform, clock):
    """A delivery whose answer was lost, at its first look; it is public when `lose` was the way."""

    def made(way=None, **about) -> Delivery:
        platform.publishes.append(way or UnknownOutcome("No answer came.", status=504))
        delivery = claim(database, **about)
        send(bench, delivery)
        clock.time = stored(database, delivery).not_before
        return stored(database, delivery)

    return made


def look_on(database, bench, clock, delivery, times: int = 1) -> Delivery:
    """Look so many times, each when its time has come."""
    for _ in range(times):
        found = stored(database, delivery)
        clock.time = max(clock(), found.not_before or clock())
        look(bench, found)
    return stored(database, delivery)


# --- evidence -------------------------------------------------------------------------------------


def test_a_post_that_is_found_is_confirmed_with_its_receipt(
    database, bench, platform, clock, unconfirmed
):
    delivery = unconfirmed(platform.lose)
    found = look_on(database, bench, clock, delivery)
    assert (found.status, len(platform.public)) == (Status.PUBLISHED, 1)
    [part] = parts_of(database, delivery)
    assert (part.remote_id, part.permalink) == ("id-1", "https://scripted.example/1")
    assert moves_of(database, delivery)[-1] == "confirmed"


def test_absence_counts_only_after_two_clean_looks(database, bench, platform, clock, unconfirmed):
    delivery = unconfirmed()
    found = look_on(database, bench, clock, delivery)
    assert (found.status, found.clean_looks) == (Status.UNCONFIRMED, 1)
    found = look_on(database, bench, clock, delivery)
    assert found.status is Status.SCHEDULED
    assert moves_of(database, delivery)[-1] == "disproved"


def test_an_unclear_look_between_makes_the_clean_ones_count_anew(
    database, bench, platform, clock, unconfirmed
):
    delivery = unconfirmed()
    look_on(database, bench, clock, delivery)
    platform.finds.append(RetryLater("Later."))
    found = look_on(database, bench, clock, delivery)
    assert (found.clean_looks, found.unclear_looks, found.reason) == (0, 1, "Later.")
    assert look_on(database, bench, clock, delivery).status is Status.UNCONFIRMED
    assert look_on(database, bench, clock, delivery).status is Status.SCHEDULED


def test_an_error_without_words_is_no_clean_look(database, bench, platform, clock, unconfirmed):
    delivery = unconfirmed()
    platform.finds.append(RetryLater(""))
    assert look_on(database, bench, clock, delivery).clean_looks == 0


@pytest.mark.parametrize("error", [RateLimited("No."), MediaExpired("No."), KeyError("x")])
def test_no_error_of_a_look_is_evidence(database, bench, platform, clock, unconfirmed, error):
    delivery = unconfirmed()
    platform.finds.extend([error] * 4)
    found = look_on(database, bench, clock, delivery, times=4)
    assert (found.status, found.unclear_looks) == (Status.UNCONFIRMED, 4)
    assert len(platform.public) == 0


def test_what_appears_late_is_found_and_not_sent_again(
    database, bench, platform, clock, unconfirmed
):
    delivery = unconfirmed()
    look_on(database, bench, clock, delivery)
    [part] = parts_of(database, delivery)
    with database.read():
        platform.public.append(
            bench.outgoing(
                [part], part, Post("Road closed", "en"), {"key": f"{platform.keys[0]}/1"}
            )
        )
    assert look_on(database, bench, clock, delivery).status is Status.PUBLISHED


def test_a_rescued_post_is_looked_for_at_once_but_its_absence_counts_only_later(
    database, bench, platform, clock
):
    with database.write() as session:
        delivery = begun(session)
    clock.time = later(5)
    rescue(database, clock)
    found = look_on(database, bench, clock, delivery)
    assert (clock(), found.status, found.clean_looks) == (later(5), Status.UNCONFIRMED, 1)
    while stored(database, delivery).status is Status.UNCONFIRMED:
        look_on(database, bench, clock, delivery)
    assert stored(database, delivery).status is Status.SCHEDULED
    assert clock() - later(5) >= SETTLE


def test_the_settle_time_counts_from_the_last_call_and_not_from_an_earlier_one(
    database, bench, platform, clock
):
    # the first call was refused long ago; during the second the daemon dies and starts at once
    platform.publishes.append(RetryLater("No."))
    delivery = claim(database)
    send(bench, delivery)
    clock.time = later(600)
    again = claim_again(database, clock())
    with database.write() as session:
        row = session.get_one(Delivery, again.id)
        outcomes.begin(
            session, row, delivery_parts.parts_of(session, row)[0], doing("daemon", clock())
        )
    rescue(database, clock)
    while stored(database, delivery).status is Status.UNCONFIRMED:
        look_on(database, bench, clock, delivery)
    assert clock() - later(600) >= SETTLE


def rescue(database, clock) -> None:
    with database.write() as session:
        outcomes.rescue(session, doing("next daemon", clock()))


# --- other ways -----------------------------------------------------------------------------------


def use(platform, **about) -> None:
    platform.capabilities = Capabilities(**about)


def test_where_nothing_can_be_asked_a_person_is(database, bench, platform, clock, unconfirmed):
    use(platform, reconcile=Reconcile.NONE)
    found = look_on(database, bench, clock, unconfirmed())
    assert (found.status, platform.looks) == (Status.REVIEW, 0)
    assert "Nobody but a person can tell whether it is public on web" in found.reason
    assert "No answer came." in found.reason


def test_where_the_key_protects_the_same_is_sent_again_under_it(
    database, bench, platform, clock, unconfirmed
):
    use(platform, reconcile=Reconcile.IDEMPOTENCY_KEY)
    delivery = unconfirmed(platform.lose)
    assert look_on(database, bench, clock, delivery).status is Status.PUBLISHED
    first, second = platform.public
    assert (first.handle, first.post) == (second.handle, second.post)
    assert platform.looks == 0
    assert moves_of(database, delivery)[-2:] == ["repeated", "confirmed"]


@pytest.mark.parametrize("error", [RateLimited("No.", until=later(7200)), UnknownOutcome("Hm.")])
def test_a_repeat_that_fails_leaves_the_doubt_past_its_latest_time(
    database, bench, platform, clock, unconfirmed, error
):
    use(platform, reconcile=Reconcile.IDEMPOTENCY_KEY)
    delivery = unconfirmed(platform.lose)
    platform.publishes.append(error)
    found = look_on(database, bench, clock, delivery)
    assert found.status is Status.UNCONFIRMED
    assert found.not_before > clock()
    assert error.until is None or found.not_before == error.until
    clock.time = max(found.not_before, found.not_after + timedelta(minutes=1))
    with database.write() as session:
        assert queue.miss(session, doing("daemon", clock())) == []
        with pytest.raises(Conflict):
            queue.cancel(session, session.get_one(Delivery, delivery.id), doing())
    assert look_on(database, bench, clock, delivery).status is Status.PUBLISHED


def test_a_final_no_to_a_repeat_says_nothing_of_the_first_call(
    database, bench, platform, clock, unconfirmed
):
    use(platform, reconcile=Reconcile.IDEMPOTENCY_KEY)
    delivery = unconfirmed(platform.lose)
    platform.publishes.append(RejectedContent("Not this."))
    assert look_on(database, bench, clock, delivery).status is Status.REVIEW


def test_a_channel_on_hold_is_sent_no_repeat(database, bench, platform, clock, unconfirmed):
    use(platform, reconcile=Reconcile.IDEMPOTENCY_KEY)
    delivery = unconfirmed(platform.lose)
    with database.write() as session:
        holds.hold(session, "web", doing())
    assert look_on(database, bench, clock, delivery).status is Status.UNCONFIRMED
    assert len(platform.public) == 1


def test_a_repeat_sends_only_what_was_approved(database, bench, platform, clock, unconfirmed):
    use(platform, reconcile=Reconcile.IDEMPOTENCY_KEY)
    delivery = unconfirmed(platform.lose)
    with database.write() as session:
        session.execute(text("UPDATE part SET payload = replace(payload, 'closed', 'open')"))
    found = look_on(database, bench, clock, delivery)
    assert (found.status, len(platform.public)) == (Status.REVIEW, 1)
    assert "not what was approved" in found.reason


def test_a_key_that_may_be_forgotten_protects_nothing(
    database, bench, platform, clock, unconfirmed
):
    use(platform, reconcile=Reconcile.IDEMPOTENCY_KEY, key_window=timedelta(hours=1))
    delivery = unconfirmed()
    clock.time = later(hours=1)
    assert look_on(database, bench, clock, delivery).status is Status.REVIEW


def test_without_evidence_for_too_long_a_person_is_asked(
    database, bench, platform, clock, unconfirmed
):
    delivery = unconfirmed()
    clock.time = stored(database, delivery).not_before + LONGEST_DOUBT
    platform.finds.append(RetryLater("Their words."))
    found = look_on(database, bench, clock, delivery)
    assert found.status is Status.REVIEW
    assert "Their words." in found.reason


@pytest.mark.parametrize("error", [ConfigError("Bad key."), RateLimited("No."), TypeError("bug")])
def test_an_adapter_that_cannot_be_opened_is_tried_again_later_and_tells_nothing(
    database, bench, platform, clock, unconfirmed, monkeypatch, error
):
    delivery = unconfirmed()

    def broken(_bench, _channel):
        raise error

    monkeypatch.setattr(Workbench, "adapter", broken)
    found = look_on(database, bench, clock, delivery, times=3)
    assert (found.status, found.clean_looks) == (Status.UNCONFIRMED, 0)
    assert found.not_before > clock()


# --- threads --------------------------------------------------------------------------------------


def test_a_thread_goes_on_behind_the_part_that_was_found(
    database, bench, platform, clock, unconfirmed
):
    delivery = unconfirmed(platform.lose, posts=(Post("First", "en"), Post("Second", "en")))
    assert look_on(database, bench, clock, delivery).status is Status.SCHEDULED
    send(bench, claim_again(database, clock()))
    assert [sent.post.text for sent in platform.public] == ["First", "Second"]
    assert stored(database, delivery).status is Status.PUBLISHED


def test_a_look_that_finds_an_earlier_post_of_ours_is_no_evidence(
    database, bench, platform, clock, unconfirmed
):
    first = claim(database)
    send(bench, first)
    delivery = unconfirmed()
    platform.finds.append(lambda _outgoing: platform.receipt(1))
    assert look_on(database, bench, clock, delivery).status is Status.REVIEW
    assert stored(database, first).status is Status.PUBLISHED
