"""Discord channels of a server, written to by a bot of the office.

It must not call anybody: no post of ours rings for `@everyone`, a role or a person. Nor may it post
by an incoming webhook, whose posts cannot be looked for. Facts: discord.com/developers/docs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr, field_validator

from crosspost import __version__
from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, clock_lag, text_id
from crosspost.adapters.discord_messages import TEXT_CHANNELS, Needle, missing_rights
from crosspost.config import WebAddress
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
)
from crosspost.post import Account, Capabilities, Markup, Outgoing, Post, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.retry import retry_time
from crosspost.wording import t

#: Messages a page, and pages, that a look-up reads at most.
PAGE, PAGES = 100, 10
#: How much earlier than our own note of the start a message may be dated.
SLACK = timedelta(minutes=2)
NONCE = 25  # characters at most
NOBODY: dict[str, Any] = {"parse": [], "replied_user": False}
GONE = (10003, 10008)  # no such channel, no such message

#: What `code` means, whatever the status; it is only looked at below 500.
CODES: dict[int, type[PlatformError]] = {
    10003: TargetGone,
    10004: TargetGone,
    10008: RejectedContent,  # at publish: the post that it answers to
    20016: RateLimited,
    20022: RateLimited,
    20028: RateLimited,
    20029: RateLimited,
    30046: RateLimited,
    40001: AuthRevoked,
    40002: AccountRestricted,
    40005: MediaRejected,
    40333: Misconfigured,
    50001: PermissionDenied,
    50006: RejectedContent,
    50008: Misconfigured,
    50013: PermissionDenied,
    50035: RejectedContent,
    50045: MediaRejected,
    200000: RejectedContent,
    240000: RejectedContent,
}


class DiscordSettings(HttpSettings):
    """`bot_token` is that of the office's application, `channel_id` the channel's number."""

    base_url: WebAddress = "https://discord.com/api/v10"
    bot_token: SecretStr
    channel_id: str

    @field_validator("channel_id", mode="before")
    @classmethod
    def _is_a_number(cls, channel: object) -> object:
        text = str(channel).strip() if isinstance(channel, str | int) else ""
        if not re.fullmatch(r"[1-9]\d{5,19}", text, re.A):
            raise ValueError(t("write the channel's id: a long number, by Copy Channel ID"))
        return text


class DiscordAdapter(HttpAdapter):
    """One text or announcement channel of one server."""

    platform = "discord"
    title = "Discord"
    Settings = DiscordSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.DISCORD,
        max_length=2000,
        max_images=10,
        image_bytes=2_500_000,  # ten of them are less than the 25 MiB of a request
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        max_alt=1024,
        hashtags=False,
        threads=True,
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(seconds=90),  # longer than our own time-out and the server's queue
    )
    _names: dict[str, str] | None = None

    def check(self) -> Account:
        bot = self._get("/users/@me", "check")
        channel = self._channel("check")
        rights = self._missing_rights(bot, channel)
        if rights:
            raise PermissionDenied(
                t(
                    "The bot {bot} lacks rights in the channel #{channel}: {rights}.",
                    bot=bot["username"],
                    channel=channel.get("name"),
                    rights=", ".join(rights),
                ),
                platform=self.platform,
            )
        address = self._address(str(channel["guild_id"]))
        facts = {t("channel"): f"#{channel.get('name')}"}
        return Account(str(bot["username"]), address, facts)

    def measure(self, text: str) -> int:
        """UTF-16 code units of the text with its marks: never less than Discord counts."""
        return utf16(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, since Discord knows the nonce of an older database for some minutes
        digest = hashlib.sha256(f"{key}-{now:%Y%m%dT%H%M%S%f}".encode()).hexdigest()
        return {"nonce": digest[:NONCE]}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:  # noqa: ARG002
        """No upload: images travel with the message. But who and where is learnt before."""
        if self._names is None:
            bot, channel = self._get("/users/@me", "prepare"), self._channel("prepare")
            self._names = {"user": str(bot["id"]), "guild": str(channel["guild_id"])}
        return dict(self._names)

    def publish(self, outgoing: Outgoing) -> Receipt:
        message = _message(outgoing.post) | {
            "nonce": outgoing.handle["nonce"],
            "enforce_nonce": True,
        }
        if outgoing.parent:
            message["message_reference"] = {"message_id": outgoing.parent.remote_id}
        path = f"/channels/{self.settings.channel_id}/messages"
        body = self._body(message, outgoing.post)
        return self._receipt(self._call("POST", path, phase="publish", **body), outgoing)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        path, page = f"/channels/{self.settings.channel_id}/messages", {"limit": str(PAGE)}
        names = outgoing.prepared if outgoing.prepared.get("user") else self.prepare(outgoing)
        needle = Needle(outgoing, str(names["user"]))
        for _ in range(PAGES):
            answer = self._call("GET", path, phase="find", params=page)
            with self.reading(answer, "find"):
                lag = clock_lag(answer, self.context.now())
                since = (outgoing.begun or self.context.now()) - SLACK - lag
                found = _list_of(answer.data)
                if ours := needle.seek(found, since):
                    return Receipt(ours, self._address(str(names["guild"]), ours))
                if not found or datetime.fromisoformat(found[-1]["timestamp"]) < since:
                    return None
                page["before"] = text_id(found[-1]["id"])
        raise RetryLater(
            t("The channel has had too many messages since then to look through."),
            platform=self.platform,
        )

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        text = {"content": outgoing.post.text, "allowed_mentions": NOBODY}
        self._call("PATCH", self._path_of(receipt), phase="edit", json=text)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        path = self._path_of(receipt)
        answer = self._call("DELETE", path, phase="delete", ok=(200, 204, 404))
        if answer.status == 404 and _code(answer) not in GONE:
            raise self.error_from(answer, "delete")

    def _path_of(self, receipt: Receipt) -> str:
        """A post's path, also when the channel in the settings is another one now."""
        channel = receipt.permalink.rpartition("/")[0].rpartition("/")[2]
        return f"/channels/{channel or self.settings.channel_id}/messages/{receipt.remote_id}"

    def _receipt(self, answer: Answer, outgoing: Outgoing) -> Receipt:
        with self.reading(answer, "publish"):
            name = text_id(answer.data["id"])
            return Receipt(name, self._address(str(outgoing.prepared["guild"]), name))

    def _address(self, guild: str, message: str = "") -> str:
        address = f"https://discord.com/channels/{guild}/{self.settings.channel_id}"
        return f"{address}/{message}" if message else address

    def _body(self, message: dict[str, Any], post: Post) -> dict[str, Any]:
        """A message as JSON; with images as a form that has it as its first field."""
        if not post.images:
            return {"json": message}
        files = [
            (f"files[{n}]", (image.filename, self.bytes_of(image), image.mime))
            for n, image in enumerate(post.images)
        ]
        form = ("payload_json", (None, json.dumps(message), "application/json"))
        return {"files": [form, *files]}

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, *, phase: str, **more: Any) -> Answer:
        headers = {
            "Authorization": f"Bot {self.settings.bot_token.get_secret_value()}",
            # Discord demands this form, and refuses others at its door
            "User-Agent": f"DiscordBot ({self.about_us()}, {__version__}) crosspost/{__version__}",
        }
        return self.call(method, path, phase=phase, headers=headers, **more)

    def _get(self, path: str, phase: str) -> dict[str, Any]:
        """An object of Discord's; every one that we read has an id or a list of roles."""
        answer = self._call("GET", path, phase=phase)
        said = self.json_of(answer, phase)
        with self.reading(answer, phase):
            text_id(said.get("id") or (said.get("user") or {}).get("id"))
            return said

    def _channel(self, phase: str) -> dict[str, Any]:
        channel = self._get(f"/channels/{self.settings.channel_id}", phase)
        if channel.get("type") not in TEXT_CHANNELS or not channel.get("guild_id"):
            raise Misconfigured(
                t("This is no text channel of a server: write the id of one."),
                platform=self.platform,
            )
        return channel

    def _missing_rights(self, bot: dict[str, Any], channel: dict[str, Any]) -> list[str]:
        guild = channel["guild_id"]
        member = self._get(f"/guilds/{guild}/members/{bot['id']}", "check")
        answer = self._call("GET", f"/guilds/{guild}/roles", phase="check")
        with self.reading(answer, "check"):
            return missing_rights(channel, member, _list_of(answer.data), str(bot["id"]))

    # --- errors -----------------------------------------------------------------------------------

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:  # noqa: ARG002
        return CODES.get(_code(answer)) if 400 <= answer.status < 500 else None

    def until_of(self, answer: Answer) -> datetime | None:
        wait = answer.data.get("retry_after") if isinstance(answer.data, dict) else None
        if isinstance(wait, bool) or not isinstance(wait, int | float):
            return None
        return retry_time({"Retry-After": str(wait)}, self.context.now())

    def words_of(self, answer: Answer) -> str:
        words = super().words_of(answer)
        errors = answer.data.get("errors") if isinstance(answer.data, dict) else None
        return ": ".join([words, *_details(errors)]) if errors else words


def _code(answer: Answer) -> int:
    """The `code` of an error answer, 0 when it has none."""
    code = answer.data.get("code") if isinstance(answer.data, dict) else None
    return code if isinstance(code, int) else 0


def _details(errors: Any) -> Iterator[str]:
    """The words that lie deep in the `errors` of a refused form."""
    if isinstance(errors, dict):
        if isinstance(errors.get("message"), str):
            yield errors["message"]
        for value in errors.values():
            yield from _details(value)
    elif isinstance(errors, list):
        for value in errors:
            yield from _details(value)


def _list_of(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, list):
        raise TypeError("not a list")
    return data


def _message(post: Post) -> dict[str, Any]:
    """A message without what belongs to one attempt; nobody is called by it."""
    message: dict[str, Any] = {"content": post.text, "allowed_mentions": NOBODY}
    if post.images:
        message["attachments"] = [
            {"id": str(n), "filename": image.filename, "description": image.alt}
            for n, image in enumerate(post.images)
        ]
    return message
