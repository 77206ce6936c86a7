"""WhatsApp's Cloud API as far as an announcement needs it; Meta's document judges both sides."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from graph_platform import FakeGraph, no
from openapi import Judge
from pydantic import SecretStr

from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    BillingExhausted,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.rendering.measure import utf16
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "EAAG+whatsapp/token=secret"
PHONE = "106853218861309"
RECIPIENT = "+6281234567890"
JUDGE = Judge(Path(__file__).parents[1] / "data" / "whatsapp" / "openapi.json")


class FakeWhatsApp(FakeGraph):
    """One telephone number. `refusing`: recipient -> the error that each message to them gets."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.media: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []
        self.refusing: dict[str, Reply] = {}

    @property
    def posts(self) -> list[PublicPost]:
        return [self._public(message) for message in self.messages]

    def _public(self, message: dict[str, Any]) -> PublicPost:
        content = message[message["type"]]
        if message["type"] == "template":
            parts = [p for c in content["components"] for p in c["parameters"]]
            text = next(p["text"] for p in parts if p["type"] == "text")
            pictures = [p["image"]["id"] for p in parts if p["type"] == "image"]
        else:
            text = content.get("body", content.get("caption", ""))
            pictures = [content["id"]] if message["type"] == "image" else []
        images = tuple(("", self.media[name]) for name in pictures)
        link = next(iter(re.findall(r"https?://\S+", text)), "")
        return PublicPost(message["id"], text, images, link)

    def phase_of(self, seen: Seen) -> str:
        last = seen.path.rpartition("/")[2]
        return {"messages": "publish", "media": "prepare"}.get(last, "check")

    def do(self, seen: Seen, path: str, fields: dict[str, str]) -> Reply:
        body = dict(fields, file="bytes") if seen.parts else seen.json
        if fault := JUDGE.of_request(seen, body):
            return Reply(400, no(100, f"document: {fault}"))
        reply = self._do(seen, path, fields)
        if reply.status == 200 and (fault := JUDGE.of_answer(seen, reply)):
            return Reply(500, body=f"our stand-in is wrong: {fault}".encode())
        return reply

    def _do(self, seen: Seen, path: str, fields: dict[str, str]) -> Reply:
        match seen.method, path.split("/"):
            case "GET", [name] if name == PHONE:
                about = {"verified_name": "Kejari Contoh", "quality_rating": "GREEN"}
                return Reply(200, {"id": PHONE, "display_phone_number": "+62 274 1234"} | about)
            case "POST", [_, "media"]:
                name = self.new_id()
                self.media[name] = seen.parts["file"].sha256
                assert fields["messaging_product"] == "whatsapp"
                return Reply(200, {"id": name})
            case "POST", [_, "messages"]:
                return self._send(seen.json)
        return self.absent(path)

    def _send(self, message: dict[str, Any]) -> Reply:
        if message["to"] in self.refusing:
            return replace(self.refusing[message["to"]])
        if message["type"] == "text" and utf16(message["text"]["body"]) > 4096:
            return Reply(400, no(100, "Param text['body'] must be at most 4096 characters long."))
        name = f"wamid.{self.new_id()}"
        self.messages.append({**message, "id": name})
        contact = {"input": message["to"], "wa_id": message["to"].lstrip("+")}
        answer = {"messaging_product": "whatsapp", "contacts": [contact]}
        return Reply(200, answer | {"messages": [{"id": name, "message_status": "accepted"}]})


class WhatsAppCase(Case):
    """The case of the conformance suite: a list of one, without a template."""

    platform = "whatsapp"
    SECRETS = (TOKEN,)
    uploads = True
    threads = False
    has_permalink = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (no(190, "Error validating access token"), {}, AuthRevoked),
        ("check", 404): (no(100, "Object does not exist", 33), {}, TargetGone),
        ("check", 500): (no(131000, "Something went wrong"), {}, RetryLater),
        ("prepare", 400): (no(131053, "Media upload error"), {}, MediaRejected),
        ("publish", 400): (no(131047, "Re-engagement message"), {}, RejectedContent),
        ("publish", 401): (no(190, "Error validating access token"), {}, AuthRevoked),
        ("publish", 402): (no(131042, "Business eligibility payment issue"), {}, BillingExhausted),
        ("publish", 403): (no(131005, "Access denied"), {}, PermissionDenied),
        ("publish", 404): (no(132001, "Template does not exist"), {}, Misconfigured),
        ("publish", 409): (no(131048, "Spam rate limit hit"), {}, QuotaExhausted),
        ("publish", 418): (no(131031, "Account has been locked"), {}, AccountRestricted),
        ("publish", 429): (no(130429, "Rate limit hit"), {}, RateLimited),
        ("publish", 500): (no(131016, "Service unavailable"), {}, UnknownOutcome),
    }

    def start(self) -> FakeWhatsApp:
        return FakeWhatsApp()

    def options(self, platform: Platform) -> dict[str, Any]:
        about = {"phone_number_id": PHONE, "recipients": [RECIPIENT]}
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN)} | about

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeWhatsApp)
        platform.revoked = True
