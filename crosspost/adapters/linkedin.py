"""LinkedIn pages of organisations, by the Community Management API.

It must not send a text as it is: LinkedIn silently cuts a post at a sign that it takes for markup.
Facts: learn.microsoft.com, LinkedIn "Posts API", "Images API", "little Text Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator

from crosspost.adapters.base import Answer, clock_lag, text_id, web_link
from crosspost.adapters.likeness import bare
from crosspost.adapters.oauth import OAuth, OAuthAdapter, OAuthSettings
from crosspost.config import WebAddress
from crosspost.errors import (
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaProcessing,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    VersionRetired,
)
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Image,
    Markup,
    Outgoing,
    Post,
    Receipt,
    Reconcile,
)
from crosspost.rendering import visible
from crosspost.rendering.measure import utf16
from crosspost.wording import t

#: Posts a page, and pages, that a look-up reads at most.
PAGE, PAGES = 50, 5
#: How much earlier than our own note of the start a post may be dated.
SLACK = timedelta(minutes=2)
ROLES = ("ADMINISTRATOR", "CONTENT_ADMIN")
URN = re.compile(r"urn:li:(?:share|ugcPost):\d+")


class LinkedInSettings(OAuthSettings):
    """`organization_id` is the page's number; `version` that of the API, each of which lives about
    a year."""

    base_url: WebAddress = "https://api.linkedin.com"
    organization_id: str = Field(pattern=r"^\d{1,20}$", coerce_numbers_to_str=True)
    version: str = "202608"

    @field_validator("version", mode="before")
    @classmethod
    def _is_a_month(cls, version: object) -> str:
        if not re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", str(version)):
            raise ValueError(t("write the version as a year and a month, for example 202608"))
        return str(version)


class LinkedInAdapter(OAuthAdapter):
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

    @property
    def author(self) -> str:
        """The page's own name at LinkedIn."""
        return f"urn:li:organization:{self.settings.organization_id}"

    def check(self) -> Account:
        query = {"q": "roleAssignee", "state": "APPROVED", "count": "100"}
        answer = self._call("GET", "/rest/organizationAcls", phase="check", params=query)
        with self.reading(answer, "check"):
            roles = [
                str(each["role"])
                for each in answer.data["elements"]
                if self.author in (each.get("organization"), each.get("organizationTarget"))
            ]
        if not set(roles) & set(ROLES):
            raise PermissionDenied(
                t(
                    "Whoever logged in may not post for the page {page}: they need to be its "
                    "super admin or content admin.",
                    page=self.settings.organization_id,
                ),
                platform=self.platform,
            )
        link = f"https://www.linkedin.com/company/{self.settings.organization_id}/"
        return Account(self._name() or self.author, link, {t("role"): roles[0]})

    def measure(self, text: str) -> int:
        """UTF-16 code units of the text with its escapes: never less than LinkedIn counts."""
        return utf16(text)

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        earlier = outgoing.prepared.get("images")
        known = [str(name) for name in earlier] if isinstance(earlier, list) else []
        images, ready = [], True
        for place, image in enumerate(outgoing.post.images):
            name, done = self._state_of(known[place]) if place < len(known) else ("", False)
            if not name:
                name = self._upload(image)
                name, done = self._state_of(name)
            images.append(name)
            ready = ready and done
        if not ready:
            raise MediaProcessing(
                t("The server is still working on the images."),
                platform=self.platform,
                prepared={"images": images},
            )
        return {"images": images}

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
        answer = self._call("POST", "/rest/posts", phase="publish", json=post)
        with self.reading(answer, "publish"):
            return _receipt(answer.headers["x-restli-id"])

    def find(self, outgoing: Outgoing) -> Receipt | None:
        ours = bare(visible(outgoing.post.text, Markup.LITTLE_TEXT))
        for name, text in self._posts(outgoing):
            if bare(visible(text, Markup.LITTLE_TEXT)) == ours:
                return _receipt(name)
        return None

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        change = {"patch": {"$set": {"commentary": outgoing.post.text}}}
        headers = {"X-RestLi-Method": "PARTIAL_UPDATE"}
        self._call("POST", _path(receipt), phase="edit", json=change, headers=headers)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        headers = {"X-RestLi-Method": "DELETE"}
        answer = self._call(
            "DELETE", _path(receipt), phase="delete", headers=headers, ok=(200, 204, 404)
        )
        if answer.status == 404 and not isinstance(answer.data, dict):
            raise self.error_from(answer, "delete")

    def _posts(self, outgoing: Outgoing) -> Iterator[tuple[str, str]]:
        """Name and commentary of the page's posts since the attempt began, newest first. Raises
        RetryLater when there are too many to tell."""
        query = {"q": "author", "author": self.author, "count": str(PAGE), "sortBy": "CREATED"}
        for page in range(PAGES):
            answer = self._call(
                "GET",
                "/rest/posts",
                phase="find",
                params={**query, "start": str(page * PAGE)},
                headers={"X-RestLi-Method": "FINDER"},
            )
            with self.reading(answer, "find"):
                now = self.context.now()
                since = (outgoing.begun or now) - SLACK - clock_lag(answer, now)
                posts = [
                    (text_id(post["id"]), str(post.get("commentary") or ""), _created(post))
                    for post in answer.data["elements"]
                ]
            yield from ((name, text) for name, text, at in posts if at >= since)
            if len(posts) < PAGE or posts[-1][2] < since:
                return
        raise RetryLater(
            t("The account has posted too much since then to look through."), platform=self.platform
        )

    def _upload(self, image: Image) -> str:
        """The name of a new image."""
        content = self.bytes_of(image)
        about = {"initializeUploadRequest": {"owner": self.author}}
        path, action = "/rest/images", {"action": "initializeUpload"}
        answer = self._call("POST", path, phase="prepare", params=action, json=about)
        with self.reading(answer, "prepare"):
            value = answer.data["value"]
            name, where = text_id(value["image"]), web_link(value["uploadUrl"])
            if not where:
                raise ValueError("not an address")
        # the token only to LinkedIn itself; the address is a permission of its own
        headers = {"Content-Type": image.mime}
        if self._is_theirs(where):
            headers |= self.signed(self.access_token("prepare"))
        self.call("PUT", where, phase="prepare", headers=headers, data=content)
        return name

    def _is_theirs(self, where: str) -> bool:
        host, api = urlsplit(where), urlsplit(self.settings.base_url)
        ours = host.netloc == api.netloc and host.scheme == api.scheme
        linkedin = (host.hostname or "").endswith((".linkedin.com", ".licdn.com"))
        return ours or (host.scheme == "https" and linkedin)

    def _state_of(self, name: str) -> tuple[str, bool]:
        """An image and whether it can be shown; no name when LinkedIn has forgotten it."""
        path = f"/rest/images/{quote(name, safe='')}"
        answer = self._call("GET", path, phase="prepare", ok=(200, 404))
        if answer.status == 404:
            return "", False
        with self.reading(answer, "prepare"):
            state = str(answer.data["status"])
        if state == "PROCESSING_FAILED":
            raise MediaRejected(
                t("LinkedIn cannot show one of the images."), platform=self.platform
            )
        return name, state == "AVAILABLE"

    def _name(self) -> str:
        """What the page is called; "" when LinkedIn does not tell."""
        path = f"/rest/organizations/{self.settings.organization_id}"
        try:
            answer = self._call("GET", path, phase="name")
        except PlatformError:
            return ""
        data = answer.data if isinstance(answer.data, dict) else {}
        return str(data.get("localizedName") or "")

    # --- calls and errors -------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        *,
        phase: str,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        ours = {
            "LinkedIn-Version": self.settings.version,
            "X-Restli-Protocol-Version": "2.0.0",
            **(headers or {}),
        }
        return self.call_signed_in(method, path, phase=phase, headers=ours, **more)

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        words = answer.text
        match answer.status:
            case 401 if "EXPIRED_ACCESS_TOKEN" in words:
                return AuthExpired if self._can_renew() else AuthRevoked
            case 409 | 422 if "DUPLICATE_POST" in words and phase == "publish":
                return DuplicateDetected
            case 426:
                return VersionRetired
            case 400 | 422 if phase in ("check", "find"):
                return Misconfigured
            case 400 | 422 if phase == "prepare":
                return MediaRejected
            case 400 | 422:
                return RejectedContent
        return None

    def until_of(self, answer: Answer) -> datetime | None:
        """LinkedIn names no time; its quotas are renewed at midnight UTC ("Rate limiting")."""
        kind = self.error_of(answer, "") or (RateLimited if answer.status == 429 else None)
        if kind is not RateLimited or answer.headers.get("Retry-After"):
            return None
        now = self.context.now().astimezone(UTC)
        return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _content(outgoing: Outgoing) -> dict[str, Any]:
    """Images, or the link card, that LinkedIn makes of what we say of the link."""
    post: Post = outgoing.post
    names = outgoing.prepared.get("images")
    images = [
        {"id": str(name), "altText": image.alt}
        for name, image in zip(names if isinstance(names, list) else [], post.images, strict=False)
    ]
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
    if not URN.fullmatch(urn):
        raise ValueError("not the name of a post")
    return Receipt(urn, f"https://www.linkedin.com/feed/update/{urn}/")


def _path(receipt: Receipt) -> str:
    return f"/rest/posts/{quote(receipt.remote_id, safe='')}"


def _created(post: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(post.get("publishedAt") or post["createdAt"]) / 1000, UTC)
