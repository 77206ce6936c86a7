"""A question before something counts, and what its answer means."""

from __future__ import annotations

import pytest
import typer

from crosspost.cli import output
from crosspost.errors import UsageError


@pytest.fixture
def answers(monkeypatch):
    """Answers, one after the other, of a person at the terminal."""
    given = []
    monkeypatch.setattr(output, "answerable", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: given.pop(0))
    return given


@pytest.mark.parametrize("answer", ["n", "no", "N", "t", "tidak", " Tidak "])
def test_a_no_in_either_language_stops(answers, answer, capsys):
    answers.append(answer)
    with pytest.raises(typer.Exit) as ended:
        output.confirm("Send it?", yes=False)
    assert ended.value.exit_code == 1
    assert "Nothing was changed" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["", "y", "yes", "ya", "YA "])
def test_a_yes_in_either_language_goes_on(answers, answer):
    answers.append(answer)
    output.confirm("Send it?", yes=False)
    assert not answers


def test_an_answer_that_is_neither_is_asked_again(answers, capsys):
    answers += ["maybe", "yesterday", "n"]
    with pytest.raises(typer.Exit):
        output.confirm("Send it?", yes=False)
    assert capsys.readouterr().err.count("Please answer yes or no.") == 2


def test_nobody_is_asked_with_yes(answers):
    output.confirm("Send it?", yes=True)


def test_where_nobody_can_be_asked_silence_is_no_consent(answers, monkeypatch):
    monkeypatch.setattr(output, "answerable", lambda: False)
    output.confirm("Send it?", yes=True)
    with pytest.raises(UsageError, match="add --yes"):
        output.confirm("Send it?", yes=False)


def test_a_question_that_is_broken_off_changes_nothing_and_says_so(answers, monkeypatch, capsys):
    def broken_off(*_, **__):
        raise typer.Abort

    monkeypatch.setattr(typer, "prompt", broken_off)
    with pytest.raises(typer.Exit) as ended:
        output.confirm("Send it?", yes=False)
    assert ended.value.exit_code == 1
    assert "Nothing was changed" in capsys.readouterr().err
