"""The table of moves: what can never happen, whatever the rooms above do with it."""

from __future__ import annotations

import re

import pytest

from crosspost import lifecycle, stories
from crosspost.lifecycle import (
    ENDED,
    IN_HAND,
    MAYBE_PUBLIC,
    MOVES,
    NEEDS_PERSON,
    Status,
    Verb,
    status_word,
    target,
)

BY_A_PERSON = {Verb.RESOLVE_PUBLISHED, Verb.RESOLVE_ABSENT, Verb.GIVE_UP, Verb.RETRY}


def exits(status: Status) -> set[Verb]:
    """What can be done to a delivery in this status."""
    return {verb for before, verb in MOVES if before is status}


def reached(start: Status, without: set[Verb]) -> set[Status]:
    """Every status that can follow `start` when these verbs are never used."""
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for verb in exits(here) - without:
            after = MOVES[here, verb]
            if after not in found:
                found.add(after)
                waiting.append(after)
    return found


def test_nothing_leaves_published_or_cancelled():
    assert exits(Status.PUBLISHED) == set()
    assert exits(Status.CANCELLED) == set()


def test_only_a_person_brings_back_what_has_ended():
    for status in ENDED:
        assert exits(status) <= {Verb.RETRY}


def test_nothing_is_sent_that_was_not_approved():
    assert Status.PREPARING not in reached(Status.HELD, without={Verb.APPROVE})


def test_nothing_is_published_that_was_not_begun():
    # or that a person saw: an old copy of the database does not know what was begun since
    assert Status.PUBLISHED not in reached(Status.HELD, without={Verb.BEGIN, Verb.QUESTION})


def test_what_may_be_public_is_sent_again_only_by_evidence_or_a_person():
    allowed = {Verb.DISPROVE, Verb.NEXT_PART, Verb.RESOLVE_ABSENT, Verb.RETRY}
    assert Status.PREPARING not in reached(Status.UNCONFIRMED, without=allowed)


def test_what_may_be_public_can_be_neither_cancelled_nor_missed_nor_alarmed():
    for status in MAYBE_PUBLIC:
        assert not exits(status) & {Verb.CANCEL, Verb.MISS, Verb.ALARM, Verb.APPROVE}


def test_a_doubt_is_never_called_a_failure_without_a_person():
    without = {Verb.DISPROVE, Verb.NEXT_PART, *BY_A_PERSON}
    assert Status.FAILED not in reached(Status.UNCONFIRMED, without=without)


def test_every_status_is_reached_and_every_one_that_has_not_ended_can_end():
    assert reached(Status.HELD, without=set()) == set(Status)
    for status in Status:
        assert reached(status, without=set()) & ENDED


def test_every_verb_is_of_use():
    assert {verb for _, verb in MOVES} == set(Verb)


def test_the_groups_overlap_only_as_they_mean_to():
    assert {Status.PREPARING, Status.PUBLISHING} == IN_HAND
    assert not ENDED & IN_HAND
    assert {Status.REVIEW} == NEEDS_PERSON - ENDED
    assert {Status.PUBLISHED} == MAYBE_PUBLIC & ENDED


def test_what_the_table_does_not_have_does_not_happen():
    assert target(Status.PUBLISHED, Verb.CLAIM) is None
    assert target(Status.SCHEDULED, Verb.CLAIM) is Status.PREPARING


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_word_and_an_advice(status):
    assert status_word(status)
    given = {"channel": "web", "status": status.value}
    assert stories.advice(given, number=7, daemon_runs=True)


@pytest.mark.parametrize("verb", Verb)
def test_every_move_has_its_sentence(verb):
    assert stories.sentence({"kind": verb.value}) != verb.value


def test_the_diagram_names_every_status():
    drawn = set(re.findall(r"[a-z]+", lifecycle.__doc__ or ""))
    assert {status.value for status in Status} <= drawn
