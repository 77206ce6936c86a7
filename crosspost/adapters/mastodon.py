"""Mastodon and every server that speaks its API (GoToSocial, Takahe, Hollo, Pleroma, snac, ...).

It must not rely on Idempotency-Key: many of these servers accept it and ignore it, so an unclear
post is looked for first, and the key is the second belt. Facts: docs.joinmastodon.org.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, text_id, web_link
from crosspost.adapters.likeness import Shown, moment, skeleton
from crosspost.adapters.lookups import AccountListAdapter, Listed, Page
from crosspost.adapters.oauth import OAuth, OAuthAdapter
from crosspost.adapters.renewing import LoginSettings
from crosspost.adapters.uploads import File, Upload, UploadingAdapter, media_of
from crosspost.post import Account, Capabilities, Outgoing, Post, Receipt, Reconcile
from crosspost.rendering import measure
from crosspost.wording import t

STATUSES = "/api/v1/statuses"
REFUSED, TAKEN = (400, 422), "already attached|attached to another"
MENTION = re.compile(r"(?<![\w@/])@([\w.-]+)@[\w.-]+\w")  # of which only @user counts and is shown


class MastodonSettings(LoginSettings):
    """`base_url` is the server's address. `access_token`, where it is given, is that of an
    application with the scopes of `MastodonAdapter.oauth`; else one logs in."""

    visibility: Literal["public", "unlisted", "private"] = "public"
    max_characters: int = Field(default=500, ge=1)  # the server's own limit, if it has another


class MastodonAdapter(AccountListAdapter, UploadingAdapter, OAuthAdapter):
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
    meanings = (
        Meaning(errors.AuthRevoked, 400, words="bearer token"),  # Takahe
        Meaning(errors.AccountRestricted, 403, words="suspend|disabled|moved|limited"),
        Meaning(errors.AccountRestricted, 403, words="pending approval|confirmed e-?mail"),
        # the post that it answers to is gone
        Meaning(errors.RejectedContent, 404, words="record not found|reply", phases="publish"),
        # snac; Mastodon: "requires an authenticated user"
        Meaning(errors.AuthRevoked, 422, phases="check find"),
        Meaning(errors.MediaProcessing, REFUSED, words="not_ready|not finished processing"),
        # perhaps to the very post that we are in doubt about
        Meaning(errors.DuplicateDetected, REFUSED, words=TAKEN, phases="publish"),
        Meaning(errors.MediaRejected, REFUSED, phases="prepare"),
        Meaning(errors.RejectedContent, REFUSED),
    )
    so_already = (Meaning(errors.TargetGone, (404, 410), phases="delete"),)
    page_size, mark = 40, "key"
    measure = staticmethod(measure.mastodon)  # graphemes; a URL is 23, of a remote mention @user

    def setup(self) -> None:
        limit = self.settings.max_characters
        self.capabilities = replace(self.capabilities, max_length=limit)

    def check(self) -> Account:
        me = self.whoami("check")
        facts, warnings = self._limits()
        handle = f"@{me.get('acct') or me.get('username')}@{self.settings.base_url.split('://')[1]}"
        return Account(handle, web_link(me.get("url")), facts, warnings)

    # --- publishing -------------------------------------------------------------------------------

    def needs_preparing(self, post: Post) -> bool:
        return bool(post.images or post.videos)

    def publish(self, outgoing: Outgoing) -> Receipt:
        status = _status(outgoing) | {"visibility": self.settings.visibility}
        key = {"Idempotency-Key": outgoing.handle["key"]}
        answer = self.call_signed_in("POST", STATUSES, phase="publish", headers=key, json=status)
        return self._receipt(answer, "publish")

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:  # noqa: ARG002
        query = {"limit": str(self.page_size), "exclude_reblogs": "true", **more}
        path = f"/api/v1/accounts/{self.own_id('find')}/statuses"
        answer = self.call_signed_in("GET", path, phase="find", params=query)
        with self.reading(answer, "find"):
            posts = [_listed(status) for status in answer.list_at()]
        return Page(answer, posts, {"max_id": posts[-1].receipt.remote_id} if posts else {})

    def bare(self, text: str) -> str:
        return skeleton(MENTION.sub(r"@\1", text))

    def delete(self, receipt: Receipt) -> None:
        self.call_signed_in("DELETE", f"{STATUSES}/{receipt.remote_id}", phase="delete")

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        # a list of media that is absent would take the images off
        path = f"{STATUSES}/{receipt.remote_id}"
        status = _status(replace(outgoing, parent=None))  # what it answers to stays
        return self._receipt(self.call_signed_in("PUT", path, phase="edit", json=status), "edit")

    def _receipt(self, answer: Answer, phase: str) -> Receipt:
        with self.reading(answer, phase):
            return _receipt_of(self.json_of(answer, phase))

    def upload(self, file: File) -> Upload:
        files, about = {"file": self.form_file(file)}, {"description": file.alt}
        where = "/api/v2/media"
        answer = self.call_signed_in("POST", where, phase="prepare", files=files, data=about)
        return Upload(self.id_in(answer, "prepare", "id"), answer.status != 202)

    def state_of(self, name: str) -> Upload | None:
        path = f"/api/v1/media/{name}"
        answer = self.call_signed_in("GET", path, phase="prepare", ok=(200, 206, 404))
        return None if answer.status == 404 else Upload(name, answer.status == 200)

    # --- the account and the server ---------------------------------------------------------------

    def ask_who(self, phase: str) -> Answer:
        return self.call_signed_in("GET", "/api/v1/accounts/verify_credentials", phase=phase)

    def _limits(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """What the server says of its limits: facts, and warnings where ours do not fit."""
        limit, ours = self._limit(), self.settings.max_characters
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

    def _limit(self) -> int | None:
        """The server's limit in characters; older servers only know the first version."""
        place = ("configuration", "statuses", "max_characters")
        for path in ("/api/v2/instance", "/api/v1/instance"):
            with suppress(errors.PlatformError):
                limit = self.call_signed_in("GET", path, phase="check").at(*place)
                if isinstance(limit, int):
                    return limit
        return None


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
    at, parent = moment(status["created_at"]), str(status.get("in_reply_to_id") or "")
    return Listed(_receipt_of(status), at, shown.text, parent=parent, links=shown.links)
