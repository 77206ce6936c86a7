"""Meta's Graph API as far as every one of its platforms shares it; facts: developers.facebook.com.

Not a case: the stand-ins of Facebook, Instagram, Threads and WhatsApp are made of it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crosspost.config import Config, Office, SiteSettings
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

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


class FakeContainers(FakeGraph):
    """Posts in two steps. Images are fetched as the public sees them: from the folder of the
    office's pages, which `config` names."""

    making = publishing = listing = limits = ""
    account = ""
    text_field = state_field = words_field = ""
    slow = 1  # so many times a container says that it is being worked on
    broken = ""  # what is wrong with the containers that are made from now on

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.folder = Path(tempfile.mkdtemp())
        self.containers: dict[str, dict[str, Any]] = {}
        self.published: dict[str, dict[str, Any]] = {}

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        shutil.rmtree(self.folder)

    def config(self) -> Config:
        """The settings of an office with pages."""
        site = SiteSettings(url="https://kejari.example", folder="public")
        office = Office(name="Kejari Contoh")
        return Config(path=self.folder / "crosspost.toml", office=office, site=site)

    @property
    def lent(self) -> list[str]:
        """The files that can be fetched now."""
        return sorted(p.name for p in (self.folder / "public" / "m").glob("*"))

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(name, post[self.text_field], post["images"], post["link"], post["parent"])
            for name, post in self.published.items()
        ]

    def phase_of(self, seen: Seen) -> str:
        path = seen.path.partition(f"/{self.version}/")[2]
        edge = path.removeprefix(f"{self.account}/")
        if path == self.account:
            return "check"
        if edge in (self.listing, "replies") and seen.method == "GET":
            return "find"
        if edge in (self.making, self.publishing):
            return "publish" if edge == self.publishing else "prepare"
        if path in self.containers:
            return "prepare" if seen.query.get("fields", "").startswith("id,") else ""
        return "delete" if seen.method == "DELETE" else "address"

    def do(self, seen: Seen, path: str, fields: dict[str, str]) -> Reply:
        edge = path.removeprefix(f"{self.account}/")
        match seen.method, edge:
            case "GET", self.account:
                return Reply(200, {"id": "17841400000000001", "username": "kejari.contoh"})
            case "GET", self.limits:
                quota = {"quota_usage": 3, "config": {"quota_total": 100, "quota_duration": 86400}}
                return Reply(200, {"data": [quota]})
            case "GET", self.listing | "replies":
                answers = edge == "replies"
                ours = [p for p in self.published.values() if bool(p["parent"]) == answers]
                return self.page(list(reversed(ours)), seen)
            case "POST", self.making:
                return self._make(fields)
            case "POST", self.publishing:
                return self._publish(fields["creation_id"])
            case "GET", name if name in self.containers:
                return self._state(name)
            case "GET", name if name in self.published:
                return Reply(200, self.published[name])
            case "DELETE", name if name in self.published and self.deletes(name):
                return Reply(200, {"success": True, "deleted_id": name})
        return self.absent(path)

    def deletes(self, name: str) -> bool:
        return bool(self.published.pop(name))

    def fetched(self, address: str) -> str | None:
        """The SHA-256 of what stands at an address of the office's pages."""
        path = self.folder / "public" / address.removeprefix("https://kejari.example/")
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    def refusal(self, fields: dict[str, str]) -> Reply | None:
        """What is wrong with the fields of a container at once."""
        raise NotImplementedError

    def _make(self, fields: dict[str, str]) -> Reply:
        images: tuple[tuple[str, str], ...] = ()
        where = fields.get("image_url") or fields.get("video_url")
        if where:
            digest = self.fetched(where)
            if digest is None:
                return Reply(400, no(9004, "The media could not be fetched", 2207052))
            images = ((fields.get("alt_text", ""), digest),)
        children = [c for c in fields.get("children", "").split(",") if c]
        if any(self.containers[child]["polls"] for child in children):
            return Reply(400, no(9007, "Media ID is not available", 2207027))
        images += tuple(i for child in children for i in self.containers[child]["images"])
        if refused := self.refusal(fields):
            return refused
        name = self.new_id()
        self.containers[name] = {
            self.text_field: fields.get("caption", fields.get("text", "")),
            "images": images,
            "link": fields.get("link_attachment", ""),
            "parent": fields.get("reply_to_id", ""),
            "polls": self.slow,
            "state": "ERROR" if self.broken else "FINISHED",
            "words": self.broken,
            "kind": fields.get("media_type", ""),
        }
        return Reply(200, {"id": name})

    def _state(self, name: str) -> Reply:
        container = self.containers[name]
        if container["polls"]:
            container["polls"] -= 1
            return Reply(200, {"id": name, self.state_field: "IN_PROGRESS"})
        state = {"id": name, self.state_field: container["state"]}
        return Reply(200, state | {self.words_field: container["words"] or container["state"]})

    def _publish(self, name: str) -> Reply:
        container = self.containers.get(name)
        if container is None:
            return Reply(400, no(24, "The requested resource does not exist", 2207006))
        if container["state"] != "FINISHED" or container["polls"]:
            return Reply(400, no(9007, "The media is not ready to be published", 2207027))
        container["state"] = "PUBLISHED"
        post = self.new_id()
        where = {"id": post, "permalink": f"https://example.com/p/{post}/", "timestamp": self.now()}
        self.published[post] = container | where
        return Reply(200, {"id": post})
