"""The pieces of an announcement as HTML, for adapters that carry the whole of it.

Pure. It must not know a platform, or let through anything that is not escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from crosspost.post import Document, Image
from crosspost.rendering.spans import Span, linked
from crosspost.wording import words


def figure(image: Image, address: str, *, frame: str = "", css: str = "") -> str:
    """An image with its alt text; `frame` and `css` name the classes of its two elements."""
    return (
        f'<figure{_named(frame)}><img{_named(css)} src="{escape(address)}"'
        f' alt="{escape(image.alt)}" width="{image.width}" height="{image.height}"/></figure>'
    )


def _named(css: str) -> str:
    return f' class="{escape(css)}"' if css else ""


def tail(document: Document, link: str) -> list[str]:
    """The paragraphs after the text: where to read more (its own link, the page `link`), and the
    source."""
    say = words(document.lang)
    lines = []
    for address in dict.fromkeys((document.link, link)):
        if address:
            before, _, after = say("Read more: {link}", link=address).partition(address)
            more = (Span(before), Span(address, url=address), Span(after))
            lines.append(f'<p class="crosspost-link">{_html(more)}</p>')
    if document.source:
        spans = linked(say("Source: {source}", source=document.source))
        lines.append(f'<p class="crosspost-source">{_html(spans)}</p>')
    return lines


def _html(spans: Iterable[Span]) -> str:
    return "".join(
        f'<a href="{escape(span.url)}">{escape(span.text)}</a>' if span.url else escape(span.text)
        for span in spans
    )
