"""What people read: every message has its translation, and each reader gets their language."""

from __future__ import annotations

import pytest
from catalogue import (
    PACKAGE,
    catalogues,
    header_of,
    messages,
    placeholders,
    spoken,
    text_of,
    translations,
)

from crosspost import wording
from crosspost.post import unit_word
from crosspost.wording import base_language, language, set_language, t, words

HOW = (
    "\nBring the catalogues up to date with `python tests/pure/catalogue.py`, then write the empty "
    "translations into them (docs/translating.md)."
)
CATALOGUES = catalogues()


def test_every_language_has_its_catalogue():
    assert set(CATALOGUES) == set(wording.LANGUAGES) - {"en"}


@pytest.mark.parametrize("code", CATALOGUES)
def test_every_message_of_the_code_is_translated(code):
    translated = translations(CATALOGUES[code])
    missing = sorted(english for english in messages() if not translated.get(english))
    assert not missing, "\n".join(["not translated:", *missing]) + HOW


@pytest.mark.parametrize("code", CATALOGUES)
def test_no_translation_is_left_of_a_message_that_the_code_has_no_more(code):
    left = sorted(set(translations(CATALOGUES[code])) - messages())
    assert not left, "\n".join(["not in the code any more:", *left]) + HOW


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_translation_has_the_placeholders_of_its_message(code):
    wrong = [
        f"{english}\n{other}"
        for english, other in translations(CATALOGUES[code]).items()
        if placeholders(english) != placeholders(other)
    ]
    assert not wrong, "\n\n".join(["the {placeholders} differ:", *wrong])


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_translation_begins_and_ends_as_its_message_does(code):
    """Lines are indented and joined by the code: spaces and the last stop belong to it."""
    wrong = [
        f"{english!r}\n{other!r}"
        for english, other in translations(CATALOGUES[code]).items()
        if (other and (_indent(english) > 0) != (_indent(other) > 0))
        or (english[-1] in ".:?" and english[-1] != other[-1:])
    ]
    assert not wrong, "\n\n".join(["the edges differ:", *wrong])


def _indent(text):
    return len(text) - len(text.lstrip())


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_catalogue_is_sorted_with_one_line_for_each_side(code):
    """So that two people's new messages merge."""
    path = CATALOGUES[code]
    assert path.read_text("utf-8") == text_of(header_of(path), translations(path)), HOW


@pytest.mark.parametrize("code", CATALOGUES)
def test_what_is_read_at_run_time_is_what_a_gettext_library_reads(code):
    read = wording._catalogue(code)
    assert read == translations(CATALOGUES[code])
    assert any("\n" in english or '"' in english for english in read), "escapes are among them"


def test_every_message_is_a_literal_that_can_be_found():
    hidden = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in PACKAGE.rglob("*.py")
        for line, text in spoken(path.read_text("utf-8"))
        if text is None and path.name != "wording.py"
    ]
    assert not hidden, f"t(...) of something that is no literal: {hidden}"


def test_messages_are_found_wherever_they_stand():
    source = (
        't("one {n}", n=1)\nf"{t(\'two\')}"\nt("thr" "ee")\nsay = words(x)\nsay("four")\n'
        'words(x)("five")\nt(six)\nsay(t("seven"))\nother("eight")\nsay(values["nine"])'
    )
    found = {text for _, text in spoken(source)}
    assert found == {"one {n}", "two", "three", "four", "five", None, "seven"}


def test_the_admin_reads_the_language_of_the_office():
    set_language("id")
    assert language() == "id"
    assert t("published") == "terbit"
    assert t("There is no announcement {number}.", number=7) == "Tidak ada pengumuman 7."


def test_the_public_reads_the_language_of_the_announcement_whatever_the_admin_speaks():
    assert words("id")("Source: {source}", source="B-1/2026") == "Sumber: B-1/2026"
    set_language("id")
    assert words("en")("Source: {source}", source="B-1/2026") == "Source: B-1/2026"


@pytest.mark.parametrize("tag", ["jv", "fr-FR", "", "x", "indonesia", "../id"])
def test_an_unknown_language_falls_back_to_english(tag):
    set_language(tag)
    assert base_language(tag) == language() == "en"
    assert t("published") == words(tag)("published") == "published"


@pytest.mark.parametrize("tag", ["id", "ID", "id-ID", "id_ID", "id-Latn-ID"])
def test_a_language_is_known_by_its_first_part(tag):
    assert base_language(tag) == "id"


def test_a_message_without_translation_is_said_in_english():
    set_language("id")
    assert t("No such message {n}.", n=1) == "No such message 1."


def test_a_value_with_braces_is_shown_as_it_is():
    set_language("id")
    assert t("failed: {reason}", reason="{where}") == "gagal: {where}"


def test_what_a_platform_counts_is_said_in_the_language_of_the_office():
    set_language("id")
    assert [unit_word(unit) for unit in ("characters", "bytes", "tokens")] == [
        "karakter",
        "byte",
        "tokens",
    ]
