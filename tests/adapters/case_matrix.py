"""A homeserver as far as an announcement needs it, as strict as Synapse about what it takes."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, ClassVar
from urllib.parse import unquote

from pydantic import SecretStr

from crosspost.errors import (
    AccountRestricted,
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

TOKEN = "syt_matrix/token+=secret"
USER = "@humas:kejari.example"
ROOM = "!abcDEF123:kejari.example"
#: The tags that clients show (spec, "m.room.message msgtypes"), as far as we use them.
TAGS = {"a", "b", "blockquote", "br", "code", "i", "pre"}
BIGGEST = 65_536  # bytes of an event


def no(code: str, words: str = "no", **more: Any) -> dict[str, Any]:
    """A refusal of a homeserver."""
    return {"errcode": code, "error": words, **more}


class FakeMatrix(Platform):
    """One room. `remembers`: whether the server knows the transaction ids of events."""

    remembers = True
    filters = True  # whether it looks at the filter of a look-up
    unknown_state = "M_NOT_FOUND"  # what it says of state that a room has not
    page_size = 50

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.user = USER
        self.clock = int(datetime.now(UTC).timestamp() * 1000)
        self.state: dict[str, dict[str, Any]] = {
            f"m.room.member/{USER}": {"membership": "join"},
            "m.room.power_levels": {"users": {USER: 50}, "events": {"m.room.message": 50}},
            "m.room.name": {"name": "Pengumuman Kejari"},
            "m.room.join_rules": {"join_rule": "public"},
            "m.room.create": {"sender": "@admin:kejari.example", "content": {"room_version": "10"}},
        }
        self.upload_limit: Any = 50_000_000
        self.media: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.transactions: dict[tuple[str, str], str] = {}

    @property
    def posts(self) -> list[PublicPost]:
        shown = {event["event_id"]: event for event in self.events if event["content"]}
        posts = {}
        for name, event in shown.items():
            relation = event["content"].get("m.relates_to", {})
            if relation.get("rel_type") != "m.replace":
                posts[name] = self._public(name, event["content"], relation)
            elif relation["event_id"] in posts:
                old = posts[relation["event_id"]]
                new = self._public(old.remote_id, event["content"]["m.new_content"], {})
                posts[old.remote_id] = new
        return list(posts.values())

    def _public(self, name: str, content: dict[str, Any], relation: dict[str, Any]) -> PublicPost:
        image = content["msgtype"] == "m.image"
        return PublicPost(
            name,
            content["body"],
            (("", self.media[content["url"]]),) if image else (),
            next(iter(re.findall(r"https?://\S+", content["body"])), ""),
            relation.get("m.in_reply_to", {}).get("event_id", ""),
        )

    def phase_of(self, seen: Seen) -> str:
        for phase, path in {
            "check": r"/whoami$|/state/|/media/config$",
            "prepare": r"/media/v3/upload$",
            "find": r"/messages$",
            "delete": r"/redact/",
        }.items():
            if re.search(path, seen.path):
                return phase
        return "edit" if b'"m.replace"' in seen.body else "publish"

    def answer(self, seen: Seen) -> Reply:
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, no("M_UNKNOWN_TOKEN", "Invalid access token passed."))
        rooms = "/_matrix/client/v3/rooms/"
        if seen.path.startswith(rooms):
            room, _, rest = unquote(seen.path.removeprefix(rooms)).partition("/")
            if room != ROOM:
                return Reply(403, no("M_FORBIDDEN", "User not in room"))
            return self._in_room(seen, rest)
        if seen.path.endswith("/whoami"):
            return Reply(200, {"user_id": self.user, "device_id": "CROSSPOST"})
        if seen.path.endswith("/media/config"):
            return Reply(200, {"m.upload.size": self.upload_limit})
        if seen.path.endswith("/media/v3/upload"):
            uri = f"mxc://kejari.example/{len(self.media)}"
            self.media[uri] = hashlib.sha256(seen.body).hexdigest()
            return Reply(200, {"content_uri": uri})
        return Reply(404, no("M_UNRECOGNIZED", "Unrecognized request"))

    def _in_room(self, seen: Seen, rest: str) -> Reply:
        what, _, name = rest.partition("/")
        if what == "state":
            known = self.state.get(name)
            return Reply(200, known) if known else Reply(404, no(self.unknown_state))
        if what == "messages":
            return self._page(seen)
        if seen.method != "PUT":
            return Reply(405, no("M_UNRECOGNIZED", "Unrecognized request"))
        if what == "redact":
            return self._redact(name.partition("/")[0])
        return self._send(seen, name.rpartition("/")[2])

    def _redact(self, name: str) -> Reply:
        for event in self.events:
            if event["event_id"] == name:
                event["content"] = {}
        return Reply(200, {"event_id": "$redaction"})

    def _send(self, seen: Seen, transaction: str) -> Reply:
        known = self.transactions.get((seen.path, TOKEN))
        if known and self.remembers:
            return Reply(200, {"event_id": known})
        if len(seen.body) + 1000 > BIGGEST:
            return Reply(413, no("M_TOO_LARGE", "event too large"))
        wrong = fault_of(seen.json)
        if wrong:
            return Reply(400, no("M_BAD_JSON", wrong))
        self.clock += 1000
        event = {
            "event_id": f"$event{len(self.events)}",
            "type": "m.room.message",
            "sender": self.user,
            "origin_server_ts": self.clock,
            "content": seen.json,
        }
        self.events.append(event)
        self.transactions[(seen.path, TOKEN)] = event["event_id"]
        return Reply(200, {"event_id": event["event_id"]})

    def _page(self, seen: Seen) -> Reply:
        senders = json.loads(seen.query["filter"])["senders"]
        newest = [e for e in reversed(self.events) if e["sender"] in senders or not self.filters]
        start = int(seen.query.get("from", "0"))
        end = start + min(int(seen.query["limit"]), self.page_size)
        page = {"chunk": newest[start:end], "start": str(start)}
        return Reply(200, page | ({"end": str(end)} if end < len(newest) else {}))


def fault_of(content: Any) -> str:
    """What is wrong with a message; "" when it is right."""
    new = content.get("m.new_content", content)
    if not isinstance(new.get("body"), str) or new.get("msgtype") not in ("m.text", "m.image"):
        return "no body"
    if content.get("m.mentions") != {} or new.get("m.mentions") != {}:
        return "it may call people"
    if len(new["body"].encode()) > 8000:
        return "longer than we promise"
    if "formatted_body" in new and Formatted(new["formatted_body"]).text != new["body"]:
        return "the two texts differ"
    return ""


class Formatted(HTMLParser):
    """What a reader sees of a formatted body; only tags that clients show, all of them closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        if tag == "br":
            self.text += "\n"
            return
        self._open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert "\n" not in data  # it would be shown as a space
        self.text += data.replace("\u00a0", " ")


class MatrixCase(Case):
    """The case of the conformance suite."""

    platform = "matrix"
    SECRETS = (TOKEN,)
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (no("M_UNKNOWN_TOKEN", soft_logout=True), {}, AuthRevoked),
        ("check", 403): (no("M_FORBIDDEN", "not in the room"), {}, PermissionDenied),
        ("check", 404): (no("M_UNRECOGNIZED", "Unrecognized request"), {}, Misconfigured),
        ("check", 429): (no("M_LIMIT_EXCEEDED", retry_after_ms=2000), {}, RateLimited),
        ("check", 502): (b"<html>Bad gateway</html>", {}, RetryLater),
        ("prepare", 413): (no("M_TOO_LARGE", "too large"), {}, MediaRejected),
        ("prepare", 403): (no("M_FORBIDDEN", "no uploads for you"), {}, PermissionDenied),
        ("publish", 400): (no("M_BAD_JSON", "no floats"), {}, RejectedContent),
        ("publish", 401): (no("M_MISSING_TOKEN", "no token"), {}, AuthRevoked),
        ("publish", 403): (no("M_USER_SUSPENDED", "suspended"), {}, AccountRestricted),
        ("publish", 404): (no("M_NOT_FOUND", "unknown room"), {}, TargetGone),
        ("publish", 405): (no("M_UNRECOGNIZED", "what?"), {}, Misconfigured),
        ("publish", 413): (no("M_TOO_LARGE", "event too large"), {}, RejectedContent),
        ("publish", 429): (no("M_LIMIT_EXCEEDED", "Too many", retry_after_ms=5), {}, RateLimited),
        ("publish", 500): (no("M_FORBIDDEN", "odd"), {}, UnknownOutcome),
        ("find", 403): (no("M_FORBIDDEN", "not in the room"), {}, PermissionDenied),
    }

    def start(self) -> FakeMatrix:
        return FakeMatrix()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN), "room_id": ROOM}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeMatrix)
        platform.tokens.clear()
