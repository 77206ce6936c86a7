"""Telegram channels, by the Bot API.

It must not repeat a call whose outcome is unclear: Telegram has no idempotency and no way to ask
what a bot has posted, so then a person must look. Facts: core.telegram.org/bots/api, and the source
of its server (tdlib/telegram-bot-api, `Client.cpp`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import HttpSettings, written
from crosspost.adapters.telegram_api import TelegramApi
from crosspost.adapters.telegram_messages import (
    address_of,
    album_of,
    field,
    may_post,
    message_of,
    receipt_of,
    shape_of,
    warnings_of,
)
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt
from crosspost.rendering.measure import utf16
from crosspost.wording import t

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


class TelegramAdapter(TelegramApi):
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
        max_videos=1,
        video_bytes=50_000_000,  # of a bot
        video_seconds=24 * 3600,  # it knows no limit but that of bytes
        threads=True,
        delete=True,  # younger than 48 hours
        edit=True,
        shows_edits=True,
    )
    measure = staticmethod(utf16)  # of the visible text, without tags

    def check(self) -> Account:
        bot = self.result("getMe", {}, phase="check")
        chat = self.result("getChat", {"chat_id": self.settings.chat_id}, phase="check")
        about = {"chat_id": self.settings.chat_id, "user_id": field(bot, "id")}
        member = self.result("getChatMember", about, phase="check")
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

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, outgoing: Outgoing) -> Receipt:
        post = outgoing.post
        fields: dict[str, Any] = {"chat_id": self.settings.chat_id}
        if outgoing.parent:
            fields["reply_parameters"] = {"message_id": int(outgoing.parent.remote_id)}
        caption = {"caption": post.text, "parse_mode": "HTML"}
        if post.videos:
            (video, *_) = post.videos
            about = fields | caption | shape_of(video)
            answer = self.send_files("sendVideo", about, {"video": video})
        elif not post.images:
            answer = self.api("sendMessage", fields | message_of(post), phase="publish")
        elif len(post.images) == 1:
            answer = self.send_files("sendPhoto", fields | caption, {"photo": post.images[0]})
        else:
            named = {f"image{number}": image for number, image in enumerate(post.images)}
            album = {"media": album_of(post, tuple(named))}
            answer = self.send_files("sendMediaGroup", fields | album, named)
        with self.reading(answer, "publish"):
            return receipt_of(answer.data["result"])

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        post = outgoing.post
        chat = receipt.extra.get("chat_id", self.settings.chat_id)  # even if it is another one now
        fields = {"chat_id": chat, "message_id": int(receipt.remote_id)}
        if post.images or post.videos:
            method, text = "editMessageCaption", {"caption": post.text, "parse_mode": "HTML"}
        else:
            method, text = "editMessageText", message_of(post)
        self.api(method, fields | text, phase="edit", fine="message is not modified")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        chat = receipt.extra.get("chat_id", self.settings.chat_id)  # even if it is another one now
        for message in receipt.extra.get("message_ids", receipt.remote_id).split(","):
            fields = {"chat_id": chat, "message_id": int(message)}
            self.api("deleteMessage", fields, phase="delete", fine="message to delete not found")
