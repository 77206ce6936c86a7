"""The office's website, when it is a WordPress site (version 5.6 or newer).

It must not create a post twice: WordPress knows no keys, so a draft is made first, looked for by
the slug that we chose, and publishing is one repeatable call on the draft's id.
Facts: developer.wordpress.org/rest-api; docs/channels/wordpress.md.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import Answer, HttpSettings, text_id, web_link, written
from crosspost.adapters.wordpress_api import POSTS, WordPressApi
from crosspost.post import Account, Capabilities, CardMaker, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import code_points
from crosspost.rendering.wordpress import fields_of
from crosspost.wording import t

API = written("/.*[^/]", lambda: t('write "/wp-json", or "/?rest_route=" for plain permalinks'))
NOT_PUBLIC = ("draft", "pending", "private")


class WordPressSettings(HttpSettings):
    """`base_url` is the site's address; `application_password` one of `username`'s."""

    username: str
    application_password: SecretStr
    categories: tuple[str, ...] = ()  # slugs, as in the addresses of the categories
    featured_image: bool = True  # the first image is the post's featured image too
    #: "/?rest_route=" for a site with plain permalinks
    api: Annotated[str, API] = "/wp-json"


class WordPressAdapter(WordPressApi):
    """One author on one site."""

    platform = "wordpress"
    title = "WordPress"
    Settings = WordPressSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.DOCUMENT,
        max_images=10,
        image_bytes=2_000_000,  # what PHP takes if nobody has raised it
        image_side=2560,  # larger ones are scaled by the site
        max_alt=10_000,
        card=CardMaker.NONE,
        delete=True,
        edit=True,
        reconcile=Reconcile.TWO_PHASE,
        settle=timedelta(seconds=60),
    )
    _categories: list[str] | None = None
    measure = staticmethod(code_points)  # there is no limit

    def check(self) -> Account:
        answer = self.call("GET", "/wp/v2/users/me", phase="check", params={"context": "edit"})
        me = self.json_of(answer, "check")
        with self.reading(answer, "check"):
            name, may = text_id(me["name"]), dict(me["capabilities"])
            roles = ", ".join(str(role) for role in me["roles"])
        words = t("{name} may write drafts on this site, but not publish them.", name=name)
        self.insist(may.get("publish_posts"), errors.PermissionDenied, words)
        self._category_ids("check")
        pictures = t("{name} may not upload files: give the account the role Author.", name=name)
        return Account(
            t("{name} at {site}", name=name, site=urlsplit(self.settings.base_url).netloc),
            self.settings.base_url,
            {t("role"): roles} if roles else {},
            () if may.get("upload_files") else (pictures,),
        )

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, lest it finds the draft of an older database
        digest = hashlib.sha256(f"{key} {now.isoformat()}".encode()).hexdigest()
        return {"slug": f"crosspost-{digest[:20]}"}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        media = [self.uploaded(outgoing, n, image) for n, image in enumerate(outgoing.post.images)]
        draft = fields_of(outgoing.post, media)
        draft |= {"categories": self._category_ids("prepare"), "featured_media": self._cover(media)}
        known = str(outgoing.prepared.get("post") or "") or self._draft(outgoing.handle["slug"])
        return {"post": self._write(known, draft, outgoing.handle["slug"]), "media": media}

    def publish(self, outgoing: Outgoing) -> Receipt:
        """Title and content go with it: public is what was approved, even if somebody has touched
        the draft. The slug is made anew from the title."""
        post = outgoing.prepared["post"]
        media: Any = outgoing.prepared["media"]
        public = fields_of(outgoing.post, media) | {"status": "publish", "slug": ""}
        answer = self.call("POST", f"{POSTS}/{post}", phase="publish", json=public)
        return self._receipt(answer, "publish")

    def find(self, outgoing: Outgoing) -> Receipt | None:
        path = f"{POSTS}/{outgoing.prepared['post']}"
        answer = self.call("GET", path, phase="find", params={"context": "edit"})
        if answer.status == 404:
            return None
        status = self.id_in(answer, "find", "status")
        return None if status in NOT_PUBLIC else self._receipt(answer, "find")

    def delete(self, receipt: Receipt) -> None:
        self._remove(receipt.remote_id, {})

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        media: Any = outgoing.prepared["media"]
        changed = fields_of(outgoing.post, media) | {"featured_media": self._cover(media)}
        path = f"{POSTS}/{receipt.remote_id}"
        edited = self._receipt(self.call("POST", path, phase="edit", json=changed), "edit")
        draft = str(outgoing.prepared["post"])
        if draft != receipt.remote_id:
            self._remove(draft, {"force": "true"})  # `prepare` could not know that it is an edit
        return edited

    # --- calls ------------------------------------------------------------------------------------

    def _draft(self, slug: str) -> str:
        """The id of a draft that an earlier try has made; "" when there is none."""
        found = self.found(POSTS, {"slug": slug, "status": "any", "context": "edit"})
        return str(found["id"]) if found else ""

    def _write(self, known: str, draft: dict[str, Any], slug: str) -> str:
        """The draft `known` with these fields, or a new one; its id. Never its status: it may be
        public by now."""
        if known:
            answer = self.call("POST", f"{POSTS}/{known}", phase="prepare", json=draft)
            if answer.status != 404:
                self.json_of(answer, "prepare")
                return known
        new = draft | {"slug": slug, "status": "draft"}
        return self.id_in(self.call("POST", POSTS, phase="prepare", json=new), "prepare", "id")

    def _remove(self, post: str, query: dict[str, str]) -> None:
        answer = self.call("DELETE", f"{POSTS}/{post}", phase="delete", params=query)
        self.json_of(answer, "delete")

    def _cover(self, media: list[dict[str, str]]) -> int:
        """The id of the featured image; 0 for none."""
        return int(media[0]["id"]) if media and self.settings.featured_image else 0

    def _category_ids(self, phase: str) -> list[str]:
        """The ids of the categories of the settings; the site drops unknown ones silently, so they
        are an error here."""
        wanted = self.settings.categories
        if self._categories is None and wanted:
            query = {"slug": ",".join(wanted), "per_page": "100"}
            answer = self.call("GET", "/wp/v2/categories", phase=phase, params=query)
            with self.reading(answer, phase):
                known = {one["slug"]: text_id(one["id"]) for one in answer.list_at()}
            missing = [slug for slug in wanted if slug not in known]
            words = t("The site has no category {missing}.", missing=", ".join(missing))
            self.insist(not missing, errors.Misconfigured, words)
            self._categories = [known[slug] for slug in wanted]
        return self._categories or []

    # --- answers ----------------------------------------------------------------------------------

    def _receipt(self, answer: Answer, phase: str) -> Receipt:
        """The receipt of a post that is public. Raises PlatformError for one that is not."""
        with self.reading(answer, phase):
            post = self.json_of(answer, phase)
            receipt = Receipt(text_id(post["id"]), web_link(post["link"]))
            status = text_id(post["status"])
        if status == "publish":
            return receipt
        kinds = {"publish": errors.PermissionDenied, "edit": errors.RejectedContent}
        kind = kinds.get(phase, errors.RetryLater)
        if phase == "publish" and status == "future":
            kind = errors.UnknownOutcome  # the site itself will publish it
        words = t('The site keeps the post as "{status}": it is not public.', status=status)
        raise self.error(kind, words, status=answer.status)
