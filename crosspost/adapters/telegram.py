"""Telegram channels, by the Bot API.

It must not repeat a call whose outcome is unclear: Telegram has no idempotency and no way to ask
what a bot has posted, so then a person must look. Facts: core.telegram.org/bots/api, and the source
of its server (tdlib/telegram-bot-api, `Client.cpp`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, Meaning, text_id, written
from crosspost.adapters.telegram_messages import (
    RETRY_AFTER,
    address_of,
    album_of,
    field,
    may_post,
    message_of,
    receipt_of,
    warnings_of,
)
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Post, Receipt
from crosspost.rendering.measure import utf16
from crosspost.wording import t

REFUSED = (400, 403)
TOKEN = written(
    r"(?a)\d+:[A-Za-z0-9_-]+",
    lambda: t("write the token as @BotFather gave it: digits, a colon, letters"),
)
CHAT = written(
    r"(?a)@[A-Za-z]\w{3,}|-?\d+",
    lambda: t("write the channel's @name, or its number, which begins with -100"),
)


class TelegramSettings(HttpSettings):
    """`bot_token` is what @BotFather gave, `chat_id` the channel's @name or its number."""

    base_url: WebAddress = "https://api.telegram.org"
    bot_token: Annotated[SecretStr, TOKEN]
    chat_id: Annotated[str, CHAT]


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
    meanings = (
        # the Bot API knows every method that we call, but not this token
        Meaning(errors.AuthRevoked, 404),
        # no status or code says it, only the words; first what stands inside another error too
        Meaning(errors.RateLimited, REFUSED, words="too many requests"),
        Meaning(errors.Misconfigured, REFUSED, words="upgraded to a supergroup"),
        Meaning(errors.TargetGone, REFUSED, words="chat not found|chat was deleted"),
        Meaning(errors.TargetGone, REFUSED, words="group chat was deactivated"),
        Meaning(errors.PermissionDenied, REFUSED, words="not enough rights|have no rights"),
        Meaning(errors.PermissionDenied, REFUSED, words="administrator rights|ADMIN_REQUIRED"),
        Meaning(errors.PermissionDenied, REFUSED, words="_FORBIDDEN|CHANNEL_PRIVATE"),
        Meaning(errors.PermissionDenied, REFUSED, words="CHAT_RESTRICTED|bot is not a member"),
        Meaning(errors.MediaRejected, REFUSED, words="PHOTO_|IMAGE_|MEDIA_|wrong file"),
        Meaning(errors.MediaRejected, REFUSED, words="file is too big|must be non-empty"),
        Meaning(errors.NotSupported, REFUSED, words="can't be (deleted|edited)"),
        # an album of which other images may be public
        Meaning(errors.PartialSuccess, REFUSED, words="failed to send message #|group send failed"),
    )

    def check(self) -> Account:
        bot = self._result("getMe", {}, phase="check")
        chat = self._result("getChat", {"chat_id": self.settings.chat_id}, phase="check")
        about = {"chat_id": self.settings.chat_id, "user_id": field(bot, "id")}
        member = self._result("getChatMember", about, phase="check")
        name = (
            f"@{field(chat, 'username')}" if field(chat, "username") else str(field(chat, "title"))
        )
        if not may_post(chat, member):
            words = t(
                "The bot @{bot} may not post in {channel}. Make it an administrator of the "
                'channel with the right "Post messages".',
                bot=field(bot, "username"),
                channel=name,
            )
            raise self.error(errors.PermissionDenied, words)
        facts = {t("bot"): f"@{field(bot, 'username')}", t("number"): str(field(chat, "id"))}
        return Account(name, address_of(chat), facts, warnings_of(chat))

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
            answer = self._call("sendMessage", fields | message_of(post), phase="publish")
        elif len(post.images) == 1:
            caption = {"caption": post.text, "parse_mode": "HTML"}
            answer = self._send_files("sendPhoto", fields | caption, post, ("photo",))
        else:
            names = tuple(f"image{number}" for number in range(len(post.images)))
            album = {"media": album_of(post, names)}
            answer = self._send_files("sendMediaGroup", fields | album, post, names)
        with self.reading(answer, "publish"):
            return receipt_of(answer.data["result"])

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        post = outgoing.post
        chat = receipt.extra.get("chat_id", self.settings.chat_id)  # even if it is another one now
        fields = {"chat_id": chat, "message_id": int(receipt.remote_id)}
        if post.images:
            method, text = "editMessageCaption", {"caption": post.text, "parse_mode": "HTML"}
        else:
            method, text = "editMessageText", message_of(post)
        self._call(method, fields | text, phase="edit", fine="message is not modified")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        chat = receipt.extra.get("chat_id", self.settings.chat_id)  # even if it is another one now
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
        if answer.at("ok") is True and answer.status == 200:
            return answer
        code = answer.at("error_code")
        if answer.at("ok") is False and isinstance(code, int) and 400 <= code < 600:
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

    def error_of(self, answer: Answer, phase: str) -> type[errors.PlatformError] | None:
        return super().error_of(answer, phase) if isinstance(answer.data, dict) else None

    def until_of(self, answer: Answer) -> datetime | None:
        seconds = answer.at("parameters", "retry_after")
        if seconds is None and (found := RETRY_AFTER.search(self.words_of(answer))):
            seconds = found[1]
        return self.after(seconds) if seconds else None

    def words_of(self, answer: Answer) -> str:
        words, moved = super().words_of(answer), answer.at("parameters", "migrate_to_chat_id")
        return f"{words}. {t('Write chat_id = {number}.', number=moved)}" if moved else words
