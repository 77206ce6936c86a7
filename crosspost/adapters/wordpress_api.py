"""A WordPress site's REST API: how it is called, what it has under a slug, what its errors mean.

It must not know what a post of ours is; `wordpress.py` does.
Facts: developer.wordpress.org/rest-api.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from typing import Any

from crosspost import errors
from crosspost.adapters.base import Answer, HttpAdapter, Meaning, address, text_id
from crosspost.post import Image, Outgoing

POSTS, MEDIA = "/wp/v2/posts", "/wp/v2/media"
TROUBLE, TOO_LARGE = tuple(range(500, 600)), "upload_max_filesize|MAX_FILE_SIZE"
#: Error codes that say that there is no such post, or that it lies in the trash.
GONE = "rest_post_invalid_id rest_already_trashed"


class WordPressApi(HttpAdapter):
    """Calls to one site as one author; the settings have `username`, `application_password` and
    `api`."""

    meanings = (
        # the credential is not (or no more) one
        Meaning(errors.AuthRevoked, code="incorrect_password invalid_username invalid_email"),
        Meaning(errors.AuthRevoked, code="rest_not_logged_in application_passwords_disabled"),
        Meaning(errors.AuthRevoked, code="application_passwords_disabled_for_user"),
        # of a file, by one who may not upload
        Meaning(errors.PermissionDenied, 400, code="rest_cannot_create"),
        # a file that is too large or of a wrong kind; other trouble of the server passes
        Meaning(errors.MediaRejected, code="rest_upload_*"),
        Meaning(errors.MediaRejected, TROUBLE, code="rest_upload_sideload_error"),
        Meaning(errors.MediaRejected, TROUBLE, code="rest_upload_*", words=TOO_LARGE),
        Meaning(errors.MediaExpired, code="rest_invalid_featured_media"),
        Meaning(errors.MediaExpired, code=GONE, phases="publish"),
        Meaning(errors.RejectedContent, code=GONE),
    )
    so_already = (
        Meaning(errors.TargetGone, (404, 410), code=GONE, phases="delete"),
        Meaning(errors.TargetGone, 404, code=GONE, phases="find prepare"),
    )
    code_at = ("code",)

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

    def uploaded(self, outgoing: Outgoing, place: int, image: Image) -> dict[str, str]:
        """The upload of an image: an earlier one if there is, by what was stored or by its slug."""
        earlier: Any = outgoing.prepared.get("media") or []
        if place < len(earlier):
            return dict(earlier[place])
        slug = f"{outgoing.handle['slug']}-{place}"
        found = self.found(MEDIA, {"slug": slug})
        return _media_of(found) if found else self._upload(slug, image)

    def _upload(self, slug: str, image: Image) -> dict[str, str]:
        answer = self.call(
            "POST",
            MEDIA,
            phase="prepare",
            files={"file": self.form_file(image)},
            # escaped, since the site takes away what looks like a tag
            data={"alt_text": html.escape(image.alt, quote=False), "slug": slug},
        )
        with self.reading(answer, "prepare"):
            return _media_of(self.json_of(answer, "prepare"))

    def found(self, path: str, query: dict[str, str]) -> dict[str, Any] | None:
        """What the site has under a slug, with its `id`."""
        answer = self.call("GET", path, phase="prepare", params=query)
        with self.reading(answer, "prepare"):
            for one in answer.list_at():
                text_id(one["id"])
                if one["slug"] == query["slug"]:
                    return dict(one)
        return None

    def error_of(self, answer: Answer, phase: str) -> type[errors.PlatformError] | None:
        if phase == "prepare" and answer.at("data", "params", "status") is not None:
            return errors.AuthRevoked  # only strangers may not ask for drafts
        return super().error_of(answer, phase)


def _media_of(media: dict[str, Any]) -> dict[str, str]:
    """What a post needs of an upload. Raises as `text_id` does."""
    return {"id": str(int(text_id(media["id"]))), "url": address(media["source_url"])}
