"""Threads as far as an announcement needs it; facts: developers.facebook.com, Threads."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from graph_platform import FakeContainers, no
from pydantic import SecretStr

from crosspost.config import Config
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaRejected,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.rendering import measure
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, Reply

TOKEN = "THAA-threads/token=secret"


class FakeThreads(FakeContainers):
    """One account."""

    version = "v1.0"
    account, limits = "me", "threads_publishing_limit"
    making, publishing, listing = "threads", "threads_publish", "threads"
    text_field, state_field, words_field = "text", "status", "error_message"

    def __init__(self) -> None:
        super().__init__(TOKEN)

    def refusal(self, fields: dict[str, str]) -> Reply | None:
        if measure.threads(fields.get("text", "")) > 500:
            return Reply(400, no(100, "Param text must be at most 500 characters long."))
        if len(set(re.findall(r"https?://\S+", fields.get("text", "")))) > 5:
            return Reply(400, no(100, "THREADS_API__LINK_LIMIT_EXCEEDED"))
        if fields.get("media_type") not in ("TEXT", "IMAGE", "VIDEO", "CAROUSEL"):
            return Reply(400, no(100, "Param media_type must be one of ..."))
        if fields.get("reply_to_id") and fields["reply_to_id"] not in self.published:
            return self.absent(fields["reply_to_id"])
        return None


class ThreadsCase(Case):
    """The case of the conformance suite."""

    platform = "threads"
    SECRETS = (TOKEN,)
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 400): (no(190, "Session has expired", 463), {}, AuthRevoked),
        ("check", 500): (no(2, "Service temporarily unavailable"), {}, RetryLater),
        ("prepare", 400): (no(100, "THREADS_API__LINK_LIMIT_EXCEEDED"), {}, RejectedContent),
        ("prepare", 415): (no(36001, "The image format", 2207005), {}, MediaRejected),
        ("publish", 403): (no(10, "No permission"), {}, PermissionDenied),
        ("publish", 418): (no(4, "Restricted", 4279013), {}, AccountRestricted),
        ("publish", 429): (no(17, "User request limit reached"), {}, RateLimited),
        ("publish", 500): (no(1, "An unknown error occurred"), {}, UnknownOutcome),
        ("delete", 403): (no(10, "threads_delete is needed"), {}, PermissionDenied),
    }

    def start(self) -> FakeThreads:
        return FakeThreads()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN)}

    def config(self, platform: Platform) -> Config:
        assert isinstance(platform, FakeThreads)
        return platform.config()

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeThreads)
        platform.revoked = True
