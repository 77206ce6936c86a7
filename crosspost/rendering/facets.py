"""Marks named by ranges of a plain text: for the AT Protocol, and for Slack's rich text.

Pure. It must not know Markdown or limits, nor the JSON in which a platform wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from crosspost.post import Facet
from crosspost.rendering import entities
from crosspost.rendering.spans import Span, text_of

TAG_GRAPHEMES = 64  # lexicon app.bsky.richtext.facet#tag: at most 64 graphemes and 640 bytes
TAG_BYTES = 640
#: The marks that rich text shows, by the kind of their facets.
STYLES = {"b": "bold", "i": "italic", "code": "code", "pre": "code"}


def facets(spans: Iterable[Span], *, tags: bool = True) -> tuple[Facet, ...]:
    """The links and hashtags of `spans`, by UTF-8 bytes of the visible text (AT Protocol,
    app.bsky.richtext.facet)."""
    found: list[Facet] = []
    start = 0
    for url, run in groupby(spans, key=lambda span: span.url):
        text = text_of(run)
        end = start + len(text.encode())
        if url:
            found.append(Facet(start, end, "link", url))
        elif tags:
            found += _tag_facets(text, start)
        start = end
    return tuple(found)


def _tag_facets(text: str, offset: int) -> Iterator[Facet]:
    seen, position = 0, offset
    for (start, end), tag in entities.hashtags(text):
        position += len(text[seen:start].encode())
        seen, length = start, len(text[start:end].encode())
        if len(tag) <= TAG_GRAPHEMES and len(tag.encode()) <= TAG_BYTES:
            yield Facet(position, position + length, "tag", tag)


def styled_facets(spans: Iterable[Span]) -> tuple[Facet, ...]:
    """The links and styles (`bold`, `italic`, `code`) of `spans`, in the same way; several may
    have one range."""
    found: list[Facet] = []
    start = 0
    for span in spans:
        end = start + len(span.text.encode())
        kinds = dict.fromkeys(STYLES[mark] for mark in STYLES if mark in span.marks)
        found += [Facet(start, end, kind, "") for kind in kinds if end > start]
        if span.url and end > start:
            found.append(Facet(start, end, "link", span.url))
        start = end
    return tuple(found)


#: A stretch of text, the kinds of its styles, and the address that it leads to ("" for none).
Run = tuple[str, frozenset[str], str]


def runs(text: str, marks: Sequence[Facet]) -> Iterator[Run]:
    """`text` in stretches with the same styles and address, in order and whole."""
    data = text.encode()
    places = sorted({0, len(data), *(m.start for m in marks), *(m.end for m in marks)})
    coming = sorted(marks, key=lambda mark: mark.start, reverse=True)
    here: list[Facet] = []
    for start, end in pairwise(places):
        here = [mark for mark in here if mark.end > start]
        while coming and coming[-1].start <= start:
            here.append(coming.pop())
        kinds = frozenset(mark.kind for mark in here if mark.kind != "link")
        url = next((mark.value for mark in here if mark.kind == "link"), "")
        yield data[start:end].decode(), kinds, url
