"""Text with marks: what lies between the parsed document and each platform's form of it.

A text is a tuple of spans; their texts joined are what a reader sees. Cutting works here, so a
shortened text is as well-formed as a whole one. Pure. It must not know Markdown or limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape, unescape
from itertools import groupby

import regex

from crosspost.post import Facet, Markup
from crosspost.rendering import entities

#: Marks are named as Telegram's tags; every span's tags are opened in this order, outermost first.
MARKS = ("blockquote", "pre", "code", "b", "i")

_TAG = regex.compile(r"<[^>]*>")  # in what we write, an attribute has no bare ">"

TAG_GRAPHEMES = 64  # lexicon app.bsky.richtext.facet#tag: at most 64 graphemes and 640 bytes
TAG_BYTES = 640


@dataclass(frozen=True)
class Span:
    """A stretch of visible text with the same marks, and the address that it leads to."""

    text: str
    marks: frozenset[str] = frozenset()
    url: str = ""


Spans = tuple[Span, ...]


def text_of(spans: Iterable[Span]) -> str:
    """What a reader sees."""
    return "".join(span.text for span in spans)


def linked(text: str, *marks: str) -> Spans:
    """Spans for plain `text`, its URLs as links."""
    spans, end, marked = [], 0, frozenset(marks)
    for start, stop in entities.urls(text):
        spans += [Span(text[end:start], marked), Span(text[start:stop], marked, text[start:stop])]
        end = stop
    spans.append(Span(text[end:], marked))
    return tuple(span for span in spans if span.text)


def cut(spans: Iterable[Span], length: int) -> Spans:
    """The first `length` code points of the visible text."""
    kept = []
    for span in spans:
        if length <= 0:
            break
        kept.append(Span(span.text[:length], span.marks, span.url))
        length -= len(span.text)
    return tuple(kept)


def telegram_html(spans: Iterable[Span]) -> str:
    """`spans` in the tags of Telegram's HTML parse mode; all else is escaped."""
    written: list[str] = []
    opened: list[str] = []
    for span in spans:
        tags = _tags(span)
        common = _common(opened, tags)
        written += [_closing(tag) for tag in reversed(opened[common:])]
        written += [f"<{tag}>" for tag in tags[common:]]
        written.append(escape(span.text, quote=False))
        opened = tags
    written += [_closing(tag) for tag in reversed(opened)]
    return "".join(written)


def visible(text: str, markup: Markup) -> str:
    """What a reader sees of the `text` of a post, as it was written here in `markup`."""
    return unescape(_TAG.sub("", text)) if markup is Markup.TELEGRAM_HTML else text


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


def _tags(span: Span) -> list[str]:
    """The tags of a span with attributes, outermost first. Telegram allows none inside code."""
    marks = span.marks
    if marks & {"pre", "code"}:
        marks -= {"b", "i"}
    tags = [mark for mark in MARKS if mark in marks]
    if span.url and not marks & {"pre", "code"}:
        tags.insert(len(marks & {"blockquote"}), f'a href="{escape(span.url)}"')
    return tags


def _common(one: list[str], other: list[str]) -> int:
    """How many tags both begin with."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def _closing(tag: str) -> str:
    return f"</{tag.split()[0]}>"
