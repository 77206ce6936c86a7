"""LinkedIn's "little text": a plain text in which some signs must be escaped, and hashtags named.

Pure. It must not know spans or limits. A sign that is not escaped can cut a post short, with no
error. Facts: learn.microsoft.com, LinkedIn Marketing, "little Text Format".
"""

from __future__ import annotations

import regex

from crosspost.rendering import entities

_RESERVED = regex.compile(r"[\\|{}@\[\]()<>#*_~]")
_WRITTEN = regex.compile(r"\{hashtag\|\\?#\|((?:[^|{}\\]|\\.)+)\}|\\(.)", regex.DOTALL)


def written(text: str) -> str:
    """`text` escaped, its hashtags as LinkedIn's own."""
    pieces, end = [], 0
    inside = [*entities.urls(text)]
    for (start, stop), tag in entities.hashtags(text):
        if any(first <= start < last for first, last in inside):
            continue  # of an address
        pieces += [_escaped(text[end:start]), rf"{{hashtag|\#|{_escaped(tag)}}}"]
        end = stop
    return "".join([*pieces, _escaped(text[end:])])


def visible(text: str) -> str:
    """What a reader sees of a text as `written` gave it."""
    return str(_WRITTEN.sub(lambda m: m[2] if m[1] is None else f"#{_plain(m[1])}", text))


def _escaped(text: str) -> str:
    return str(_RESERVED.sub(r"\\\g<0>", text))


def _plain(text: str) -> str:
    return str(regex.sub(r"\\(.)", r"\1", text))
