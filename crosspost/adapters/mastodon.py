"""Mastodon and every server that speaks its API (GoToSocial, Takahe, Hollo, Pleroma, snac, ...).

It must not rely on Idempotency-Key: many of these servers accept it and ignore it, so an unclear
post is looked for first, and the key is the second belt. Facts: docs.joinmastodon.org.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from crosspost.adapters.base import Answer, text_id, timed, web_link
from crosspost.adapters.likeness import Shown, moment, skeleton
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.adapters.mastodon_api import MastodonApi
from crosspost.adapters.oauth import OAuth
from crosspost.adapters.renewing import LoginSettings
from crosspost.adapters.uploads import media_of
from crosspost.post import Account, Capabilities, Outgoing, Post, Receipt, Reconcile
from crosspost.rendering.measure import mastodon
from crosspost.wording import t

STATUSES = "/api/v1/statuses"
URL_LENGTH = 23  # what every URL counts, whatever its length
MENTION = re.compile(r"(?<![\w@/])@([\w.-]+)@[\w.-]+\w")  # of which only @user counts and is shown


class MastodonSettings(LoginSettings):
    """`base_url` is the server's address. `access_token`, where it is given, is that of an
    application with the scopes of `MastodonAdapter.oauth`; else one logs in."""

    visibility: Literal["public", "unlisted", "private"] = "public"
    max_characters: int = Field(default=500, ge=1)  # the server's own limit, if it has another


class MastodonAdapter(ListingAdapter, MastodonApi):
    """One account on one server."""

    platform = "mastodon"
    title = "Mastodon"
    Settings = MastodonSettings
    oauth = OAuth(
        authorize="/oauth/authorize",
        token="/oauth/token",  # noqa: S106 - an address
        scopes=("read:accounts", "read:statuses", "write:statuses", "write:media"),
        registers="/api/v1/apps",
    )
    capabilities: Capabilities = Capabilities(
        max_length=500,
        max_images=4,
        image_bytes=16_777_216,
        image_pixels=33_177_600,
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        max_alt=1500,
        max_videos=1,
        video_bytes=99_000_000,
        video_seconds=24 * 3600,  # it knows no limit but that of bytes
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        video_codecs=("h264", "hevc", "vp8", "vp9", "av1"),  # it makes its own of any of them
        threads=True,
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(seconds=90),  # longer than our own time-out and the server's queue
    )
    page_size = 40

    def setup(self) -> None:
        limit = self.settings.max_characters
        self.capabilities = replace(self.capabilities, max_length=limit)

    def check(self) -> Account:
        me = self.whoami("check")
        facts, warnings = self._limits()
        handle = f"@{me.get('acct') or me.get('username')}@{self.settings.base_url.split('://')[1]}"
        return Account(handle, web_link(me.get("url")), facts, warnings)

    def measure(self, text: str) -> int:
        """Grapheme clusters; a URL counts 23, of a remote mention only @user."""
        return mastodon(text, URL_LENGTH)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"key": timed(key, now)}

    # --- publishing -------------------------------------------------------------------------------

    def needs_preparing(self, post: Post) -> bool:
        return bool(post.images or post.videos)

    def publish(self, outgoing: Outgoing) -> Receipt:
        answer = self.call_signed_in(
            "POST",
            STATUSES,
            phase="publish",
            headers={"Idempotency-Key": outgoing.handle["key"]},
            json=_status(outgoing) | {"visibility": self.settings.visibility},
        )
        return self._receipt(answer, "publish")

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:  # noqa: ARG002
        account = self.account_id or text_id(self.whoami("find")["id"])
        query = {"limit": str(self.page_size), "exclude_reblogs": "true", **more}
        path = f"/api/v1/accounts/{account}/statuses"
        answer = self.call_signed_in("GET", path, phase="find", params=query)
        with self.reading(answer, "find"):
            posts = [_listed(status) for status in answer.list_at()]
        return Page(answer, posts, {"max_id": posts[-1].receipt.remote_id} if posts else {})

    def find(self, outgoing: Outgoing) -> Receipt | None:
        """By its whole text among the recent ones; else by its link, if that is the page of one
        revision. Parts of a thread may share it, so what it answers to must be the same too."""
        ours = skeleton(MENTION.sub(r"@\1", outgoing.post.text))
        link, config = outgoing.post.link, self.context.config
        is_page = bool(config and config.site and link.startswith(f"{config.site.url}/p/"))
        by_link: Receipt | None = None
        for post, recent in self.listed(outgoing):
            if post.about["parent"] != (outgoing.parent.remote_id if outgoing.parent else ""):
                continue
            if recent and skeleton(post.text) == ours:
                return post.receipt
            if by_link is None and is_page and link in post.about["links"]:
                by_link = post.receipt
        return by_link

    def delete(self, receipt: Receipt) -> None:
        gone = (200, 202, 204, 404, 410)
        self.call_signed_in("DELETE", f"{STATUSES}/{receipt.remote_id}", phase="delete", ok=gone)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        # a list of media that is absent would take the images off
        path = f"{STATUSES}/{receipt.remote_id}"
        status = _status(replace(outgoing, parent=None))  # what it answers to stays
        return self._receipt(self.call_signed_in("PUT", path, phase="edit", json=status), "edit")

    def _receipt(self, answer: Answer, phase: str) -> Receipt:
        with self.reading(answer, phase):
            return _receipt_of(self.json_of(answer, phase))

    # --- the account and the server ---------------------------------------------------------------

    def _limits(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """What the server says of its limits: facts, and warnings where ours do not fit."""
        limit, ours = self.limit(), self.settings.max_characters
        if limit is None:
            return {}, ()
        warning = t(
            "The server takes {limit} characters, and max_characters says {ours}: "
            "set it to {limit}, or longer posts will be refused.",
            limit=limit,
            ours=ours,
        )
        facts = {t("limit"): t("{limit} characters", limit=limit)}
        return facts, (warning,) if limit < ours else ()


def _status(outgoing: Outgoing) -> dict[str, Any]:
    status: dict[str, Any] = {
        "status": outgoing.post.text,
        "language": outgoing.post.lang.split("-")[0].lower(),
        "media_ids": media_of(outgoing),
    }
    return status | ({"in_reply_to_id": outgoing.parent.remote_id} if outgoing.parent else {})


def _receipt_of(status: dict[str, Any]) -> Receipt:
    link = web_link(status.get("url")) or web_link(status.get("uri"))
    return Receipt(text_id(status["id"]), link)


def _listed(status: dict[str, Any]) -> Listed:
    shown = Shown(str(status["content"] or ""))
    about = {"links": shown.links, "parent": str(status.get("in_reply_to_id") or "")}
    return Listed(_receipt_of(status), moment(status["created_at"]), shown.text, about)
