"""Slack channels, by a bot of the office.

It must not let Slack read a text as its markup: a text goes out in parts that are text or link and
nothing else, so that no `<!channel>` or `@here` in it calls anybody. Nor may it post by an incoming
webhook, whose posts cannot be looked for. Facts: docs.slack.dev.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import HttpSettings, text_id, timed, web_link, written
from crosspost.adapters.likeness import unix_moment
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.adapters.slack_api import SlackApi
from crosspost.adapters.slack_messages import (
    METADATA,
    address_of,
    blocks_of,
    fallback,
    missing_scopes,
    part_of,
)
from crosspost.adapters.uploads import media_of
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.wording import t


class SlackSettings(HttpSettings):
    """`bot_token` is that of the office's app in the workspace, `channel_id` the channel's id."""

    base_url: WebAddress = "https://slack.com/api"
    bot_token: SecretStr
    channel_id: Annotated[
        str,
        written(
            "[CG][A-Z0-9]{8,}",
            lambda: t("write the channel's id, which begins with C; not its name"),
        ),
    ]


class SlackAdapter(ListingAdapter, SlackApi):
    """One channel of one workspace."""

    platform = "slack"
    title = "Slack"
    Settings = SlackSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.RICH_TEXT,
        max_length=4000,  # what Slack advises; much longer ones are cut short
        max_images=10,
        image_types=("image/jpeg", "image/png", "image/gif"),
        max_alt=2000,
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

    def check(self) -> Account:
        answer = self.api("GET", "auth.test", {}, phase="check")
        with self.reading(answer, "check"):
            me, team = str(answer.data["user"]), str(answer.data["team"])
        channel = self.channel()
        name = f"#{channel.get('name')}"
        lacking = missing_scopes(answer.headers, private=channel.get("is_private") is True)
        if lacking:
            words = t("The app lacks these scopes: {scopes}.", scopes=", ".join(lacking))
            raise self.error(errors.PermissionDenied, words)
        if channel.get("is_archived"):
            words = t("The channel {channel} is archived.", channel=name)
            raise self.error(errors.TargetGone, words)
        if not channel.get("is_member"):
            words = t(
                "The app is not in the channel {channel}: write /invite @{app} there.",
                channel=name,
                app=me,
            )
            raise self.error(errors.PermissionDenied, words)
        facts = {t("workspace"): team, t("channel"): name}
        return Account(f"@{me}", web_link(answer.data.get("url")), facts)

    def measure(self, text: str) -> int:
        """UTF-16 code units: never less than Slack counts."""
        return utf16(text)

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        return super().prepare(outgoing) | {"team": self.team or self.address_of_team()}

    def publish(self, outgoing: Outgoing) -> Receipt:
        metadata = {"event_type": METADATA, "event_payload": {"part": outgoing.handle["key"]}}
        fields = self._message(outgoing) | {
            "metadata": json.dumps(metadata),
            "unfurl_links": "true",
        }
        if outgoing.root:
            fields["thread_ts"] = outgoing.root.remote_id
        answer = self.api("POST", "chat.postMessage", fields, phase="publish")
        with self.reading(answer, "publish"):
            return self._receipt(answer.data["ts"], outgoing)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"key": timed(key, now)}

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        method, query = "conversations.history", {"channel": self.settings.channel_id}
        query |= {"limit": str(self.page_size), "include_all_metadata": "true"}
        if outgoing.root:  # what answers is not in the channel's history
            method, query["ts"] = "conversations.replies", outgoing.root.remote_id
        answer, posts = self.api("GET", method, {**query, **more}, phase="find"), []
        with self.reading(answer, "find"):
            for message in answer.list_at("messages"):
                receipt = self._receipt(message["ts"], outgoing)
                posts.append(Listed(receipt, unix_moment(float(message["ts"])), about=message))
            cursor = (answer.data.get("response_metadata") or {}).get("next_cursor")
        older = {"cursor": str(cursor)} if cursor else {}
        return Page(answer, posts, older, newest_first=not outgoing.root)

    def is_ours(self, post: Listed, outgoing: Outgoing, *, recent: bool) -> bool:  # noqa: ARG002
        return part_of(post.about) == outgoing.handle["key"]

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        fields = self._message(outgoing) | self._names(receipt)
        self.api("POST", "chat.update", fields, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        fields = self._names(receipt)
        self.api("POST", "chat.delete", fields, phase="delete", fine="message_not_found")

    def _message(self, outgoing: Outgoing) -> dict[str, str]:
        return {
            "channel": self.settings.channel_id,
            "text": fallback(outgoing.post),
            "parse": "none",
            "blocks": json.dumps(blocks_of(outgoing.post, media_of(outgoing))),
        }

    def _names(self, receipt: Receipt) -> dict[str, str]:
        """Which message it is, also when the channel in the settings is another one now."""
        channel = receipt.extra.get("channel", self.settings.channel_id)
        return {"channel": channel, "ts": receipt.remote_id}

    def _receipt(self, ts: Any, outgoing: Outgoing) -> Receipt:
        name, channel = text_id(ts), self.settings.channel_id
        if not re.fullmatch(r"\d+\.\d+", name):
            raise ValueError("not the name of a message")
        thread = outgoing.root.remote_id if outgoing.root else ""
        team = str(outgoing.prepared.get("team") or "")
        return Receipt(name, address_of(team, channel, name, thread), {"channel": channel})
