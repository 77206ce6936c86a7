"""Facebook Pages, written to with the Page's own token.

It must not write as a person: a token that is not the Page's is refused at the check. Facts:
developers.facebook.com, "Pages API: posts", Graph API reference "Page".
"""

from __future__ import annotations

import json
from datetime import timedelta

from pydantic import Field

from crosspost.adapters.base import text_id
from crosspost.adapters.graph import GraphFeed, GraphSettings
from crosspost.adapters.oauth import OAuth, Request
from crosspost.adapters.uploads import File, Upload, UploadingAdapter, media_of
from crosspost.errors import Misconfigured
from crosspost.post import Account, Capabilities, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.tokens import Token
from crosspost.wording import t

#: What the token must be allowed to do.
PERMISSIONS = ("pages_manage_posts", "pages_read_engagement")


class FacebookSettings(GraphSettings):
    """`page_id` is the Page's number, `access_token` the Page's own token."""

    page_id: str = Field(pattern=r"^\d{3,20}$", coerce_numbers_to_str=True)


class FacebookAdapter(GraphFeed, UploadingAdapter):
    """One Page."""

    platform = "facebook"
    title = "Facebook"
    Settings = FacebookSettings
    capabilities: Capabilities = Capabilities(
        max_length=63_206,
        max_images=10,
        image_bytes=4_000_000,  # what Meta advises
        image_side=2048,
        max_alt=1000,  # no limit is documented; this is what all of Meta's platforms take
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(minutes=2),  # lists may lag behind
    )
    shown_fields = ("id", "message", "permalink_url", "created_time")
    oauth = OAuth(
        authorize="https://www.facebook.com/{version}/dialog/oauth",
        token="/{version}/oauth/access_token",  # noqa: S106 - an address
        scopes=("pages_show_list", *PERMISSIONS),
        separator=",",
        pkce="",
    )
    measure = staticmethod(utf16)  # UTF-16 code units: never less than Facebook counts

    def check(self) -> Account:
        answer = self.graph("GET", "me", {"fields": "id,name,link"}, phase="check")
        name = str(answer.data.get("name") or "")
        if self.id_in(answer, "check", "id") != self.settings.page_id:
            raise Misconfigured(
                t(
                    "This is the token of {name}, not the token of the page {page}: "
                    "take the page's own.",
                    name=self.said(name) or t("somebody else"),
                    page=self.settings.page_id,
                ),
                platform=self.platform,
            )
        facts, scopes = self.about_token()
        link = f"https://www.facebook.com/{self.settings.page_id}"
        return Account(
            name or self.settings.page_id, link, facts, self.lacking(PERMISSIONS, scopes)
        )

    # --- logging in -------------------------------------------------------------------------------

    def identity(self) -> str:
        return f"{self.settings.app_id} {self.settings.page_id}"

    def authorize_address(self) -> str:
        return self.oauth.authorize.format(version=self.settings.version)

    def exchange(self, code: str, request: Request) -> Token:
        """The Page's own token, which does not end, by way of the person's ("Long-lived access
        tokens")."""
        path = self.oauth.token.format(version=self.settings.version)
        app, secret = self.client()
        known = {"client_id": app, "client_secret": secret}
        short = self.traded(path, {**known, "redirect_uri": request.redirect, "code": code})
        grant = {"grant_type": "fb_exchange_token", "fb_exchange_token": short.access}
        return self._token_of_page(self.traded(path, {**known, **grant}))

    def _token_of_page(self, person: Token) -> Token:
        """That of the configured Page, among those that the person may work for."""
        where = f"/{self.settings.version}/me/accounts"
        headers = {"Authorization": f"Bearer {person.access}"}
        fields = {"fields": "id,name,access_token", "limit": "100"}
        answer = self.call("GET", where, phase="login", headers=headers, params=fields)
        with self.reading(answer, "login"):
            pages = {text_id(page["id"]): page for page in answer.data["data"]}
        if self.settings.page_id not in pages:
            known = ", ".join(f"{page.get('name')} ({name})" for name, page in pages.items())
            raise Misconfigured(
                t(
                    "This person may not work for the page {page}. Pages: {known}.",
                    page=self.settings.page_id,
                    known=self.said(known) or t("none"),
                ),
                platform=self.platform,
            )
        with self.reading(answer, "login"):
            found = pages[self.settings.page_id]
            return Token.of_answer(found, self.of(), self.context.now())

    # --- publishing -------------------------------------------------------------------------------

    def upload(self, file: File) -> Upload:
        """A photo that nobody sees until a post has it."""
        fields = {"published": "false", "alt_text_custom": file.alt}
        files = {"source": self.form_file(file)}
        path = f"{self.settings.page_id}/photos"
        answer = self.graph("POST", path, fields, phase="prepare", files=files)
        return Upload(self.id_in(answer, "prepare", "id"))

    def state_of(self, name: str) -> Upload | None:
        return Upload(name) if self.knows(name, "prepare") else None

    def publish(self, outgoing: Outgoing) -> Receipt:
        path = f"{self.settings.page_id}/feed"
        answer = self.graph("POST", path, _fields(outgoing), phase="publish")
        name = self.id_in(answer, "publish", "id")
        return Receipt(name, self.address_of(name))

    def list_of(self, outgoing: Outgoing) -> str:  # noqa: ARG002
        return f"{self.settings.page_id}/published_posts"

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        text = {"message": outgoing.post.text}
        answer = self.graph("POST", receipt.remote_id, text, phase="edit")
        self.refuse_half_hearted(answer, "edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        self.take_down(receipt.remote_id, self.settings.page_id)


def _fields(outgoing: Outgoing) -> dict[str, str]:
    """A post; its link makes the card, which photos would push out."""
    post = outgoing.post
    fields = {"message": post.text}
    if photos := media_of(outgoing):
        fields["attached_media"] = json.dumps([{"media_fbid": name} for name in photos])
    elif post.link:
        fields["link"] = post.link
    return fields
