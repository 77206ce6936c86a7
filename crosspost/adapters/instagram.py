"""Instagram, for professional accounts: one to ten images, or a video, with a caption.

It must not post without an image or a video, which Instagram has no way for. They are fetched from
the office's own pages. Facts: developers.facebook.com, Instagram Platform "Content publishing".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field

from crosspost.adapters import lending
from crosspost.adapters.base import Answer
from crosspost.adapters.containers import ContainerAdapter
from crosspost.adapters.graph import GraphSettings
from crosspost.adapters.oauth import OAuth
from crosspost.config import WebAddress
from crosspost.errors import ConfigError, NotSupported
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Image,
    Outgoing,
    Receipt,
    Reconcile,
    Video,
)
from crosspost.quotas import Quota
from crosspost.rendering.measure import utf16
from crosspost.tokens import Token
from crosspost.wording import t


class InstagramSettings(GraphSettings):
    """`account_id` is the professional account's number, `login_url` where its codes become
    tokens. `deletes` only for a token by way of a
    Facebook Page, with instagram_manage_contents."""

    base_url: WebAddress = "https://graph.instagram.com"
    login_url: WebAddress = "https://api.instagram.com"
    account_id: str = Field(pattern=r"^\d{3,20}$", coerce_numbers_to_str=True)
    deletes: bool = False
    posts_per_day: int = Field(default=50, ge=0)  # Meta's documents say 50 here and 100 there


class InstagramAdapter(ContainerAdapter):
    """One professional account."""

    platform = "instagram"
    title = "Instagram"
    Settings = InstagramSettings
    capabilities: Capabilities = Capabilities(
        max_length=2200,
        max_images=10,
        image_bytes=8_000_000,
        image_side=1440,
        image_types=("image/jpeg",),
        image_shapes=(0.8, 1.91),
        max_alt=1000,
        max_hashtags=5,
        max_videos=1,  # a reel
        max_video_alt=100_000,  # it has no field for it
        video_bytes=300_000_000,
        video_seconds=15 * 60,
        video_types=("video/mp4", "video/quicktime"),
        video_codecs=("h264", "hevc"),
        needs_media=True,
        card=CardMaker.NONE,
        reconcile=Reconcile.TWO_PHASE,
        settle=timedelta(minutes=2),  # longer than our own time-out and the server's queue
    )
    quotas = (Quota(Decimal(50), timedelta(days=1), setting="posts_per_day"),)
    making, publishing, listing = "media", "media_publish", "media"
    limits = "content_publishing_limit"
    state_fields = ("status_code", "status")
    shown_fields = ("id", "caption", "permalink", "timestamp")
    oauth = OAuth(
        authorize="https://www.instagram.com/oauth/authorize",
        token="/oauth/access_token",  # noqa: S106 - an address
        scopes=("instagram_business_basic", "instagram_business_content_publish"),
        separator=",",
        pkce="",
    )
    trade = "ig"
    measure = staticmethod(utf16)  # UTF-16 code units: never less than Instagram counts

    def setup(self) -> None:
        if not lending.can_lend(self.context.config):
            raise ConfigError(
                t(
                    "[channels.{name}]: {platform} fetches images from the office's own pages, "
                    "so a section [site] with url is needed.",
                    name=self.context.channel or self.platform,
                    platform=self.title,
                )
            )
        self.account = self.settings.account_id
        self.capabilities = replace(self.capabilities, delete=self.settings.deletes)

    def check(self) -> Account:
        answer = self.graph("GET", self.account, {"fields": "id,username"}, phase="check")
        with self.reading(answer, "check"):
            name = str(answer.data["username"])
        return Account(f"@{name}", f"https://www.instagram.com/{name}/", self.quota())

    # --- logging in -------------------------------------------------------------------------------

    def identity(self) -> str:
        return f"{self.settings.app_id} {self.settings.account_id}"

    def token_address(self) -> str:
        return f"{self.settings.login_url}{self.oauth.token}"

    def token_of(self, answer: Answer, before: Token | None = None) -> Token:
        """Some answers hold the token in a list of one ("Business login")."""
        data = answer.data
        wrapped = data.get("data") if isinstance(data, dict) else None
        if not isinstance(wrapped, list):
            return super().token_of(answer, before)
        with self.reading(answer, "login"):
            return Token.of_answer(wrapped[0], self.of(), self.context.now(), before)

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        if not (outgoing.post.images or outgoing.post.videos):
            raise NotSupported(
                t("{platform} takes no post without an image or a video.", platform=self.title),
                platform=self.platform,
            )
        return super().prepare(outgoing)

    def item(self, media: Image | Video, address: str) -> dict[str, str]:
        if isinstance(media, Video):  # for which Instagram has no field of a description
            return {"media_type": "REELS", "video_url": address, "share_to_feed": "true"}
        return {"image_url": address, "alt_text": media.alt}

    def whole(self, outgoing: Outgoing) -> dict[str, str]:
        return {"caption": outgoing.post.text}

    def delete(self, receipt: Receipt) -> None:
        if not self.capabilities.delete:
            super().delete(receipt)
        self.take_down(receipt.remote_id, self.account)
