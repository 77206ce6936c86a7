"""TikTok as far as an announcement needs it; facts: developers.tiktok.com, Content Posting API."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any, ClassVar

from one_video import one_video
from pydantic import SecretStr

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
from crosspost.rendering.measure import utf16
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "act.tiktok/token=secret"


def said(data: Any = None, code: str = "ok", message: str = "") -> dict[str, Any]:
    """An answer as TikTok forms it."""
    error = {"code": code, "message": message, "log_id": "2026112509"}
    return {"data": data or {}, "error": error}


class FakeTikTok(Platform):
    """One account. `uploads` are what it calls publish ids."""

    slow = 0  # so many times a whole video says that it is being worked on
    failing = ""  # why whole videos fail from now on
    privacy: ClassVar[list[str]] = ["PUBLIC_TO_EVERYONE", "SELF_ONLY"]
    tells_bytes = True

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.uploads: dict[str, dict[str, Any]] = {}

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(name, upload["title"], (("", upload["sha256"]),))
            for name, upload in self.uploads.items()
            if self._whole(upload) and not upload["failed"]
        ]

    def _whole(self, upload: dict[str, Any]) -> bool:
        return bool(len(upload["body"]) == upload["size"])

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/user/info/":
            return "check"
        if seen.path == "/post/publish/status/fetch/":
            upload = self.uploads.get((seen.json or {}).get("publish_id", ""))
            begun = upload and upload["asked"]  # the first question comes while preparing
            return "find" if begun else "prepare"
        found = re.fullmatch(r"bytes \d+-(\d+)/(\d+)", seen.headers.get("content-range", ""))
        last = found and int(found[1]) + 1 == int(found[2])
        return "publish" if last else "prepare"

    def answer(self, seen: Seen) -> Reply:
        if seen.method == "PUT":
            return self._receive(seen)
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, said(code="access_token_invalid", message="invalid"))
        match seen.path:
            case "/user/info/":
                return Reply(200, said({"user": {"open_id": "o", "display_name": "Kejari"}}))
            case "/post/publish/creator_info/query/":
                about = {"creator_username": "kejari", "max_video_post_duration_sec": 300}
                return Reply(200, said(about | {"privacy_level_options": self.privacy}))
            case "/post/publish/video/init/" | "/post/publish/inbox/video/init/":
                return self._begin(seen)
            case "/post/publish/status/fetch/":
                return self._state(seen.json["publish_id"])
        return Reply(404, said(code="not_found"))

    def _begin(self, seen: Seen) -> Reply:
        source, info = seen.json["source_info"], seen.json.get("post_info", {})
        if utf16(info.get("title", "")) > 2200:
            return Reply(400, said(code="invalid_params", message="title is too long"))
        assert source["total_chunk_count"] == max(1, source["video_size"] // source["chunk_size"])
        name = f"v_pub_file~{len(self.uploads) + 1}"
        self.uploads[name] = {
            "size": source["video_size"],
            "title": info.get("title", ""),
            "draft": "inbox" in seen.path,
            "body": b"",
            "polls": self.slow,
            "failed": "",
            "asked": 0,
        }
        where = f"{self.url}/upload/?upload_id={name}"
        return Reply(200, said({"publish_id": name, "upload_url": where}))

    def _receive(self, seen: Seen) -> Reply:
        assert "authorization" not in seen.headers
        upload = self.uploads.get(seen.query.get("upload_id", ""))
        if upload is None:
            return Reply(404)
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", seen.headers["content-range"])
        if not found or int(found[1]) != len(upload["body"]):
            return Reply(416)
        upload["body"] += seen.body
        if not self._whole(upload):
            return Reply(206)
        upload["failed"] = self.failing
        upload["sha256"] = hashlib.sha256(upload["body"]).hexdigest()
        return Reply(201)

    def _state(self, name: str) -> Reply:
        upload = self.uploads.get(name)
        if upload is None:
            return Reply(400, said(code="invalid_publish_id"))
        upload["asked"] += 1
        word = "SEND_TO_USER_INBOX" if upload["draft"] else "PUBLISH_COMPLETE"
        if not self._whole(upload):
            word = "PROCESSING_UPLOAD"
        elif upload["polls"]:
            upload["polls"] -= 1
            word = "PROCESSING_UPLOAD"
        elif upload["failed"]:
            word = "FAILED"
        state: dict[str, Any] = {"status": word, "fail_reason": upload["failed"]}
        if self.tells_bytes:
            state["uploaded_bytes"] = len(upload["body"])
        return Reply(200, said(state))


class TikTokCase(Case):
    """The case of the conformance suite: posted at once, since a draft has no text."""

    platform = "tiktok"
    SECRETS = (TOKEN,)
    uploads = True
    threads = False
    shows_link = False
    has_permalink = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (said(code="access_token_invalid"), {}, AuthRevoked),
        ("check", 403): (said(code="scope_not_authorized"), {}, PermissionDenied),
        ("check", 400): (said(code="invalid_params"), {}, Misconfigured),
        ("check", 500): (said(code="internal_error"), {}, RetryLater),
        ("prepare", 400): (said(code="invalid_params"), {}, RejectedContent),
        ("prepare", 403): (said(code="spam_risk_too_many_posts"), {}, QuotaExhausted),
        ("prepare", 418): (said(code="spam_risk_user_banned_from_posting"), {}, AccountRestricted),
        ("prepare", 429): (said(code="rate_limit_exceeded"), {}, RateLimited),
        ("prepare", 415): (said(code="file_format_check_failed"), {}, MediaRejected),
        ("publish", 416): (b"", {}, MediaExpired),
        ("publish", 403): (b"<html>expired</html>", {}, MediaExpired),
        ("publish", 500): (b"", {}, UnknownOutcome),
        ("find", 400): (said(code="invalid_publish_id"), {}, Misconfigured),
    }

    def start(self) -> FakeTikTok:
        return FakeTikTok()

    def options(self, platform: Platform) -> dict[str, Any]:
        token = SecretStr(TOKEN)
        return {"base_url": platform.url, "access_token": token, "mode": "direct"}

    def post(
        self, text: str, *, link: str = "", images: tuple[Image, ...] = (), lang: str = "id"
    ) -> Post:
        post = super().post(text, link=link, images=images, lang=lang)
        return replace(post, videos=(one_video(),))

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeTikTok)
        platform.tokens.clear()
