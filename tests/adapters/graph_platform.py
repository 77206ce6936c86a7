"""Meta's Graph API as far as every one of its platforms shares it; facts: developers.facebook.com.

Not a case: the stand-ins of Facebook, Instagram, Threads and WhatsApp are made of it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from crosspost.testing.loopback import Platform, Reply, Seen

VERSION = "v26.0"


def no(code: int, message: str, subcode: int = 0, **more: Any) -> dict[str, Any]:
    """An error as the Graph API words it."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1b2"}
    if subcode:
        error["error_subcode"] = subcode
    return {"error": error | more}


class FakeGraph(Platform):
    """Tokens, versions, ids and times; `do` is what the platform itself does."""

    scopes: tuple[str, ...] = ()
    version = VERSION

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.revoked = False
        self._next = 122_100_000_000_000

    def new_id(self) -> str:
        self._next += 1
        return str(self._next)

    def now(self) -> str:
        """As Meta writes it."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")

    def token_of(self, seen: Seen) -> str:
        said = seen.headers.get("authorization", "").removeprefix("Bearer ")
        return (
            said or seen.query.get("access_token", "") or self.fields(seen).get("access_token", "")
        )

    def fields(self, seen: Seen) -> dict[str, str]:
        """The fields of a form of either kind, and of the query."""
        form = {name: part.text for name, part in seen.parts.items() if part.filename is None}
        return {**seen.query, **(form or seen.form)}

    def answer(self, seen: Seen) -> Reply:
        found = re.fullmatch(r"/(v\d+\.\d+)/(.+)", seen.path)
        if not found or found[1] != self.version:
            return Reply(400, no(2635, "You are calling a deprecated version of the API"))
        if self.revoked or self.token_of(seen) != self.token:
            return Reply(400, no(190, "Error validating access token", 467))
        if found[2] == "debug_token":
            about = {"is_valid": True, "expires_at": 1_924_000_000, "scopes": list(self.scopes)}
            return Reply(200, {"data": about})
        return self.do(seen, found[2], self.fields(seen))

    def do(self, seen: Seen, path: str, fields: dict[str, str]) -> Reply:
        raise NotImplementedError

    def absent(self, name: str) -> Reply:
        words = f"Unsupported request. Object with ID '{name}' does not exist, cannot be loaded"
        return Reply(400, no(100, words, 33))

    def page(self, items: list[dict[str, Any]], seen: Seen) -> Reply:
        """A page of a list, newest first, as its cursors go."""
        start, size = int(seen.query.get("after", 0)), int(seen.query["limit"])
        body: dict[str, Any] = {"data": items[start : start + size]}
        if items[start + size :]:
            body["paging"] = {"cursors": {"after": str(start + size)}}
        return Reply(200, body)
