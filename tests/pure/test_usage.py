"""Mistakes on the command line are told in the admin's language, each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.main import get_command

from crosspost.cli import app, main, usage
from crosspost.wording import language, set_language


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    before = language()
    yield
    set_language(before)


MISTAKES = {
    ("cancel",): ("ID is missing.", "ID belum diisi."),
    ("reject", "1"): ("--reason is missing.", "--reason belum diisi."),
    ("cancel", "x"): ("ID: write a whole number.", "ID: tulis bilangan bulat."),
    ("cancel", "0"): ("ID: write 1 or more.", "ID: tulis 1 atau lebih."),
    ("init", "--approvals", "9"): ("--approvals: write 1 or less.", "tulis 1 atau kurang."),
    ("daemon", "--log-format", "xml"): ("write one of text, json.", "salah satu dari text, json."),
    ("cancel", "1", "--nope"): ("There is no option --nope here.", "Di sini tidak ada opsi --nope"),
    ("cancel", "1", "--reasn", "x"): ("Did you mean --reason", "Mungkin maksud Anda --reason"),
    ("cancel", "1", "2", "3"): ("too much: 2 3.", "berlebih: 2 3."),
    ("nope",): ("There is no command nope.", "Tidak ada perintah nope."),
    ("canel",): ("Did you mean cancel", "Mungkin maksud Anda cancel"),
    ("add", "--at"): ("must stand after --at.", "setelah --at."),
    ("daemon", "--once=1"): ("--once takes no value.", "--once tidak memakai nilai."),
}
ENGLISH = ("Invalid", "Missing", "No such", "Input should", "requires", "Error", "Usage", "Try")


def tell(monkeypatch, capsys, arguments: tuple[str, ...], lang: str = "", code: int = 2) -> str:
    monkeypatch.setattr("sys.argv", ["crosspost", *arguments])
    monkeypatch.delenv("CROSSPOST_CONFIG", raising=False)
    monkeypatch.setenv("CROSSPOST_LANGUAGE", lang)
    monkeypatch.setattr("crosspost.cli._collect_seldom", lambda: None)
    monkeypatch.setattr("crosspost.cli.office.config_file", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code or 0) == code
    return "".join(capsys.readouterr())


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_told_in_the_language_of_the_admin(monkeypatch, capsys, arguments) -> None:
    english, indonesian = MISTAKES[arguments]
    assert english in tell(monkeypatch, capsys, arguments, "en")
    told = tell(monkeypatch, capsys, arguments, "id")
    assert indonesian in told
    assert not [word for word in ENGLISH if word in told], "every sentence of Typer's is known"
    group = () if arguments[0] in ("nope", "canel") else arguments[:1]
    assert f"Pemakaian: {' '.join(('crosspost', *group))} [OPSI]" in told
    assert told.splitlines()[-1] == f"Lihat: {' '.join(('crosspost', *group))} --help"


def test_the_office_s_own_language_counts_when_nothing_else_is_said(
    monkeypatch, capsys, tmp_path
) -> None:
    (tmp_path / "crosspost.toml").write_text('[office]\nlanguage = "id"\n')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    set_language("en")
    monkeypatch.chdir(elsewhere)
    named = ("--config", str(tmp_path / "crosspost.toml"), "nope")
    assert "Tidak ada perintah" in tell(monkeypatch, capsys, named)
    set_language("en")
    monkeypatch.chdir(tmp_path)
    assert "belum diisi" in tell(monkeypatch, capsys, ("cancel",))


@pytest.mark.parametrize("text", ["", "[office", "office = 1", "[office]\nlanguage = 3", "\0"])
def test_settings_that_cannot_be_read_are_no_trouble_here(
    monkeypatch, capsys, tmp_path, text
) -> None:
    (tmp_path / "crosspost.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    set_language("en")
    assert "There is no command" in tell(monkeypatch, capsys, ("nope",))


def test_a_sentence_that_is_not_known_stays_as_it_is() -> None:
    assert usage.said("Some day it says this.") == "Some day it says this."
    assert usage.said("Invalid value for 'ID': it is blue") == "ID: it is blue."


@pytest.mark.parametrize(
    ("older", "ours"),
    [
        ("Invalid value for 'ID': 'x' is not a valid integer.", "ID: write a whole number."),
        ("Invalid value for 'N': 0 is not in the range x>=1.", "N: write a number within x>=1."),
        ("No such option: --reasn Did you mean --reason?", "no option --reasn here. Did you mean"),
        ("Got unexpected extra argument (2)", "too much: 2."),
    ],
)
def test_sentences_of_older_typers_are_known(older: str, ours: str) -> None:
    set_language("en")
    assert ours in usage.said(older)


def test_what_is_no_mistake_ends_as_before(monkeypatch, capsys) -> None:
    assert "crosspost " in tell(monkeypatch, capsys, ("--version",), code=0)
    assert "Usage:" in tell(monkeypatch, capsys, ("cancel", "--help"), code=0)
    assert "To write:" in tell(monkeypatch, capsys, (), code=2)
    assert app is not None


def test_no_number_is_too_large_to_be_refused(monkeypatch, capsys) -> None:
    told = tell(monkeypatch, capsys, ("list", "--last", "9" * 30), "en")
    assert "--last: write 2147483647 or less." in told

    def numbers(command):
        yield from (p for p in command.params if "int" in str(p.type_descriptor.annotation))
        for below in getattr(command, "commands", {}).values():
            yield from numbers(below)

    found = list(numbers(get_command(app)))
    assert len(found) > 20
    assert not [(p.opts, p.min, p.max) for p in found if None in (p.min, p.max)]


def test_what_was_most_likely_meant_comes_first(monkeypatch, capsys) -> None:
    said = tell(monkeypatch, capsys, ("add", "Halo", "--titel", "x"), "en")
    assert "Did you mean --title" in said
