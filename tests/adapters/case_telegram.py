"""The Bot API as far as an announcement needs it, as strict as the real one about what it takes."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from typing import Any, ClassVar

from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen, Upload

TOKEN = "123456789:AAE_telegram-secret-of-the-bot"
BOT = 123456789
TAGS = {"b", "i", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler"}
LIMITS = {"text": 4096, "caption": 1024}


class Refused(Exception):
    """What the platform says no with."""


def no(status: int, words: str, **parameters: Any) -> dict[str, Any]:
    """A refusal of the Bot API."""
    more = {"parameters": parameters} if parameters else {}
    return {"ok": False, "error_code": status, "description": words, **more}


class FakeTelegram(Platform):
    """One channel. `refuses_with_200`: some servers of the Bot API answer a refusal so."""

    refuses_with_200 = False

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN
        self.chat: dict[str, Any] = {
            "id": -1001234567890,
            "type": "channel",
            "title": "Kejari Contoh",
            "username": "kejari_contoh",
        }
        self.member: dict[str, Any] = {
            "status": "administrator",
            "user": {"id": BOT},
            "can_post_messages": True,
        }
        self.messages: dict[int, dict[str, Any]] = {}
        self._next = 40

    @property
    def posts(self) -> list[PublicPost]:
        groups: dict[str, list[dict[str, Any]]] = {}
        for message in self.messages.values():
            groups.setdefault(message["group"], []).append(message)
        return [
            PublicPost(
                str(album[0]["id"]),
                album[0]["text"],
                tuple(("", message["photo"]) for message in album if message["photo"]),
                album[0]["link"],
                album[0]["reply_to"],
            )
            for album in groups.values()
        ]

    def phase_of(self, seen: Seen) -> str:
        method = seen.path.rsplit("/", 1)[1]
        return {"get": "check", "sen": "publish", "edi": "edit", "del": "delete"}.get(
            method[:3], ""
        )

    def answer(self, seen: Seen) -> Reply:
        if not seen.path.startswith(f"/bot{self.token}/"):
            return self._refusal(no(401, "Unauthorized"))
        method = seen.path.rsplit("/", 1)[1]
        fields, files = _fields(seen)
        if method == "getMe":
            return _yes({"id": BOT, "is_bot": True, "username": "kejari_bot"})
        if fields.get("chat_id") not in (str(self.chat["id"]), f"@{self.chat.get('username')}"):
            return self._refusal(no(400, "Bad Request: chat not found"))
        try:
            return _yes(self._result(method, fields, files))
        except Refused as words:
            return self._refusal(no(400, f"Bad Request: {words}"))

    def _refusal(self, body: dict[str, Any]) -> Reply:
        return Reply(200 if self.refuses_with_200 else body["error_code"], body)

    def _result(self, method: str, fields: dict[str, Any], files: dict[str, Upload]) -> Any:
        match method:
            case "getChat":
                return self.chat
            case "getChatMember":
                return self.member
            case "sendMessage":
                preview = fields["link_preview_options"]
                return self._new(fields, "text", link=preview.get("url", ""))
            case "sendPhoto" | "sendVideo":
                (file,) = (files[name] for name in ("photo", "video") if name in files)
                if file.filename.endswith(".mp4") is (method == "sendPhoto"):
                    raise Refused("wrong file")
                return self._new(fields, "caption", photo=file.sha256)
            case "sendMediaGroup":
                return self._album(fields, files)
            case "deleteMessage":
                if self.messages.pop(int(fields["message_id"]), None) is None:
                    raise Refused("message to delete not found")
                return True
            case "editMessageText" | "editMessageCaption":
                return self._edit(fields, "text" if method.endswith("Text") else "caption")
        raise Refused(f"no such method: {method}")

    def _album(self, fields: dict[str, Any], files: dict[str, Upload]) -> list[dict[str, Any]]:
        media = fields["media"]
        if not 2 <= len(media) <= 10 or any("caption" in item for item in media[1:]):
            raise Refused("wrong album")
        photos = [files[item["media"].removeprefix("attach://")].sha256 for item in media]
        group = f"album {self._next}"
        return [
            self._new({**fields, "caption": "", **item}, "caption", photo=photo, group=group)
            for item, photo in zip(media, photos, strict=True)
        ]

    def _new(
        self, fields: dict[str, Any], kind: str, *, link: str = "", photo: str = "", group: str = ""
    ) -> dict[str, Any]:
        text = _visible(fields, kind)
        reply = fields.get("reply_parameters", {}).get("message_id")
        if reply is not None and reply not in self.messages:
            raise Refused("message to be replied not found")
        self._next += 1
        self.messages[self._next] = {
            "id": self._next,
            "text": text,
            "photo": photo,
            "link": link,
            "reply_to": str(reply or ""),
            "group": group or f"message {self._next}",
        }
        return {"message_id": self._next, "date": 1767225600, "chat": self.chat}

    def _edit(self, fields: dict[str, Any], kind: str) -> dict[str, Any]:
        message = self.messages.get(fields["message_id"])
        if message is None:
            raise Refused("message to edit not found")
        if bool(message["photo"]) is (kind == "text"):
            raise Refused("there is no text in the message to edit")
        if message["text"] == _visible(fields, kind):
            raise Refused("message is not modified: specified new message content is the same")
        message["text"] = _visible(fields, kind)
        return {"message_id": message["id"], "chat": self.chat}


def _yes(result: Any) -> Reply:
    return Reply(200, {"ok": True, "result": result})


def _fields(seen: Seen) -> tuple[dict[str, Any], dict[str, Upload]]:
    """Fields, structures decoded, and files of a request in JSON or multipart."""
    if seen.json is not None:
        return seen.json, {}
    files = {name: part for name, part in seen.parts.items() if part.filename}
    fields: dict[str, Any] = {n: p.text for n, p in seen.parts.items() if not p.filename}
    for name in ("media", "reply_parameters"):
        if name in fields:
            fields[name] = json.loads(fields[name])
    return fields, files


def _visible(fields: dict[str, Any], kind: str) -> str:
    """The text without its tags; Refused where Telegram would not take it."""
    if "parse_mode" not in fields and not fields[kind]:
        return ""
    assert fields["parse_mode"] == "HTML"
    parser = _Tags(fields[kind])
    if len(parser.text.encode("utf-16-le")) // 2 > LIMITS[kind]:
        raise Refused("message is too long" if kind == "text" else "message caption is too long")
    if not parser.text and kind == "text":
        raise Refused("message text is empty")
    return parser.text


class _Tags(HTMLParser):
    """Telegram's HTML: few tags, all closed in order, four named entities."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.text = ""
        self.open: list[str] = []
        rest = re.sub(r"&(lt|gt|amp|quot|#\d+|#x[0-9a-f]+);", "", text)
        if "&" in rest:
            raise Refused("can't parse entities: unexpected &")
        self.feed(text)
        self.close()
        if self.open:
            raise Refused(f"can't parse entities: can't find end tag of {self.open[-1]}")

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in TAGS:
            raise Refused(f'can\'t parse entities: unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Refused("can't parse entities: unmatched end tag")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_entityref(self, name: str) -> None:
        self.text += html.unescape(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.text += html.unescape(f"&#{name};")


class TelegramCase(Case):
    """The case of the conformance suite."""

    platform = "telegram"
    SECRETS = (TOKEN,)
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 400): (no(400, "Bad Request: chat not found"), {}, TargetGone),
        ("check", 401): (no(401, "Unauthorized"), {}, AuthRevoked),
        ("check", 403): (
            no(403, "Forbidden: bot is not a member of the channel chat"),
            {},
            PermissionDenied,
        ),
        ("check", 404): (no(404, "Not Found"), {}, AuthRevoked),
        ("check", 502): (b"<html>502 Bad Gateway</html>", {}, RetryLater),
        ("publish", 400): (
            no(400, "Bad Request: can't parse entities: unsupported start tag"),
            {},
            RejectedContent,
        ),
        ("publish", 401): (no(401, "Unauthorized"), {}, AuthRevoked),
        ("publish", 403): (
            no(403, "Forbidden: bot was kicked from the channel chat"),
            {},
            PermissionDenied,
        ),
        ("publish", 404): (no(404, "Not Found"), {}, AuthRevoked),
        ("publish", 413): (no(413, "Request Entity Too Large"), {}, MediaRejected),
        ("publish", 429): (
            no(429, "Too Many Requests: retry after 7", retry_after=7),
            {},
            RateLimited,
        ),
        ("publish", 500): (no(500, "Internal Server Error"), {}, UnknownOutcome),
        ("delete", 502): (b"", {}, RetryLater),
    }

    def start(self) -> FakeTelegram:
        return FakeTelegram()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {
            "base_url": platform.url,
            "bot_token": SecretStr(TOKEN),
            "chat_id": "@kejari_contoh",
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeTelegram)
        platform.token = "999999999:another-token"
