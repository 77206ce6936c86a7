"""What people read, in their language.

English sentences stand in the code, wrapped in `t(...)`; every other language has one gettext
catalogue, `locale/<language>/LC_MESSAGES/crosspost.po`, so translators find all of it in one place.
This room must not know what a sentence is about, and imports Babel only for another language than
English.

Two readers, two functions: `t` speaks to the admin at the terminal, in the office's language;
`words(lang)` speaks to the public, in the language of the announcement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

#: Languages that have a catalogue (English needs none). Add the folder and the code here.
LANGUAGES = ("en", "id")

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
    if code == "en":
        return {}
    from babel.messages.pofile import read_po

    path = resources.files("crosspost") / "locale" / code / "LC_MESSAGES" / "crosspost.po"
    with path.open("rb") as file:
        entries = read_po(file, locale=code)
    return {str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string}
