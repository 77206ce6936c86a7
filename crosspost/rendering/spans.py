"""Text with marks: what lies between the parsed document and each platform's form of it.

A text is a tuple of spans; their texts joined are what a reader sees. Cutting works here, so a
shortened text is as well-formed as a whole one. Pure. It must not know Markdown, limits, or how any
platform writes marks (`markup.py`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, groupby

from crosspost.rendering import entities

#: Marks are named as Telegram's tags; every span's tags are opened in this order, outermost first.
MARKS = ("blockquote", "pre", "code", "b", "i")


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


def merged(spans: Iterable[Span]) -> Spans:
    """The same with neighbours of one kind in one span, and none that is empty."""
    runs = groupby(spans, key=lambda span: (span.marks, span.url))
    joined = (Span(text_of(run), marks, url) for (marks, url), run in runs)
    return tuple(span for span in joined if span.text)


def linked(text: str, *marks: str) -> Spans:
    """Spans for plain `text`, its URLs as links."""
    spans, end, marked = [], 0, frozenset(marks)
    for start, stop in entities.urls(text):
        spans += [Span(text[end:start], marked), Span(text[start:stop], marked, text[start:stop])]
        end = stop
    spans.append(Span(text[end:], marked))
    return tuple(span for span in spans if span.text)


class Stretch:
    """A text of which pieces are wanted, each in time that goes with its own length."""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self.text = text_of(spans)
        self._ends = list(accumulate(len(span.text) for span in spans))

    def piece(self, start: int, end: int) -> Spans:
        """The spans between two places, in code points of the visible text."""
        kept = []
        index = bisect_right(self._ends, start)
        while start < end and index < len(self.spans):
            span, last = self.spans[index], self._ends[index]
            begin = last - len(span.text)
            kept.append(Span(span.text[start - begin : end - begin], span.marks, span.url))
            start, index = last, index + 1
        return tuple(kept)
