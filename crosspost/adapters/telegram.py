"""Telegram channels, by the Bot API.

It must not repeat a call whose outcome is unclear: Telegram has no idempotency and no way to ask
what a bot has posted, so then a person must look. Facts: core.telegram.org/bots/api, and the source
of its server (tdlib/telegram-bot-api, `Client.cpp`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, Meaning, at, text_id, written
from crosspost.adapters.rights import may_post
from crosspost.adapters.uploads import File
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt
from crosspost.rendering.measure import utf16
from crosspost.rendering.telegram import album_of, caption_of, film_of, message_of
from crosspost.wording import t

REFUSED = (400, 403)
#: A wait that only the words of an error name, in seconds.
RETRY_AFTER = re.compile(r"retry after (\d+)", re.I)
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
        max_videos=1,
        video_bytes=50_000_000,  # of a bot
        video_seconds=24 * 3600,  # it knows no limit but that of bytes
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
    so_already = (
        Meaning(errors.RejectedContent, words="message is not modified", phases="edit"),
        Meaning(errors.TargetGone, words="message to delete not found", phases="delete"),
    )
    yes_at, wait_at = ("ok",), ("parameters", "retry_after")
    measure = staticmethod(utf16)  # of the visible text, without tags

    def check(self) -> Account:
        where = {"chat_id": self.settings.chat_id}
        bot, chat = self._result("getMe", {}), self._result("getChat", where)
        member = self._result("getChatMember", {**where, "user_id": bot["id"]}, named_by="status")
        name = f"@{chat['username']}" if chat.get("username") else str(chat.get("title"))
        words = t(
            "The bot @{bot} may not post in {channel}. Make it an administrator of the "
            'channel with the right "Post messages".',
            bot=bot.get("username"),
            channel=name,
        )
        self.insist(may_post(chat, member), errors.PermissionDenied, words)
        other = t("This is not a channel: write the @name of a channel, or its number.")
        closed = t("The channel is private: links to its posts work for its members only.")
        warnings = () if chat.get("username") else (closed,)
        warnings = warnings if chat.get("type") == "channel" else (other,)
        facts = {t("bot"): f"@{bot.get('username')}", t("number"): str(chat["id"])}
        return Account(name, _address(chat), facts, warnings)

    def _result(self, method: str, fields: Any, *, named_by: str = "id") -> dict[str, Any]:
        """What a method answers, where that is an object."""
        answer = self._call(method, phase="check", json=fields)
        return dict(self.json_of(answer, "check", "result", named_by)["result"])

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, outgoing: Outgoing) -> Receipt:
        post, files = outgoing.post, dict[str, File]()
        if post.videos:
            (video, *_) = post.videos
            method, message, files = "sendVideo", film_of(post, video), {"video": video}
        elif not post.images:
            method, message = "sendMessage", message_of(post)
        elif len(post.images) == 1:
            method, message, files = "sendPhoto", caption_of(post), {"photo": post.images[0]}
        else:
            files = {f"image{number}": image for number, image in enumerate(post.images)}
            method, message = "sendMediaGroup", album_of(post, tuple(files))
        message["chat_id"] = self.settings.chat_id
        if outgoing.parent:
            message["reply_parameters"] = {"message_id": int(outgoing.parent.remote_id)}
        body = self.form(message, files) if files else {"json": message}
        answer = self._call(method, phase="publish", **body)
        with self.reading(answer, "publish"):
            return _receipt(answer.data["result"])

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        post, method, text = outgoing.post, "editMessageText", message_of(outgoing.post)
        if post.images or post.videos:
            method, text = "editMessageCaption", caption_of(post)
        self._call(method, phase="edit", json=text | self._names(receipt, receipt.remote_id))
        return receipt

    def delete(self, receipt: Receipt) -> None:
        for message in receipt.extra.get("message_ids", receipt.remote_id).split(","):
            self._call("deleteMessage", phase="delete", json=self._names(receipt, message))

    def _names(self, receipt: Receipt, message: str) -> dict[str, Any]:
        """Which message it is, also when the chat in the settings is another one now."""
        chat = receipt.extra.get("chat_id", self.settings.chat_id)
        return {"chat_id": chat, "message_id": int(message)}

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, method: str, *, phase: str, **body: Any) -> Answer:
        token = self.settings.bot_token.get_secret_value()
        return self.call("POST", f"/bot{token}/{method}", phase=phase, ok=(200,), **body)

    def error_from(self, answer: Answer, phase: str) -> errors.PlatformError:
        """A refusal may come with any HTTP status, also 200: its own is what counts."""
        code = answer.at("error_code")
        if answer.at("ok") is False and isinstance(code, int) and 400 <= code < 600:
            answer = replace(answer, status=code)
        return super().error_from(answer, phase)

    def error_of(self, answer: Answer, phase: str) -> type[errors.PlatformError] | None:
        return super().error_of(answer, phase) if isinstance(answer.data, dict) else None

    def until_of(self, answer: Answer) -> datetime | None:
        found = RETRY_AFTER.search(self.words_of(answer))
        return super().until_of(answer) or (self.after(found[1]) if found else None)

    def words_of(self, answer: Answer) -> str:
        words, moved = super().words_of(answer), answer.at("parameters", "migrate_to_chat_id")
        return f"{words}. {t('Write chat_id = {number}.', number=moved)}" if moved else words


def _receipt(result: Any) -> Receipt:
    """The receipt of a message, or of an album, which is named by its first one."""
    messages = result if isinstance(result, list) else [result]
    ids = [text_id(message["message_id"]) for message in messages]
    if not all(name.isdecimal() and int(name) > 0 for name in ids):
        raise ValueError("not the id of a message that is out")
    chat, extra = messages[0].get("chat"), {"message_ids": ",".join(ids)}
    if number := at(chat, "id"):
        extra["chat_id"] = str(number)
    address = _address(chat)
    return Receipt(ids[0], f"{address}/{ids[0]}" if address else "", extra)


def _address(chat: Any) -> str:
    """Where people see a chat; one without a name is open to its members only."""
    if username := at(chat, "username"):
        return f"https://t.me/{username}"
    number = str(at(chat, "id") or "")
    return f"https://t.me/c/{number[4:]}" if number.startswith("-100") else ""
