"""Meta's Graph API, as Facebook, Instagram, Threads and WhatsApp speak it.

It must not know what a post is there; the adapters of the four do. Facts: developers.facebook.com,
"Graph API: handle errors", "Rate limits", Instagram Platform "Error codes".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from crosspost.adapters.base import Answer, text_id, web_link
from crosspost.adapters.graph_errors import error_in, meaning, number
from crosspost.adapters.likeness import moment
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.renewing import LoginSettings
from crosspost.adapters.rights import lacking
from crosspost.config import WebAddress
from crosspost.errors import Misconfigured, PlatformError, TargetGone
from crosspost.post import Outgoing, Receipt
from crosspost.retry import LONGEST_WAIT
from crosspost.tokens import Token
from crosspost.wording import t

#: Seconds for a question that a post does not depend on: connect, answer.
BRIEFLY = (5.0, 10.0)


class GraphSettings(LoginSettings):
    """`app_id` and `app_secret` are of the office's app at Meta, for logging in; `app_secret` also
    for an app that demands proof of it; `version` is that of the API, each of which lives about two
    years."""

    base_url: WebAddress = "https://graph.facebook.com"
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$")
    app_id: str = Field(default="", pattern=r"^\d*$", coerce_numbers_to_str=True)
    app_secret: SecretStr | None = None


class GraphAdapter(OAuthAdapter):
    """Calls to the Graph API, and what its errors mean."""

    #: Whether the token travels in a header; where that is not documented, among the fields.
    token_in_header: ClassVar[bool] = True
    #: What a list of posts calls the id, text, address and time of one.
    shown_fields: ClassVar[tuple[str, str, str, str]]

    def graph(
        self, method: str, path: str, fields: dict[str, Any], *, phase: str, **more: Any
    ) -> Answer:
        """One call under the API's version; `fields` are sent as the query of a GET or DELETE, else
        as a form, unless `json` is given as the body. The answer's data is a JSON object without an
        error in it."""
        token, fields, headers = self.access_token(phase), dict(fields), dict[str, str]()
        if self.token_in_header:
            headers["Authorization"] = f"Bearer {token}"
        else:
            fields["access_token"] = token
        if self.settings.app_secret is not None:
            key = self.settings.app_secret.get_secret_value().encode()
            fields["appsecret_proof"] = hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
        more["data" if method == "POST" and "json" not in more else "params"] = fields
        where = f"/{self.settings.version}/{path}"
        answer = self.call(method, where, phase=phase, headers=headers, **more)
        if "error" in self.json_of(answer, phase):
            raise self.error_from(answer, phase)
        return answer

    # --- logging in -------------------------------------------------------------------------------

    def client(self) -> tuple[str, str]:
        secret = self.settings.app_secret
        if not self.settings.app_id or secret is None:
            words = t(
                "Write app_id and app_secret into [channels.{channel}]: those of your app at Meta.",
                channel=self.context.channel,
            )
            raise self.error(Misconfigured, words, sent=False)
        return self.settings.app_id, secret.get_secret_value()

    def identity(self) -> str:
        return str(self.settings.app_id)

    def traded(self, path: str, fields: dict[str, str], before: Token | None = None) -> Token:
        """Another token for one in `fields`, as Meta trades them: by reading."""
        answer = self.call("GET", path, phase="login", params=fields)
        return self.token_of(answer, before)

    # --- answers ----------------------------------------------------------------------------------

    def address_of(self, name: str) -> str:
        """Where people see a new post; "" when it is not told: the post is out in any case."""
        field = self.shown_fields[2]
        try:
            fields = {"fields": field}
            answer = self.graph("GET", name, fields, phase="address", timeout=BRIEFLY)
        except PlatformError:
            return ""
        return web_link(answer.data.get(field))

    def take_down(self, name: str, account: str) -> None:
        """Delete a post of the account (its path). "No such object" also means "not for this
        token", so it counts as gone only for who may see the account, and not the post."""
        try:
            answer = self.graph("DELETE", name, {}, phase="delete")
        except TargetGone:
            self.graph("GET", account, {"fields": "id"}, phase="delete")
            if self.knows(name, "delete"):
                raise
            return
        self.refuse_half_hearted(answer, "delete")

    def refuse_half_hearted(self, answer: Answer, phase: str) -> None:
        """An edit or a deletion is answered with yes or no; what is no yes is none."""
        with self.reading(answer, phase):
            if answer.data["success"] is not True:
                raise ValueError("no success")

    def knows(self, name: str, phase: str) -> bool:
        """Whether Meta has an object of this id that the token may see."""
        try:
            answer = self.graph("GET", name, {"fields": "id"}, phase=phase)
        except TargetGone:
            return False
        return bool(self.id_in(answer, phase, "id"))

    def about_token(self) -> tuple[dict[str, str], set[str] | None]:
        """What Meta tells of the token: facts to show, and its permissions; None when it does not
        tell, which is no fault of the token."""
        fields = {"input_token": self.access_token("about")}
        try:
            answer = self.graph("GET", "debug_token", fields, phase="about", timeout=BRIEFLY)
            about = answer.data["data"]
            scopes = {str(scope) for scope in about["scopes"]}
            ends = int(about.get("expires_at") or 0)
            facts = (
                {t("token ends"): f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"} if ends else {}
            )
        except (PlatformError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return {}, None
        return facts, scopes

    def lacking(self, needed: tuple[str, ...], scopes: set[str] | None) -> tuple[str, ...]:
        """The warning about permissions that the token lacks, if it is known to."""
        missing = lacking(needed, needed if scopes is None else scopes)
        if not missing:
            return ()
        return (t("The token lacks these permissions: {scopes}.", scopes=", ".join(missing)),)

    # --- errors -----------------------------------------------------------------------------------

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        """The platform's own codes, whatever the status, then those of everywhere at Meta."""
        own = (row.kind for row in self.meanings if self.code_of(answer) in row.code.split())
        return next(own, None) or meaning(answer, phase)

    def until_of(self, answer: Answer) -> datetime | None:
        """The longest of the waits that the business limits name, in minutes."""
        try:
            usage = json.loads(answer.headers.get("X-Business-Use-Case-Usage", ""))
            waits = [int(u["estimated_time_to_regain_access"]) for us in usage.values() for u in us]
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        longest = timedelta(minutes=max(waits, default=0))
        return self.context.now() + min(longest, LONGEST_WAIT) if longest else None

    def code_of(self, answer: Answer) -> str:
        return str(number(error_in(answer).get("code")) or "")

    def words_of(self, answer: Answer) -> str:
        error = error_in(answer)
        words = error.get("error_user_msg") or error.get("message")
        more = error.get("error_data")
        details = more.get("details") if isinstance(more, dict) else None
        if isinstance(words, str) and isinstance(details, str):
            words = f"{words}: {details}"
        if not isinstance(words, str):
            return super().words_of(answer)
        code, subcode = number(error.get("code")), number(error.get("error_subcode"))
        return f"{words} [{code}/{subcode}]" if subcode else f"{words} [{code}]"


class GraphFeed(ListingAdapter, GraphAdapter):
    """A platform of Meta that lists the account's own posts."""

    @abstractmethod
    def list_of(self, outgoing: Outgoing) -> str:
        """The path of the list in which such a post is."""

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        name, text, address, time = self.shown_fields
        fields = {"fields": ",".join(self.shown_fields), "limit": str(self.page_size), **more}
        answer = self.graph("GET", self.list_of(outgoing), fields, phase="find")
        with self.reading(answer, "find"):
            posts = [
                Listed(
                    Receipt(text_id(post[name]), web_link(post.get(address))),
                    moment(post[time]),
                    str(post.get(text) or ""),
                )
                for post in answer.list_at("data")
            ]
        after = answer.at("paging", "cursors", "after") if posts else None
        return Page(answer, posts, {"after": str(after)} if after else {})
