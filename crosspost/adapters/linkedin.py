"""LinkedIn pages of organisations, by the Community Management API.

It must not send a text as it is: LinkedIn silently cuts a post at a sign that it takes for markup.
Facts: learn.microsoft.com, LinkedIn "Posts API", "Images API", "little Text Format".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from crosspost import errors
from crosspost.adapters.base import Meaning, text_id, written
from crosspost.adapters.likeness import unix_moment
from crosspost.adapters.linkedin_api import LinkedInApi
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.adapters.oauth import OAuth, OAuthSettings
from crosspost.adapters.uploads import media_of
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, CardMaker, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.wording import t

URN = re.compile(r"urn:li:(?:share|ugcPost):\d+")
MONTH = written(
    r"20\d\d(0[1-9]|1[0-2])",
    lambda: t("write the version as a year and a month, for example 202608"),
)


class LinkedInSettings(OAuthSettings):
    """`organization_id` is the page's number; `version` that of the API, each of which lives about
    a year."""

    base_url: WebAddress = "https://api.linkedin.com"
    organization_id: str = Field(pattern=r"^\d{1,20}$", coerce_numbers_to_str=True)
    version: Annotated[str, MONTH] = "202608"


class LinkedInAdapter(ListingAdapter, LinkedInApi):
    """One page of an organisation."""

    platform = "linkedin"
    title = "LinkedIn"
    Settings = LinkedInSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.LITTLE_TEXT,
        max_length=3000,
        max_images=20,
        image_bytes=8_000_000,
        image_types=("image/jpeg", "image/png", "image/gif"),
        max_alt=4086,
        max_videos=1,
        max_video_alt=100_000,  # it has no field for it
        video_bytes=200_000_000,
        video_seconds=30 * 60,
        card=CardMaker.CLIENT,
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(minutes=2),  # lists may lag behind
    )
    oauth = OAuth(
        authorize="https://www.linkedin.com/oauth/v2/authorization",
        token="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106 - an address
        scopes=("r_organization_admin", "r_organization_social", "w_organization_social"),
        pkce="",
    )
    so_already = (Meaning(errors.TargetGone, 404, words=r"\A\s*\{", phases="delete"),)  # its JSON
    page_size = 50
    measure = staticmethod(utf16)  # with its escapes: never less than LinkedIn counts

    def check(self) -> Account:
        query = {"q": "roleAssignee", "state": "APPROVED", "count": "100"}
        answer = self.call_signed_in("GET", "/rest/organizationAcls", phase="check", params=query)
        with self.reading(answer, "check"):
            roles = [
                str(each["role"])
                for each in answer.data["elements"]
                if self.author in (each.get("organization"), each.get("organizationTarget"))
            ]
        words = t(
            "Whoever logged in may not post for the page {page}: they need to be its "
            "super admin or content admin.",
            page=self.settings.organization_id,
        )
        self.insist(set(roles) & {"ADMINISTRATOR", "CONTENT_ADMIN"}, errors.PermissionDenied, words)
        link = f"https://www.linkedin.com/company/{self.settings.organization_id}/"
        return Account(self._name() or self.author, link, {t("role"): roles[0]})

    def _name(self) -> str:
        """What the page is called; "" when LinkedIn does not tell."""
        with suppress(errors.PlatformError):
            path = f"/rest/organizations/{self.settings.organization_id}"
            return str(self.call_signed_in("GET", path, phase="name").at("localizedName") or "")
        return ""

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, outgoing: Outgoing) -> Receipt:
        post = {
            "author": self.author,
            "commentary": outgoing.post.text,
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        } | _content(outgoing)
        answer = self.call_signed_in("POST", "/rest/posts", phase="publish", json=post)
        with self.reading(answer, "publish"):
            if not URN.fullmatch(answer.headers["x-restli-id"]):
                raise ValueError("not the name of a post")
            return _receipt(answer.headers["x-restli-id"])

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:  # noqa: ARG002
        start = int(more.get("start", 0))
        query = {"q": "author", "author": self.author, "sortBy": "CREATED", "start": str(start)}
        query["count"] = str(self.page_size)
        headers = {"X-RestLi-Method": "FINDER"}
        where = "/rest/posts"
        answer = self.call_signed_in("GET", where, phase="find", params=query, headers=headers)
        with self.reading(answer, "find"):
            posts = [
                Listed(_receipt(post["id"]), _created(post), str(post.get("commentary") or ""))
                for post in answer.list_at("elements")
            ]
        whole = len(posts) == self.page_size
        return Page(answer, posts, {"start": str(start + self.page_size)} if whole else {})

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        change = {"patch": {"$set": {"commentary": outgoing.post.text}}}
        headers = {"X-RestLi-Method": "PARTIAL_UPDATE"}
        self.call_signed_in("POST", _path(receipt), phase="edit", json=change, headers=headers)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        headers = {"X-RestLi-Method": "DELETE"}
        self.call_signed_in("DELETE", _path(receipt), phase="delete", headers=headers)


def _content(outgoing: Outgoing) -> dict[str, Any]:
    """A video, images, or the link card, that LinkedIn makes of what we say of the link."""
    post, names = outgoing.post, media_of(outgoing)
    if post.videos:
        return {"content": {"media": {"id": next(iter(names), "")}}}
    named = zip(names, post.images, strict=False)
    images = [{"id": name, "altText": image.alt} for name, image in named]
    if len(images) == 1:
        return {"content": {"media": images[0]}}
    if images:
        return {"content": {"multiImage": {"images": images}}}
    if post.card:
        card = post.card
        article = {"source": card.url, "title": card.title, "description": card.description}
        return {"content": {"article": article}}
    return {}


def _receipt(name: Any) -> Receipt:
    urn = text_id(name)
    return Receipt(urn, f"https://www.linkedin.com/feed/update/{urn}/")


def _path(receipt: Receipt) -> str:
    return f"/rest/posts/{quote(receipt.remote_id, safe='')}"


def _created(post: dict[str, Any]) -> datetime:
    return unix_moment(int(post.get("publishedAt") or post["createdAt"]) / 1000)
