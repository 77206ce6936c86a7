"""The file of an announcement: its front matter is read as it is written, not as YAML guesses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.cli.drafting import as_markdown, from_file, from_markdown
from crosspost.errors import ContentError
from crosspost.times import understand

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # 08:00 in Jakarta


def read(matter: str, body: str = "Loket tutup.") -> object:
    return from_markdown(f"---\n{matter}\n---\n{body}\n", Path(), "warta.md")


@pytest.mark.parametrize(
    ("written", "wall"),
    [
        ("09.00", "2026-11-25T09:00"),
        ("9.30", "2026-11-25T09:30"),
        ("10.30", "2026-11-25T10:30"),
        ("10:30", "2026-11-25T10:30"),
        ("09:00", "2026-11-25T09:00"),
        ("2026-12-01 09.00", "2026-12-01T09:00"),
        ("2026-12-01 09:00:00", "2026-12-01T09:00"),
        ('"09.00"', "2026-11-25T09:00"),
        ("besok 9.00", "2026-11-26T09:00"),
    ],
)
def test_a_time_is_the_one_that_was_written(written: str, wall: str) -> None:
    at = read(f"at: {written}").at
    assert understand(at, "Asia/Jakarta", NOW).wall.startswith(wall)


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(":."), st.booleans())
def test_each_minute_of_the_day_is_read_as_it_is_written(
    hour: int, minute: int, sign: str, padded: bool
) -> None:
    written = f"{hour:02}{sign}{minute:02}" if padded else f"{hour}{sign}{minute:02}"
    assert read(f"at: {written}").at == written


@pytest.mark.parametrize("written", ["2026", "0417", "1_000", "1e3", "0x1F", ".inf", "2026-11-01"])
def test_a_title_or_a_number_of_a_letter_stays_as_it_is_written(written: str) -> None:
    found = read(f"title: {written}\nsource: {written}\ntags: [{written}]")
    assert (found.title, found.source, found.tags) == (written, written, [written])


def test_yes_and_no_and_nothing_are_still_understood() -> None:
    found = read("urgent: true\ntitle:\nlink: ~")
    assert (found.urgent, found.title, found.link) == (True, None, None)
    with pytest.raises(ContentError, match="write true or false"):
        read("urgent: 1")
    with pytest.raises(ContentError, match="write a text in quotation marks"):
        read("lang: no")


def test_what_an_editor_gets_is_read_back_as_it_was() -> None:
    values = {"title": "2026", "at": "09.00", "to": ["site"], "urgent": False, "tags": ["1_0"]}
    found = from_markdown(as_markdown(values, "Teks"), Path(), "f")
    assert {name: getattr(found, name) for name in values} == values


def test_a_tag_of_yaml_makes_no_object() -> None:
    with pytest.raises(ContentError):
        read("title: !!python/object/apply:os.getcwd []")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Loket tutup.\n", True),
        ("title: Loket\n\nLoket tutup.\n", True),
        ("---\ntitle: Loket\n---\nLoket tutup.\n", False),
        ("\n---\ntitle: Loket\n---\nLoket tutup.\n", False),
    ],
)
def test_a_file_without_front_matter_is_taken_whole_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: bool
) -> None:
    path = tmp_path / "warta.md"
    path.write_text(text)
    from_file(path)
    told = capsys.readouterr().err
    assert ("has no front matter" in told and "warta.md" in told) is said
