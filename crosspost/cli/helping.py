"""The help of every command, in the admin's language.

Typer writes it in English only, with the names that Python has for kinds of values. Here its pages
are written anew, from what stands in the code without `t`: docstrings, `help=` and `metavar=`. The
catalogue finds those in the finished commands (`texts`). This room must not know what they do.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from crosspost.cli.language import speak
from crosspost.cli.options import MOST
from crosspost.wording import language, t, words

#: A word that stands for what the admin writes: CHANNEL=TEXT has two.
_STAND_IN = re.compile(r"[A-Z]+")


class _Page:
    """The page of one command; the methods are those that Typer makes its own page by."""

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        self.format_usage(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_told(self.help))
        arguments, options = _params(self, ctx)
        parts = {
            t("Arguments"): [(_placed(param), _explained(param)) for param in arguments],
            t("Options"): [(_written(param), _explained(param)) for param in options],
            **_listed(_below(self)),
        }
        for heading, rows in parts.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        if _below(self):
            formatter.write_paragraph()
            formatter.write_text(
                t("More of each: {command} COMMAND --help", command=ctx.command_path)
            )

    def format_usage(self: Any, ctx: Any, formatter: Any) -> None:
        pieces = [t("[OPTIONS]"), *map(_placed, _params(self, ctx)[0])]
        if _below(self):
            pieces.append(t("COMMAND ..."))
        prefix = t("Usage: {usage}", usage="")
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=prefix)

    def parse_args(self: Any, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc, no-any-return]
        except Exception as error:
            mistake: Any = error
            if getattr(mistake, "ctx", ctx) is None:
                mistake.ctx = ctx  # Typer does not say of each to which command it belongs
            raise

    def get_short_help_str(self: Any, limit: int = 0) -> str:
        """The first sentence: whole, since half of one helps nobody to choose."""
        del limit
        return re.split(r"(?<=[.?])\s", _told(self.help), maxsplit=1)[0]


class Command(_Page, TyperCommand):
    """A command whose help is a page of ours."""


class Group(_Page, TyperGroup):
    """A command of commands. The first of all chooses the language, before a word is said."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.parent is None:
            speak(args)
        return super().parse_args(ctx, args)


class Commands(typer.Typer):
    """A Typer whose commands have help in the admin's language, and may be listed in parts."""

    heading: str | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(cls=Group, **options)

    @contextmanager
    def part(self, heading: str) -> Iterator[None]:
        """What is added meanwhile is listed under `heading`."""
        self.heading = heading
        yield
        self.heading = None

    def command(self, name: str | None = None, **options: Any) -> Any:
        return super().command(name, cls=Command, rich_help_panel=self.heading, **options)

    def add_typer(self, typer_instance: typer.Typer, **options: Any) -> None:
        super().add_typer(typer_instance, rich_help_panel=self.heading, **options)


def texts(command: Any) -> Iterator[str]:
    """What there is to translate in the help of a command and of all below it, in English."""
    yield from _paragraphs(command.help)
    for param in command.params:
        if param.name not in _typer_s():
            yield from _paragraphs(param.help)
        yield from _STAND_IN.findall(_english(param))
    for below in _below(command):
        if below.rich_help_panel:
            yield below.rich_help_panel
        yield from texts(below)


def stand_in(param: Any) -> str:
    """What stands for the value of an argument or option, like FILE; "" where there is none."""
    say = words(language())
    return _STAND_IN.sub(lambda found: say(found[0]), _english(param))


def _english(param: Any) -> str:
    if param.metavar or getattr(param, "is_flag", False):
        return str(param.metavar or "").strip("[.]")
    kind = param.type_descriptor
    if kind.choices:
        return "|".join(str(getattr(choice, "value", choice)) for choice in kind.choices)
    name = str(kind.annotation).lower()
    return "FILE" if "path" in name else "NUMBER" if "int" in name else "TEXT"


def _placed(param: Any) -> str:
    """An argument, as in the line that shows the use: [TEXT] may be left out."""
    name = stand_in(param)
    return f"{name if param.required else f'[{name}]'}{'' if param.nargs == 1 else '...'}"


def _written(param: Any) -> str:
    """An option, as it is written: the short form first."""
    names = ", ".join(sorted(param.opts, key=len))
    return " / ".join([f"{names} {stand_in(param)}".rstrip(), *param.secondary_opts])


def _explained(param: Any) -> str:
    text = _typer_s().get(param.name) or _told(param.help)
    notes = "; ".join(_notes(param))
    return f"{text}  [{notes}]" if notes else text


def _notes(param: Any) -> Iterator[str]:
    if default := _default(param):
        yield t("default: {value}", value=default)
    if param.param_type_name == "option" and _english(param) == "NUMBER":
        yield from _limits(param.min, param.max)
    if param.param_type_name == "option" and param.required:
        yield t("required")


def _default(param: Any) -> str:
    """What counts when nothing is given; "" where that is nothing, or a switch that is off."""
    value = param.default.value if isinstance(param.default, Enum) else param.default
    if value == Path():
        return t("this folder")
    shown = isinstance(value, int | str | Path) and not isinstance(value, bool)
    return str(value) if shown else ""


def _limits(least: int | None, most: int | None) -> Iterator[str]:
    if least is not None and most is not None and most < MOST:
        yield t("{least} to {most}", least=least, most=most)
    elif least is not None:
        yield t("{least} or more", least=least)


def _params(command: Any, ctx: Any) -> tuple[list[Any], list[Any]]:
    """The arguments and the options that are shown."""
    shown = [param for param in command.get_params(ctx) if not getattr(param, "hidden", False)]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    return arguments, [param for param in shown if param not in arguments]


def _listed(commands: list[Any]) -> dict[str, list[tuple[str, str]]]:
    """The commands with their first sentences, by heading, in columns that stand in one line."""
    wide = max((len(command.name) for command in commands), default=0)
    parts: dict[str, list[tuple[str, str]]] = {}
    for command in commands:
        part = command.rich_help_panel
        heading = words(language())(part) if part else t("Commands")
        row = (command.name.ljust(wide), command.get_short_help_str())
        parts.setdefault(heading, []).append(row)
    return parts


def _below(command: Any) -> list[Any]:
    """The commands of a command."""
    return [below for below in getattr(command, "commands", {}).values() if not below.hidden]


def _typer_s() -> dict[str, str]:
    """Options that Typer adds, by their names."""
    return {
        "help": t("Show this help."),
        "install_completion": t("Let the Tab key complete commands in this shell from now on."),
        "show_completion": t("Show what --install-completion would add, to add it by hand."),
    }


def _told(text: str | None) -> str:
    """A text of the code in the admin's language, paragraph by paragraph."""
    say = words(language())
    return "\n\n".join(say(paragraph) for paragraph in _paragraphs(text))


def _paragraphs(text: str | None) -> list[str]:
    parts = inspect.cleandoc(text or "").split("\n\n")
    return [" ".join(part.split()) for part in parts if part.strip()]
