"""Hashtags as people can hear them: CamelCase, since a screen reader reads words by their capitals.

Pure. It must not know which platform uses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}_]+")


def hashtag(tag: str) -> str:
    """`tag` with its #, its words joined: "layanan publik" is #LayananPublik; "" for one without a
    letter, which no platform takes for a tag. Capitals inside a word stay."""
    words = [match[0] for match in _WORD.finditer(tag)]
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return f"#{joined}" if any(char.isalpha() for char in joined) else ""


def hashtags(tags: Sequence[str], most: int | None = None) -> Iterator[str]:
    """The hashtags of `tags`, each once whatever its capitals, `most` of them."""
    seen: set[str] = set()
    for written in map(hashtag, tags):
        if written and written.casefold() not in seen and (most is None or len(seen) < most):
            seen.add(written.casefold())
            yield written
