"""Instagram as far as an announcement needs it; facts: developers.facebook.com, Instagram."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from graph_platform import FakeContainers, no
from PIL import Image as Picture
from pydantic import SecretStr

from crosspost.config import Config
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    MediaUnreachable,
    QuotaExhausted,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Image, Post
from crosspost.rendering.measure import utf16
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, Reply

TOKEN = "IGAA-instagram/token=secret"
ACCOUNT = "17841400000000001"


class FakeInstagram(FakeContainers):
    """One professional account."""

    account, limits = ACCOUNT, "content_publishing_limit"
    making, publishing, listing = "media", "media_publish", "media"
    text_field, state_field, words_field = "caption", "status_code", "status"

    def __init__(self) -> None:
        super().__init__(TOKEN)

    def refusal(self, fields: dict[str, str]) -> Reply | None:
        if utf16(fields.get("caption", "")) > 2200:
            return Reply(400, no(100, "The caption is too long", 2207010))
        children = len(fields.get("children", "").split(","))
        if "image_url" not in fields and "video_url" not in fields and children not in range(2, 11):
            return Reply(400, no(100, "The children are too few or too many", 2207028))
        return None


def one_image() -> Image:
    """What a post without images gets, since Instagram takes none without."""
    path = Path(tempfile.gettempdir()) / "crosspost-case-instagram.jpg"
    if not path.exists():
        Picture.new("RGB", (64, 48), (1, 2, 3)).save(path, "JPEG")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Image(path, digest, "image/jpeg", "Kartu", 64, 48, len(content))


class InstagramCase(Case):
    """The case of the conformance suite."""

    platform = "instagram"
    SECRETS = (TOKEN,)
    uploads = True
    threads = False
    shows_link = False  # addresses in a caption are no links
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 400): (no(190, "Session has expired", 463), {}, AuthRevoked),
        ("check", 404): (no(100, "Object does not exist", 33), {}, TargetGone),
        ("prepare", 400): (no(9004, "Could not be fetched", 2207052), {}, MediaUnreachable),
        ("prepare", 415): (no(36003, "The aspect ratio", 2207009), {}, MediaRejected),
        ("prepare", 403): (no(25, "The account is restricted", 2207050), {}, AccountRestricted),
        ("prepare", 422): (no(100, "The caption is too long", 2207010), {}, RejectedContent),
        ("prepare", 504): (no(-2, "Timeout", 2207003), {}, RetryLater),
        ("publish", 400): (no(9007, "Not ready", 2207027), {}, MediaProcessing),
        ("publish", 403): (no(9, "Too many posts", 2207042), {}, QuotaExhausted),
        ("publish", 410): (no(-2, "The container has expired", 2207020), {}, MediaExpired),
        ("publish", 418): (no(4, "Blocked as spam", 2207051), {}, AccountRestricted),
        ("publish", 500): (no(-1, "Server trouble", 2207001), {}, UnknownOutcome),
    }

    def start(self) -> FakeInstagram:
        return FakeInstagram()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN), "account_id": ACCOUNT}

    def config(self, platform: Platform) -> Config:
        assert isinstance(platform, FakeInstagram)
        return platform.config()

    def post(
        self, text: str, *, link: str = "", images: tuple[Image, ...] = (), lang: str = "id"
    ) -> Post:
        post = super().post(text, link=link, images=images, lang=lang)
        return post if images else replace(post, images=(one_image(),))

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeInstagram)
        platform.revoked = True
