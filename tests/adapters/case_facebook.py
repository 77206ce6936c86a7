"""A Facebook Page as far as an announcement needs it; facts: developers.facebook.com, Pages API."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from graph_platform import FakeGraph, no
from pydantic import SecretStr

from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    DuplicateDetected,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
    VersionRetired,
)
from crosspost.rendering.measure import utf16
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "EAAB+page/token=secret"
PAGE = "100200300400500"


class FakeFacebook(FakeGraph):
    """One Page with its own token."""

    scopes = ("pages_manage_posts", "pages_read_engagement")

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.whose = PAGE  # whose token it is
        self.photos: dict[str, tuple[str, str]] = {}
        self.used: set[str] = set()
        self.feed: dict[str, dict[str, Any]] = {}

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(name, post["message"], post["photos"], post["link"])
            for name, post in self.feed.items()
        ]

    def phase_of(self, seen: Seen) -> str:
        path = seen.path.partition("/v26.0/")[2]
        if path == "me" or path == PAGE:
            return "check"
        if path == f"{PAGE}/feed":
            return "publish"
        if path == f"{PAGE}/published_posts":
            return "find"
        if path == f"{PAGE}/photos" or (path in self.photos):
            return "prepare"
        return {"POST": "edit", "DELETE": "delete"}.get(seen.method, "address")

    def do(self, seen: Seen, path: str, fields: dict[str, str]) -> Reply:
        match seen.method, path.split("/"):
            case "GET", ["me"]:
                return Reply(200, {"id": self.whose, "name": "Kejari Contoh"})
            case "GET", [name] if name == PAGE:
                return Reply(200, {"id": PAGE})
            case "POST", [_, "photos"]:
                name = self.new_id()
                self.photos[name] = (fields["alt_text_custom"], seen.parts["source"].sha256)
                assert fields["published"] == "false"
                return Reply(200, {"id": name})
            case "POST", [_, "feed"]:
                return self._post(fields)
            case "GET", [_, "published_posts"]:
                return self.page(list(reversed(list(self.feed.values()))), seen)
            case "GET", [name] if name in self.photos:
                return Reply(200, {"id": name})
            case method, [name] if name in self.feed:
                return self._one(method, name, fields)
        return self.absent(path)

    def _post(self, fields: dict[str, str]) -> Reply:
        names = [item["media_fbid"] for item in json.loads(fields.get("attached_media", "[]"))]
        if utf16(fields["message"]) > 63_206:
            return Reply(400, no(100, "(#100) Param message is too long"))
        if self.used & set(names):
            return Reply(400, no(100, "Photos were already posted", 1366051))
        if any(name not in self.photos for name in names):
            return self.absent(",".join(names))
        self.used |= set(names)
        name = f"{PAGE}_{self.new_id()}"
        self.feed[name] = {
            "id": name,
            "message": fields["message"].strip(),
            "created_time": self.now(),
            "permalink_url": f"{self.url}/{PAGE}/posts/{name}",
            "photos": tuple(self.photos[n] for n in names),
            "link": fields.get("link", ""),
        }
        return Reply(200, {"id": name})

    def _one(self, method: str, name: str, fields: dict[str, str]) -> Reply:
        if method == "GET":
            return Reply(200, self.feed[name])
        if method == "DELETE":
            del self.feed[name]
        else:
            self.feed[name]["message"] = fields["message"]
        return Reply(200, {"success": True})


class FacebookCase(Case):
    """The case of the conformance suite."""

    platform = "facebook"
    SECRETS = (TOKEN,)
    uploads = True
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 400): (no(190, "Session has expired", 463), {}, AuthRevoked),
        ("check", 403): (no(10, "Application does not have permission"), {}, PermissionDenied),
        ("check", 404): (no(100, "Object does not exist", 33), {}, TargetGone),
        ("check", 422): (no(100, "Tried accessing nonexisting field"), {}, Misconfigured),
        ("check", 500): (no(2, "Service temporarily unavailable"), {}, RetryLater),
        ("check", 429): (no(4, "Application request limit reached"), {}, RateLimited),
        ("prepare", 400): (no(100, "Invalid image", 1366046), {}, MediaRejected),
        ("prepare", 500): (no(190, "Password changed", 460), {}, AuthRevoked),
        ("publish", 400): (no(100, "(#100) Invalid parameter"), {}, RejectedContent),
        ("publish", 403): (no(200, "Requires pages_manage_posts"), {}, PermissionDenied),
        ("publish", 401): (no(190, "Token was invalidated"), {}, AuthRevoked),
        ("publish", 409): (no(506, "Duplicate status message"), {}, DuplicateDetected),
        ("publish", 418): (no(368, "The action is deemed abusive"), {}, AccountRestricted),
        ("publish", 429): (no(80001, "There have been too many calls"), {}, RateLimited),
        ("publish", 412): (no(1, "An unknown error occurred"), {}, UnknownOutcome),
        ("publish", 500): (no(2, "Service temporarily unavailable"), {}, UnknownOutcome),
        ("publish", 410): (no(2635, "A deprecated version"), {}, VersionRetired),
        ("publish", 451): (no(99999, "Nobody knows"), {}, RejectedContent),
        ("find", 400): (no(10, "pages_read_engagement is needed"), {}, PermissionDenied),
    }

    def start(self) -> FakeFacebook:
        return FakeFacebook()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN), "page_id": PAGE}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeFacebook)
        platform.revoked = True
