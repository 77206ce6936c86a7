"""Characters that nobody sees: controls, direction overrides, zero-width ones.

Pure. It must not refuse what honest text needs: joiners in emoji and in Arabic or Javanese, word
breaks in Thai, direction marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from crosspost.checks.subject import Subject
from crosspost.wording import t

#: Embeddings and overrides: what follows is shown in another order than it is written in.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")
_ISOLATES = frozenset("\u2066\u2067\u2068\u2069")
# Not U+FE0F (emoji) nor U+200E and U+200F (direction marks). U+E0020.. are the tags of flag emoji.
_ZERO_WIDTH = re.compile(
    "[\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]+"
)
_WAVING_FLAG = "\U0001f3f4"


def controls(subject: Subject) -> Iterator[str]:
    """Control characters and half surrogates; not line breaks and tabs."""
    for name, value in subject.fields():
        if bad := {c for c in set(value) if _is_control(c)}:
            yield t(
                "The {field} has invisible control characters ({shown}); "
                "write it again, or paste it as plain text.",
                field=name,
                shown=_codes(bad),
            )


def bidi(subject: Subject) -> Iterator[str]:
    """Direction overrides anywhere; isolates where no letter runs from right to left, or unpaired
    (Unicode UAX #9, section 2)."""
    for name, value in subject.fields():
        bad = _OVERRIDES.intersection(value)
        if _ISOLATES.intersection(value) and not (_runs_left(value) and _paired(value)):
            bad |= _ISOLATES.intersection(value)
        if bad:
            yield t(
                "The {field} has characters that turn the reading direction ({shown}), so people "
                "may read something else than what is written; type that passage again.",
                field=name,
                shown=_codes(bad),
            )


def zero_width(subject: Subject) -> Iterator[str]:
    """Zero-width characters, soft hyphens and tags where the script does not need them."""
    for name, value in subject.fields():
        bad: set[str] = set()
        for run in _ZERO_WIDTH.finditer(value):
            if not _needed(value[: run.start()][-1:], run[0], value[run.end() : run.end() + 1]):
                bad.update(run[0])
        if bad:
            yield t(
                "The {field} has invisible characters ({shown}) that break searching, links and "
                "reading aloud; paste it as plain text.",
                field=name,
                shown=_codes(bad),
            )


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Cs" or (category == "Cc" and character not in "\n\t")


def _runs_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in set(text))


def _paired(text: str) -> bool:
    depth = 0
    for character in text:
        if character in _ISOLATES:
            depth += -1 if character == "\u2069" else 1
        elif character == "\n" and depth:
            return False
        if depth < 0:
            return False
    return depth == 0


def _needed(before: str, run: str, after: str) -> bool:
    """Between letters of a script other than Latin, or inside an emoji."""
    if all("\U000e0020" <= c <= "\U000e007f" for c in run):
        return before == _WAVING_FLAG
    return _is_foreign(before) or (run == "\u200d" and _is_foreign(after))


def _is_foreign(character: str) -> bool:
    """A letter, mark or emoji beyond Latin."""
    if not character or character < "\u0370":
        return False
    if character in "\ufe0f" or "\U0001f3fb" <= character <= "\U0001f3ff":  # parts of emoji
        return True
    category = unicodedata.category(character)
    if category == "So":
        return True
    return category in ("Lo", "Ll", "Lu", "Lm", "Mn", "Mc") and not unicodedata.name(
        character, ""
    ).startswith("LATIN")


def _codes(characters: Iterable[str]) -> str:
    return ", ".join(sorted(f"U+{ord(c):04X}" for c in characters)[:5])
