"""Discord channels of a server, written to by a bot of the office.

It must not call anybody: no post of ours rings for `@everyone`, a role or a person. Nor may it post
by an incoming webhook, whose posts cannot be looked for. Facts: discord.com/developers/docs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import HttpSettings, text_id, timed, written
from crosspost.adapters.discord_api import DiscordApi
from crosspost.adapters.discord_messages import NOBODY, is_ours, message_of
from crosspost.adapters.likeness import moment
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Post, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.wording import t

NONCE = 25  # characters at most
GONE = (10003, 10008)  # no such channel, no such message


class DiscordSettings(HttpSettings):
    """`bot_token` is that of the office's application, `channel_id` the channel's number."""

    base_url: WebAddress = "https://discord.com/api/v10"
    bot_token: SecretStr
    channel_id: Annotated[
        str,
        written(
            r"(?a)[1-9]\d{5,19}",
            lambda: t("write the channel's id: a long number, by Copy Channel ID"),
        ),
    ]


class DiscordAdapter(ListingAdapter, DiscordApi):
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
    pages = 10
    lists_others = True
    _names: dict[str, str] | None = None

    def check(self) -> Account:
        bot = self.get("/users/@me", "check")
        channel = self.channel("check")
        rights = self.missing_rights_of(bot, channel)
        if rights:
            words = t(
                "The bot {bot} lacks rights in the channel #{channel}: {rights}.",
                bot=bot["username"],
                channel=channel.get("name"),
                rights=", ".join(rights),
            )
            raise self.error(errors.PermissionDenied, words)
        address = self._address(str(channel["guild_id"]))
        facts = {t("channel"): f"#{channel.get('name')}"}
        return Account(str(bot["username"]), address, facts)

    def measure(self, text: str) -> int:
        """UTF-16 code units of the text with its marks: never less than Discord counts."""
        return utf16(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        digest = hashlib.sha256(timed(key, now).encode()).hexdigest()
        return {"nonce": digest[:NONCE]}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:  # noqa: ARG002
        """No upload: images travel with the message. But who and where is learnt before."""
        if self._names is None:
            bot, channel = self.get("/users/@me", "prepare"), self.channel("prepare")
            self._names = {"user": str(bot["id"]), "guild": str(channel["guild_id"])}
        return dict(self._names)

    def publish(self, outgoing: Outgoing) -> Receipt:
        message = message_of(outgoing.post)
        message |= {"nonce": outgoing.handle["nonce"], "enforce_nonce": True}
        if outgoing.parent:
            message["message_reference"] = {"message_id": outgoing.parent.remote_id}
        body = self._body(message, outgoing.post)
        answer = self.call("POST", self._messages, phase="publish", **body)
        with self.reading(answer, "publish"):
            return self._receipt(answer.data, outgoing)

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        query = {"limit": str(self.page_size), **more}
        answer, posts = self.call("GET", self._messages, phase="find", params=query), []
        with self.reading(answer, "find"):
            for message in answer.list_at():
                receipt = self._receipt(message, outgoing)
                posts.append(Listed(receipt, moment(message["timestamp"]), about=message))
        return Page(answer, posts, {"before": posts[-1].receipt.remote_id} if posts else {})

    def is_ours(self, post: Listed, outgoing: Outgoing, *, recent: bool) -> bool:
        return is_ours(post.about, outgoing, str(outgoing.prepared["user"]), recent=recent)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        if not outgoing.prepared.get("user"):
            outgoing = replace(outgoing, prepared=self.prepare(outgoing))
        return super().find(outgoing)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        text = {"content": outgoing.post.text, "allowed_mentions": NOBODY}
        self.call("PATCH", self._path_of(receipt), phase="edit", json=text)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        path = self._path_of(receipt)
        answer = self.call("DELETE", path, phase="delete", ok=(200, 204, 404))
        if answer.status == 404 and answer.at("code") not in GONE:
            raise self.error_from(answer, "delete")

    def _path_of(self, receipt: Receipt) -> str:
        """A post's path, also when the channel in the settings is another one now."""
        channel = receipt.permalink.rpartition("/")[0].rpartition("/")[2]
        return f"/channels/{channel or self.settings.channel_id}/messages/{receipt.remote_id}"

    def _receipt(self, message: dict[str, Any], outgoing: Outgoing) -> Receipt:
        name = text_id(message["id"])
        return Receipt(name, self._address(str(outgoing.prepared["guild"]), name))

    @property
    def _messages(self) -> str:
        """Where the channel's messages are."""
        return f"/channels/{self.settings.channel_id}/messages"

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
