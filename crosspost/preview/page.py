"""The preview as one page: each post in the look of its platform, at the width of a desk and of a
telephone, with everything that is worth knowing beside it.

The page needs nothing else: no script, no request, images inside. It must not let anything of a
text through that is not escaped, nor change a post to make it look better.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup as Safe

from crosspost.post import CardMaker, Image, Markup, Post, unit_word
from crosspost.preview import Shown
from crosspost.preview.looks import LOOKS, Look, look_of
from crosspost.preview.sanitizing import safe
from crosspost.rendering.reading import read
from crosspost.rendering.spans import Span
from crosspost.wording import language, t

#: The longer side of the images in the page, in pixels; who wants more opens the file.
LONGEST_SIDE = 800
_TAGS = {"b": "b", "i": "i", "code": "code"}


@dataclass(frozen=True)
class Head:
    """What stands above the posts."""

    number: int
    revision: int
    title: str
    office: str
    due: str  # as people say it
    approved: str  # by whom, "" when nobody has


def page(head: Head, channels: Sequence[Shown], warnings: Sequence[str]) -> str:
    """The whole page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("crosspost.preview"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = inline
    environment.filters["body"] = _body
    environment.globals |= {"t": t, "look_of": look_of, "unit_word": unit_word, "bar": _bar}
    every = {i.sha256: i for c in channels for p in c.posts for i in _pictures(p)}
    return environment.get_template("page.html").render(
        head=head,
        channels=channels,
        warnings=warnings,
        lang=language(),
        looks=_used(channels),
        pictures={digest: _data(image) for digest, image in every.items()},
        host=lambda address: urlsplit(address).hostname or address,
        documents=Markup.DOCUMENT,
        made_by_server=CardMaker.SERVER,
    )


def inline(post: Post, shown: Shown) -> Safe:
    """The text of a post as HTML: its marks, links and hashtags, lines kept by the style sheet."""
    spans = read(post.text, shown.can.markup, post.facets)
    pieces: list[str] = []
    for quoted, run in groupby(spans, key=lambda span: _block(span)):
        inner = "".join(map(_span, run))
        pieces.append(f"<{quoted}>{inner.strip()}</{quoted}>" if quoted else inner)
    return Safe("".join(pieces))  # noqa: S704 - every piece is escaped by `_span`


def _block(span: Span) -> str:
    return next((mark for mark in ("blockquote", "pre") if mark in span.marks), "")


def _span(span: Span) -> str:
    made = escape(span.text)
    for mark, tag in _TAGS.items():
        if mark in span.marks:
            made = f"<{tag}>{made}</{tag}>"
    if span.url.lower().startswith(("https://", "http://")):
        return f'<span class="link" title="{escape(span.url)}">{made}</span>'
    return f'<span class="link">{made}</span>' if "tag" in span.marks else made


def _body(post: Post) -> Safe:
    """The document of a post as HTML, its headings below those of the preview."""
    return Safe(safe(post.document.html if post.document else ""))  # noqa: S704 - `safe` escapes


def _pictures(post: Post) -> Iterator[Image]:
    yield from post.images
    if post.card and post.card.image:
        yield post.card.image


def _used(channels: Sequence[Shown]) -> dict[str, Look]:
    return {c.platform if c.platform in LOOKS else "other": look_of(c.platform) for c in channels}


def _bar(length: int, limit: int | None) -> int:
    """How full it is, in hundredths."""
    return min(100, round(100 * length / limit)) if limit else 0


def _data(image: Image) -> str:
    """An image as an address that holds it, made smaller; "" when its file cannot be read."""
    from PIL import Image as Pixels

    try:
        with Pixels.open(Path(image.path)) as opened:
            pixels = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    except (OSError, ValueError):
        return ""
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = BytesIO()
    if pixels.mode == "RGBA":
        pixels.save(buffer, "PNG")
    else:
        pixels.save(buffer, "JPEG", quality=80)
    kind = "png" if pixels.mode == "RGBA" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
