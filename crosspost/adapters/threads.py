"""Threads: short texts, images, chains of answers to oneself.

It must not use `auto_publish_text`: without a container nobody could tell afterwards whether a post
is out. Facts: developers.facebook.com, Threads "Create posts", "Retrieve and manage replies".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from crosspost.adapters import lending
from crosspost.adapters.containers import ContainerAdapter
from crosspost.adapters.graph import GraphSettings
from crosspost.adapters.oauth import OAuth
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Image, Outgoing, Receipt, Reconcile, Video
from crosspost.quotas import Quota
from crosspost.rendering import measure
from crosspost.wording import t


class ThreadsSettings(GraphSettings):
    """`reply_control`: who may answer."""

    base_url: WebAddress = "https://graph.threads.net"
    version: str = Field(default="v1.0", pattern=r"^v\d+\.\d+$")
    reply_control: Literal["everyone", "accounts_you_follow", "mentioned_only"] = "everyone"
    posts_per_day: int = Field(default=250, ge=0)


class ThreadsAdapter(ContainerAdapter):
    """One account: the one whose token it is."""

    platform = "threads"
    title = "Threads"
    Settings = ThreadsSettings
    capabilities: Capabilities = Capabilities(
        max_length=500,
        max_images=20,
        image_bytes=8_000_000,
        image_side=1440,
        image_shapes=(0.1, 10.0),
        max_alt=1000,
        max_videos=1,
        video_bytes=1_000_000_000,
        video_seconds=5 * 60,
        video_types=("video/mp4", "video/quicktime"),
        video_codecs=("h264", "hevc"),
        max_hashtags=1,  # it makes a link of one
        threads=True,
        delete=True,
        reconcile=Reconcile.TWO_PHASE,
        settle=timedelta(minutes=2),  # longer than our own time-out and the server's queue
    )
    quotas = (Quota(Decimal(250), timedelta(days=1), setting="posts_per_day"),)
    token_in_header = False
    account = "me"
    making, publishing, listing = "threads", "threads_publish", "threads"
    limits = "threads_publishing_limit"
    state_fields = ("status", "error_message")
    shown_fields = ("id", "text", "permalink", "timestamp")
    oauth = OAuth(
        authorize="https://threads.net/oauth/authorize",
        token="/oauth/access_token",  # noqa: S106 - an address
        scopes=(
            "threads_basic",
            "threads_content_publish",
            "threads_manage_replies",
            "threads_read_replies",
            "threads_delete",
        ),
        separator=",",
        pkce="",
    )
    trade = "th"
    measure = staticmethod(measure.threads)  # characters; an emoji counts its bytes in UTF-8

    def setup(self) -> None:
        if not lending.can_lend(self.context.config):
            self.capabilities = replace(self.capabilities, max_images=0, max_videos=0)

    def check(self) -> Account:
        answer = self.graph("GET", "me", {"fields": "id,username"}, phase="check")
        with self.reading(answer, "check"):
            name = str(answer.data["username"])
        warnings: tuple[str, ...] = ()
        if not self.capabilities.max_images:
            warnings = (
                t(
                    "{platform} fetches images from the office's own pages: without a section "
                    "[site] only texts can be posted.",
                    platform=self.title,
                ),
            )
        return Account(f"@{name}", f"https://www.threads.com/@{name}", self.quota(), warnings)

    def item(self, media: Image | Video, address: str) -> dict[str, str]:
        kind = "VIDEO" if isinstance(media, Video) else "IMAGE"
        return {"media_type": kind, f"{kind.lower()}_url": address, "alt_text": media.alt}

    def whole(self, outgoing: Outgoing) -> dict[str, str]:
        post = outgoing.post
        fields = {"text": post.text, "reply_control": self.settings.reply_control}
        if not (post.images or post.videos):
            fields["media_type"] = "TEXT"
            if post.link:
                fields["link_attachment"] = post.link
        if outgoing.parent:
            fields["reply_to_id"] = outgoing.parent.remote_id
        return fields

    def list_of(self, outgoing: Outgoing) -> str:
        return f"{self.account}/{'replies' if outgoing.parent else self.listing}"

    def delete(self, receipt: Receipt) -> None:
        self.take_down(receipt.remote_id, self.account)
