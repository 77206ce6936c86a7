"""Mastodon's API as far as an announcement needs it; facts: docs.joinmastodon.org."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import SecretStr

from crosspost.adapters.mastodon import MastodonAdapter
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaProcessing,
    MediaRejected,
    PermissionDenied,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "mastodon-token/+=secret"
ACCOUNT = "109000000000000001"


class FakeMastodon(Platform):
    """One account. `honours_keys` is the exception: most servers ignore Idempotency-Key."""

    honours_keys = False
    max_characters = 500
    slow_media = 0  # so many polls until an upload is ready

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.statuses: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.codes: set[str] = set()
        self.redirect = ""
        self._next = 110_000_000_000_000_000

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(
                status["id"],
                status["text"],
                tuple((self.media[m]["alt"], self.media[m]["sha256"]) for m in status["media_ids"]),
                next(iter(re.findall(r"https?://\S+", status["text"])), ""),
                status["in_reply_to_id"] or "",
            )
            for status in self.statuses.values()
        ]

    def phase_of(self, seen: Seen) -> str:
        if seen.path in ("/api/v1/apps", "/oauth/token"):
            return "login"
        if seen.path in ("/api/v1/accounts/verify_credentials", "/api/v2/instance"):
            return "check"
        if seen.path.startswith(("/api/v2/media", "/api/v1/media")):
            return "prepare"
        if re.fullmatch(r"/api/v1/accounts/\d+/statuses", seen.path):
            return "find"
        return {"POST": "publish", "PUT": "edit", "DELETE": "delete"}.get(seen.method, "")

    def answer(self, seen: Seen) -> Reply:
        if self.phase_of(seen) == "login":
            return self._login(seen)
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, {"error": "The access token is invalid"})
        name = seen.path.rsplit("/", 1)[1]
        match seen.method, self.phase_of(seen):
            case "GET", "check":
                return self._about(name)
            case "POST", "prepare":
                return self._upload(seen)
            case "GET", "prepare":
                return self._media_state(name)
            case "GET", "find":
                return self._list(seen)
            case "POST", "publish":
                return self._post(seen)
            case "PUT", "edit" if name in self.statuses:
                self.statuses[name] |= self._fields(seen)
                return Reply(200, self._shown(self.statuses[name]))
            case "DELETE", "delete" if name in self.statuses:
                return Reply(200, self._shown(self.statuses.pop(name)))
        return Reply(404, {"error": "Record not found"})

    def _login(self, seen: Seen) -> Reply:
        """An application registers; then a code that a person was shown is exchanged, once."""
        form = seen.form
        if seen.path == "/api/v1/apps":
            self.redirect = form["redirect_uris"]
            return Reply(200, {"id": "1", "client_id": "app-7", "client_secret": "app-secret-7"})
        known = form["client_id"] == "app-7" and form["client_secret"] == "app-secret-7"
        if not known or form["redirect_uri"] != self.redirect or form["code"] not in self.codes:
            return Reply(400, {"error": "invalid_grant", "error_description": "no such code"})
        self.codes.discard(form["code"])
        return Reply(200, {"access_token": TOKEN, "scope": "read:accounts write:statuses"})

    def _about(self, name: str) -> Reply:
        if name == "instance":
            limits = {"max_characters": self.max_characters, "max_media_attachments": 4}
            return Reply(200, {"version": "4.6.0", "configuration": {"statuses": limits}})
        return Reply(200, {"id": ACCOUNT, "acct": "kejari", "url": f"{self.url}/@kejari"})

    def _id(self) -> str:
        self._next += 1
        return str(self._next)

    def _upload(self, seen: Seen) -> Reply:
        name, file = self._id(), seen.parts["file"]
        alt = seen.parts["description"].text
        self.media[name] = {"alt": alt, "sha256": file.sha256, "polls": self.slow_media}
        return Reply(202 if self.slow_media else 200, {"id": name, "url": None})

    def _media_state(self, name: str) -> Reply:
        media = self.media.get(name)
        if media is None or any(name in status["media_ids"] for status in self.statuses.values()):
            return Reply(404, {"error": "Record not found"})
        media["polls"] = max(media["polls"] - 1, 0)
        return Reply(206 if media["polls"] else 200, {"id": name})

    def _fields(self, seen: Seen) -> dict[str, Any]:
        return {"text": seen.json["status"], "media_ids": seen.json.get("media_ids", [])}

    def _post(self, seen: Seen) -> Reply:
        key = seen.headers.get("idempotency-key", "")
        if self.honours_keys and key in self.keys:
            return Reply(200, self._shown(self.statuses[self.keys[key]]))
        fields = self._fields(seen)
        if MastodonAdapter.measure(fields["text"]) > self.max_characters:
            return Reply(422, {"error": "Validation failed: Text character limit of 500 exceeded"})
        if any(self.media[name]["polls"] for name in fields["media_ids"]):
            return Reply(422, {"error": "Cannot attach files that have not finished processing."})
        parent = seen.json.get("in_reply_to_id")
        status = {"id": self._id(), "at": datetime.now(UTC), "in_reply_to_id": parent, **fields}
        self.statuses[status["id"]] = status
        self.keys[key] = status["id"]
        return Reply(200, self._shown(status))

    def _list(self, seen: Seen) -> Reply:
        newest = sorted(self.statuses.values(), key=lambda status: status["id"], reverse=True)
        before = seen.query.get("max_id", "9" * 18)
        page = [status for status in newest if status["id"] < before]
        return Reply(200, [self._shown(status) for status in page[: int(seen.query["limit"])]])

    def _shown(self, status: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": status["id"],
            "url": f"{self.url}/@kejari/{status['id']}",
            "created_at": status["at"].isoformat().replace("+00:00", "Z"),
            "in_reply_to_id": status["in_reply_to_id"],
            "content": as_html(status["text"]),
        }


def as_html(text: str) -> str:
    """A status's text as Mastodon shows it: paragraphs, and links with their scheme hidden."""

    def link(found: re.Match[str]) -> str:
        scheme, rest = found[1], found[2]
        return (
            f'<a href="{scheme}{rest}" rel="nofollow"><span class="invisible">{scheme}</span>'
            f'<span class="ellipsis">{rest[:30]}</span>'
            f'<span class="invisible">{rest[30:]}</span></a>'
        )

    escaped = re.sub(r"(https?://)([^\s<]+)", link, html.escape(text, quote=False))
    paragraphs = escaped.split("\n\n")
    return "".join(f"<p>{p}</p>" for p in paragraphs).replace("\n", "<br />")


class MastodonCase(Case):
    """The case of the conformance suite."""

    platform = "mastodon"
    SECRETS = (TOKEN,)
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): ({"error": "The access token is invalid"}, {}, AuthRevoked),
        ("check", 403): ({"error": "Your login is currently disabled"}, {}, AccountRestricted),
        ("check", 503): (b"<html><body>Maintenance</body></html>", {}, RetryLater),
        ("check", 400): (b"Invalid Bearer token", {}, AuthRevoked),
        ("check", 422): (b"", {}, AuthRevoked),
        ("prepare", 422): (
            {"error": "Validation failed: File content type is invalid"},
            {},
            MediaRejected,
        ),
        ("prepare", 500): (b"", {}, RetryLater),
        ("publish", 400): ({"error": {"issues": ["status"]}}, {}, RejectedContent),
        ("publish", 401): ({"error": "The access token was revoked"}, {}, AuthRevoked),
        ("publish", 403): (
            {"error": "This action is outside the authorized scopes"},
            {},
            PermissionDenied,
        ),
        ("publish", 404): (
            {"error": "The post you are trying to reply to does not appear to exist."},
            {},
            RejectedContent,
        ),
        ("publish", 422): (
            {"error": "Cannot attach files that have not finished processing. Try again."},
            {},
            MediaProcessing,
        ),
        ("publish", 409): ({"error": "Conflict"}, {}, RejectedContent),
        ("publish", 500): (b"", {}, UnknownOutcome),
        ("find", 422): ({"error": "This method requires an authenticated user"}, {}, AuthRevoked),
    }

    def start(self) -> FakeMastodon:
        return FakeMastodon()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN)}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeMastodon)
        platform.tokens.clear()
