"""Slack channels, by a bot of the office.

It must not let Slack read a text as its markup: a text goes out in parts that are text or link and
nothing else, so that no `<!channel>` or `@here` in it calls anybody. Nor may it post by an incoming
webhook, whose posts cannot be looked for. Facts: docs.slack.dev.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr, field_validator

from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, clock_lag, text_id, web_link
from crosspost.adapters.slack_messages import (
    KINDS,
    METADATA,
    address_of,
    blocks_of,
    fallback,
    missing_scopes,
    part_of,
)
from crosspost.config import WebAddress
from crosspost.errors import (
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RejectedContent,
    RetryLater,
    TargetGone,
)
from crosspost.post import Account, Capabilities, Image, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.wording import t

#: Messages a page, and pages, that a look-up reads at most.
PAGE, PAGES = 100, 10
#: How much earlier than our own note of the start a message may be dated.
SLACK = timedelta(minutes=2)
NO_FILE = re.compile(r"slack[_ ]?file", re.I)


class SlackSettings(HttpSettings):
    """`bot_token` is that of the office's app in the workspace, `channel_id` the channel's id."""

    base_url: WebAddress = "https://slack.com/api"
    bot_token: SecretStr
    channel_id: str

    @field_validator("channel_id")
    @classmethod
    def _is_a_channel(cls, channel: str) -> str:
        if not re.fullmatch(r"[CG][A-Z0-9]{8,}", channel):
            raise ValueError(t("write the channel's id, which begins with C; not its name"))
        return channel


class SlackAdapter(HttpAdapter):
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
    _team = ""

    def check(self) -> Account:
        answer = self._call("GET", "auth.test", {}, phase="check")
        with self.reading(answer, "check"):
            me, team = str(answer.data["user"]), str(answer.data["team"])
        channel = self._channel()
        name = f"#{channel.get('name')}"
        lacking = missing_scopes(answer.headers, private=channel.get("is_private") is True)
        if lacking:
            raise self._no(
                PermissionDenied,
                t("The app lacks these scopes: {scopes}.", scopes=", ".join(lacking)),
            )
        if channel.get("is_archived"):
            raise self._no(TargetGone, t("The channel {channel} is archived.", channel=name))
        if not channel.get("is_member"):
            raise self._no(
                PermissionDenied,
                t(
                    "The app is not in the channel {channel}: write /invite @{app} there.",
                    channel=name,
                    app=me,
                ),
            )
        facts = {t("workspace"): team, t("channel"): name}
        return Account(f"@{me}", web_link(answer.data.get("url")), facts)

    def measure(self, text: str) -> int:
        """UTF-16 code units: never less than Slack counts."""
        return utf16(text)

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        """The images as files that only the app sees, until a message shows them."""
        earlier = outgoing.prepared.get("files")
        known = list(earlier) if isinstance(earlier, list) else []
        files, ready = [], True
        for place, image in enumerate(outgoing.post.images):
            name, done = self._state_of(known[place]) if place < len(known) else ("", False)
            if not name:
                name = self._upload(image)
                name, done = self._state_of(name)
            files.append(name)
            ready = ready and done
        prepared = {"files": files, "team": self._team or self._address_of_team()}
        if not ready:
            raise MediaProcessing(
                t("The server is still working on the images."),
                platform=self.platform,
                prepared=prepared,
            )
        return prepared

    def publish(self, outgoing: Outgoing) -> Receipt:
        metadata = {"event_type": METADATA, "event_payload": {"part": outgoing.handle["key"]}}
        fields = self._message(outgoing) | {
            "metadata": json.dumps(metadata),
            "unfurl_links": "true",
        }
        if outgoing.root:
            fields["thread_ts"] = outgoing.root.remote_id
        answer = self._call("POST", "chat.postMessage", fields, phase="publish")
        with self.reading(answer, "publish"):
            return self._receipt(answer.data["ts"], outgoing)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, so that no post of an older database is taken for this one
        return {"key": f"{key}-{now:%Y%m%dT%H%M%S%f}"}

    def find(self, outgoing: Outgoing) -> Receipt | None:
        method, page = "conversations.history", {"channel": self.settings.channel_id}
        page |= {"limit": str(PAGE), "include_all_metadata": "true"}
        if outgoing.root:  # what answers is not in the channel's history
            method, page["ts"] = "conversations.replies", outgoing.root.remote_id
        for _ in range(PAGES):
            answer = self._call("GET", method, page, phase="find")
            with self.reading(answer, "find"):
                since = (outgoing.begun or self.context.now()) - SLACK
                since -= clock_lag(answer, self.context.now())
                messages = answer.data["messages"]
                if not isinstance(messages, list):
                    raise TypeError("not a list")
                for message in messages:
                    if part_of(message) == outgoing.handle["key"]:
                        return self._receipt(message["ts"], outgoing)
                cursor = (answer.data.get("response_metadata") or {}).get("next_cursor")
                newest_first = not outgoing.root
                if newest_first and any(float(m["ts"]) < since.timestamp() for m in messages):
                    return None
                if not cursor:
                    return None
                page["cursor"] = str(cursor)
        raise RetryLater(
            t("The channel has had too many messages since then to look through."),
            platform=self.platform,
        )

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        fields = self._message(outgoing) | self._names(receipt)
        self._call("POST", "chat.update", fields, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        fields = self._names(receipt)
        self._call("POST", "chat.delete", fields, phase="delete", fine="message_not_found")

    def _message(self, outgoing: Outgoing) -> dict[str, str]:
        files = outgoing.prepared.get("files")
        names = [str(name) for name in files] if isinstance(files, list) else []
        return {
            "channel": self.settings.channel_id,
            "text": fallback(outgoing.post),
            "parse": "none",
            "blocks": json.dumps(blocks_of(outgoing.post, names)),
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

    # --- calls ------------------------------------------------------------------------------------

    def _call(
        self, verb: str, method: str, fields: dict[str, str], *, phase: str, fine: str = ""
    ) -> Answer:
        """One method; `fine` is the error that means that it is so already."""
        token = self.settings.bot_token.get_secret_value()
        body: dict[str, Any] = {"params" if verb == "GET" else "data": fields}
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.call(verb, f"/{method}", phase=phase, headers=headers, **body)
        said = answer.data if isinstance(answer.data, dict) else {}
        if said.get("ok") is True or (fine and said.get("error") == fine):
            return answer
        raise self.error_from(answer, phase)

    def _channel(self) -> dict[str, Any]:
        fields = {"channel": self.settings.channel_id}
        answer = self._call("GET", "conversations.info", fields, phase="check")
        with self.reading(answer, "check"):
            text_id(answer.data["channel"]["id"])
            return dict(answer.data["channel"])

    def _address_of_team(self) -> str:
        answer = self._call("GET", "auth.test", {}, phase="prepare")
        with self.reading(answer, "prepare"):
            self._team = web_link(answer.data["url"]).rstrip("/")
            return self._team

    def _upload(self, image: Image) -> str:
        """The id of a new file."""
        content = self.bytes_of(image)
        about = {"filename": image.filename, "length": str(len(content))}
        answer = self._call("POST", "files.getUploadURLExternal", about, phase="prepare")
        with self.reading(answer, "prepare"):
            name, where = text_id(answer.data["file_id"]), web_link(answer.data["upload_url"])
            if not where:
                raise ValueError("not an address")
        # without the token: the address itself is the permission
        headers = {"Content-Type": image.mime}
        self.call("POST", where, phase="prepare", ok=(200,), headers=headers, data=content)
        files = {"files": json.dumps([{"id": name, "title": image.filename}])}
        self._call("POST", "files.completeUploadExternal", files, phase="prepare")
        return name

    def _state_of(self, name: str) -> tuple[str, bool]:
        """A file and whether it can be shown; no id when Slack has forgotten it. Until a file has
        been looked through it has no type."""
        fields = {"file": name}
        answer = self._call("GET", "files.info", fields, phase="prepare", fine="file_not_found")
        if answer.data.get("ok") is not True:
            return "", False
        with self.reading(answer, "prepare"):
            return name, bool(answer.data["file"]["mimetype"])

    # --- errors -----------------------------------------------------------------------------------

    def _no(self, kind: type[PlatformError], words: str) -> PlatformError:
        return kind(words, platform=self.platform)

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        """A refusal comes with any status, mostly 200; whatever Slack names is a clear no, except
        what it says it may have done in part."""
        said = answer.data if isinstance(answer.data, dict) else {}
        code = said.get("error")
        if answer.status >= 500 or said.get("ok") is not False or not isinstance(code, str):
            return None
        if code == "invalid_blocks" and NO_FILE.search(self.words_of(answer)):
            return MediaExpired
        if code in KINDS:
            return KINDS[code]
        return {"check": Misconfigured, "prepare": MediaRejected}.get(phase, RejectedContent)

    def words_of(self, answer: Answer) -> str:
        words = super().words_of(answer)
        said = answer.data if isinstance(answer.data, dict) else {}
        more = said.get("response_metadata")
        messages = more.get("messages") if isinstance(more, dict) else None
        needed = said.get("needed")
        details = [*(messages if isinstance(messages, list) else ()), *([needed] if needed else ())]
        return ": ".join([words, *map(str, details)])
