"""Slack as far as an announcement needs it; its own description judges what is asked of it."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    MediaExpired,
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

TOKEN = "xoxb-123/slack+secret"
CHANNEL = "C0123456789"
SPEC: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "slack" / "web-api.json").read_text()
)
#: What is younger than the description.
YOUNGER = {"metadata", "include_all_metadata"}
SCOPES = "chat:write,files:read,files:write,channels:read,channels:history"


def no(error: str, **more: Any) -> dict[str, Any]:
    """A refusal of Slack."""
    return {"ok": False, "error": error, **more}


def fault_of(seen: Seen) -> str:
    """What is wrong with a call, by Slack's description; "" when nothing is."""
    known = SPEC["paths"].get(seen.path)
    if known is None:
        return ""
    operation = known.get(seen.method.lower())
    if operation is None:
        return f"there is no {seen.method} {seen.path}"
    given = {("query", name): v for name, v in seen.query.items()}
    given |= {("formData", name): v for name, v in seen.form.items()}
    wanted = {(p["in"], p["name"]): p for p in operation["parameters"] if p["name"] != "token"}
    for (where, name), value in given.items():
        if name in YOUNGER:
            continue
        if (where, name) not in wanted:
            return f"no such argument: {name}"
        kind = wanted[where, name]["type"]
        fits = {"boolean": r"true|false", "integer": r"\d+", "number": r"\d+(\.\d+)?"}
        if not re.fullmatch(fits.get(kind, r"(?s).*"), value):
            return f"{name} is no {kind}"
    lacking = [p["name"] for key, p in wanted.items() if p.get("required") and key not in given]
    return f"missing: {lacking[0]}" if lacking else ""


def text_of(blocks: list[dict[str, Any]]) -> str:
    """What a reader sees of the blocks of a message. Raises KeyError for what is no block."""
    (section,) = blocks[0]["elements"]
    assert (blocks[0]["type"], section["type"]) == ("rich_text", "rich_text_section")
    shown = ""
    for part in section["elements"]:
        needed, more = {"text": ({"text"}, set()), "link": ({"url"}, {"text"})}[part["type"]]
        assert {"type", *needed} <= set(part) <= {"type", "style", *needed, *more}, part
        assert set(part.get("style", {})) <= {"bold", "italic", "strike", "code"}, part
        shown += part.get("text") or part["url"]
        assert part.get("text") != ""
    return shown


class FakeSlack(Platform):
    """One channel. `slow_files`: how often a file has no type yet when it is asked about."""

    slow_files = 0
    page_size = 100

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.scopes = SCOPES
        self.channel: dict[str, Any] = {
            "id": CHANNEL,
            "name": "pengumuman",
            "is_member": True,
            "is_archived": False,
            "is_private": False,
        }
        self.files: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        self.clock = time.time()

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(
                ts,
                text_of(message["blocks"]),
                tuple(
                    (block["alt_text"], self.files[block["slack_file"]["id"]]["sha256"])
                    for block in message["blocks"][1:]
                ),
                next((p["url"] for p in _parts(message) if p["type"] == "link"), ""),
                message.get("thread_ts", ""),
            )
            for ts, message in self.messages.items()
        ]

    def phase_of(self, seen: Seen) -> str:
        return {
            "/auth.test": "check",
            "/conversations.info": "check",
            "/chat.postMessage": "publish",
            "/chat.update": "edit",
            "/chat.delete": "delete",
            "/conversations.history": "find",
            "/conversations.replies": "find",
        }.get(seen.path.removeprefix("/api"), "prepare")

    def answer(self, seen: Seen) -> Reply:
        if seen.path.startswith("/upload/"):
            if "authorization" in seen.headers:
                return Reply(400, body=b"a token has no business here")
            file = self.files[seen.path.removeprefix("/upload/")]
            file |= {"sha256": hashlib.sha256(seen.body).hexdigest(), "size": len(seen.body)}
            return Reply(200, body=f"OK - {len(seen.body)}".encode())
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(200, no("invalid_auth"))
        here = Seen(
            seen.method, seen.path.removeprefix("/api"), seen.query, seen.headers, seen.body
        )
        if fault := fault_of(here):
            return Reply(200, no("invalid_arguments", response_metadata={"messages": [fault]}))
        said = self._do(here.path.removeprefix("/"), {**here.query, **here.form})
        needs = SPEC["paths"].get(here.path, {}).get(here.method.lower(), {}).get("responses")
        if said.get("ok") and needs:
            assert set(needs["200"]["schema"]["required"]) <= set(said), said
        return Reply(200, said, headers={"X-OAuth-Scopes": self.scopes})

    def _do(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        if "channel" in fields and fields["channel"] != self.channel["id"]:
            return no("channel_not_found")
        match method:
            case "auth.test":
                who = {"user": "kejari", "user_id": "U1", "team": "Kejari", "team_id": "T1"}
                return {"ok": True, "url": "https://kejari.slack.example/", **who}
            case "conversations.info":
                return {"ok": True, "channel": self.channel}
            case "files.getUploadURLExternal":
                name = f"F{len(self.files):09}"
                self.files[name] = {"polls": self.slow_files, "length": int(fields["length"])}
                return {"ok": True, "file_id": name, "upload_url": f"{self.url}/upload/{name}"}
            case "files.completeUploadExternal":
                return self._complete(json.loads(fields["files"]))
            case "files.info":
                return self._about(fields["file"])
            case "chat.postMessage":
                return self._post(fields)
            case "conversations.history" | "conversations.replies":
                return self._list(fields)
        if fields["ts"] not in self.messages:
            return no("message_not_found")
        return self._change(method, fields)

    def _complete(self, files: list[dict[str, str]]) -> dict[str, Any]:
        for file in files:
            known = self.files[file["id"]]
            if known.get("size") != known["length"]:
                return no("file_not_found")
            known["complete"] = True
        return {"ok": True, "files": files}

    def _about(self, name: str) -> dict[str, Any]:
        file = self.files.get(name)
        if file is None:
            return no("file_not_found")
        file["polls"] -= 1
        mime = "" if file["polls"] >= 0 else "image/jpeg"
        return {"ok": True, "file": {"id": name, "mimetype": mime}, "comments": []}

    def _fault_of_message(self, fields: dict[str, str]) -> dict[str, Any] | None:
        blocks = json.loads(fields["blocks"])
        if len(text_of(blocks)) > 4000:
            return no("msg_too_long")
        if re.search(r"[<>]|&(?!(amp|lt|gt);)", fields["text"]):
            return no("invalid_arguments", response_metadata={"messages": ["it calls people"]})
        for block in blocks[1:]:
            file = self.files.get(block["slack_file"]["id"], {})
            if not file.get("complete") or file["polls"] >= 0:
                words = "[ERROR] invalid slack file [json-pointer:/blocks/1/slack_file]"
                return no("invalid_blocks", response_metadata={"messages": [words]})
        return None

    def _post(self, fields: dict[str, str]) -> dict[str, Any]:
        if fault := self._fault_of_message(fields):
            return fault
        self.clock += 1
        ts = f"{self.clock:.6f}"
        message = {
            "ts": ts,
            "text": fields["text"],
            "blocks": json.loads(fields["blocks"]),
            "metadata": json.loads(fields["metadata"]),
        }
        if "thread_ts" in fields:
            message["thread_ts"] = fields["thread_ts"]
        self.messages[ts] = message
        return {"ok": True, "channel": CHANNEL, "ts": ts, "message": message}

    def _change(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        ts = fields["ts"]
        if method == "chat.delete":
            del self.messages[ts]
            return {"ok": True, "channel": CHANNEL, "ts": ts}
        if fault := self._fault_of_message(fields):
            return fault
        self.messages[ts] |= {"text": fields["text"], "blocks": json.loads(fields["blocks"])}
        message = self.messages[ts]
        return {
            "ok": True,
            "channel": CHANNEL,
            "ts": ts,
            "text": message["text"],
            "message": message,
        }

    def _list(self, fields: dict[str, str]) -> dict[str, Any]:
        """The history newest first and without what answers; a thread oldest first."""
        root = fields.get("ts")
        every = list(self.messages.values())
        found = (
            [m for m in every if root in (m["ts"], m.get("thread_ts"))]
            if root
            else [m for m in reversed(every) if "thread_ts" not in m]
        )
        start = int(fields.get("cursor", "0"))
        end = start + min(int(fields["limit"]), self.page_size)
        shown = [
            m if "include_all_metadata" in fields else m | {"metadata": {"event_type": "?"}}
            for m in found[start:end]
        ]
        more = end < len(found)
        return {
            "ok": True,
            "messages": shown,
            "has_more": more,
            "response_metadata": {"next_cursor": str(end) if more else ""},
            "pin_count": 0,
            "channel_actions_ts": None,
            "channel_actions_count": 0,
        }


def _parts(message: dict[str, Any]) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = message["blocks"][0]["elements"][0]["elements"]
    return parts


class SlackCase(Case):
    """The case of the conformance suite."""

    platform = "slack"
    SECRETS = (TOKEN,)
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 200): (no("token_revoked"), {}, AuthRevoked),
        ("check", 429): (no("ratelimited"), {"Retry-After": "30"}, RateLimited),
        ("check", 400): (no("method_not_supported_for_channel_type"), {}, Misconfigured),
        ("check", 503): (no("service_unavailable"), {}, RetryLater),
        ("prepare", 200): (no("file_type_not_allowed"), {}, MediaRejected),
        ("publish", 200): (no("fatal_error"), {}, UnknownOutcome),
        ("publish", 201): (no("msg_too_long"), {}, RejectedContent),
        ("publish", 202): (no("is_archived"), {}, TargetGone),
        ("publish", 204): (b"", {}, UnknownOutcome),
        ("publish", 400): (
            no("invalid_blocks", response_metadata={"messages": ["invalid slack file"]}),
            {},
            MediaExpired,
        ),
        ("publish", 403): (no("not_in_channel"), {}, PermissionDenied),
        ("publish", 429): (no("ratelimited"), {"Retry-After": "1"}, RateLimited),
        ("publish", 500): (no("msg_too_long"), {}, UnknownOutcome),
        ("find", 200): (no("missing_scope", needed="channels:history"), {}, PermissionDenied),
    }

    def start(self) -> FakeSlack:
        return FakeSlack()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {
            "base_url": f"{platform.url}/api",
            "bot_token": SecretStr(TOKEN),
            "channel_id": CHANNEL,
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeSlack)
        platform.tokens.clear()
