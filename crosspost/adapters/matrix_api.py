"""Matrix's client-server API: its calls, a room and its state, uploads, what its errors mean.

It must not know what an event of ours holds; `matrix.py` does. Facts: spec.matrix.org.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from crosspost import errors
from crosspost.adapters.base import Answer, HttpAdapter, Meaning, text_id
from crosspost.post import Image

CLIENT = "/_matrix/client/v3"


class MatrixApi(HttpAdapter):
    """Calls to one homeserver; the settings have `access_token` and `room_id`."""

    meanings = (
        Meaning(errors.AuthRevoked, code="M_UNKNOWN_TOKEN M_MISSING_TOKEN"),
        Meaning(errors.AccountRestricted, code="M_USER_DEACTIVATED M_USER_SUSPENDED"),
        Meaning(errors.AccountRestricted, code="M_USER_LOCKED M_CONSENT_NOT_GIVEN"),
        Meaning(errors.AccountRestricted, code="M_RESOURCE_LIMIT_EXCEEDED"),
        Meaning(errors.PermissionDenied, code="M_FORBIDDEN M_GUEST_ACCESS_FORBIDDEN"),
        Meaning(errors.RateLimited, code="M_LIMIT_EXCEEDED"),
        Meaning(errors.Misconfigured, code="M_UNRECOGNIZED"),
        Meaning(errors.MediaRejected, code="M_TOO_LARGE", phases="prepare"),
        Meaning(errors.RejectedContent, code="M_TOO_LARGE"),
        Meaning(errors.TargetGone, code="M_NOT_FOUND", phases="publish"),
    )
    user = ""

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.access_token.get_secret_value()}"}

    def room(self, *parts: str) -> str:
        """The path of something in the room."""
        names = "/".join(quote(part, safe="") for part in (self.settings.room_id, *parts))
        return f"{CLIENT}/rooms/{names}"

    def send(self, content: dict[str, Any], transaction: str, *, phase: str) -> Answer:
        """A message, under a transaction id that a repeat must have too."""
        path = self.room("send", "m.room.message", transaction)
        return self.call("PUT", path, phase=phase, json=content)

    def whoami(self, phase: str) -> str:
        """The account whose token it is."""
        answer = self.call("GET", f"{CLIENT}/account/whoami", phase=phase)
        with self.reading(answer, phase):
            self.user = text_id(self.json_of(answer, phase)["user_id"])
            return self.user

    def upload(self, image: Image) -> str:
        """The mxc: address of a new upload."""
        answer = self.call(
            "POST",
            "/_matrix/media/v3/upload",
            phase="prepare",
            params={"filename": image.filename},
            headers={"Content-Type": image.mime},
            data=self.bytes_of(image),
        )
        with self.reading(answer, "prepare"):
            uri = self.json_of(answer, "prepare")["content_uri"]
            if not str(uri).startswith("mxc://"):
                raise ValueError("not the address of an upload")
            return str(uri)

    def state(self, name: str, **query: str) -> dict[str, Any]:
        """One piece of the room's state; empty when the room has none."""
        path = f"{self.room('state')}/{name}"
        answer = self.call("GET", path, phase="check", ok=(200, 404), params=query)
        if answer.status == 404:
            if self.code_of(answer) != "M_NOT_FOUND":
                raise self.error_from(answer, "check")
            return {}
        return self.json_of(answer, "check")

    def upload_limit(self) -> int | None:
        """The server's limit for uploads in bytes; None when it does not say."""
        path = "/_matrix/client/v1/media/config"
        answer = self.call("GET", path, phase="check", ok=tuple(range(200, 500)))
        limit = answer.at("m.upload.size")
        return limit if isinstance(limit, int) else None

    def code_of(self, answer: Answer) -> str:
        return answer.word("errcode")

    def until_of(self, answer: Answer) -> datetime | None:
        wait = answer.at("retry_after_ms")
        return self.after(wait / 1000) if isinstance(wait, int | float) else None
