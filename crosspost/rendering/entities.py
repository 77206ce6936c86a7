"""What in a text is more than words: URLs, hashtags and mentions.

Pure. It must not know platforms: it finds these, so that links and tags can be named and none of
them is ever cut in two.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

# Characters of RFC 3986 and beyond ASCII, without those that Markdown and quotes put around a URL.
_URL = regex.compile(
    r"""(?<![A-Za-z0-9_])https?://[^\s\p{C}<>"“”‘’«»„\[\]{}|\\^`]+""", regex.IGNORECASE
)
_AFTER_A_URL = "!?.,;:'*_~…)"

# A letter must be among them: "#1" is a number. Platforms agree on letters, digits, underscore.
_HASHTAG = regex.compile(r"(?<![\w/&#])[#＃](?=[\d_]*[^\W\d_])(\w+)")
_MENTION = regex.compile(r"(?<![A-Za-z0-9_/@])@\w+(?:[.-]+\w+)*+(?:@\w+(?:[.-]+\w+)*+)?")

Range = tuple[int, int]


def url_at(text: str, start: int) -> str:
    """The http or https URL that begins at `start`, without the punctuation after it; or ""."""
    match = _URL.match(text, start)
    return _without_punctuation(match[0]) if match else ""


def urls(text: str) -> Iterator[Range]:
    """Where the http and https URLs of `text` stand: start and end as code points."""
    for match in _URL.finditer(text):
        url = _without_punctuation(match[0])
        if url:
            yield match.start(), match.start() + len(url)


def hashtags(text: str) -> Iterator[tuple[Range, str]]:
    """Where the hashtags of `text` stand, with the tag without its #."""
    for match in _HASHTAG.finditer(text):
        yield match.span(), match[1]


def whole(text: str) -> list[Range]:
    """Every range of `text` that must not be cut in two, in order, none inside another."""
    found = [*urls(text)]
    for pattern in (_HASHTAG, _MENTION):
        found += [match.span() for match in pattern.finditer(text)]
    outer: list[Range] = []
    for start, end in sorted(found):
        if outer and start < outer[-1][1]:
            outer[-1] = (outer[-1][0], max(end, outer[-1][1]))
        else:
            outer.append((start, end))
    return outer


def _without_punctuation(url: str) -> str:
    """`url` without what ends a sentence; a ")" stays when its "(" is in the URL too."""
    surplus = url.count(")") - url.count("(")
    end = len(url)
    while end and url[end - 1] in _AFTER_A_URL:
        if url[end - 1] == ")":
            if surplus <= 0:
                break
            surplus -= 1
        end -= 1
    return url[:end] if url[:end].partition("://")[2] else ""
