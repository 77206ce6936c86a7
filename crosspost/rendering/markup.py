"""Spans in the form that each platform takes, and back to what a reader of it sees.

One writer a markup; whatever is not a mark is escaped as the platform wants it. Pure. It must not
know Markdown, limits, or what an announcement is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape, unescape

import regex

from crosspost.post import Markup
from crosspost.rendering import discord, little_text
from crosspost.rendering.spans import MARKS, Span, Spans, linked, text_of

_TAG = regex.compile(r"<[^>]*>")  # in what we write, an attribute has no bare ">"
_INDENT = regex.compile(r"(?m)^ +")
_WIDE_INDENT = regex.compile("(?m)^\u00a0+")


def written(spans: Iterable[Span], markup: Markup) -> str:
    """`spans` as the text of a post in `markup`; facets and documents carry their marks elsewhere,
    so there it is the plain text."""
    write = _WRITERS.get(markup)
    return write(spans) if write else text_of(spans)


def visible(text: str, markup: Markup) -> str:
    """What a reader sees of the `text` of a post, as it was written here in `markup`."""
    read = _READERS.get(markup)
    return read(text) if read else text


def in_markup(text: str, markup: Markup) -> str:
    """A plain text, its addresses links, as the text of a post in `markup`."""
    return written(linked(text), markup)


def counts_marks(markup: Markup) -> bool:
    """Whether a platform counts a text with its marks and escapes (Discord), or might (LinkedIn
    does not say): then the written form is measured, else the visible one."""
    return markup in (Markup.DISCORD, Markup.LITTLE_TEXT)


def telegram_html(spans: Iterable[Span]) -> str:
    """`spans` in the tags of Telegram's HTML parse mode; all else is escaped."""
    return _html(spans, lambda text, _: escape(text, quote=False))


def matrix_html(spans: Iterable[Span]) -> str:
    """`spans` in the HTML that Matrix clients show (client-server API, "m.room.message msgtypes"),
    where an end of a line and an indent need a sign of their own."""
    return _html(spans, _matrix_text)


def _matrix_text(text: str, begins_line: bool) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.lstrip(" ") if number or begins_line else line
        lines[number] = "\u00a0" * (len(line) - len(bare)) + escape(bare, quote=False)
    return "<br>".join(lines)


def _html(spans: Iterable[Span], write: Callable[[str, bool], str]) -> str:
    """Tags around texts; `write` gets each text, and whether a line begins with it."""
    pieces: list[str] = []
    opened: list[str] = []
    begins_line = True
    for span in spans:
        tags = _tags(span)
        common = _common(opened, tags)
        pieces += [_closing(tag) for tag in reversed(opened[common:])]
        pieces += [f"<{tag}>" for tag in tags[common:]]
        pieces.append(write(span.text, begins_line))
        begins_line = span.text.endswith("\n") if span.text else begins_line
        opened = tags
    pieces += [_closing(tag) for tag in reversed(opened)]
    return "".join(pieces)


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
    pairs: Iterator[tuple[str, str]] = zip(one, other, strict=False)
    count = 0
    for first, second in pairs:
        if first != second:
            break
        count += 1
    return count


def _closing(tag: str) -> str:
    return f"</{tag.split()[0]}>"


def _of_telegram(text: str) -> str:
    return unescape(_TAG.sub("", text))


def _of_matrix(text: str) -> str:
    lines = unescape(_TAG.sub("", text.replace("<br>", "\n")))
    return str(_WIDE_INDENT.sub(lambda indent: " " * len(indent[0]), lines))


_WRITERS: dict[Markup, Callable[[Iterable[Span]], str]] = {
    Markup.TELEGRAM_HTML: telegram_html,
    Markup.MATRIX_HTML: matrix_html,
    Markup.DISCORD: lambda spans: discord.written(tuple(spans)),
    Markup.LITTLE_TEXT: lambda spans: little_text.written(text_of(spans)),
}
_READERS: dict[Markup, Callable[[str], str]] = {
    Markup.TELEGRAM_HTML: _of_telegram,
    Markup.MATRIX_HTML: _of_matrix,
    Markup.DISCORD: discord.visible,
    Markup.LITTLE_TEXT: little_text.visible,
}

__all__ = ["Spans", "counts_marks", "in_markup", "visible", "written"]
