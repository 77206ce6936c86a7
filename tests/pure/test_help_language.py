"""The help of every command, in English and in Indonesian: all of it, and nothing broken by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
import typer
from catalogue import catalogues, translations
from test_usage import tell
from typer.main import get_command

from crosspost.cli import app
from crosspost.cli.helping import Command, Commands, Group, texts
from crosspost.cli.language import speak
from crosspost.wording import OFFICE_LANGUAGE, language, set_language

INDONESIAN = translations(catalogues()["id"])
#: Words that no Indonesian sentence has, and every second English one.
ENGLISH = {
    "the",
    "and",
    "of",
    "is",
    "are",
    "with",
    "for",
    "what",
    "this",
    "that",
    "to",
    "it",
    "not",
}
ENGLISH |= {"default", "required", "usage", "options", "arguments", "commands", "show", "message"}


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    before = language()
    yield
    set_language(before)


def pages(code: str, root: typer.Typer = app, width: int = 78) -> dict[str, str]:
    """Each command's help by the words that lead to it, in a terminal of `width` and two."""
    set_language(code)

    def below(command, name, parent):
        context = command.context_class(
            command,
            info_name=name,
            parent=parent,
            terminal_width=width,
            help_option_names=["--help"],
        )
        yield context.command_path, command.get_help(context)
        for word, child in getattr(command, "commands", {}).items():
            yield from below(child, word, context)

    return dict(below(get_command(root), "crosspost", None))


PAGES = {code: pages(code) for code in ("en", "id")}
set_language("en")
STAND_INS = {
    word for word in texts(get_command(app)) if word.isupper() and INDONESIAN[word] != word
}
COMMANDS = pytest.mark.parametrize("path", PAGES["en"])


def flat(text: str) -> str:
    return " ".join(text.split())


def test_every_text_of_the_help_is_translated() -> None:
    found = set(texts(get_command(app)))
    assert len(found) > 150, "docstrings, options and stand-ins are all found"
    assert not sorted(text for text in found if not INDONESIAN.get(text))


def test_every_command_has_a_page_of_ours() -> None:
    def all_of(command):
        yield command
        for child in getattr(command, "commands", {}).values():
            yield from all_of(child)

    strangers = [c.name for c in all_of(get_command(app)) if not isinstance(c, Command | Group)]
    assert not strangers, "made with typer.Typer instead of Commands"


@COMMANDS
def test_nothing_english_is_left_in_indonesian_help(path: str) -> None:
    page = flat(PAGES["id"][path])
    left = {
        text
        for text in texts(get_command(app))
        if len(text.split()) > 1 and INDONESIAN[text] != text and text in page
    }
    words = set(re.findall(r"(?<![-\w.])[a-z]+(?![-\w])", page.lower()))
    assert not left
    assert not set(re.findall(r"\b[A-Z]{2,}\b", page)) & STAND_INS
    assert not (words - set(" ".join(PAGES["id"]).split())) & ENGLISH


@COMMANDS
def test_both_languages_show_the_same_options_and_commands(path: str) -> None:
    def shown(page: str) -> list[str]:
        entry = re.compile(
            r"^  (-[-\w, /]*?-?[-\w]+)(?= [A-Z]|  |$| [a-z]+\|)|^  ([a-z]+)  ", re.MULTILINE
        )
        return [option or command for option, command in entry.findall(page)]

    assert shown(PAGES["id"][path]) == shown(PAGES["en"][path])
    assert "--help" in " ".join(shown(PAGES["en"][path]))


@COMMANDS
def test_the_line_of_use_names_arguments_by_capitals_and_brackets_what_may_be_left_out(
    path: str,
) -> None:
    use = PAGES["en"][path].partition("\n\n")[0]
    assert not re.search(r"[{}<>]|\[\[", use)
    after = use.partition("[OPTIONS]")[2]
    assert re.fullmatch(r"(\s+(\[?[A-Z|]+\]?|COMMAND)( ?\.\.\.)?)*", after), use


@pytest.mark.parametrize("code", PAGES)
def test_a_page_fits_into_eighty_columns(code: str) -> None:
    long = [line for page in PAGES[code].values() for line in page.splitlines() if len(line) > 80]
    assert not long


@pytest.mark.parametrize("code", PAGES)
def test_a_command_is_listed_in_one_line_with_a_whole_sentence(code: str) -> None:
    lists = [page.split("--help ")[1].split("\n\n", 1) for page in PAGES[code].values()]
    rows = [row for rest in lists if len(rest) > 1 for row in rest[1].splitlines()]
    commands = [row for row in rows if row.startswith("  ")]
    assert len(commands) + 1 == len(PAGES[code]), "a long sentence takes a second line"
    assert not [row for row in commands if row[-1] not in ".?" or len(row.split()) < 3]


def test_the_first_page_lists_its_commands_in_parts() -> None:
    page = PAGES["id"]["crosspost"]
    headings = re.findall(r"^(\w.*):$", page, re.MULTILINE)
    assert headings[:3] == ["Opsi", "Untuk memulai", "Untuk menulis"]
    assert len(headings) == len(set(headings))
    assert "Perintah" not in headings, "each command belongs to a part"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.fixture(scope="module")
def small() -> str:
    made = Commands()

    @made.command()
    def paint(
        things: Annotated[list[Path], typer.Argument(help="What to paint.")],
        hue: Annotated[Colour, typer.Option(help="Which.")] = Colour.RED,
        coats: Annotated[int, typer.Option("--coats", "-c", min=1, max=3, help="How many.")] = 2,
        least: Annotated[int, typer.Option(min=1)] = 5,
        name: Annotated[str, typer.Option(metavar="[NAME]", help="Of whom?")] = "",
        wet: Annotated[bool, typer.Option("--wet/--dry", help="Still.")] = True,
        secret: Annotated[bool, typer.Option(hidden=True)] = False,
        where: Annotated[Path, typer.Option(help="There.")] = Path(),
    ) -> None:
        """Paint it. Then
        wait.

        And sell it."""

    with made.part("Later"):

        @made.command()
        def dry() -> None:
            """Wait for it."""

    @made.command(hidden=True)
    def ghost() -> None:
        """Nobody sees it."""

    return pages("en", made)


def test_an_argument_is_named_and_its_number_shown(small: dict[str, str]) -> None:
    assert "Usage: crosspost paint [OPTIONS] FILE...\n" in small["crosspost paint"]
    assert "\n  FILE...  What to paint.\n" in small["crosspost paint"]


def test_an_option_is_shown_as_it_is_written(small: dict[str, str]) -> None:
    page = flat(small["crosspost paint"])
    assert "--hue red|blue Which. [default: red]" in page
    assert "-c, --coats NUMBER How many. [default: 2; 1 to 3]" in page
    assert "--least NUMBER [default: 5; 1 or more]" in page
    assert "--name NAME Of whom? --wet / --dry Still. --where FILE There." in page
    assert "[default: this folder]" in page


def test_paragraphs_are_filled_and_a_list_has_first_sentences(small: dict[str, str]) -> None:
    assert "\n\n  Paint it. Then wait.\n\n  And sell it.\n\n" in small["crosspost paint"]
    assert "\nCommands:\n  paint  Paint it.\n\nLater:\n  dry    Wait for it." in small["crosspost"]


def test_what_is_hidden_is_not_shown(small: dict[str, str]) -> None:
    assert "ghost" not in small["crosspost"]
    assert "--secret" not in small["crosspost paint"]


@pytest.fixture
def bare(monkeypatch, tmp_path) -> Path:
    names = ("CROSSPOST_LANGUAGE", "CROSSPOST_CONFIG", "LC_ALL", "LC_MESSAGES", "LANG")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spoken(*arguments: str) -> str:
    speak(arguments)
    return language()


def test_nothing_said_is_english(bare: Path) -> None:
    set_language("id")
    assert spoken() == "en"


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": ""}, "id"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "id_ID"}, "id"),
        ({"LANG": "jv_ID.UTF-8"}, "en"),
    ],
)
def test_without_an_office_the_machine_says_the_language(
    bare, monkeypatch, variables, code
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert spoken() == code
    assert spoken("--config", "no-such-file", "add") == code


def test_the_office_is_heard_before_the_machine_and_the_environment_before_both(
    bare, monkeypatch
) -> None:
    (bare / "crosspost.toml").write_text('[office]\nlanguage = "id"\n')
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert spoken("add", "--help") == "id"
    monkeypatch.setenv("CROSSPOST_LANGUAGE", "en")
    assert spoken("add", "--help") == "en"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--config", "there.toml"),
        ("--config=there.toml", "add"),
        ("--help", "--config", "there.toml"),
        ("--config", "there.toml", "--help"),
    ],
)
def test_the_office_that_config_names_is_the_one_that_is_heard(bare, arguments) -> None:
    (bare / "there.toml").write_text('[office]\nlanguage = "id"\n')
    assert spoken(*arguments) == "id"
    assert spoken("add", *arguments) == "en", "what stands after the command is the command's"
    assert spoken("--config") == "en"


def test_an_office_that_names_no_language_speaks_the_one_that_its_settings_have(bare) -> None:
    (bare / "crosspost.toml").write_text('[office]\nname = "A"\n')
    assert spoken() == OFFICE_LANGUAGE


@pytest.mark.parametrize(
    "text",
    [b"", b"[office", b"office = 1", b"[[office]]", b"[office]\nlanguage = 3", b"\0", b"\xff"],
)
def test_settings_that_are_broken_leave_it_to_the_machine(bare, monkeypatch, text) -> None:
    (bare / "crosspost.toml").write_bytes(text)
    monkeypatch.setenv("LANG", "id_ID.UTF-8")
    assert spoken() == "id"
    monkeypatch.setenv("LANG", "C")
    assert spoken() == "en"


def test_help_comes_in_the_language_of_the_office_named_before_or_after_it(
    monkeypatch, capsys, bare
) -> None:
    (bare / "there.toml").write_text('[office]\nlanguage = "id"\n')
    for arguments in (
        ("--config", "there.toml", "channels", "login", "--help"),
        ("--config", "there.toml", "--help"),
        ("--help", "--config", "there.toml"),
    ):
        assert "Pemakaian: crosspost" in tell(monkeypatch, capsys, arguments, code=0)
    assert "Usage: crosspost" in tell(monkeypatch, capsys, ("--help",), code=0)


def test_a_mistake_names_an_argument_as_the_usage_does(monkeypatch, capsys) -> None:
    told = tell(monkeypatch, capsys, ("backup",), "id")
    assert "BERKAS belum diisi." in told
    assert "Pemakaian: crosspost backup [OPSI] BERKAS" in told
    told = tell(monkeypatch, capsys, ("fake", "remove", "x", "--reason", "y"), "en")
    assert "ID: write a whole number." in told
