"""How commands print: tables for a terminal, plain lines for a pipe, JSON for programs.

It must not know what it prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer

from crosspost.errors import UsageError
from crosspost.wording import t

#: The colour of a status in a terminal.
COLOURS = {
    "published": "green",
    "scheduled": "cyan",
    "preparing": "cyan",
    "publishing": "cyan",
    "held": "yellow",
    "unconfirmed": "yellow",
    "review": "bold red",
    "failed": "bold red",
    "missed": "bold red",
    "cancelled": "dim",
}


def interactive() -> bool:
    """Whether a person sits at both ends, so that questions can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answerable() -> bool:
    """Whether a person sits at the keyboard, wherever the output goes: questions go to standard
    error."""
    return sys.stdin.isatty()


def say(text: str = "") -> None:
    """A line for the person."""
    typer.echo(text)


def warn(text: str) -> None:
    """A line that is no result: to standard error."""
    typer.echo(text, err=True)


def show_json(values: Any) -> None:
    """`values` as JSON, indented, for programs and curious people."""
    typer.echo(json.dumps(values, ensure_ascii=False, indent=2))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows as a table in a terminal, as tab-separated lines without headings in a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(_flat(str(cell)) for cell in row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(c if isinstance(c, Text) else Text(calm(str(c))) for c in row))
    Console().print(drawn)


def status(words: str, kind: str) -> object:
    """A status in its colour for `table`; plain words in a pipe."""
    if not sys.stdout.isatty():
        return words
    from rich.text import Text

    return Text(words, style=COLOURS.get(kind, ""))


def _flat(text: str) -> str:
    return " ".join(calm(text).split())


def calm(text: str) -> str:
    """Text without control characters, which could drive the terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def block(text: str, indent: str = "  ") -> None:
    """A longer text, indented, control characters made visible."""
    for line in text.splitlines() or [""]:
        typer.echo(f"{indent}{calm(line)}".rstrip())


def ask(question: str, **options: Any) -> str:
    """The answer to a question; `options` are those of `typer.prompt`.

    Raises typer.Exit when it is broken off (Ctrl-C, end of input): nothing is done before the last
    answer.
    """
    try:
        return str(typer.prompt(question, **options)).strip()
    except typer.Abort:
        warn("")
        warn(t("Nothing was changed."))
        raise typer.Exit(1) from None


def confirm(question: str, *, yes: bool, final: bool = False) -> None:
    """Ask before something counts; with --yes, go on. What is `final` wants a written yes.

    Raises typer.Exit on no, UsageError where nobody can be asked: silence is no consent.
    """
    if not yes and not answerable():
        raise UsageError(
            t("Nobody can be asked here, so nothing was changed."),
            hint=t("To do it without a question, add --yes."),
        )
    agreed = True if yes else None
    while agreed is None:
        asked = f"{question} [{t('y/N') if final else t('Y/n')}]"
        answer = ask(asked, default="", show_default=False, err=True)
        agreed = False if final and not answer else meant(answer)
        if agreed is None:
            warn(t("Please answer yes or no."))
    if not agreed:
        warn(t("Nothing was changed."))
        raise typer.Exit(1)


def meant(answer: str) -> bool | None:
    """What an answer says, in English or Indonesian; nothing typed is a yes, None is neither."""
    word = answer.strip().lower()
    if word in ("", "y", "yes", "ya"):
        return True
    return False if word in ("n", "no", "t", "tidak") else None
