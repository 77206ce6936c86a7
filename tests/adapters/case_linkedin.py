"""LinkedIn's page of an organisation as far as an announcement needs it; facts:
learn.microsoft.com, LinkedIn Community Management."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import unquote

from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    DuplicateDetected,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
    VersionRetired,
)
from crosspost.rendering.measure import utf16
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "AQX-linkedin/token=secret"
PAGE = "2414183"
AUTHOR = f"urn:li:organization:{PAGE}"
VERSION = "202608"


def no(status: int, code: str, message: str) -> dict[str, Any]:
    """An error as LinkedIn words it."""
    return {"status": status, "code": code, "message": message}


def shown(commentary: str) -> str:
    """What readers see; a text ends at the first sign of markup that is not escaped."""
    text, rest = "", commentary
    while rest:
        tag = re.match(r"\{hashtag\|\\#\|((?:\\.|[^}\\])*)\}", rest)
        if tag:
            text, rest = text + "#" + re.sub(r"\\(.)", r"\1", tag[1]), rest[tag.end() :]
        elif rest[0] == "\\":
            text, rest = text + rest[1:2], rest[2:]
        elif rest[0] in "|{}@[]()<>#*_~":
            break
        else:
            text, rest = text + rest[0], rest[1:]
    return text


class FakeLinkedIn(Platform):
    """One page, and a member who administers it."""

    role = "ADMINISTRATOR"
    slow = 1  # so many times an image says that it is being worked on

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.images: dict[str, dict[str, Any]] = {}  # and videos
        self.part = 40_000  # bytes of a part of a video
        self.feed: dict[str, dict[str, Any]] = {}
        self._next = 7_200_000_000_000_000_000

    @property
    def posts(self) -> list[PublicPost]:
        return [self._public(name, post) for name, post in self.feed.items()]

    def _public(self, name: str, post: dict[str, Any]) -> PublicPost:
        content = post.get("content", {})
        single = [content["media"]] if "media" in content else []
        images = content.get("multiImage", {}).get("images", single)
        pictures = tuple((i.get("altText", ""), self.images[i["id"]]["sha256"]) for i in images)
        link = content.get("article", {}).get("source", "")
        return PublicPost(name, shown(post["commentary"]), pictures, link)

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/rest/organizationAcls":
            return "check"
        if seen.path.startswith(("/rest/images", "/rest/videos", "/dms-uploads/", "/parts/")):
            return "prepare"
        if seen.path == "/rest/posts":
            return {"GET": "find", "POST": "publish"}[seen.method]
        return {"POST": "edit", "DELETE": "delete"}.get(seen.method, "name")

    def answer(self, seen: Seen) -> Reply:
        if seen.path.startswith("/parts/"):
            return self._part(seen)
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, no(401, "REVOKED_ACCESS_TOKEN", "The token has been revoked"))
        if seen.path.startswith("/dms-uploads/"):
            image = self.images[unquote(seen.path.rpartition("/")[2])]
            image["sha256"] = hashlib.sha256(seen.body).hexdigest()
            return Reply(201)
        if seen.headers.get("linkedin-version") != VERSION:
            words = f"Requested version {seen.headers.get('linkedin-version')} is not active"
            return Reply(426, no(426, "NONEXISTENT_VERSION", words))
        return self._do(seen, unquote(seen.path.rpartition("/")[2]))

    def _do(self, seen: Seen, name: str) -> Reply:
        match seen.method, seen.path:
            case "GET", "/rest/organizationAcls":
                acl = {"organization": AUTHOR, "role": self.role, "state": "APPROVED"}
                return Reply(200, {"elements": [acl], "paging": {"start": 0, "count": 100}})
            case "GET", path if path == f"/rest/organizations/{PAGE}":
                return Reply(200, {"id": int(PAGE), "localizedName": "Kejari Contoh"})
            case "POST", "/rest/images" | "/rest/videos":
                return self._uploading(seen)
            case "GET", _ if name in self.images:
                assert seen.path.startswith(f"/rest/{name.split(':')[2]}s/")
                return self._state(self.images[name])
            case "POST", "/rest/posts":
                return self._post(seen.json)
            case "GET", "/rest/posts":
                return self._list(seen)
            case "POST", _ if name in self.feed:
                assert seen.headers["x-restli-method"] == "PARTIAL_UPDATE"
                self.feed[name] |= seen.json["patch"]["$set"]
                return Reply(204)
            case "DELETE", _:
                self.feed.pop(name, None)
                return Reply(204)
        return Reply(404, no(404, "RESOURCE_NOT_FOUND", "No such resource"))

    def _uploading(self, seen: Seen) -> Reply:
        if seen.query["action"] == "finalizeUpload":
            return self._whole(seen.json["finalizeUploadRequest"])
        request = seen.json["initializeUploadRequest"]
        return self._image(request) if seen.path == "/rest/images" else self._video(request)

    def _id(self) -> str:
        self._next += 1
        return str(self._next)

    def _image(self, request: dict[str, str]) -> Reply:
        assert request == {"owner": AUTHOR}
        name = f"urn:li:image:C{self._id()}"
        self.images[name] = {"polls": self.slow, "sha256": "", "id": name}
        where = f"{self.url}/dms-uploads/{name}"
        value = {"uploadUrl": where, "image": name, "uploadUrlExpiresAt": 1_900_000_000_000}
        return Reply(200, {"value": value})

    def _video(self, request: dict[str, Any]) -> Reply:
        size = request["fileSizeBytes"]
        assert request["owner"] == AUTHOR
        name = f"urn:li:video:C{self._id()}"
        self.images[name] = {"polls": self.slow, "sha256": "", "id": name, "parts": {}}
        parts = [
            {
                "uploadUrl": f"{self.url}/parts/{name}/{first}",
                "firstByte": first,
                "lastByte": min(first + self.part, size) - 1,
            }
            for first in range(0, size, self.part)
        ]
        return Reply(
            200, {"value": {"video": name, "uploadToken": "", "uploadInstructions": parts}}
        )

    def _part(self, seen: Seen) -> Reply:
        """Whoever knows the address may write."""
        assert "authorization" not in seen.headers
        _, _, name, first = unquote(seen.path).split("/")
        mark = f"/ambry-video/part-{first}"
        self.images[name]["parts"][mark] = seen.body
        return Reply(200, headers={"ETag": mark})

    def _whole(self, request: dict[str, Any]) -> Reply:
        video = self.images[request["video"]]
        if set(request["uploadedPartIds"]) != set(video["parts"]):
            return Reply(400, no(400, "INVALID_PARTS", "Parts are missing"))
        content = b"".join(video["parts"][mark] for mark in request["uploadedPartIds"])
        video["sha256"] = hashlib.sha256(content).hexdigest()
        return Reply(200, {})

    def _state(self, image: dict[str, Any]) -> Reply:
        image["polls"] = max(image["polls"] - 1, -1)
        state = "AVAILABLE" if image["polls"] < 0 else "PROCESSING"
        return Reply(200, {"id": image["id"], "owner": AUTHOR, "status": state})

    def _post(self, post: dict[str, Any]) -> Reply:
        if post["author"] != AUTHOR or post["lifecycleState"] != "PUBLISHED":
            return Reply(403, no(403, "ACCESS_DENIED", "Not enough permissions"))
        if utf16(post["commentary"]) > 3000:
            return Reply(400, no(400, "FIELD_LENGTH_TOO_LONG", "commentary is too long"))
        for name, known in self.feed.items():
            if known["commentary"] == post["commentary"]:
                words = f"Content is a duplicate of {name}"
                return Reply(422, no(422, "DUPLICATE_POST", words))
        name = f"urn:li:share:{self._id()}"
        now = int(datetime.now(UTC).timestamp() * 1000)
        self.feed[name] = {**post, "id": name, "createdAt": now, "publishedAt": now}
        return Reply(201, headers={"x-restli-id": name})

    def _list(self, seen: Seen) -> Reply:
        assert seen.headers["x-restli-method"] == "FINDER"
        assert seen.query["author"] == AUTHOR
        newest = list(reversed(list(self.feed.values())))
        start, size = int(seen.query["start"]), int(seen.query["count"])
        return Reply(200, {"elements": newest[start : start + size], "paging": {"start": start}})


class LinkedInCase(Case):
    """The case of the conformance suite."""

    platform = "linkedin"
    SECRETS = (TOKEN,)
    uploads = True
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (no(401, "EXPIRED_ACCESS_TOKEN", "expired"), {}, AuthRevoked),
        ("check", 403): (no(403, "ACCESS_DENIED", "Not enough permissions"), {}, PermissionDenied),
        ("check", 400): (no(400, "ILLEGAL_ARGUMENT", "version"), {}, Misconfigured),
        ("check", 426): (no(426, "NONEXISTENT_VERSION", "not active"), {}, VersionRetired),
        ("check", 500): (b"", {}, RetryLater),
        ("prepare", 400): (no(400, "ILLEGAL_ARGUMENT", "image"), {}, MediaRejected),
        ("publish", 400): (no(400, "FIELD_LENGTH_TOO_LONG", "too long"), {}, RejectedContent),
        ("publish", 401): (no(401, "REVOKED_ACCESS_TOKEN", "revoked"), {}, AuthRevoked),
        ("publish", 403): (no(403, "ACCESS_DENIED", "no"), {}, PermissionDenied),
        ("publish", 409): (no(409, "DUPLICATE_POST", "urn:li:share:1"), {}, DuplicateDetected),
        ("publish", 422): (no(422, "DUPLICATE_POST", "urn:li:share:1"), {}, DuplicateDetected),
        ("publish", 426): (no(426, "NONEXISTENT_VERSION", "not active"), {}, VersionRetired),
        ("publish", 429): (no(429, "TOO_MANY_REQUESTS", "throttled"), {}, RateLimited),
        ("publish", 500): (b"", {}, UnknownOutcome),
        ("find", 403): (no(403, "ACCESS_DENIED", "r_organization_social"), {}, PermissionDenied),
    }

    def start(self) -> FakeLinkedIn:
        return FakeLinkedIn()

    def options(self, platform: Platform) -> dict[str, Any]:
        token = SecretStr(TOKEN)
        return {"base_url": platform.url, "access_token": token, "organization_id": PAGE}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeLinkedIn)
        platform.tokens.clear()
