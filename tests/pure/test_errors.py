"""The tree of errors, walked: every one renders as a sentence, and none shows a secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from crosspost import errors
from crosspost.errors import (
    CrosspostError,
    ForkProven,
    PlatformError,
    Undecided,
    UsageError,
    UserError,
    platform_errors,
)
from crosspost.queue import Stale
from crosspost.stories import outcome_word
from crosspost.wording import t
from crosspost.workbench import failure_of

SECRET = "tok-3f9a61c7d2"


def tree(root: type[Exception]) -> list[type[Exception]]:
    """`root` and every class below it, those of later rooms included."""
    return [root, *(error for child in root.__subclasses__() for error in tree(child))]


ALL = tree(CrosspostError)
OF_USERS = tree(UserError)
OF_PLATFORMS = list(platform_errors())


def made(kind: type[Exception]) -> Exception:
    """An error as the rooms make it, with a secret handed in by mistake where words are."""
    sentence = t("The answer to {token} was no.", token=SecretStr(SECRET))
    if issubclass(kind, PlatformError):
        until = datetime(2026, 11, 23, tzinfo=UTC)
        return kind(sentence, platform="mastodon", status=503, until=until)
    if issubclass(kind, UserError):
        return kind(sentence, "It is closed.", hint="Open it.")
    return kind(sentence)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_error_renders_and_shows_no_secret(kind):
    error = made(kind)
    shown = [str(error), repr(error), repr(error.args), repr(vars(error))]
    assert "The answer to" in shown[0]
    assert not any(SECRET in text for text in shown)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_error_stands_in_the_tree_of_the_docstring(kind):
    drawn = {line.strip("│├└─ ").split(" ")[0] for line in (errors.__doc__ or "").splitlines()}
    # Stale is the queue's own Conflict, LeaseLost that of daemons that share one
    assert issubclass(kind, Stale) or kind.__name__ in drawn


@pytest.mark.parametrize("kind", OF_USERS, ids=lambda kind: kind.__name__)
def test_an_error_of_a_person_carries_all_its_problems_and_the_next_step(kind):
    error = kind("The door is shut.", "The light is off.", hint="Knock.")
    assert error.problems == ("The door is shut.", "The light is off.")
    assert str(error) == "The door is shut.\nThe light is off.\nKnock."


def test_an_error_without_a_hint_ends_with_its_problem():
    assert str(UserError("The door is shut.")) == "The door is shut."


def test_what_ends_with_another_code_than_one():
    others = {kind: kind.exit_code for kind in OF_USERS if kind.exit_code != 1}
    # wrong usage; and the verdicts of `verify`, which a script must be able to tell apart
    assert others == {UsageError: 2, Undecided: 2, ForkProven: 3}


def test_every_kind_of_platform_error_is_a_word_of_its_own():
    kinds = [kind.kind for kind in OF_PLATFORMS]
    assert len(set(kinds)) == len(kinds)
    assert PlatformError.kind not in kinds
    assert all(outcome_word(kind) != kind for kind in kinds)


def test_a_platform_error_shows_platform_and_status_only_when_it_has_them():
    assert str(PlatformError("No.")) == "No."
    assert str(PlatformError("No.", platform="bluesky")) == "No. (bluesky)"
    assert str(PlatformError("No.", platform="bluesky", status=400)) == "No. (bluesky, 400)"


def test_an_error_counts_as_sent_unless_somebody_is_certain():
    assert PlatformError("No.").sent is True


def test_a_fault_of_ours_is_stored_as_its_place_and_never_with_its_text():
    try:
        raise KeyError(f"Bearer {SECRET}")
    except KeyError as error:
        failure = failure_of(error)
    assert failure.kind == "internal_error"
    assert "KeyError, test_errors.py:" in failure.words
    assert SECRET not in failure.words


def test_a_failure_keeps_kind_status_and_words_and_tells_the_ledger_no_words():
    failure = failure_of(errors.RateLimited("Slow down.", platform="x", status=429))
    assert (failure.kind, failure.status) == ("rate_limited", 429)
    assert failure.data == {"outcome": "rate_limited", "http_status": 429}
