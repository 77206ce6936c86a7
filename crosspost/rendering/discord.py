r"""Discord's Markdown: spans written so that it shows just their text, with their marks.

Pure. It must not know limits or calls. An address stands as it is, since a backslash would belong
to it; so what touches one has no marks. Facts: discord.com/developers/docs, "Message Formatting";
support.discord.com, "Markdown Text 101".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import regex

from crosspost.rendering.spans import Span, Spans, text_of

_ADDRESS = regex.compile(r"https?://[^\s<]+")
# What marks up a text anywhere, and what does at the beginning of a line.
_MARKUP = regex.compile(r"[\\*_~`|<\[\]]|(?m:^[^\S\n]*[>#+-])|(?m:^[^\S\n]*\d+\.)")
_WORD = regex.compile(r"\w")
_WRITTEN = regex.compile(
    r"""(?m)
    ```\n(?P<block>.*?)\n```
    | (?P<ticks>`+)(?P<code>.+?)(?P=ticks)
    | \[(?P<label>(?:\\.|[^\]\\])*)\]\(<(?P<target>[^>]*)>\)
    | <(?P<wrapped>https?://[^\s<>]+)>
    | (?P<address>https?://[^\s<]+)
    | \\(?P<sign>.)
    | (?P<nothing>\*\*|_|^>[ ])
    """,
    regex.VERBOSE | regex.DOTALL,
)


def written(spans: Spans) -> str:
    """`spans` as the content of a message."""
    text = text_of(spans)
    return "".join(_lines(_pieces(spans, _addresses(text)), _to_escape(text), text))


def visible(content: str) -> str:
    """What a reader sees of a content as `written` gave it."""
    return text_of(read(content))


def read(content: str) -> Spans:
    """The spans of a content as `written` gave it."""
    return tuple(span for span in _Reader().read(content) if span.text)


class _Reader:
    """Goes through the signs; `marks` are those that are open."""

    def __init__(self, marks: frozenset[str] = frozenset()) -> None:
        self.marks = marks

    def read(self, content: str) -> Iterator[Span]:
        end = 0
        for match in _WRITTEN.finditer(content):
            yield from self._text(content[end : match.start()])
            yield from self._sign(match)
            end = match.end()
        yield from self._text(content[end:])

    def _text(self, text: str) -> Iterator[Span]:
        """A quotation ends with its line."""
        while "blockquote" in self.marks and "\n" in text:
            line, _, text = text.partition("\n")
            yield Span(f"{line}\n", self.marks)
            self.marks -= {"blockquote"}
        yield Span(text, self.marks)

    def _sign(self, match: regex.Match[str]) -> Iterator[Span]:
        found = match.groupdict()
        if found["label"] is not None:
            label = text_of(_Reader().read(found["label"]))
            yield Span(label, self.marks, match["target"])
        elif address := found["wrapped"] or found["address"]:
            yield Span(address, self.marks, address)
        elif found["block"] is not None or found["code"] is not None:
            block = found["block"] is not None
            text = found["block"] if block else found["code"]
            yield Span(text, self.marks | {"pre" if block else "code"})
        elif found["sign"] is not None:
            yield Span(found["sign"], self.marks)
        else:
            self._toggle(match[0])

    def _toggle(self, sign: str) -> None:
        mark = {"**": "b", "_": "i", "> ": "blockquote"}[sign]
        self.marks = self.marks | {mark} if sign == "> " else self.marks ^ {mark}


#: A stretch within one line: its span's marks and address, and where it stands in the text.
_Piece = tuple[Span, int, int]


@dataclass(frozen=True)
class _Escapes:
    """What must stand before some signs of a text, by their places, which are in order."""

    places: list[int]
    signs: dict[int, str]


def _addresses(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _ADDRESS.finditer(text)]


def _to_escape(text: str) -> _Escapes:
    """What must stand before the signs that would be markup, by their places. An address that such
    a sign follows at once goes into angle brackets, or the backslash would belong to it."""
    signs = {match.end() - 1: "\\" for match in _MARKUP.finditer(text)}
    for start, end in _addresses(text):
        for place in range(start, end):
            signs.pop(place, None)
        if end in signs:
            signs |= {} if ">" in text[start:end] else {start: "<", end: ">\\"}
            if start not in signs:
                del signs[end]
    return _Escapes(sorted(signs), signs)


def _pieces(spans: Spans, addresses: list[tuple[int, int]]) -> Iterator[_Piece]:
    """The spans, those that touch an address without their marks."""
    place, at = 0, 0
    for span in spans:
        end = place + len(span.text)
        while at < len(addresses) and addresses[at][1] < place:
            at += 1
        if at < len(addresses) and addresses[at][0] < end:
            span = Span(span.text, span.marks & {"blockquote"})
        yield span, place, end
        place = end


def _lines(pieces: Iterator[_Piece], escapes: _Escapes, text: str) -> Iterator[str]:
    """The text of each stretch of bold or not, a quotation's lines with their sign."""
    begins_line = True
    for bold, run in groupby(_by_line(pieces), key=lambda piece: _is_bold(piece[0])):
        stretch = list(run)
        inner = []
        for span, start, end in stretch:
            if begins_line and "blockquote" in span.marks and text[start:end] != "\n":
                inner.append(("> ", False))
            inner.append((_inner(span, start, end, escapes, text), True))
            begins_line = text[end - 1] == "\n" and not _is_block(span)  # its fence stands there
        yield from _bold(inner) if bold else (piece for piece, _ in inner)


def _by_line(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """Cut after every line, except within a block of code."""
    for span, start, end in pieces:
        if _is_block(span):
            yield span, start, end
            continue
        place = start
        for number, line in enumerate(span.text.split("\n")):
            if number:
                yield Span("\n", span.marks & {"blockquote"}), place, place + 1
                place += 1
            if line:
                yield span, place, place + len(line)
                place += len(line)


def _is_block(span: Span) -> bool:
    """Whether it is written as a block of code."""
    written_so = "pre" in span.marks and "blockquote" not in span.marks
    return written_so and "```" not in span.text and bool(span.text.strip())


def _is_bold(span: Span) -> bool:
    return "b" in span.marks and not span.marks & {"pre", "code"}


def _bold(inner: list[tuple[str, bool]]) -> Iterator[str]:
    """The sign goes around what is not white space, and after the sign of a quotation."""
    if inner and not inner[0][1]:
        yield inner[0][0]
        inner = inner[1:]
    joined = "".join(piece for piece, _ in inner)
    bare = joined.strip()
    before = joined[: len(joined) - len(joined.lstrip())]
    yield f"{before}**{bare}**{joined[len(before) + len(bare) :]}" if bare else joined


def _inner(span: Span, start: int, end: int, escapes: _Escapes, text: str) -> str:
    raw = text[start:end]
    if _is_block(span):
        return f"```\n{raw}\n```"
    if "code" in span.marks and "`" not in raw and raw.strip():
        return f"`{raw}`"
    shown = _escaped(start, end, escapes, text)
    if "i" in span.marks and _stands_apart(text, start, end):
        shown = f"_{shown}_"
    return f"[{shown}](<{span.url}>)" if span.url and span.url != raw else shown


def _escaped(start: int, end: int, escapes: _Escapes, text: str) -> str:
    """A piece of the text with what must stand before its signs."""
    pieces = []
    for place in escapes.places[
        bisect_left(escapes.places, start) : bisect_left(escapes.places, end)
    ]:
        pieces += [text[start:place], escapes.signs[place]]
        start = place
    return "".join([*pieces, text[start:end]])


def _stands_apart(text: str, start: int, end: int) -> bool:
    """Whether no word goes on at either end, nor white space stands inside: else Discord shows the
    sign of italics as it is."""
    raw = text[start:end]
    before, after = text[start - 1 : start], text[end : end + 1]
    return (
        raw.strip() == raw != ""
        and not _WORD.fullmatch(before or " ")
        and not _WORD.fullmatch(after or " ")
    )
