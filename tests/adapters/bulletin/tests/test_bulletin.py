"""The contract of crosspost's adapters, for the notice board."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import SecretStr

from crosspost.errors import AuthRevoked, RejectedContent, RetryLater
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.conformance import *  # noqa: F403
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

KEY = "a key of the board"


class FakeBoard(Platform):
    """The board's own logic, as far as an announcement needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.key = KEY
        self.notices: dict[str, str] = {}

    @property
    def posts(self) -> list[PublicPost]:
        return [PublicPost(name, text) for name, text in self.notices.items()]

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/board":
            return "check"
        return {"PUT": "publish", "GET": "find", "DELETE": "delete"}[seen.method]

    def answer(self, seen: Seen) -> Reply:
        if seen.headers.get("x-key") != self.key:
            return Reply(401, {"error": "wrong key"})
        if seen.path == "/board":
            return Reply(200, {"name": "Kantor Bupati"})
        name = seen.path.removeprefix("/notices/")
        if seen.method == "PUT":
            if len(seen.json["text"]) > 200:
                return Reply(422, {"error": "too long"})
            self.notices[name] = seen.json["text"]
        if name not in self.notices:
            return Reply(404, {"error": "no such notice"})
        if seen.method == "DELETE":
            del self.notices[name]
        return Reply(200, {"id": name, "url": f"{self.url}/notices/{name}"})


class BulletinCase(Case):
    platform = "bulletin"
    SECRETS = (KEY,)
    shows_link = False  # a screen has no links
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): ({"error": "wrong key"}, {}, AuthRevoked),
        ("check", 503): (b"", {}, RetryLater),
        ("publish", 422): ({"error": "too long"}, {}, RejectedContent),
    }

    def start(self) -> FakeBoard:
        return FakeBoard()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "key": SecretStr(KEY)}

    def revoke(self, platform: Platform) -> None:
        platform.key = "another"  # type: ignore[attr-defined]


CASES = {"bulletin": BulletinCase}
