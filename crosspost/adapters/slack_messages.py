"""What stands in a Slack message, and which scopes an app needs.

Pure. It must not call anything; the adapter does. Facts: docs.slack.dev, "Blocks", "Message
metadata".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crosspost.post import Post
from crosspost.rendering.facets import runs
from crosspost.wording import words

#: The type of our metadata; its payload holds the key of the part.
METADATA = "crosspost_part"

SCOPES = ("chat:write", "files:read", "files:write")


def missing_scopes(headers: Mapping[str, str], *, private: bool) -> list[str]:
    """The scopes that the app lacks, by the header of any answer; none when it does not say."""
    said = headers.get("X-OAuth-Scopes", "")
    room = "groups" if private else "channels"
    needed = (*SCOPES, f"{room}:history", f"{room}:read")
    given = {scope.strip() for scope in said.split(",")}
    return [scope for scope in needed if scope not in given] if said.strip() else []


def blocks_of(post: Post, files: list[str]) -> list[dict[str, Any]]:
    """A message: its text, then its images by the ids of their files."""
    section = {"type": "rich_text_section", "elements": _elements(post)}
    text = {"type": "rich_text", "elements": [section]}
    images = [
        {"type": "image", "slack_file": {"id": name}, "alt_text": image.alt}
        for name, image in zip(files, post.images, strict=True)
    ]
    return [text, *images]


def _elements(post: Post) -> list[dict[str, Any]]:
    """A text in parts that are text or link: in neither does Slack see markup or a name."""
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


def part_of(message: Any) -> str:
    """The key of the part that a message is, "" for one that is not ours."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != METADATA:
        return ""
    return str((metadata.get("event_payload") or {}).get("part", ""))


def address_of(team: str, channel: str, ts: str, thread: str) -> str:
    """Where members of the workspace see a message."""
    address = f"{team}/archives/{channel}/p{ts.replace('.', '')}"
    return f"{address}?thread_ts={thread}&cid={channel}" if thread else address
