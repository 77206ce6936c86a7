"""A receiver of Standard Webhooks that takes each event once."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, ClassVar

from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another key, after a rotation...").decode()


class FakeReceiver(Platform):
    """Verifies with the library that receivers use, and answers a repeat as the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.secret = SECRET
        self.events: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.shown: dict[str, dict[str, Any]] = {}

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(
                name,
                data["text"],
                tuple(
                    (i["alt"], hashlib.sha256(base64.b64decode(i["content"])).hexdigest())
                    for i in data["images"]
                ),
                data["page"],
            )
            for name, data in self.shown.items()
        ]

    def phase_of(self, seen: Seen) -> str:
        kind = seen.json.get("type", "") if isinstance(seen.json, dict) else ""
        return {
            "crosspost.ping": "check",
            "announcement.published": "publish",
            "announcement.updated": "edit",
            "announcement.deleted": "delete",
        }.get(kind, "")

    def answer(self, seen: Seen) -> Reply:
        try:
            event = Webhook(self.secret).verify(seen.body, dict(seen.headers))
        except WebhookVerificationError:
            return Reply(401, {"error": "the signature is not valid"})
        name = self._once(seen.headers["webhook-id"], event)
        return Reply(200, {"id": name, "url": f"{self.url}/posts/{name}"})

    def _once(self, webhook_id: str, event: dict[str, Any]) -> str:
        if webhook_id not in self.events:
            self.events[webhook_id] = event
            self.names[webhook_id] = event["data"].get("id") or f"post-{len(self.names) + 1}"
            name, data = self.names[webhook_id], event["data"]
            match event["type"]:
                case "announcement.published" | "announcement.updated":
                    self.shown[name] = data
                case "announcement.deleted":
                    self.shown.pop(name, None)
        return self.names[webhook_id]


class WebhookCase(Case):
    """The case of the conformance suite."""

    platform = "webhook"
    SECRETS = (SECRET,)
    any_2xx_is_yes = True
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): ({"error": "the signature is not valid"}, {}, AuthRevoked),
        ("check", 410): (b"", {}, TargetGone),
        ("check", 502): (b"<html>Bad gateway</html>", {}, RetryLater),
        ("check", 404): (b"no such hook", {}, Misconfigured),
        ("publish", 409): (b"in progress", {}, UnknownOutcome),
        ("publish", 410): (b"", {}, TargetGone),
        ("publish", 413): (b"<h1>413 Request Entity Too Large</h1>", {}, MediaRejected),
        ("publish", 422): ({"error": "the key was used with another body"}, {}, RejectedContent),
        ("publish", 425): (b"", {}, UnknownOutcome),
        ("publish", 429): (b"", {"Retry-After": "5"}, RateLimited),
        ("publish", 503): (b"", {"Retry-After": "5"}, UnknownOutcome),
    }

    def start(self) -> FakeReceiver:
        return FakeReceiver()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"url": f"{platform.url}/hooks/office/", "secret": SecretStr(SECRET)}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeReceiver)
        platform.secret = OTHER_SECRET
