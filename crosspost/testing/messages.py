"""Requests as they arrive at a platform of ours, its answers, and what the public then sees."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

TYPE_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Upload:
    """One field of a multipart request."""

    content: bytes
    filename: str | None = None
    mime: str = ""

    @property
    def text(self) -> str:
        """The content of a field that is no file."""
        return self.content.decode()

    @property
    def sha256(self) -> str:
        """Of the content, hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Seen:
    """One request as it arrived, whole. `headers` has lower-case names."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a urlencoded body."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @cached_property
    def parts(self) -> dict[str, Upload]:
        """The fields of a multipart body by name; empty when it is none."""
        found = re.search(r'boundary="?([^";]+)', self.headers.get("content-type", ""))
        if not found:
            return {}
        pieces = self.body.split(b"--" + found[1].encode())[1:-1]
        return dict(_upload(piece) for piece in pieces)


def _upload(piece: bytes) -> tuple[str, Upload]:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    words = head.decode()
    name = re.search(r'\bname="([^"]*)"', words)
    filename = re.search(r'\bfilename="([^"]*)"', words)
    mime = re.search(r"(?im)^content-type:\s*(\S+)", words)
    upload = Upload(
        content.removesuffix(b"\r\n"), filename[1] if filename else None, mime[1] if mime else ""
    )
    return (name[1] if name else ""), upload


@dataclass
class Reply:
    """An answer: `json` (any JSON value), or `body` as it is."""

    status: int = 200
    json: Any = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if self.json is None else json.dumps(self.json).encode()


@dataclass(frozen=True)
class PublicPost:
    """What the public sees of one post.

    `text` is as a reader sees it (no markup), `images` are (alt text, SHA-256 of the bytes, hex) of
    images and videos, `reply_to` the id of the post that it answers to, "" for none.
    """

    remote_id: str
    text: str
    images: tuple[tuple[str, str], ...] = ()
    link: str = ""
    reply_to: str = ""
