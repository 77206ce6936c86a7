"""Whether an account may post where it is to post, worked out of what a platform tells.

Some platforms do not answer that; they show roles, levels and rules, one kind each. Pure. It must
not call anything, nor refuse anything: adapters do. What is handed in is JSON as it came, so all of
it may raise KeyError, TypeError or ValueError (`HttpAdapter.reading`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any

# --- scopes: what an app was given (Slack, Meta) --------------------------------------------------


def lacking(needed: Iterable[str], given: Iterable[str]) -> list[str]:
    """Those that are needed and not given, in their order."""
    have = {name.strip() for name in given}
    return [name for name in needed if name not in have]


def missing_scopes(said: str, channel: Mapping[str, Any]) -> list[str]:
    """The scopes that an app of Slack lacks to post into a channel, by the header in which any
    answer names those that it has; none when it names none."""
    kind = "groups" if channel.get("is_private") is True else "channels"
    needed = ("chat:write", "files:read", "files:write", f"{kind}:history", f"{kind}:read")
    return lacking(needed, said.split(",")) if said.strip() else []


# --- membership (Telegram) ------------------------------------------------------------------------


def may_post(chat: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    """Whether a member may post: into a channel only who made it, and whom its right was given
    (core.telegram.org/bots/api, "ChatMember")."""
    status = member.get("status")
    if chat.get("type") == "channel":
        may = member.get("can_post_messages") is True
        return status == "creator" or (status == "administrator" and may)
    return status in ("creator", "administrator", "member")


# --- rights as bits of roles (Discord) ------------------------------------------------------------

ADMINISTRATOR = 1 << 3
#: bit -> what Discord's settings call the right; all that a post or a look-up needs.
RIGHTS = {
    1 << 10: "View Channel",
    1 << 11: "Send Messages",
    1 << 14: "Embed Links",
    1 << 15: "Attach Files",
    1 << 16: "Read Message History",
}


def missing_rights(
    channel: Mapping[str, Any], member: Mapping[str, Any], roles: Iterable[Any], user: str
) -> list[str]:
    """The rights that a bot lacks in a channel: those of its roles, then what the channel takes and
    gives to everyone, to its roles, and to itself, in this order (discord.com/developers/docs,
    "Permissions")."""
    everyone = str(channel["guild_id"])
    own = {everyone, *map(str, member["roles"])}
    held = _bits(role["permissions"] for role in roles if str(role["id"]) in own)
    if held & ADMINISTRATOR:
        return []
    overwrites = channel.get("permission_overwrites") or []
    for names in ({everyone}, own - {everyone}, {user}):
        those = [change for change in overwrites if str(change["id"]) in names]
        held &= ~_bits(change["deny"] for change in those)
        held |= _bits(change["allow"] for change in those)
    return [name for bit, name in RIGHTS.items() if not held & bit]


def _bits(numbers: Iterable[Any]) -> int:
    return reduce(or_, map(int, numbers), 0)


# --- power levels (Matrix) ------------------------------------------------------------------------

#: From this room version on, who made the room has every right, and no power level says so.
CREATORS_RULE = 12


def may_write(levels: Mapping[str, Any], creation: Mapping[str, Any], user: str) -> bool:
    """Whether an account may send messages, by the room's power levels and its first event
    (spec.matrix.org, "m.room.power_levels"; room version 12)."""
    own = _level(levels.get("users"), user, _level(levels, "users_default", 0))
    default = _level(levels, "events_default", 0)
    enough = own >= _level(levels.get("events"), "m.room.message", default)
    return enough or user in _creators(creation)


def _creators(creation: Mapping[str, Any]) -> set[str]:
    """Who made the room, where that gives every right."""
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
