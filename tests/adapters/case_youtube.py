"""YouTube as far as an announcement needs it; facts: developers.google.com, YouTube Data API v3."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any, ClassVar

from one_video import one_video
from pydantic import SecretStr

from crosspost.adapters.youtube import shown
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaExpired,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Image, Post
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "ya29.youtube/token=secret"
CHANNEL = "UCkejari00000000000000aa"


def no(code: int, reason: str, message: str = "no") -> dict[str, Any]:
    """An error as Google words it."""
    errors = [{"message": message, "domain": "youtube.video", "reason": reason}]
    return {"error": {"code": code, "message": message, "errors": errors}}


class FakeYouTube(Platform):
    """One channel."""

    slow = 1  # so many times a video says that it is being worked on
    verified = True  # whether Google has verified the app
    outcome: ClassVar[dict[str, str]] = {"uploadStatus": "processed"}

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.videos: dict[str, dict[str, Any]] = {}
        self.has_channel = True
        self._next = 0

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(
                name,
                video["snippet"]["description"],
                (("", video["sha256"]),),
                next(iter(re.findall(r"https?://\S+", video["snippet"]["description"])), ""),
            )
            for name, video in self.videos.items()
            if video["status"]["privacyStatus"] == "public"
        ]

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/youtube/v3/channels":
            return "check"
        if seen.path.startswith("/upload/"):
            return "prepare"
        if seen.method == "GET":  # both phases ask for the status of a video
            video = self.videos.get(seen.query.get("id", ""))
            return "find" if video and video["polls"] < 0 else "prepare"
        part = seen.query.get("part", "")
        return {"PUT": "publish" if part == "status" else "edit"}.get(seen.method, "delete")

    def answer(self, seen: Seen) -> Reply:
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, no(401, "authError", "Invalid Credentials"))
        match seen.method, seen.path:
            case "GET", "/youtube/v3/channels":
                return self._channels()
            case "POST", "/upload/youtube/v3/videos":
                return self._begin(seen)
            case "PUT", "/upload/youtube/v3/videos":
                return self._receive(seen)
            case "GET", "/youtube/v3/videos":
                return self._list(seen.query["id"])
            case "PUT", "/youtube/v3/videos":
                return self._update(seen)
            case "DELETE", "/youtube/v3/videos":
                known = self.videos.pop(seen.query["id"], None)
                return Reply(204) if known else Reply(404, no(404, "videoNotFound"))
        return Reply(404, no(404, "notFound"))

    def _channels(self) -> Reply:
        channel = {"id": CHANNEL, "snippet": {"title": "Kejari Contoh"}}
        items = [channel] if self.has_channel else []
        about = {"pageInfo": {"totalResults": len(items), "resultsPerPage": 5}}
        return Reply(200, about | ({"items": items} if items else {}))

    def _begin(self, seen: Seen) -> Reply:
        snippet, status = seen.json["snippet"], seen.json["status"]
        if refused := self._refusal(snippet):
            return refused
        assert status["privacyStatus"] == "private"
        self._next += 1
        name = f"session-{self._next}"
        size = int(seen.headers["x-upload-content-length"])
        self.sessions[name] = {"body": b"", "size": size, "video": "", "about": seen.json}
        where = f"{self.url}/upload/youtube/v3/videos?uploadType=resumable&upload_id={name}"
        return Reply(200, headers={"Location": where})

    def _refusal(self, snippet: dict[str, str]) -> Reply | None:
        if not snippet["title"] or len(snippet["title"]) > 100 or "<" in snippet["title"]:
            return Reply(400, no(400, "invalidTitle", "The title is not valid"))
        if len(snippet["description"].encode()) > 5000 or "<" in snippet["description"]:
            return Reply(400, no(400, "invalidDescription", "The description is not valid"))
        return None

    def _receive(self, seen: Seen) -> Reply:
        session = self.sessions.get(seen.query.get("upload_id", ""))
        if session is None:
            return Reply(404)
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", seen.headers["content-range"])
        if found:
            assert int(found[2]) - int(found[1]) + 1 == len(seen.body)
            if int(found[1]) != len(session["body"]):
                return Reply(400, no(400, "badContent"))
            session["body"] += seen.body
        if len(session["body"]) < session["size"]:
            end = len(session["body"]) - 1
            return Reply(308, headers={"Range": f"bytes=0-{end}"} if end >= 0 else {})
        if not session["video"]:
            session["video"] = self._keep(session)
        return Reply(200, {"id": session["video"], "kind": "youtube#video"})

    def _keep(self, session: dict[str, Any]) -> str:
        self._next += 1
        name = f"vid{self._next:08d}"
        digest = hashlib.sha256(session["body"]).hexdigest()
        self.videos[name] = {**session["about"], "polls": self.slow, "sha256": digest}
        return name

    def _list(self, name: str) -> Reply:
        items = []
        if video := self.videos.get(name):
            video["polls"] -= 1
            state = {"uploadStatus": "uploaded"} if video["polls"] >= 0 else self.outcome
            items = [{"id": name, "status": video["status"] | state}]
        return Reply(200, {"items": items, "pageInfo": {"totalResults": len(items)}})

    def _update(self, seen: Seen) -> Reply:
        video, part = self.videos.get(seen.json["id"]), seen.query["part"]
        if video is None:
            return Reply(404, no(404, "videoNotFound"))
        if part == "snippet":
            if refused := self._refusal(seen.json["snippet"]):
                return refused
            video["snippet"] = seen.json["snippet"]
        elif self.verified:
            video["status"] = seen.json["status"]
        return Reply(200, {"id": seen.json["id"], "status": video["status"]})


class YouTubeCase(Case):
    """The case of the conformance suite."""

    platform = "youtube"
    SECRETS = (TOKEN,)
    uploads = True
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (no(401, "authError"), {}, AuthRevoked),
        ("check", 403): (no(403, "accessNotConfigured"), {}, Misconfigured),
        ("check", 400): (no(400, "badRequest"), {}, Misconfigured),
        ("prepare", 403): (no(403, "quotaExceeded"), {}, QuotaExhausted),
        ("prepare", 400): (no(400, "uploadLimitExceeded"), {}, QuotaExhausted),
        ("prepare", 415): (no(415, "mediaBodyRequired"), {}, MediaRejected),
        ("prepare", 503): (b"", {}, RetryLater),
        ("publish", 400): (no(400, "invalidVideoMetadata"), {}, RejectedContent),
        ("publish", 401): (no(401, "youtubeSignupRequired"), {}, PermissionDenied),
        ("publish", 403): (no(403, "forbidden"), {}, PermissionDenied),
        ("publish", 404): (no(404, "videoNotFound"), {}, MediaExpired),
        ("publish", 409): (no(409, "authenticatedUserAccountSuspended"), {}, AccountRestricted),
        ("publish", 429): (no(429, "rateLimitExceeded"), {}, RateLimited),
        ("publish", 500): (no(500, "backendError"), {}, UnknownOutcome),
        ("edit", 404): (no(404, "videoNotFound"), {}, RejectedContent),
    }

    def start(self) -> FakeYouTube:
        return FakeYouTube()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN)}

    def post(
        self, text: str, *, link: str = "", images: tuple[Image, ...] = (), lang: str = "id"
    ) -> Post:
        post = super().post(text, link=link, images=images, lang=lang)
        return replace(post, title="Pengumuman", videos=(one_video(),))

    def as_shown(self, text: str) -> str:
        return shown(text)

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeYouTube)
        platform.tokens.clear()
