"""What `why` advises: a step that a person can take, or that there is nothing to do."""

from __future__ import annotations

import re
from datetime import timedelta, timezone

import pytest
import typer.main

from crosspost.cli import app
from crosspost.errors import platform_errors
from crosspost.lifecycle import Status
from crosspost.retry import CHANNEL_WIDE
from crosspost.stories import advice, cure, sentence
from crosspost.wording import set_language

#: These end by themselves: the platform names a time, or we wait.
PASSING = {"rate_limited", "quota_exhausted"}


def advised(status, outcome=None, *, daemon_runs=True, by_login=False):
    delivery = {"status": status, "channel": "hook", "outcome": outcome}
    return advice(delivery, number=7, daemon_runs=daemon_runs, by_login=by_login)


@pytest.mark.parametrize("status", [s.value for s in Status])
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("outcome", [None, *[e.kind for e in platform_errors()]])
def test_advice_names_commands_that_exist_and_leaves_nothing_to_be_filled_in(
    status, language, outcome
):
    set_language(language)
    words = advised(status, outcome, daemon_runs=False)
    assert not re.search(r"[{}]", words)
    named = re.findall(r"crosspost ([a-z]+)(?: check| \.\.\.)?(?= [\d-]| hook|$)", words, re.M)
    assert set(named) <= set(typer.main.get_command(app).commands)


@pytest.mark.parametrize("error", [e for e in CHANNEL_WIDE if e.kind not in PASSING])
def test_what_pauses_a_channel_until_a_person_acts_has_a_cure(error):
    assert cure(error.kind)


def test_a_revoked_token_is_no_reason_to_sit_and_wait():
    words = advised("scheduled", "auth_revoked")
    assert "Nothing to do" not in words
    assert ".env and restart the daemon, then: crosspost channels check hook" in words


def test_where_one_logs_in_a_revoked_token_is_cured_by_that_and_not_in_the_file_of_secrets():
    for status in ("scheduled", "missed"):
        words = advised(status, "auth_revoked", by_login=True)
        assert words.startswith("Log in again: crosspost channels login hook\n")
        assert ".env" not in words


def test_what_missed_its_time_for_a_revoked_token_is_cured_first_and_then_retried():
    first, then = advised("missed", "auth_revoked").splitlines()
    assert ".env" in first
    assert "crosspost retry 7 --channel hook" in then


def test_what_waits_after_a_passing_trouble_needs_nobody():
    assert advised("scheduled", "retry_later") == "Nothing to do: it is tried again by itself."
    assert advised("scheduled") == "Nothing to do: it goes out at its time."


def test_an_old_outcome_does_not_disturb_what_is_out():
    assert advised("published", "auth_revoked") == "Nothing to do."


def test_a_review_says_how_to_answer_it():
    words = advised("review", "unknown_outcome")
    assert "crosspost resolve 7 --channel hook --reason" in words
    for answer in ("--published", "--not-published", "--give-up"):
        assert answer in words


@pytest.mark.parametrize("status", ["scheduled", "unconfirmed"])
def test_what_waits_for_a_daemon_says_so_only_when_surely_none_runs(status):
    assert "crosspost daemon" in advised(status, daemon_runs=False)
    assert "crosspost daemon" not in advised(status, daemon_runs=None)


def test_a_time_in_a_sentence_is_the_time_of_the_office():
    data = {"outcome": "retry_later", "until": "2026-11-30T19:00:05.000000Z"}
    told = sentence({"kind": "postponed", "data": data}, timezone(timedelta(hours=7)))
    assert "from 2026-12-01 02:00:05 on" in told
