"""Discord as far as an announcement needs it; its own OpenAPI document judges both sides."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from openapi import Judge
from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "MTE.discord-bot+/token"
BOT, GUILD, CHANNEL = "110000000000000001", "220000000000000002", "330000000000000003"
API = "/api/v10"
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
JUDGE = Judge(Path(__file__).parents[1] / "data" / "discord" / "openapi.json")
#: Bold words, and links with words of their own, as a reader sees them.
BOLD = re.compile(r"(?<!\\)\*\*(?=\S)(.+?)(?<=[^\s\\])\*\*")
LINKED = re.compile(r"(?<!\\)\[([^\]\n]+)\]\(<?(https?://[^\s>)]+)>?\)")
#: Unescaped, outside of an address, these would be markup.
SPECIAL = re.compile(r"\\(.)|[*_~`|<\[\]]|(?m:^\s*[>#+-])|(?m:^\s*\d+\.)")


def no(code: int, message: str, **more: Any) -> dict[str, Any]:
    """A refusal of Discord."""
    return {"code": code, "message": message, **more}


def form(field: str, words: str) -> dict[str, Any]:
    """A refused form."""
    return no(50035, "Invalid Form Body", errors={field: {"_errors": [{"message": words}]}})


def shown(content: str) -> str:
    """What a reader sees; a ValueError when something would be shown as markup."""

    def plain(found: re.Match[str]) -> str:
        if found[1] is None:
            raise ValueError(f"markup: {found[0]}")
        return found[1]

    content = BOLD.sub(r"\1", LINKED.sub(r"\1", content))
    pieces = re.split(r"(https?://[^\s<]+)", content)
    return "".join(p if n % 2 else SPECIAL.sub(plain, p) for n, p in enumerate(pieces))


def user(name: str, number: str) -> dict[str, Any]:
    flags = {"public_flags": 0, "flags": 0}
    return {"id": number, "username": name, "avatar": None, "discriminator": "0", **flags} | {
        "global_name": None,
        "primary_guild": None,
    }


class FakeDiscord(Platform):
    """One channel. `shows_nonce`: whether a message still has its nonce when it is listed."""

    shows_nonce = True

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.channel: dict[str, Any] = {
            "id": CHANNEL,
            "type": 0,
            "flags": 0,
            "guild_id": GUILD,
            "name": "pengumuman",
            "position": 1,
            "permission_overwrites": [],
        }
        self.rights = sum(1 << bit for bit in (10, 11, 14, 15, 16))
        self.messages: dict[str, dict[str, Any]] = {}
        self.digests: dict[str, tuple[tuple[str, str], ...]] = {}
        self._count = 0

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(
                name,
                shown(message["content"]),
                self.digests[name],
                next(iter(re.findall(r"https?://\S+", message["content"])), ""),
                message.get("message_reference", {}).get("message_id", ""),
            )
            for name, message in self.messages.items()
        ]

    def phase_of(self, seen: Seen) -> str:
        if not seen.path.startswith(f"{API}/channels/{CHANNEL}/messages"):
            return "check"
        return {"GET": "find", "POST": "publish", "PATCH": "edit"}.get(seen.method, "delete")

    def answer(self, seen: Seen) -> Reply:
        if not seen.headers["user-agent"].startswith("DiscordBot ("):
            return Reply(403, no(40333, "internal network error"))
        if seen.headers.get("authorization", "").removeprefix("Bot ") not in self.tokens:
            return Reply(401, no(0, "401: Unauthorized"))
        here = Seen(seen.method, seen.path.removeprefix(API), seen.query, seen.headers, seen.body)
        body = json.loads(here.parts["payload_json"].text) if here.parts else here.json
        if fault := JUDGE.of_request(here, body):
            return Reply(400, form("document", fault))
        reply = self._do(here, body)
        if fault := JUDGE.of_answer(here, reply):
            return Reply(500, body=f"our stand-in is wrong: {fault}".encode())
        return reply

    def _do(self, seen: Seen, body: Any) -> Reply:
        match seen.method, seen.path.strip("/").split("/"):
            case "GET", ["users", "@me"]:
                more = {"mfa_enabled": True, "locale": "id", "bot": True}
                return Reply(200, user("kejari-bot", BOT) | more)
            case "GET", ["channels", name]:
                known = name == self.channel["id"]
                return Reply(200, self.channel) if known else Reply(404, no(10003, "Unknown"))
            case "GET", ["guilds", _, "members", _]:
                return Reply(200, self._member())
            case "GET", ["guilds", _, "roles"]:
                return Reply(200, [self._role(GUILD, 0), self._role("5", self.rights)])
            case "GET", [*_, "messages"]:
                return self._list(seen)
            case "POST", _:
                return self._post(seen, body)
            case "PATCH", [*_, name] if name in self.messages:
                self.messages[name] |= {"content": body["content"]}
                return Reply(200, self._listed(self.messages[name]))
            case "DELETE", [*_, name] if name in self.messages:
                del self.messages[name]
                return Reply(204)
        return Reply(404, no(10008, "Unknown Message"))

    def _member(self) -> dict[str, Any]:
        nothing = ("avatar", "banner", "communication_disabled_until", "nick", "premium_since")
        about = {"flags": 0, "joined_at": "2026-01-01T00:00:00+00:00", "pending": False}
        flags = {"mute": False, "deaf": False, "roles": ["5"], "user": user("kejari-bot", BOT)}
        return dict.fromkeys(nothing) | about | flags

    def _role(self, name: str, rights: int) -> dict[str, Any]:
        colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
        about = {"position": 0, "color": 0, "colors": colors, "icon": None, "unicode_emoji": None}
        flags = {"hoist": False, "managed": False, "mentionable": False, "flags": 0}
        return {"id": name, "name": "role", "permissions": str(rights)} | about | flags

    def _post(self, seen: Seen, body: dict[str, Any]) -> Reply:
        for known in self.messages.values():
            if body.get("enforce_nonce") and known["nonce"] == body["nonce"]:
                return Reply(200, known)
        if body["allowed_mentions"] != {"parse": [], "replied_user": False}:
            return Reply(400, form("allowed_mentions", "it may call people"))
        if len(body["content"]) > 2000:
            return Reply(400, form("content", "Must be 2000 or fewer in length."))
        parent = body.get("message_reference", {}).get("message_id")
        if parent and parent not in self.messages:
            return Reply(400, form("message_reference", "Unknown message"))
        message = self._new(seen, body)
        if parent:
            reference = {"type": 0, "channel_id": CHANNEL, "message_id": parent}
            message |= {"message_reference": reference, "type": 19}
        self.messages[message["id"]] = message
        return Reply(200, message)

    def _new(self, seen: Seen, body: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC)
        self._count += 1
        name = str((int((now - EPOCH) / timedelta(milliseconds=1)) << 22) + self._count)
        files = [seen.parts[f"files[{a['id']}]"] for a in body.get("attachments", [])]
        alts = [a["description"] for a in body.get("attachments", [])]
        self.digests[name] = tuple(
            (alt, file.sha256) for alt, file in zip(alts, files, strict=True)
        )
        address = "https://cdn.discordapp.example/x"
        attachments = [
            {"id": str(n), "filename": f.filename, "size": len(f.content)}
            | {"url": address, "proxy_url": address}
            for n, f in enumerate(files)
        ]
        nothing = {"mentions": [], "mention_roles": [], "flags": 0, "edited_timestamp": None}
        about = {"pinned": False, "mention_everyone": False, "tts": False, "type": 0}
        return (
            nothing
            | about
            | {
                "id": name,
                "channel_id": CHANNEL,
                "author": user("kejari-bot", BOT),
                "content": body["content"].strip(),
                "timestamp": now.isoformat(),
                "attachments": attachments,
                "nonce": body["nonce"],
            }
        )

    def _listed(self, message: dict[str, Any]) -> dict[str, Any]:
        hidden = () if self.shows_nonce else ("nonce",)
        return {key: value for key, value in message.items() if key not in hidden}

    def _list(self, seen: Seen) -> Reply:
        newest = sorted(self.messages.values(), key=lambda m: int(m["id"]), reverse=True)
        before = int(seen.query.get("before", "9" * 19))
        page = [m for m in newest if int(m["id"]) < before][: int(seen.query["limit"])]
        return Reply(200, [self._listed(message) for message in page])


class DiscordCase(Case):
    """The case of the conformance suite."""

    platform = "discord"
    SECRETS = (TOKEN,)
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (no(0, "401: Unauthorized"), {}, AuthRevoked),
        ("check", 403): (no(50001, "Missing Access"), {}, PermissionDenied),
        ("check", 404): (no(10003, "Unknown Channel"), {}, TargetGone),
        ("check", 429): (no(0, "slow", retry_after=1.5, **{"global": True}), {}, RateLimited),
        ("check", 500): (b"", {}, RetryLater),
        ("publish", 400): (form("content", "Must be 2000 or fewer"), {}, RejectedContent),
        ("publish", 401): (no(0, "401: Unauthorized"), {}, AuthRevoked),
        ("publish", 403): (no(50013, "Missing Permissions"), {}, PermissionDenied),
        ("publish", 404): (no(10003, "Unknown Channel"), {}, TargetGone),
        ("publish", 413): (no(40005, "Request entity too large"), {}, MediaRejected),
        ("publish", 429): (no(20028, "write rate limit", retry_after=3), {}, RateLimited),
        ("publish", 502): (b"<html>Bad gateway</html>", {}, UnknownOutcome),
        ("publish", 405): (b"", {}, Misconfigured),
        ("find", 403): (no(50001, "Missing Access"), {}, PermissionDenied),
    }

    def start(self) -> FakeDiscord:
        return FakeDiscord()

    def options(self, platform: Platform) -> dict[str, Any]:
        token = SecretStr(TOKEN)
        return {"base_url": f"{platform.url}{API}", "bot_token": token, "channel_id": CHANNEL}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeDiscord)
        platform.tokens.clear()
