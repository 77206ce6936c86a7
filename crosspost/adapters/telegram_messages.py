"""What stands in Telegram's messages, and what a bot may do in a chat.

Pure. It must not call anything; the adapter does. Facts: core.telegram.org/bots/api.
"""

from __future__ import annotations

import re
from typing import Any

from crosspost.adapters.base import text_id
from crosspost.post import Post, Receipt, Video
from crosspost.wording import t

#: A wait that only the words of an error name, in seconds.
RETRY_AFTER = re.compile(r"retry after (\d+)", re.I)


def message_of(post: Post) -> dict[str, Any]:
    """A text, with a preview of its link and of no other."""
    preview = {"url": post.link} if post.link else {"is_disabled": True}
    return {"text": post.text, "parse_mode": "HTML", "link_preview_options": preview}


def album_of(post: Post, names: tuple[str, ...]) -> list[dict[str, str]]:
    """The text stands under the first image: then it is shown under the whole album."""
    media = [{"type": "photo", "media": f"attach://{name}"} for name in names]
    media[0] |= {"caption": post.text, "parse_mode": "HTML"}
    return media


def shape_of(video: Video) -> dict[str, Any]:
    """How large a video is and how long it plays, where it is known; it plays while it loads."""
    known = {
        "width": video.width,
        "height": video.height,
        "duration": round(video.milliseconds / 1000),
    }
    return {"supports_streaming": True} | {name: value for name, value in known.items() if value}


def receipt_of(result: Any) -> Receipt:
    """The receipt of a message, or of an album, which is named by its first one."""
    messages = result if isinstance(result, list) else [result]
    ids = [text_id(message["message_id"]) for message in messages]
    if not all(name.isdecimal() and int(name) > 0 for name in ids):
        raise ValueError("not the id of a message that is out")
    chat = messages[0].get("chat")
    extra = {"message_ids": ",".join(ids)}
    if field(chat, "id"):
        extra["chat_id"] = str(field(chat, "id"))
    address = address_of(chat)
    return Receipt(ids[0], f"{address}/{ids[0]}" if address else "", extra)


def address_of(chat: Any) -> str:
    """Where people see a chat; one without a name is open to its members only."""
    if username := field(chat, "username"):
        return f"https://t.me/{username}"
    number = str(field(chat, "id") or "")
    return f"https://t.me/c/{number[4:]}" if number.startswith("-100") else ""


def may_post(chat: dict[str, Any], member: dict[str, Any]) -> bool:
    status = field(member, "status")
    if field(chat, "type") == "channel":
        may = field(member, "can_post_messages") is True
        return status == "creator" or (status == "administrator" and may)
    return status in ("creator", "administrator", "member")


def warnings_of(chat: dict[str, Any]) -> tuple[str, ...]:
    if field(chat, "type") != "channel":
        return (t("This is not a channel: write the @name of a channel, or its number."),)
    if not field(chat, "username"):
        return (t("The channel is private: links to its posts work for its members only."),)
    return ()


def field(values: Any, name: str) -> Any:
    """A field of an object in an answer; None when it, or the object, is not there."""
    return values.get(name) if isinstance(values, dict) else None
