"""A post as Slack's rich text: its stretches named as text or link, so that no sign in them is read
as markup, and no name in them calls anybody.

Pure. It must not know channels or calls. Facts: docs.slack.dev, "Blocks", "Rich text block".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crosspost.post import Post
from crosspost.rendering.facets import runs
from crosspost.wording import words


def blocks_of(post: Post, files: Sequence[str]) -> list[dict[str, Any]]:
    """A message: its text, then its images by the ids of their files."""
    section = {"type": "rich_text_section", "elements": _elements(post)}
    text = {"type": "rich_text", "elements": [section]}
    images = [
        {"type": "image", "slack_file": {"id": name}, "alt_text": image.alt}
        for name, image in zip(files, post.images, strict=True)
    ]
    return [text, *images]


def _elements(post: Post) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for text, kinds, url in runs(post.text, post.facets):
        part: dict[str, Any] = {"type": "text", "text": text}
        if url:
            part = {"type": "link", "url": url} | ({"text": text} if text != url else {})
        parts.append(part | ({"style": dict.fromkeys(sorted(kinds), True)} if kinds else {}))
    return parts


def fallback(post: Post) -> str:
    """What notifications show and screen readers read instead of the blocks, so with all that the
    images show. Here Slack would see its markup: so its three signs are escaped."""
    say = words(post.lang)
    lines = [say("Image: {description}", description=image.alt) for image in post.images]
    plain = "\n".join([post.text, *lines])
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
