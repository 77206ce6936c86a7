"""What stands in a Discord message and its errors, how ours is known, what a bot may do there.

Pure. It must not call anything; the adapter does.
Facts: discord.com/developers/docs, "Permissions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crosspost.post import Outgoing, Post

NOBODY: dict[str, Any] = {"parse": [], "replied_user": False}
TEXT_CHANNELS = (0, 5)  # text, announcement
ADMINISTRATOR = 1 << 3
#: bit -> what Discord's settings call the right; all that a post or a look-up needs.
RIGHTS = {
    1 << 10: "View Channel",
    1 << 11: "Send Messages",
    1 << 14: "Embed Links",
    1 << 15: "Attach Files",
    1 << 16: "Read Message History",
}


def message_of(post: Post) -> dict[str, Any]:
    """A message without what belongs to one attempt; nobody is called by it."""
    message: dict[str, Any] = {"content": post.text, "allowed_mentions": NOBODY}
    if post.images:
        message["attachments"] = [
            {"id": str(n), "filename": image.filename, "description": image.alt}
            for n, image in enumerate(post.images)
        ]
    return message


def is_ours(message: Mapping[str, Any], outgoing: Outgoing, user: str, *, recent: bool) -> bool:
    """Whether a message is our post: by the nonce where Discord still shows it, else by who wrote
    it, its whole text, the number of its images, and what it answers to."""
    if message["author"]["id"] != user:
        return False
    if message.get("nonce"):
        return bool(str(message["nonce"]) == outgoing.handle.get("nonce", ""))
    answers_to = (message.get("message_reference") or {}).get("message_id") or ""
    return (
        recent
        and answers_to == (outgoing.parent.remote_id if outgoing.parent else "")
        and len(message["attachments"]) == len(outgoing.post.images)
        and _bare(message["content"]) == _bare(outgoing.post.text)
    )


def _bare(text: str) -> str:
    """A text without white space, of which Discord drops some."""
    return "".join(text.split())


def details(errors: Any) -> Iterator[str]:
    """The words that lie deep in the `errors` of a refused form."""
    if isinstance(errors, dict):
        if isinstance(errors.get("message"), str):
            yield errors["message"]
        for value in errors.values():
            yield from details(value)
    elif isinstance(errors, list):
        for value in errors:
            yield from details(value)


def missing_rights(
    channel: dict[str, Any], member: dict[str, Any], roles: list[dict[str, Any]], user: str
) -> list[str]:
    """The rights that a bot lacks in a channel: those of its roles, then what the channel takes and
    gives to everyone, to its roles, and to itself, in this order."""
    everyone = str(channel["guild_id"])
    own = {everyone, *map(str, member["roles"])}
    held = 0
    for role in roles:
        if str(role["id"]) in own:
            held |= int(role["permissions"])
    if held & ADMINISTRATOR:
        return []
    overwrites = channel.get("permission_overwrites") or []
    for names in ({everyone}, own - {everyone}, {user}):
        those = [change for change in overwrites if str(change["id"]) in names]
        held &= ~_all(those, "deny")
        held |= _all(those, "allow")
    return [name for bit, name in RIGHTS.items() if not held & bit]


def _all(overwrites: list[dict[str, Any]], what: str) -> int:
    bits = 0
    for change in overwrites:
        bits |= int(change[what])
    return bits
