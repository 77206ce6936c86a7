"""Discord's API: its calls, the channel and the bot's rights in it, what its errors mean.

It must not know what a message is; `discord.py` does. Facts: discord.com/developers/docs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crosspost import __version__, errors
from crosspost.adapters.base import Answer, HttpAdapter, Meaning, text_id
from crosspost.adapters.discord_messages import TEXT_CHANNELS, details, missing_rights
from crosspost.wording import t


class DiscordApi(HttpAdapter):
    """Calls to Discord as a bot; the settings have `bot_token` and `channel_id`."""

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

    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bot {self.settings.bot_token.get_secret_value()}",
            # Discord demands this form, and refuses others at its door
            "User-Agent": f"DiscordBot ({self.about_us()}, {__version__}) crosspost/{__version__}",
        }

    def get(self, path: str, phase: str) -> dict[str, Any]:
        """An object of Discord's; every one that we read has an id or a list of roles."""
        answer = self.call("GET", path, phase=phase)
        said = self.json_of(answer, phase)
        with self.reading(answer, phase):
            text_id(said.get("id") or (said.get("user") or {}).get("id"))
            return said

    def channel(self, phase: str) -> dict[str, Any]:
        """The channel of the settings. Raises Misconfigured when nobody reads texts there."""
        channel = self.get(f"/channels/{self.settings.channel_id}", phase)
        if channel.get("type") not in TEXT_CHANNELS or not channel.get("guild_id"):
            words = t("This is no text channel of a server: write the id of one.")
            raise self.error(errors.Misconfigured, words)
        return channel

    def missing_rights_of(self, bot: dict[str, Any], channel: dict[str, Any]) -> list[str]:
        """The rights that the bot lacks there, as Discord calls them."""
        guild = channel["guild_id"]
        member = self.get(f"/guilds/{guild}/members/{bot['id']}", "check")
        answer = self.call("GET", f"/guilds/{guild}/roles", phase="check")
        with self.reading(answer, "check"):
            return missing_rights(channel, member, answer.list_at(), str(bot["id"]))

    def code_of(self, answer: Answer) -> str:
        code = answer.at("code")
        return str(code) if isinstance(code, int) else ""

    def until_of(self, answer: Answer) -> datetime | None:
        return self.after(answer.at("retry_after"))

    def words_of(self, answer: Answer) -> str:
        return ": ".join([super().words_of(answer), *details(answer.at("errors"))])
