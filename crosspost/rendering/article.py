"""An announcement as HTML, for adapters that carry the whole of it: its pieces, and a page of them.

Pure. It must not know a platform, or let through anything that is not escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from crosspost.post import Document, Image, Post
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


STYLE = "body{font-family:sans-serif;line-height:1.5;max-width:40em}img{max-width:100%;height:auto}"


def page(document: Document, pictures: Sequence[str], link: str) -> str:
    """The whole announcement as a page of its own; `pictures` are figures, as `figure` gives."""
    lang, title = escape(document.lang), escape(document.title or document.summary)
    heading = [f"<h1>{escape(document.title)}</h1>"] if document.title else []
    inner = "\n".join([*heading, document.html.strip(), *pictures, *tail(document, link)])
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n{inner}\n</body>\n</html>\n"
    )


def described(post: Post) -> str:
    """The text of a post, then what its images show."""
    say = words(post.lang)
    shown = [
        say("Image: {description}", description=" ".join(image.alt.split()))
        for image in post.images
    ]
    return "\n\n".join([post.text, *(["\n".join(shown)] if shown else [])]) + "\n"
