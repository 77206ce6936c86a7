"""Discord channels of a server, written to by a bot of the office.

It must not call anybody: no post of ours rings for `@everyone`, a role or a person. Nor may it post
by an incoming webhook, whose posts cannot be looked for. Facts: discord.com/developers/docs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import __version__, errors
from crosspost.adapters.base import Answer, HttpSettings, Meaning, text_id, timed, written
from crosspost.adapters.likeness import moment
from crosspost.adapters.lookups import AccountListAdapter, Listed, Page
from crosspost.adapters.rights import missing_rights
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.wording import t

NONCE = 25  # characters at most
NOBODY: dict[str, Any] = {"parse": [], "replied_user": False}
TEXT_CHANNELS = (0, 5)  # text, announcement
CHANNEL = written(
    r"(?a)[1-9]\d{5,19}",
    lambda: t("write the channel's id: a long number, by Copy Channel ID"),
)


class DiscordSettings(HttpSettings):
    """`bot_token` is that of the office's application, `channel_id` the channel's number."""

    base_url: WebAddress = "https://discord.com/api/v10"
    bot_token: SecretStr
    channel_id: Annotated[str, CHANNEL]


class DiscordAdapter(AccountListAdapter):
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
    meanings = (
        Meaning(errors.TargetGone, code="10003 10004"),
        Meaning(errors.RejectedContent, code="10008"),  # at publish: the post that it answers to
        Meaning(errors.RateLimited, code="20016 20022 20028 20029 30046"),
        Meaning(errors.AuthRevoked, code="40001"),
        Meaning(errors.AccountRestricted, code="40002"),
        Meaning(errors.MediaRejected, code="40005 50045"),
        Meaning(errors.Misconfigured, code="40333 50008"),
        Meaning(errors.PermissionDenied, code="50001 50013"),
        Meaning(errors.RejectedContent, code="50006 50035 200000 240000"),
    )
    # no such channel, no such message
    so_already = (Meaning(errors.TargetGone, 404, code="10003 10008", phases="delete"),)
    code_at, code_type = ("code",), int
    wait_at, more_words_at = ("retry_after",), (("errors",),)
    mark, pages, lists_others = "nonce", 10, True
    measure = staticmethod(utf16)  # of the text with its marks: never less than Discord counts
    _guild = ""

    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bot {self.settings.bot_token.get_secret_value()}",
            # Discord demands this form, and refuses others at its door
            "User-Agent": f"DiscordBot ({self.about_us()}, {__version__}) crosspost/{__version__}",
        }

    def ask_who(self, phase: str) -> Answer:
        return self.call("GET", "/users/@me", phase=phase)

    def check(self) -> Account:
        bot, channel = self.whoami("check"), self._channel("check")
        user, guild = self.own_id("check"), f"/guilds/{channel['guild_id']}"
        answer = self.call("GET", f"{guild}/members/{user}", phase="check")
        member = self.json_of(answer, "check", "user", "id")
        answer = self.call("GET", f"{guild}/roles", phase="check")
        with self.reading(answer, "check"):
            rights = missing_rights(channel, member, answer.list_at(), user)
        words = t(
            "The bot {bot} lacks rights in the channel #{channel}: {rights}.",
            bot=bot["username"],
            channel=channel.get("name"),
            rights=", ".join(rights),
        )
        self.insist(not rights, errors.PermissionDenied, words)
        address = self._address(str(channel["guild_id"]))
        return Account(str(bot["username"]), address, {t("channel"): f"#{channel.get('name')}"})

    def _channel(self, phase: str) -> dict[str, Any]:
        """The channel of the settings. Raises Misconfigured when nobody reads texts there."""
        answer = self.call("GET", f"/channels/{self.settings.channel_id}", phase=phase)
        channel = self.json_of(answer, phase, "id")
        good = channel.get("type") in TEXT_CHANNELS and channel.get("guild_id")
        words = t("This is no text channel of a server: write the id of one.")
        self.insist(good, errors.Misconfigured, words)
        return channel

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        digest = hashlib.sha256(timed(key, now).encode()).hexdigest()
        return {"nonce": digest[:NONCE]}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:  # noqa: ARG002
        """No upload: images travel with the message. But who and where is learnt before."""
        self._guild = self._guild or str(self._channel("prepare")["guild_id"])
        return {"user": self.own_id("prepare"), "guild": self._guild}

    def publish(self, outgoing: Outgoing) -> Receipt:
        images = outgoing.post.images
        message: dict[str, Any] = {"content": outgoing.post.text, "allowed_mentions": NOBODY}
        message |= {"nonce": outgoing.handle["nonce"], "enforce_nonce": True}
        if outgoing.parent:
            message["message_reference"] = {"message_id": outgoing.parent.remote_id}
        body: dict[str, Any] = {"json": message}
        if images:
            message["attachments"] = [
                {"id": str(n), "filename": image.filename, "description": image.alt}
                for n, image in enumerate(images)
            ]
            named = {f"files[{n}]": image for n, image in enumerate(images)}
            body = self.form({"payload_json": message}, named)
        answer = self.call("POST", self._path(), phase="publish", **body)
        with self.reading(answer, "publish"):
            return self._receipt(answer.data, outgoing)

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        query = {"limit": str(self.page_size), **more}
        answer = self.call("GET", self._path(), phase="find", params=query)
        with self.reading(answer, "find"):
            posts = [self._listed(message, outgoing) for message in answer.list_at()]
        return Page(answer, posts, {"before": posts[-1].receipt.remote_id} if posts else {})

    def _listed(self, message: dict[str, Any], outgoing: Outgoing) -> Listed:
        """Our mark, the nonce, is shown for some minutes; somebody else's message is never ours."""
        ours = message["author"]["id"] == outgoing.prepared["user"]
        return Listed(
            self._receipt(message, outgoing),
            moment(message["timestamp"]),
            str(message["content"]),
            mark=str(message.get("nonce") or "") or None if ours else "",
            parent=(message.get("message_reference") or {}).get("message_id") or "",
            images=len(message["attachments"]),
        )

    def find(self, outgoing: Outgoing) -> Receipt | None:
        if not outgoing.prepared.get("user"):
            outgoing = replace(outgoing, prepared=self.prepare(outgoing))
        return super().find(outgoing)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        text = {"content": outgoing.post.text, "allowed_mentions": NOBODY}
        self.call("PATCH", self._path(receipt), phase="edit", json=text)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        self.call("DELETE", self._path(receipt), phase="delete")

    def _path(self, receipt: Receipt | None = None) -> str:
        """The path of the channel's messages; of a post, also when the channel in the settings is
        another one now."""
        if receipt is None:
            return f"/channels/{self.settings.channel_id}/messages"
        channel = receipt.permalink.rpartition("/")[0].rpartition("/")[2]
        return f"/channels/{channel or self.settings.channel_id}/messages/{receipt.remote_id}"

    def _address(self, *names: str) -> str:
        """Where people open the channel of a server, or a message in it."""
        guild, *message = names
        parts = [guild, self.settings.channel_id, *message]
        return f"https://discord.com/channels/{'/'.join(parts)}"

    def _receipt(self, message: dict[str, Any], outgoing: Outgoing) -> Receipt:
        name = text_id(message["id"])
        return Receipt(name, self._address(str(outgoing.prepared["guild"]), name))
