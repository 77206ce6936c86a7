"""Mistakes on the command line, in the admin's language.

Typer says them in English only, so its sentences are known again here and said in ours; one that is
not known stays as it is. To teach it another one, add it to `_known`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from crosspost.cli.helping import stand_in
from crosspost.wording import t


def complain(error: Any) -> int:
    """Say what is wrong with the command line and how it is right; returns the exit code. `error`
    is what Typer raises: it has `format_message`, `exit_code` and perhaps a `ctx`."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # all of the help, for want of a command
        return int(error.exit_code)
    typer.echo(said(_with_stand_in(error)), err=True)
    if context:
        typer.echo(context.get_usage(), err=True)
    command = context.command_path if context else "crosspost"
    typer.echo(t("See: {command} --help", command=command), err=True)
    return int(error.exit_code)


def _with_stand_in(error: Any) -> str:
    """Typer's sentence; an argument has the name in it that the usage shows."""
    param: Any = getattr(error, "param", None)
    message = str(error.format_message())
    if getattr(param, "param_type_name", "") != "argument":
        return message
    return message.replace(f"'{param.metavar or param.name}'", f"'{stand_in(param)}'")


def said(message: str) -> str:
    """A sentence of Typer's in the admin's language."""
    invalid = re.fullmatch(r"Invalid value for (.+?): (?:Value error, )?(.+)", message, re.DOTALL)
    if invalid:
        reason = _meant(invalid[2]).rstrip(".")
        return t("{question}: {reason}.", question=_bare(invalid[1]), reason=reason)
    return _meant(message)


def _meant(message: str) -> str:
    for pattern, ours in _known():
        if found := re.fullmatch(pattern, message, re.DOTALL):
            given = {name: _bare(words) for name, words in found.groupdict().items()}
            sentence = ours.format(**given)
            if guess := given.get("guess"):
                names = ", ".join(_nearest_first(given.get("name", ""), guess.split(", ")))
                sentence += " " + t("Did you mean {names}?", names=names)
            return sentence
    return message


def _nearest_first(given: str, guesses: list[str]) -> list[str]:
    """Typer sorts them by the alphabet."""
    from difflib import SequenceMatcher

    return sorted(guesses, key=lambda guess: -SequenceMatcher(None, given, guess).ratio())


def _bare(words: str | None) -> str:
    return (words or "").replace("'", "")


def _known() -> Iterator[tuple[str, str]]:
    """Patterns of what Typer 0.15 to 0.29 says, and what we say."""
    guess = r"(?: \(?(?:Possible options:|Did you mean(?: one of)?) (?P<guess>.+)[?)])?"
    yield r"Missing (?:argument|option|parameter) (?P<name>.+?)\..*", t("{name} is missing.")
    yield rf"No such option: (?P<name>\S+?)\.?{guess}", t("There is no option {name} here.")
    yield rf"No such command (?P<name>.+?)\.{guess}", t("There is no command {name}.")
    yield r"Missing command\.", t("A command is missing.")
    yield (
        r"Got unexpected extra arguments?(?:\(s\))? \((?P<words>.*)\)",
        t("This is too much: {words}. A text with spaces needs quotation marks."),
    )
    yield r"Option (?P<name>.+) requires an argument\.", t("Something must stand after {name}.")
    yield r"Option (?P<name>.+) does not take a value\.", t("{name} takes no value.")
    whole = r"(?:Input should be a valid integer|.* is not a valid int).*"
    yield whole, t("write a whole number")
    least = r"Input should be greater than or equal to (?P<least>.+)"
    yield least, t("write {least} or more")
    yield r"Input should be less than or equal to (?P<most>.+)", t("write {most} or less")
    yield r".* is not in the range (?P<range>.+?)\.?", t("write a number within {range}")
    yield r".* is not one of (?P<known>.+)\.", t("write one of {known}")
