"""What TOML and YAML say of a bad file comes to the admin in words of ours, each of them."""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from crosspost.cli.drafting import from_markdown
from crosspost.config import load
from crosspost.errors import ConfigError, ContentError
from crosspost.foreign import of_system, of_toml, of_yaml
from crosspost.wording import language, set_language


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    before = language()
    set_language("id")
    yield
    set_language(before)


TOML = [
    "name = Kantor",
    "name",
    "= 1",
    'name = "Kantor',
    'name = "Kantor\nKita"',
    "a = 1 b = 2",
    "[office",
    "[[office]",
    "a = 1\na = 2",
    "[office]\n[office]",
    "a = 1\n[a.b]",
    "a = {b = 1, b = 2}",
    "a = {}\na.b = 1",
    "a = [1, 2",
    "a = {b = 1",
    "a = 2026-02-31",
    'a = "C:\\data"',
    "a = 1\n?",
]
YAML = [
    "title: Notice: closed",
    "title\nat: 9",
    "\ttitle: a",
    'title: "a',
    "title: a\n at: 9\nto: b\n  - c: d\n c",
    "to: [a, b\nat: 9",
    "to: {a: b\nat: 9",
    "title: - a",
    "title: *a",
    'title: "a\\q"',
    "title: !a b",
    "[a]: b",
]


@pytest.mark.parametrize("text", TOML)
def test_what_is_wrong_with_toml_is_said_in_indonesian(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as refused:
        tomllib.loads(text)
    said = str(refused.value)
    ours = of_toml(said)
    reason = said.rpartition(" (at ")[0]
    assert reason not in ours, f"add {reason!r} to the table"
    assert "baris" in ours or "akhir berkas" in ours


@pytest.mark.parametrize("text", YAML)
def test_what_is_wrong_with_front_matter_is_said_in_indonesian(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as known:
        yaml.safe_load(text)
    problem = known.value.problem
    assert of_yaml(problem) != problem, f"add {problem!r} to the table"
    with pytest.raises(ContentError) as refused:
        from_markdown(f"---\n{text}\n---\nTeks", Path(), "warta.md")
    assert problem not in refused.value.problems[0]


def test_a_bad_configuration_names_the_line_in_the_office_s_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSPOST_LANGUAGE", "id")
    (tmp_path / "crosspost.toml").write_text("[office]\nname = Kantor\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "crosspost.toml")
    assert "di baris 2, kolom 8" in refused.value.problems[0]


def test_what_is_not_known_stays_as_it_is() -> None:
    assert of_toml("Some day (at line 1, column 2)").startswith("Some day, ")
    assert of_yaml("some day") == "some day"


@pytest.mark.parametrize(
    "number",
    [errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST,
     errno.ENAMETOOLONG, errno.ELOOP, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO,
     errno.EMFILE, errno.ENFILE, errno.EADDRINUSE, errno.EADDRNOTAVAIL],
)  # fmt: skip
def test_what_the_system_refuses_is_said_in_indonesian(number: int) -> None:
    ours = of_system(OSError(number, os.strerror(number)))
    assert ours != os.strerror(number)
    set_language("en")
    assert of_system(OSError(number, os.strerror(number))) != ours, "translate it"


def test_a_refusal_that_is_not_known_is_said_as_the_system_says_it() -> None:
    assert of_system(OSError(errno.ENXIO, "No such device")) == "No such device"
    assert of_system(OSError("cannot identify image file")) == "cannot identify image file"
    assert of_system(OSError()) == "OSError"
