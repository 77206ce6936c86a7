"""Telegram channels, by the Bot API.

It must not repeat a call whose outcome is unclear: Telegram has no idempotency and no way to ask
what a bot has posted, so then a person must look. Facts: core.telegram.org/bots/api, and the source
of its server (tdlib/telegram-bot-api, `Client.cpp`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import SecretStr, field_validator

from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, text_id
from crosspost.config import WebAddress
from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    NotSupported,
    PartialSuccess,
    PermissionDenied,
    PlatformError,
    RateLimited,
    TargetGone,
)
from crosspost.post import Account, Capabilities, Markup, Outgoing, Post, Receipt
from crosspost.rendering.measure import utf16
from crosspost.retry import retry_time
from crosspost.wording import t

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
CHAT = re.compile(r"@[A-Za-z]\w{3,}|-?\d+", re.A)
RETRY_AFTER = re.compile(r"retry after (\d+)", re.I)

#: What the words of a refusal mean, the first that fits; no status or code says it.
WORDS: tuple[tuple[re.Pattern[str], type[PlatformError]], ...] = tuple(
    (re.compile(words, re.I), kind)
    for words, kind in (
        ("too many requests", RateLimited),  # also inside another error
        ("upgraded to a supergroup", Misconfigured),
        ("chat not found|chat was deleted|group chat was deactivated", TargetGone),
        ("not enough rights|have no rights|administrator rights|ADMIN_REQUIRED", PermissionDenied),
        ("_FORBIDDEN|CHANNEL_PRIVATE|CHAT_RESTRICTED|bot is not a member", PermissionDenied),
        ("PHOTO_|IMAGE_|MEDIA_|wrong file|file is too big|must be non-empty", MediaRejected),
        ("can't be (deleted|edited)", NotSupported),
        # an album of which other images may be public
        ("failed to send message #|group send failed", PartialSuccess),
    )
)


class TelegramSettings(HttpSettings):
    """`bot_token` is what @BotFather gave, `chat_id` the channel's @name or its number."""

    base_url: WebAddress = "https://api.telegram.org"
    bot_token: SecretStr
    chat_id: str

    @field_validator("bot_token")
    @classmethod
    def _is_a_token(cls, token: SecretStr) -> SecretStr:
        if not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError(t("write the token as @BotFather gave it: digits, a colon, letters"))
        return token

    @field_validator("chat_id", mode="before")
    @classmethod
    def _is_a_chat(cls, chat: object) -> object:
        text = str(chat).strip() if isinstance(chat, str | int) else ""
        if not CHAT.fullmatch(text):
            raise ValueError(t("write the channel's @name, or its number, which begins with -100"))
        return text


class TelegramAdapter(HttpAdapter):
    """One channel that a bot may post to."""

    platform = "telegram"
    title = "Telegram"
    Settings = TelegramSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.TELEGRAM_HTML,
        max_length=4096,
        max_caption=1024,
        max_images=10,
        image_bytes=10_000_000,
        image_side=5000,  # width and height together at most 10,000
        threads=True,
        delete=True,  # younger than 48 hours
        edit=True,
        shows_edits=True,
    )

    def check(self) -> Account:
        bot = self._result("getMe", {}, phase="check")
        chat = self._result("getChat", {"chat_id": self.settings.chat_id}, phase="check")
        about = {"chat_id": self.settings.chat_id, "user_id": _of(bot, "id")}
        member = self._result("getChatMember", about, phase="check")
        name = f"@{_of(chat, 'username')}" if _of(chat, "username") else str(_of(chat, "title"))
        if not _may_post(chat, member):
            raise PermissionDenied(
                t(
                    "The bot @{bot} may not post in {channel}. Make it an administrator of the "
                    'channel with the right "Post messages".',
                    bot=_of(bot, "username"),
                    channel=name,
                ),
                platform=self.platform,
            )
        facts = {t("bot"): f"@{_of(bot, 'username')}", t("number"): str(_of(chat, "id"))}
        return Account(name, _address(chat), facts, _warnings(chat))

    def measure(self, text: str) -> int:
        """UTF-16 code units of the visible text: tags of the markup do not count."""
        return utf16(text)

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, outgoing: Outgoing) -> Receipt:
        post = outgoing.post
        fields: dict[str, Any] = {"chat_id": self.settings.chat_id}
        if outgoing.parent:
            fields["reply_parameters"] = {"message_id": int(outgoing.parent.remote_id)}
        if not post.images:
            answer = self._call("sendMessage", fields | _message(post), phase="publish")
        elif len(post.images) == 1:
            caption = {"caption": post.text, "parse_mode": "HTML"}
            answer = self._send_files("sendPhoto", fields | caption, post, ("photo",))
        else:
            names = tuple(f"image{number}" for number in range(len(post.images)))
            album = {"media": _album(post, names)}
            answer = self._send_files("sendMediaGroup", fields | album, post, names)
        with self.reading(answer, "publish"):
            return _receipt(answer.data["result"])

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        post = outgoing.post
        chat = _chat_of(receipt, self.settings.chat_id)
        fields = {"chat_id": chat, "message_id": int(receipt.remote_id)}
        if post.images:
            method, text = "editMessageCaption", {"caption": post.text, "parse_mode": "HTML"}
        else:
            method, text = "editMessageText", _message(post)
        self._call(method, fields | text, phase="edit", fine="message is not modified")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        chat = _chat_of(receipt, self.settings.chat_id)
        for message in receipt.extra.get("message_ids", receipt.remote_id).split(","):
            fields = {"chat_id": chat, "message_id": int(message)}
            self._call("deleteMessage", fields, phase="delete", fine="message to delete not found")

    # --- calls ------------------------------------------------------------------------------------

    def _call(
        self, method: str, fields: Mapping[str, Any], *, phase: str, fine: str = ""
    ) -> Answer:
        """One method; `fine` are the words of a refusal that means that it is so already."""
        return self._yes(self._send(method, phase, json=dict(fields)), phase, fine)

    def _send_files(
        self, method: str, fields: Mapping[str, Any], post: Post, names: tuple[str, ...]
    ) -> Answer:
        files = {
            name: (image.filename, self.bytes_of(image), image.mime)
            for name, image in zip(names, post.images, strict=True)
        }
        # in a form, whatever is no text is written as JSON
        form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        return self._yes(self._send(method, "publish", data=form, files=files), "publish")

    def _send(self, method: str, phase: str, **body: Any) -> Answer:
        token = self.settings.bot_token.get_secret_value()
        every = tuple(range(100, 600))
        return self.call("POST", f"/bot{token}/{method}", phase=phase, ok=every, **body)

    def _yes(self, answer: Answer, phase: str, fine: str = "") -> Answer:
        """`answer` when it is a yes. A refusal may come with any HTTP status, also 200."""
        said = answer.data if isinstance(answer.data, dict) else {}
        if said.get("ok") is True and answer.status == 200:
            return answer
        code = said.get("error_code")
        if said.get("ok") is False and isinstance(code, int) and 400 <= code < 600:
            answer = replace(answer, status=code)
        if fine and answer.status == 400 and fine in self.words_of(answer):
            return answer
        raise self.error_from(answer, phase)

    def _result(self, method: str, fields: Mapping[str, Any], *, phase: str) -> dict[str, Any]:
        answer = self._call(method, fields, phase=phase)
        with self.reading(answer, phase):
            result = answer.data["result"]
            text_id(result.get("id") or result.get("status"))  # every object that we read has one
            return dict(result)

    # --- errors -----------------------------------------------------------------------------------

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:  # noqa: ARG002
        if not 400 <= answer.status < 500 or not isinstance(answer.data, dict):
            return None
        if answer.status == 404:
            return AuthRevoked  # the Bot API knows every method that we call, but not this token
        if answer.status in (400, 403):
            words = self.words_of(answer)
            return next((kind for pattern, kind in WORDS if pattern.search(words)), None)
        return None

    def until_of(self, answer: Answer) -> datetime | None:
        seconds = _parameters(answer).get("retry_after")
        if seconds is None and (found := RETRY_AFTER.search(self.words_of(answer))):
            seconds = found[1]
        return retry_time({"Retry-After": str(seconds)}, self.context.now()) if seconds else None

    def words_of(self, answer: Answer) -> str:
        words = super().words_of(answer)
        moved = _parameters(answer).get("migrate_to_chat_id")
        return f"{words}. {t('Write chat_id = {number}.', number=moved)}" if moved else words


def _parameters(answer: Answer) -> dict[str, Any]:
    """What an error answer says besides its words."""
    said = answer.data.get("parameters") if isinstance(answer.data, dict) else None
    return said if isinstance(said, dict) else {}


def _message(post: Post) -> dict[str, Any]:
    """A text, with a preview of its link and of no other."""
    preview = {"url": post.link} if post.link else {"is_disabled": True}
    return {"text": post.text, "parse_mode": "HTML", "link_preview_options": preview}


def _album(post: Post, names: tuple[str, ...]) -> list[dict[str, str]]:
    """The text stands under the first image: then it is shown under the whole album."""
    media = [{"type": "photo", "media": f"attach://{name}"} for name in names]
    media[0] |= {"caption": post.text, "parse_mode": "HTML"}
    return media


def _receipt(result: Any) -> Receipt:
    """The receipt of a message, or of an album, which is named by its first one."""
    messages = result if isinstance(result, list) else [result]
    ids = [text_id(message["message_id"]) for message in messages]
    if not all(name.isdecimal() and int(name) > 0 for name in ids):
        raise ValueError("not the id of a message that is out")
    chat = messages[0].get("chat")
    extra = {"message_ids": ",".join(ids)}
    if _of(chat, "id"):
        extra["chat_id"] = str(_of(chat, "id"))
    address = _address(chat)
    return Receipt(ids[0], f"{address}/{ids[0]}" if address else "", extra)


def _address(chat: Any) -> str:
    """Where people see a chat; one without a name is open to its members only."""
    if username := _of(chat, "username"):
        return f"https://t.me/{username}"
    number = str(_of(chat, "id") or "")
    return f"https://t.me/c/{number[4:]}" if number.startswith("-100") else ""


def _chat_of(receipt: Receipt, configured: str) -> str:
    """The chat that a post is in, even if the channel in the settings is another one now."""
    return receipt.extra.get("chat_id", configured)


def _may_post(chat: dict[str, Any], member: dict[str, Any]) -> bool:
    status = _of(member, "status")
    if _of(chat, "type") == "channel":
        may = _of(member, "can_post_messages") is True
        return status == "creator" or (status == "administrator" and may)
    return status in ("creator", "administrator", "member")


def _warnings(chat: dict[str, Any]) -> tuple[str, ...]:
    if _of(chat, "type") != "channel":
        return (t("This is not a channel: write the @name of a channel, or its number."),)
    if not _of(chat, "username"):
        return (t("The channel is private: links to its posts work for its members only."),)
    return ()


def _of(values: Any, name: str) -> Any:
    """A field of an object in an answer; None when it, or the object, is not there."""
    return values.get(name) if isinstance(values, dict) else None
