"""How one of our messages is known again on Discord, and what a bot may do there.

Pure. It must not call anything; the adapter does.
Facts: discord.com/developers/docs, "Permissions".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crosspost.post import Outgoing

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


class Needle:
    """Knows our post among a channel's messages: by the nonce where Discord still shows it, else by
    who wrote it, its whole text, the number of its images, and what it answers to."""

    def __init__(self, outgoing: Outgoing, user: str) -> None:
        self.user = user
        self.nonce = outgoing.handle.get("nonce", "")
        self.text = _bare(outgoing.post.text)
        self.images = len(outgoing.post.images)
        self.parent = outgoing.parent.remote_id if outgoing.parent else ""

    def seek(self, messages: Iterable[dict[str, Any]], since: datetime) -> str:
        """The id of our message, "" when it is not there."""
        return next((str(m["id"]) for m in messages if self._is_ours(m, since)), "")

    def _is_ours(self, message: dict[str, Any], since: datetime) -> bool:
        if message["author"]["id"] != self.user:
            return False
        if message.get("nonce"):
            return bool(str(message["nonce"]) == self.nonce)
        answers_to = (message.get("message_reference") or {}).get("message_id") or ""
        return (
            datetime.fromisoformat(message["timestamp"]) >= since
            and answers_to == self.parent
            and len(message["attachments"]) == self.images
            and _bare(message["content"]) == self.text
        )


def _bare(text: str) -> str:
    """A text without white space, of which Discord drops some."""
    return "".join(text.split())


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
