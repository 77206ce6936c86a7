"""What became of an attempt: each outcome with all that belongs to it, in one move."""

from __future__ import annotations

import json

import pytest
from desk import (
    NO_ANSWER,
    WAYS,
    attempts,
    begun,
    claimed,
    doing,
    doubted,
    kinds,
    last_entry,
    later,
    moves,
    scheduled,
)

from crosspost import outcomes, queue
from crosspost.delivery_parts import parts_of
from crosspost.errors import Conflict
from crosspost.lifecycle import Status
from crosspost.outcomes import Failure
from crosspost.post import Post, Receipt
from crosspost.tables import ChannelState

DAEMON = doing("daemon")
RECEIPT = Receipt("42", "https://web.example/42", {"cid": "bafy"})
THREAD = (Post("First", "en"), Post("Second", "en"))
SLOW_DOWN = Failure("rate_limited", "Slow down.", 429)


def parts(session, delivery):
    return parts_of(session, delivery)


# --- begin and settle -----------------------------------------------------------------------------


def test_the_intent_is_in_the_row_and_in_the_ledger(session):
    delivery = claimed(session)
    [part] = parts(session, delivery)
    part.handle = json.dumps({"key": "k"})
    outcomes.begin(session, delivery, part, doing("daemon", later(3)))
    assert (delivery.status, part.begun_at) == (Status.PUBLISHING, later(3))
    assert last_entry(session)["kind"] == "publishing"
    assert last_entry(session)["data"]["part"] == 0


def test_the_first_beginning_is_remembered(session):
    delivery = begun(session)
    [part] = parts(session, delivery)
    outcomes.postpone(session, delivery, later(60), SLOW_DOWN, DAEMON)
    queue.claim(session, (), doing("daemon", later(60)))
    outcomes.begin(session, delivery, part, doing("daemon", later(61)))
    assert part.begun_at == later(0)


def test_a_yes_is_stored_with_its_receipt_and_ends_the_attempt(session):
    delivery = begun(session)
    [part] = parts(session, delivery)
    at = doing("daemon", later(5))
    assert outcomes.settle_part(session, delivery, part, RECEIPT, at) is True
    assert (part.remote_id, part.permalink) == (RECEIPT.remote_id, RECEIPT.permalink)
    assert json.loads(part.extra) == RECEIPT.extra
    assert part.published_at == delivery.ended_at == later(5)
    assert (delivery.status, delivery.outcome) == (Status.PUBLISHED, "published")
    [attempt] = attempts(session, delivery)
    assert (attempt.ended_at, attempt.outcome) == (later(5), "published")
    data = last_entry(session)["data"]
    assert (data["remote_id"], data["permalink"], data["part"]) == ("42", RECEIPT.permalink, 0)


def test_a_thread_is_published_only_by_its_last_part(session):
    delivery = begun(session, posts=THREAD)
    first, second = parts(session, delivery)
    assert outcomes.settle_part(session, delivery, first, RECEIPT, DAEMON) is False
    assert delivery.status is Status.PREPARING
    outcomes.begin(session, delivery, second, DAEMON)
    assert outcomes.settle_part(session, delivery, second, Receipt("43"), DAEMON) is True
    assert moves(session, delivery)[-4:] == [
        "publishing",
        "part_published",
        "publishing",
        "published",
    ]


def test_evidence_confirms_a_doubt(session):
    delivery = doubted(session)
    [part] = parts(session, delivery)
    assert outcomes.settle_part(session, delivery, part, RECEIPT, DAEMON) is True
    assert (delivery.status, delivery.not_before) == (Status.PUBLISHED, None)
    assert kinds(session, delivery)[-1] == "confirmed"
    assert attempts(session, delivery)[-1].outcome == "confirmed"


def test_evidence_of_one_part_lets_the_rest_of_the_thread_go_on(session):
    delivery = doubted(session, posts=THREAD)
    first, second = parts(session, delivery)
    assert outcomes.settle_part(session, delivery, first, RECEIPT, DAEMON) is False
    assert delivery.status is Status.SCHEDULED
    assert (first.remote_id, second.remote_id) == ("42", None)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PUBLISHING, Status.UNCONFIRMED}))
def test_a_yes_that_nobody_waits_for_is_refused(session, status):
    delivery = WAYS[status](session)
    [part] = parts(session, delivery)
    with pytest.raises(Conflict):
        outcomes.settle_part(session, delivery, part, Receipt("99"), DAEMON)


# --- no -------------------------------------------------------------------------------------------


def test_what_surely_did_not_happen_waits_and_keeps_its_reason(session):
    delivery = begun(session)
    outcomes.postpone(session, delivery, later(60), SLOW_DOWN, doing("daemon", later(2)))
    assert (delivery.status, delivery.not_before) == (Status.SCHEDULED, later(60))
    assert (delivery.outcome, delivery.reason) == ("rate_limited", "Slow down.")
    [attempt] = attempts(session, delivery)
    assert (attempt.http_status, attempt.message) == (429, "Slow down.")
    assert attempt.ended_at == later(2)
    assert session.get(ChannelState, "web") is None


def test_the_words_of_a_platform_do_not_enter_the_ledger(session):
    outcomes.postpone(session, begun(session), later(60), SLOW_DOWN, DAEMON)
    data = last_entry(session)["data"]
    assert (data["outcome"], data["http_status"]) == ("rate_limited", 429)
    assert "Slow down." not in json.dumps(last_entry(session))


def test_a_refusal_of_the_whole_channel_pauses_it_with_the_reason(session):
    delivery = begun(session)
    health = outcomes.Health(pause_until=later(60))
    outcomes.postpone(session, delivery, later(60), SLOW_DOWN, DAEMON, health=health)
    state = session.get_one(ChannelState, "web")
    assert (state.paused_until, state.reason) == (later(60), "Slow down.")


def test_a_final_no_ends_it_with_the_platform_s_words(session):
    delivery = begun(session)
    outcomes.refuse(session, delivery, Failure("rejected_content", "Too rude.", 422), DAEMON)
    assert (delivery.status, delivery.reason) == (Status.FAILED, "Too rude.")
    assert delivery.ended_at == DAEMON.at
    assert attempts(session, delivery)[-1].outcome == "rejected_content"


def test_an_alarm_voids_the_approval(session):
    delivery = claimed(session)
    outcomes.alarm(session, delivery, "It was changed.", DAEMON)
    assert (delivery.status, delivery.approved_digest) == (Status.HELD, None)
    assert (delivery.outcome, delivery.reason) == ("not_as_approved", "It was changed.")
    assert queue.claim(session, (), doing("daemon", later(1))) == []


# --- doubt ----------------------------------------------------------------------------------------


def test_a_doubt_is_not_sent_again_and_is_looked_at_later(session):
    delivery = doubted(session)
    assert (delivery.status, delivery.not_before) == (Status.UNCONFIRMED, later(60))
    assert queue.claim(session, (), doing("daemon", later(hours=1))) == []
    assert queue.miss(session, doing("daemon", later(days=9))) == []


def test_clean_looks_count_up_and_an_unclear_one_breaks_the_row(session):
    delivery = doubted(session)
    outcomes.looked(session, delivery, clear=True, next_look=later(90))
    assert (delivery.clean_looks, delivery.unclear_looks) == (1, 0)
    outcomes.looked(session, delivery, clear=False, next_look=later(120), words="No route.")
    assert (delivery.clean_looks, delivery.unclear_looks) == (0, 1)
    assert (delivery.not_before, delivery.reason) == (later(120), "No route.")


def test_looks_are_no_moves_and_make_no_entries(session):
    delivery = doubted(session)
    entries = len(kinds(session))
    outcomes.looked(session, delivery, clear=True, next_look=later(90))
    assert len(kinds(session)) == entries


def test_proved_absence_lets_it_go_again_and_a_new_doubt_counts_from_nothing(session):
    delivery = doubted(session)
    outcomes.looked(session, delivery, clear=True, next_look=later(90))
    outcomes.disprove(session, delivery, DAEMON)
    assert (delivery.status, delivery.clean_looks) == (Status.SCHEDULED, 0)
    assert last_entry(session)["data"]["looks"] == 2
    assert queue.claim(session, (), doing("daemon", later(1))) == [delivery]


def test_proved_absence_after_its_latest_time_is_missed(session):
    delivery = doubted(session)
    outcomes.disprove(session, delivery, doing("daemon", later(hours=3)))
    assert queue.miss(session, doing("daemon", later(hours=3))) == [delivery]


def test_a_repeat_leaves_the_doubt_as_it_is(session):
    delivery = doubted(session)
    outcomes.repeat(session, delivery, doing("daemon", later(hours=3)))
    assert delivery.status is Status.UNCONFIRMED
    assert queue.miss(session, doing("daemon", later(hours=3))) == []


def test_a_person_is_asked_with_the_reason(session):
    delivery = doubted(session)
    outcomes.ask(session, delivery, "Nobody knows.", DAEMON)
    assert (delivery.status, delivery.reason) == (Status.REVIEW, "Nobody knows.")
    assert queue.claim(session, (), doing("daemon", later(days=1))) == []


# --- rescue ---------------------------------------------------------------------------------------


def test_a_rescue_sends_nothing_again_that_had_begun(session):
    preparing, publishing = claimed(session, "alpha"), begun(session, "web")
    other = scheduled(session, "beta", due=later(900))
    at = doing("another daemon", later(60))
    assert outcomes.rescue(session, at) == [preparing, publishing]
    assert preparing.status is Status.SCHEDULED
    assert publishing.status is Status.UNCONFIRMED
    assert other.status is Status.SCHEDULED
    assert preparing.outcome == publishing.outcome == "daemon_died"
    assert queue.claim(session, (), at) == [preparing]
    assert outcomes.rescue(session, at) == [preparing]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PREPARING, Status.PUBLISHING}))
def test_a_rescue_touches_nothing_else(session, status):
    delivery = WAYS[status](session)
    entries = len(kinds(session))
    assert outcomes.rescue(session, doing("another daemon")) == []
    assert (delivery.status, len(kinds(session))) == (status, entries)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PUBLISHING}))
def test_only_what_was_being_sent_can_be_in_doubt(session, status):
    delivery = WAYS[status](session)
    with pytest.raises(Conflict):
        outcomes.doubt(session, delivery, later(60), NO_ANSWER, DAEMON)
