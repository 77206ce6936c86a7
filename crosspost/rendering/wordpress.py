"""An announcement as the fields of a WordPress post: title, content, excerpt.

Pure. It must leave nothing for WordPress to interpret: the site keeps what an administrator sends,
tags in titles too, and replaces words in square brackets (shortcodes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from crosspost.post import Document, Post
from crosspost.rendering.article import figure, tail


def fields_of(post: Post, media: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The fields; `media` are the uploads of the post's images, `id` and `url` each, in order."""
    document = post.document
    if document is None:
        raise ValueError("a post for WordPress needs its document")
    return {
        "title": _plain(document.title or document.summary),
        "content": _content(document, post, media),
        "excerpt": _plain(document.summary),
    }


def _content(document: Document, post: Post, media: Sequence[Mapping[str, str]]) -> str:
    """One block that the site shows as it is, in its language: text, images with their alt texts,
    where to read more, the source."""
    pictures = [
        figure(image, upload["url"], frame="wp-block-image", css=f"wp-image-{upload['id']}")
        for image, upload in zip(post.images, media, strict=True)
    ]
    inner = "\n".join([document.html.strip(), *pictures, *tail(document, post.link)])
    inner = inner.replace("[", "&#91;")
    return (
        "<!-- wp:html -->\n"
        f'<div class="crosspost" lang="{escape(document.lang)}">\n{inner}\n</div>\n'
        "<!-- /wp:html -->"
    )


def _plain(text: str) -> str:
    return escape(text, quote=False).replace("[", "&#91;")
