"""Which language the command line speaks from its first word: in its help and about a mistake, too.

Said by CROSSPOST_LANGUAGE; else by the office whose settings the command would use; else by the
machine, as long as there is no office. It must not fail, whatever these settings are, and must load
nothing: problems of the settings are told by who reads all of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from crosspost.wording import OFFICE_LANGUAGE, set_language

#: Where POSIX keeps the language of messages, the strongest first.
_MACHINE = ("LC_ALL", "LC_MESSAGES", "LANG")


def speak(arguments: Sequence[str]) -> None:
    """From now on the admin's language; `arguments` are those of the command line."""
    path = _named(arguments) or Path(os.environ.get("CROSSPOST_CONFIG", "crosspost.toml"))
    machine = next((os.environ[name] for name in _MACHINE if os.environ.get(name)), "en")
    set_language(os.environ.get("CROSSPOST_LANGUAGE") or _office_s(path) or machine)


def _named(arguments: Sequence[str]) -> Path | None:
    """The file that `--config` names; it stands before the command."""
    for number, word in enumerate(arguments):
        option, equals, value = word.partition("=")
        if option == "--config" and (equals or arguments[number + 1 :]):
            return Path(value if equals else arguments[number + 1])
        if not word.startswith("-"):
            break
    return None


def _office_s(path: Path) -> str | None:
    """The language in the office's settings, which need not be in order; None when none is said."""
    try:
        settings = path.read_text(encoding="utf-8")
        import tomllib

        language = tomllib.loads(settings)["office"].get("language", OFFICE_LANGUAGE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return language if isinstance(language, str) else None
