"""Mastodon's API, as many servers speak it: who we are, uploads, limits, what errors mean.

It must not know what a post is; `mastodon.py` does. Facts: docs.joinmastodon.org.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from crosspost import errors
from crosspost.adapters.base import Meaning, text_id
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.uploads import File, Upload, UploadingAdapter

REFUSED = (400, 422)


class MastodonApi(UploadingAdapter, OAuthAdapter):
    """Calls to one server as one account."""

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
        Meaning(
            errors.DuplicateDetected,
            REFUSED,
            words="already attached|attached to another",
            phases="publish",
        ),
        Meaning(errors.MediaRejected, REFUSED, phases="prepare"),
        Meaning(errors.RejectedContent, REFUSED),
    )
    account_id = ""

    def whoami(self, phase: str) -> dict[str, Any]:
        """The account whose token it is."""
        answer = self.call_signed_in("GET", "/api/v1/accounts/verify_credentials", phase=phase)
        me = self.json_of(answer, phase)
        with self.reading(answer, phase):
            self.account_id = text_id(me["id"])
        return me

    def upload(self, file: File) -> Upload:
        answer = self.call_signed_in(
            "POST",
            "/api/v2/media",
            phase="prepare",
            files={"file": (file.filename, self.bytes_of(file), file.mime)},
            data={"description": file.alt},
        )
        with self.reading(answer, "prepare"):
            return Upload(text_id(self.json_of(answer, "prepare")["id"]), answer.status != 202)

    def state_of(self, name: str) -> Upload | None:
        path = f"/api/v1/media/{name}"
        answer = self.call_signed_in("GET", path, phase="prepare", ok=(200, 206, 404))
        return None if answer.status == 404 else Upload(name, answer.status == 200)

    def limit(self) -> int | None:
        """The server's limit in characters; older servers only know the first version."""
        for path in ("/api/v2/instance", "/api/v1/instance"):
            with suppress(errors.PlatformError):
                answer = self.call_signed_in("GET", path, phase="check")
                if answer.at("configuration", "statuses") is not None:
                    limit = answer.at("configuration", "statuses", "max_characters")
                    return limit if isinstance(limit, int) else None
        return None
