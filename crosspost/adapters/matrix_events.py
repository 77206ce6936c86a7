"""What stands in the events of a Matrix room: a message, an edit, the rights.

Pure. It must not call anything; the adapter does. Facts: spec.matrix.org, client-server API,
"Instant messaging" and "Event replacements".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crosspost.post import Markup, Outgoing, Post
from crosspost.rendering import visible
from crosspost.rendering.measure import utf8

#: The key of an event's content that holds our mark; servers keep what they do not know.
MARK = "crosspost.part"
#: An event has at most 65,536 bytes. An edit has the text twice and the HTML once: with every byte
#: of the text escaped, these two still leave room for all else.
LONGEST, LONGEST_HTML = 8_000, 30_000
#: From this room version on, who made the room has every right, and no power level says so.
CREATORS_RULE = 12


def content_of(outgoing: Outgoing) -> dict[str, Any]:
    """The content of a message: its text twice, plain and as HTML, and nobody mentioned."""
    post = outgoing.post
    content: dict[str, Any] = {
        "msgtype": "m.text",
        "body": visible(post.text, Markup.MATRIX_HTML),
        "m.mentions": {},
    }
    if utf8(json.dumps(post.text, ensure_ascii=False)) <= LONGEST_HTML:
        content |= {"format": "org.matrix.custom.html", "formatted_body": post.text}
    return content | _picture(post, outgoing.prepared.get("media"))


def _picture(post: Post, media: object) -> dict[str, Any]:
    """What makes a message one of an image, with its text as the caption."""
    if not post.images or not isinstance(media, list):
        return {}
    image = post.images[0]
    info = {"mimetype": image.mime, "w": image.width, "h": image.height, "size": image.size}
    return {"msgtype": "m.image", "filename": image.filename, "url": media[0], "info": info}


def edit_of(event: str, outgoing: Outgoing) -> dict[str, Any]:
    """The content of an event that puts another text into `event`."""
    new = content_of(outgoing)
    return {
        "msgtype": "m.text",
        "body": f"* {new['body']}",  # for clients that know no edits
        "m.mentions": {},
        "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": event},
    }


def is_ours(event: Mapping[str, Any], sender: str, key: str) -> bool:
    """Whether an event of the room is our post: from this account, with our mark."""
    return bool(event["sender"] == sender and event["content"].get(MARK) == key)


def may_write(levels: Mapping[str, Any], user: str) -> bool:
    """Whether the room's power levels let an account send messages."""
    own = _level(levels.get("users"), user, _level(levels, "users_default", 0))
    default = _level(levels, "events_default", 0)
    return own >= _level(levels.get("events"), "m.room.message", default)


def creators(creation: Mapping[str, Any]) -> set[str]:
    """Who made the room, by its first event, where that gives every right."""
    content = creation.get("content")
    content = content if isinstance(content, dict) else {}
    version = str(content.get("room_version", "1"))
    if version.isdecimal() and int(version) < CREATORS_RULE:
        return set()
    more = content.get("additional_creators")
    return {str(creation.get("sender")), *(map(str, more) if isinstance(more, list) else ())}


def _level(values: Any, name: str, otherwise: int) -> int:
    """A power level; older servers write it as text."""
    try:
        return int(values[name])
    except (KeyError, TypeError, ValueError):
        return otherwise
