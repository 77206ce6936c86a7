"""From what is stored and sent back to spans: what a reader of it sees, with its marks.

It reads what `markup.py` and `facets.py` wrote. It must not trust it: whatever is no mark of ours
is text. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from crosspost.post import Facet, Markup
from crosspost.rendering import discord, entities, little_text
from crosspost.rendering.facets import runs
from crosspost.rendering.spans import MARKS, Span, Spans, linked

_KINDS: Mapping[str, str] = {"bold": "b", "italic": "i", "code": "code", "tag": "tag"}


def read(text: str, markup: Markup, facets: Sequence[Facet] = ()) -> Spans:
    """The spans of a post's text; its hashtags, where the platform makes links of them itself, have
    the mark "tag" when they are no facets."""
    match markup:
        case Markup.TELEGRAM_HTML | Markup.MATRIX_HTML:
            return _tagged(_Html(text).spans)
        case Markup.DISCORD:
            return discord.read(text)
        case Markup.LITTLE_TEXT:
            return _tagged(linked(little_text.visible(text)))
        case Markup.FACETS | Markup.RICH_TEXT:
            return tuple(
                Span(piece, frozenset(_KINDS[kind] for kind in kinds if kind in _KINDS), url)
                for piece, kinds, url in runs(text, facets)
            )
        case _:
            return _tagged(linked(text))


def _tagged(spans: Sequence[Span]) -> Spans:
    made: list[Span] = []
    for span in spans:
        if span.url or span.marks & {"code", "pre"}:
            made.append(span)
            continue
        end = 0
        for (start, stop), _ in entities.hashtags(span.text):
            made.append(Span(span.text[end:start], span.marks))
            made.append(Span(span.text[start:stop], span.marks | {"tag"}))
            end = stop
        made.append(Span(span.text[end:], span.marks))
    return tuple(span for span in made if span.text)


class _Html(HTMLParser):
    """The few tags that we write; any other is read as text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.spans: list[Span] = []
        self.marks: list[str] = []
        self.url = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in MARKS:
            self.marks.append(tag)
        elif tag == "br":
            self.handle_data("\n")
        elif tag == "a":
            url = dict(attrs).get("href") or ""
            self.url = url if url.lower().startswith(("https://", "http://")) else ""
        else:
            self.handle_data(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.marks:
            self.marks.remove(tag)
        elif tag == "a":
            self.url = ""

    def handle_data(self, data: str) -> None:
        self.spans.append(Span(data, frozenset(self.marks), self.url))
