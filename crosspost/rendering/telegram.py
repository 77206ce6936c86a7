"""A post as the fields of a message of Telegram's Bot API.

Pure. It must not know chats or calls. Facts: core.telegram.org/bots/api, "sendMessage",
"InputMediaPhoto", "sendVideo".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crosspost.post import Post, Video


def message_of(post: Post) -> dict[str, Any]:
    """A text, with a preview of its link and of no other."""
    preview = {"url": post.link} if post.link else {"is_disabled": True}
    return {"text": post.text, "parse_mode": "HTML", "link_preview_options": preview}


def caption_of(post: Post) -> dict[str, str]:
    """A text under an image or a video."""
    return {"caption": post.text, "parse_mode": "HTML"}


def album_of(post: Post, names: Sequence[str]) -> dict[str, Any]:
    """Images by the names of their files in the form. The text stands under the first one: then it
    is shown under the whole album."""
    media = [{"type": "photo", "media": f"attach://{name}"} for name in names]
    media[0] |= caption_of(post)
    return {"media": media}


def film_of(post: Post, video: Video) -> dict[str, Any]:
    """A video with its text, how large it is and how long it plays, where that is known; it plays
    while it loads."""
    known = {
        "width": video.width,
        "height": video.height,
        "duration": round(video.milliseconds / 1000),
    }
    shape = {name: value for name, value in known.items() if value}
    return caption_of(post) | {"supports_streaming": True} | shape
