"""What people read, in their language.

English sentences stand in the code, wrapped in `t(...)`; every other language has one gettext
catalogue, `locale/<language>/LC_MESSAGES/crosspost.po`, so translators find all of it in one place.
This room must not know what a sentence is about, and imports nothing heavy: every command speaks.

Two readers, two functions: `t` speaks to the admin at the terminal, in the office's language;
`words(lang)` speaks to the public, in the language of the announcement.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

#: Languages that have a catalogue (English needs none). Add the folder and the code here.
LANGUAGES = ("en", "id")
#: What an office speaks that names no language.
OFFICE_LANGUAGE = "id"

Say = Callable[..., str]


class _Admin:
    """The one mutable thing of this room: the language of this process's admin."""

    language = "en"


def set_language(language: str) -> None:
    """Choose the admin's language (`en`, `id`); one without a catalogue means English."""
    _Admin.language = base_language(language)


def language() -> str:
    """The admin's language, as a code of `LANGUAGES`."""
    return _Admin.language


def t(message: str, **values: object) -> str:
    """`message` in the admin's language, with its `{named}` values filled in."""
    return _say(_Admin.language, message, values)


def words(lang: str) -> Say:
    """The same as `t` for a reader of `lang` (a BCP 47 tag), whatever the admin speaks."""
    code = base_language(lang)

    def say(message: str, **values: object) -> str:
        return _say(code, message, values)

    return say


def base_language(tag: str) -> str:
    """The language of `LANGUAGES` for a BCP 47 tag: `id-ID` is `id`, an unknown one `en`."""
    code = tag.replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else "en"


def _say(code: str, message: str, values: Mapping[str, object]) -> str:
    text = _catalogue(code).get(message) or message
    return text.format(**values) if values else text


@cache
def _catalogue(code: str) -> Mapping[str, str]:
    """English to translation. A test sees to it that each side of an entry is one line, whose
    escapes are those of JSON, so no parser for all of gettext is loaded: 5 ms instead of 28, of
    the 70 that `--help` takes."""
    if code == "en":
        return {}
    path = Path(__file__).parent / "locale" / code / "LC_MESSAGES" / "crosspost.po"
    found, english = {}, ""
    for line in path.read_text("utf-8").splitlines():
        keyword, _, quoted = line.partition(" ")
        if keyword == "msgid":
            english = json.loads(quoted)
        elif keyword == "msgstr" and english:
            found[english] = json.loads(quoted)
    return {english: other for english, other in found.items() if other}
