"""In which language an office's settings make crosspost speak, also about these settings."""

from __future__ import annotations

import pytest

from crosspost.config import load
from crosspost.errors import ConfigError
from crosspost.wording import language

GOOD = '[office]\nname = "A"\nlanguage = "{}"\n'


@pytest.fixture
def problems(tmp_path, monkeypatch):
    monkeypatch.delenv("CROSSPOST_LANGUAGE", raising=False)
    file = tmp_path / "crosspost.toml"

    def of(text):
        if text is not None:
            file.write_text(text)
        with pytest.raises(ConfigError) as caught:
            load(file)
        return str(caught.value)

    return of


def test_a_wrong_key_is_told_in_the_language_of_the_office(problems):
    assert "tidak ada kunci seperti itu" in problems(GOOD.format("id") + "nmae = 1\n")
    assert "there is no such key" in problems(GOOD.format("en") + "nmae = 1\n")


def test_a_wrong_channel_is_told_in_the_language_of_the_office(problems):
    assert "memerlukan baris" in problems(GOOD.format("id") + "[channels.hook]\n")


def test_an_office_that_names_no_language_is_an_indonesian_one(problems, tmp_path):
    (tmp_path / "crosspost.toml").write_text('[office]\nname = "A"\n')
    load(tmp_path / "crosspost.toml")
    assert language() == "id"


@pytest.mark.parametrize("office", ["office = 3", "[office]\nlanguage = 3", "[[office]]"])
def test_settings_that_are_no_settings_are_problems_and_no_faults(problems, office):
    assert "office" in problems(office)


def test_a_language_without_a_catalogue_is_refused_in_english(problems):
    assert "write one of en, id" in problems(GOOD.format("fr"))


@pytest.mark.parametrize("text", [None, "office = [", GOOD.format("en") + "nmae = 1\n"])
def test_the_environment_wins_also_where_there_is_nothing_to_read(problems, monkeypatch, text):
    monkeypatch.setenv("CROSSPOST_LANGUAGE", "id_ID.UTF-8")
    problems(text)
    assert language() == "id"
