"""The office's website, when it is a WordPress site (version 5.6 or newer).

It must not create a post twice: WordPress knows no keys, so a draft is made first, looked for by
the slug that we chose, and publishing is one repeatable call on the draft's id.
Facts: developer.wordpress.org/rest-api; docs/channels/wordpress.md.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import (
    Answer,
    HttpAdapter,
    HttpSettings,
    Meaning,
    address,
    text_id,
    web_link,
    written,
)
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Image,
    Markup,
    Outgoing,
    Receipt,
    Reconcile,
)
from crosspost.rendering.wordpress import fields_of
from crosspost.wording import t

POSTS, MEDIA = "/wp/v2/posts", "/wp/v2/media"
#: Error codes that say that there is no such post, or that it lies in the trash.
GONE = ("rest_post_invalid_id", "rest_already_trashed")
API = written("/.*[^/]", lambda: t('write "/wp-json", or "/?rest_route=" for plain permalinks'))


class WordPressSettings(HttpSettings):
    """`base_url` is the site's address; `application_password` one of `username`'s."""

    username: str
    application_password: SecretStr
    categories: tuple[str, ...] = ()  # slugs, as in the addresses of the categories
    featured_image: bool = True  # the first image is the post's featured image too
    #: "/?rest_route=" for a site with plain permalinks
    api: Annotated[str, API] = "/wp-json"


class WordPressAdapter(HttpAdapter):
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
    meanings = (
        # the credential is not (or no more) one
        Meaning(errors.AuthRevoked, code="incorrect_password invalid_username invalid_email"),
        Meaning(errors.AuthRevoked, code="rest_not_logged_in application_passwords_disabled"),
        Meaning(errors.AuthRevoked, code="application_passwords_disabled_for_user"),
        # of a file, by one who may not upload
        Meaning(errors.PermissionDenied, 400, code="rest_cannot_create"),
        Meaning(errors.MediaExpired, code="rest_invalid_featured_media"),
        Meaning(errors.MediaExpired, code=" ".join(GONE), phases="publish"),
        Meaning(errors.RejectedContent, code=" ".join(GONE)),
    )
    _categories: list[str] | None = None

    def check(self) -> Account:
        answer = self.call("GET", "/wp/v2/users/me", phase="check", params={"context": "edit"})
        me = self.json_of(answer, "check")
        with self.reading(answer, "check"):
            name, may = text_id(me["name"]), dict(me["capabilities"])
            roles = ", ".join(str(role) for role in me["roles"])
        if not may.get("publish_posts"):
            words = t("{name} may write drafts on this site, but not publish them.", name=name)
            raise self.error(errors.PermissionDenied, words)
        self._category_ids("check")
        pictures = t("{name} may not upload files: give the account the role Author.", name=name)
        return Account(
            t("{name} at {site}", name=name, site=urlsplit(self.settings.base_url).netloc),
            self.settings.base_url,
            {t("role"): roles} if roles else {},
            () if may.get("upload_files") else (pictures,),
        )

    def measure(self, text: str) -> int:
        """Code points; there is no limit."""
        return len(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, lest it finds the draft of an older database
        digest = hashlib.sha256(f"{key} {now.isoformat()}".encode()).hexdigest()
        return {"slug": f"crosspost-{digest[:20]}"}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        media = [self._media(outgoing, n, image) for n, image in enumerate(outgoing.post.images)]
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
        query = {"context": "edit"}
        answer = self.call("GET", path, phase="find", ok=(200, 404), params=query)
        if answer.status == 404:
            if self.code_of(answer) in GONE:
                return None
            raise self.error_from(answer, "find")
        with self.reading(answer, "find"):
            status = text_id(self.json_of(answer, "find")["status"])
        if status in ("draft", "pending", "private"):
            return None
        return self._receipt(answer, "find")

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

    def url(self, path: str) -> str:
        return super().url(f"{self.settings.api}{path}")

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._credential()}"}

    def _credential(self) -> str:
        password = self.settings.application_password.get_secret_value()
        return base64.b64encode(f"{self.settings.username}:{password}".encode()).decode()

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield self._credential()
        yield self.settings.application_password.get_secret_value().replace(" ", "")

    def _media(self, outgoing: Outgoing, place: int, image: Image) -> dict[str, str]:
        """The upload of an image: an earlier one if there is, by what was stored or by its slug."""
        earlier: Any = outgoing.prepared.get("media") or []
        if place < len(earlier):
            return dict(earlier[place])
        slug = f"{outgoing.handle['slug']}-{place}"
        content = self.bytes_of(image)
        found = self._found(MEDIA, {"slug": slug})
        return _media_of(found) if found else self._upload(slug, image, content)

    def _upload(self, slug: str, image: Image, content: bytes) -> dict[str, str]:
        answer = self.call(
            "POST",
            MEDIA,
            phase="prepare",
            files={"file": (image.filename, content, image.mime)},
            # escaped, since the site takes away what looks like a tag
            data={"alt_text": html.escape(image.alt, quote=False), "slug": slug},
        )
        with self.reading(answer, "prepare"):
            return _media_of(self.json_of(answer, "prepare"))

    def _draft(self, slug: str) -> str:
        """The id of a draft that an earlier try has made; "" when there is none."""
        found = self._found(POSTS, {"slug": slug, "status": "any", "context": "edit"})
        return str(found["id"]) if found else ""

    def _found(self, path: str, query: dict[str, str]) -> dict[str, Any] | None:
        """What the site has under a slug, with its `id`."""
        answer = self.call("GET", path, phase="prepare", params=query)
        with self.reading(answer, "prepare"):
            for one in answer.list_at():
                text_id(one["id"])
                if one["slug"] == query["slug"]:
                    return dict(one)
        return None

    def _write(self, known: str, draft: dict[str, Any], slug: str) -> str:
        """The draft `known` with these fields, or a new one; its id. Never its status: it may be
        public by now."""
        if known:
            answer = self.call(
                "POST", f"{POSTS}/{known}", phase="prepare", ok=(200, 404), json=draft
            )
            if answer.status == 200:
                self.json_of(answer, "prepare")
                return known
            if self.code_of(answer) not in GONE:
                raise self.error_from(answer, "prepare")
        answer = self.call(
            "POST", POSTS, phase="prepare", json=draft | {"slug": slug, "status": "draft"}
        )
        with self.reading(answer, "prepare"):
            return text_id(self.json_of(answer, "prepare")["id"])

    def _remove(self, post: str, query: dict[str, str]) -> None:
        path = f"{POSTS}/{post}"
        answer = self.call("DELETE", path, phase="delete", ok=(200, 404, 410), params=query)
        if answer.status != 200 and self.code_of(answer) not in GONE:
            raise self.error_from(answer, "delete")
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
            if missing:
                words = t("The site has no category {missing}.", missing=", ".join(missing))
                raise self.error(errors.Misconfigured, words)
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

    def code_of(self, answer: Answer) -> str:
        return answer.word("code")

    def error_of(self, answer: Answer, phase: str) -> type[errors.PlatformError] | None:
        if phase == "prepare" and answer.at("data", "params", "status") is not None:
            return errors.AuthRevoked  # only strangers may not ask for drafts
        if self.code_of(answer).startswith("rest_upload_"):
            return self._refused_file(answer)
        return super().error_of(answer, phase)

    def _refused_file(self, answer: Answer) -> type[errors.PlatformError] | None:
        """A file that is too large or of a wrong kind; other trouble of the server passes."""
        words = self.words_of(answer)
        too_large = "upload_max_filesize" in words or "MAX_FILE_SIZE" in words
        refused = answer.status < 500 or self.code_of(answer) == "rest_upload_sideload_error"
        return errors.MediaRejected if refused or too_large else None


def _media_of(media: dict[str, Any]) -> dict[str, str]:
    """What a post needs of an upload. Raises as `text_id` does."""
    return {"id": str(int(text_id(media["id"]))), "url": address(media["source_url"])}
