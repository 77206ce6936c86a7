"""A post as the content of a Matrix event: a message, and an edit of one.

Pure. It must not know rooms or calls. Facts: spec.matrix.org, client-server API, "Instant
messaging" and "Event replacements".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from crosspost.post import Markup, Post
from crosspost.rendering.markup import visible
from crosspost.rendering.measure import utf8

#: An event has at most 65,536 bytes. An edit has the text twice and the HTML once: with every byte
#: of the text escaped, these two still leave room for all else.
LONGEST, LONGEST_HTML = 8_000, 30_000


def message_of(post: Post, media: Sequence[str] = ()) -> dict[str, Any]:
    """The content of a message: its text twice, plain and as HTML, and nobody mentioned; `media`
    has the mxc: address of its image, whose caption the text is then."""
    content: dict[str, Any] = {
        "msgtype": "m.text",
        "body": visible(post.text, Markup.MATRIX_HTML),
        "m.mentions": {},
    }
    if utf8(json.dumps(post.text, ensure_ascii=False)) <= LONGEST_HTML:
        content |= {"format": "org.matrix.custom.html", "formatted_body": post.text}
    if post.images and media:
        image = post.images[0]
        info = {"mimetype": image.mime, "w": image.width, "h": image.height, "size": image.size}
        about = {"filename": image.filename, "url": media[0], "info": info}
        content |= {"msgtype": "m.image", **about}
    return content


def edit_of(event: str, post: Post, media: Sequence[str] = ()) -> dict[str, Any]:
    """The content of an event that puts another text into `event`."""
    new = message_of(post, media)
    return {
        "msgtype": "m.text",
        "body": f"* {new['body']}",  # for clients that know no edits
        "m.mentions": {},
        "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": event},
    }
