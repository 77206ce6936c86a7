"""X, by its paid API.

It must not read more than it needs, for every read costs: a look-up reads no further back than the
attempt. Facts: docs.x.com, openapi.json 2.167.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from crosspost import errors
from crosspost.adapters.base import Meaning, text_id
from crosspost.adapters.likeness import moment
from crosspost.adapters.lookups import AccountListAdapter, Listed, Page
from crosspost.adapters.oauth import OAuth, OAuthSettings
from crosspost.adapters.uploads import media_of
from crosspost.adapters.x_api import XApi
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Outgoing, Post, Receipt, Reconcile
from crosspost.quotas import Quota
from crosspost.rendering import measure
from crosspost.wording import t

#: How much earlier than our own note of the start a post may be dated, both clocks together.
SLACK = timedelta(minutes=10)
#: What a post counts without Premium; longer ones have their text elsewhere.
SHORT = 280
#: An address in a text, also a bare name, which X makes a link of; rather one too many.
LINK = re.compile(r"://|\w\.[^\W\d_]{2}")


class XSettings(OAuthSettings):
    """`access_token`, with the three other secrets, is that of OAuth 1.0a, which does not end;
    alone it is one of OAuth 2.0. Without it one logs in. `fields_parameter`: X is renaming it.
    Prices are in US dollars."""

    base_url: WebAddress = "https://api.x.com"
    access_token_secret: SecretStr | None = None
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    max_characters: int = Field(default=SHORT, ge=1, le=25_000)
    budget_per_month: Decimal = Field(default=Decimal(0), ge=0)  # 0: no limit of ours
    price_of_post: Decimal = Field(default=Decimal("0.015"), ge=0)
    price_of_link: Decimal = Field(default=Decimal("0.20"), ge=0)  # a post with one in it
    fields_parameter: Literal["tweet.fields", "post.fields"] = "tweet.fields"

    @model_validator(mode="after")
    def _all_of_oauth_1_or_none(self) -> Self:
        given = (self.access_token_secret, self.api_key, self.api_secret)
        if any(given) and not all((*given, self.access_token)):
            raise ValueError(
                t("write all of access_token_secret, api_key and api_secret, or none of them")
            )
        return self


class XAdapter(XApi, AccountListAdapter):
    """One account: the one whose token it is."""

    platform = "x"
    title = "X"
    Settings = XSettings
    oauth = OAuth(
        authorize="https://x.com/i/oauth2/authorize",
        token="/2/oauth2/token",  # noqa: S106 - an address
        scopes=("tweet.read", "tweet.write", "users.read", "media.write", "offline.access"),
        basic=True,
    )
    quotas = (Quota(None, "month", unit="USD", setting="budget_per_month"),)
    capabilities: Capabilities = Capabilities(
        max_length=SHORT,
        max_images=4,
        image_bytes=5_000_000,
        image_types=("image/jpeg", "image/png", "image/webp"),
        max_alt=1000,
        max_videos=1,
        max_video_alt=100_000,  # it has no field for it
        video_types=("video/mp4", "video/quicktime"),
        delete=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(seconds=90),  # longer than our own time-out and the server's queue
    )
    so_already = (Meaning(errors.TargetGone, 404, words="resource-not-found", phases="delete"),)
    pages, own_id_at = 3, ("data", "id")
    measure = staticmethod(measure.x)  # weighted: emoji and most letters beyond Latin are 2

    def setup(self) -> None:
        limit = self.settings.max_characters
        self.capabilities = replace(self.capabilities, max_length=limit)

    def check(self) -> Account:
        me = self.whoami("check")["data"]
        name = str(me.get("username") or "")
        return Account(f"@{name}", f"https://x.com/{name}")

    @classmethod
    def cost(cls, post: Post, options: Mapping[str, Any]) -> Decimal:
        """X's price of a post; one with an address in it, also a bare one, is the dear kind."""
        key = "price_of_link" if LINK.search(post.text) else "price_of_post"
        return Decimal(str(options.get(key, XSettings.model_fields[key].default)))

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, outgoing: Outgoing) -> Receipt:
        post: dict[str, Any] = {"text": outgoing.post.text}
        if media := media_of(outgoing):
            post["media"] = {"media_ids": media}
        if outgoing.parent:
            post["reply"] = {"in_reply_to_tweet_id": outgoing.parent.remote_id}
        answer = self.api("POST", "/2/tweets", phase="publish", json=post)
        return _receipt(self.id_in(answer, "publish", "data", "id"))

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        since = (outgoing.begun or self.context.now()) - SLACK
        query = {
            "max_results": str(self.page_size),
            "start_time": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "exclude": "retweets",
            self.settings.fields_parameter: ",".join(self._fields()),
            **more,
        }
        answer = self.api(
            "GET", f"/2/users/{self.own_id('find')}/tweets", phase="find", query=query
        )
        with self.reading(answer, "find"):
            if answer.data.get("errors"):
                raise ValueError("only a part of the answer")
            token = answer.data["meta"].get("next_token")
            int(answer.data["meta"]["result_count"])
            posts = [_listed(post) for post in answer.data.get("data") or []]
        return Page(answer, posts, {"pagination_token": str(token)} if token else {})

    def is_ours(self, post: Listed, outgoing: Outgoing, *, recent: bool) -> bool:  # noqa: ARG002
        """What X lists is recent: it was asked to."""
        return super().is_ours(post, outgoing, recent=True)

    def bare(self, text: str) -> str:
        """X puts http:// before a name that it makes a link of."""
        return re.sub(r"https?://", "", super().bare(text))

    def _fields(self) -> list[str]:
        fields = ["created_at", "conversation_id", "entities"]
        if self.settings.max_characters > SHORT:
            fields.append("note_" + self.settings.fields_parameter.removesuffix(".fields"))
        return fields

    def delete(self, receipt: Receipt) -> None:
        path = f"/2/tweets/{receipt.remote_id}"
        answer = self.api("DELETE", path, phase="delete")
        with self.reading(answer, "delete"):
            if answer.status != 404 and answer.data["data"]["deleted"] is not True:
                raise ValueError("not deleted")


def _listed(post: dict[str, Any]) -> Listed:
    receipt, at = _receipt(post["id"]), moment(post["created_at"])
    return Listed(receipt, at, _text_of(post), root=post.get("conversation_id"))


def _receipt(name: Any) -> Receipt:
    return Receipt(text_id(name), f"https://x.com/i/status/{text_id(name)}")


def _text_of(post: dict[str, Any]) -> str:
    """What was written: addresses whole instead of t.co, those of the images gone, no escapes."""
    whole = post.get("note_tweet") or post.get("note_post") or post
    text = html.unescape(str(whole["text"]))
    for url in (whole.get("entities") or {}).get("urls") or []:
        written = "" if url.get("media_key") else url.get("expanded_url") or url["url"]
        text = text.replace(url["url"], written)
    return text
