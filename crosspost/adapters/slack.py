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
from crosspost.adapters.base import (
    Answer,
    HttpSettings,
    Meaning,
    address,
    text_id,
    timed,
    web_link,
    written,
)
from crosspost.adapters.likeness import unix_moment
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.adapters.slack_messages import (
    METADATA,
    address_of,
    blocks_of,
    fallback,
    missing_scopes,
    part_of,
)
from crosspost.adapters.uploads import File, Upload, UploadingAdapter, media_of
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


class SlackAdapter(ListingAdapter, UploadingAdapter):
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
    meanings = (
        Meaning(errors.AuthRevoked, code="not_authed invalid_auth token_revoked token_expired"),
        Meaning(errors.AuthRevoked, code="account_inactive"),
        Meaning(errors.AccountRestricted, code="accesslimited org_login_required"),
        Meaning(errors.AccountRestricted, code="team_access_not_granted"),
        Meaning(errors.PermissionDenied, code="missing_scope not_allowed_token_type"),
        Meaning(errors.PermissionDenied, code="not_in_channel no_permission access_denied"),
        Meaning(errors.PermissionDenied, code="restricted_action ekm_access_denied"),
        Meaning(errors.PermissionDenied, code="restricted_action_read_only_channel"),
        Meaning(errors.PermissionDenied, code="restricted_action_thread_only_channel"),
        Meaning(errors.PermissionDenied, code="cant_update_message cant_delete_message"),
        Meaning(errors.PermissionDenied, code="file_uploads_disabled"),
        Meaning(errors.TargetGone, code="channel_not_found is_archived is_inactive"),
        Meaning(errors.RateLimited, code="ratelimited rate_limited message_limit_exceeded"),
        Meaning(errors.MediaExpired, code="invalid_blocks", words="slack[_ ]?file"),
        Meaning(errors.MediaRejected, code="file_type_not_allowed file_upload_size_restricted"),
        Meaning(errors.NotSupported, code="edit_window_closed compliance_exports_prevent_deletion"),
        # at publish, these mean that it may be out
        Meaning(errors.RetryLater, code="fatal_error internal_error request_timeout"),
        Meaning(errors.RetryLater, code="service_unavailable team_added_to_org"),
        # one that is not here is a clear no to what was asked
        Meaning(errors.Misconfigured, code="*", phases="check"),
        Meaning(errors.MediaRejected, code="*", phases="prepare"),
        Meaning(errors.RejectedContent, code="*"),
    )
    pages = 10
    lists_others = True
    _team = ""

    def check(self) -> Account:
        answer = self._call("GET", "auth.test", {}, phase="check")
        with self.reading(answer, "check"):
            me, team = str(answer.data["user"]), str(answer.data["team"])
        channel = self._channel()
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
        return super().prepare(outgoing) | {"team": self._team or self._address_of_team()}

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
        return {"key": timed(key, now)}

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        method, query = "conversations.history", {"channel": self.settings.channel_id}
        query |= {"limit": str(self.page_size), "include_all_metadata": "true"}
        if outgoing.root:  # what answers is not in the channel's history
            method, query["ts"] = "conversations.replies", outgoing.root.remote_id
        answer, posts = self._call("GET", method, {**query, **more}, phase="find"), []
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
        self._call("POST", "chat.update", fields, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        fields = self._names(receipt)
        self._call("POST", "chat.delete", fields, phase="delete", fine="message_not_found")

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

    # --- calls ------------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.bot_token.get_secret_value()}"}

    def _call(
        self, verb: str, method: str, fields: dict[str, str], *, phase: str, fine: str = ""
    ) -> Answer:
        """One method; `fine` is the error that means that it is so already."""
        body: dict[str, Any] = {"params" if verb == "GET" else "data": fields}
        answer = self.call(verb, f"/{method}", phase=phase, **body)
        if answer.at("ok") is True or (fine and answer.at("error") == fine):
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

    def upload(self, file: File) -> Upload:
        content = self.bytes_of(file)
        about = {"filename": file.filename, "length": str(len(content))}
        answer = self._call("POST", "files.getUploadURLExternal", about, phase="prepare")
        with self.reading(answer, "prepare"):
            name, where = text_id(answer.data["file_id"]), address(answer.data["upload_url"])
        # without the token: the address itself is the permission
        headers = {"Content-Type": file.mime}
        self.call("POST", where, phase="prepare", ok=(200,), headers=headers, data=content)
        files = {"files": json.dumps([{"id": name, "title": file.filename}])}
        self._call("POST", "files.completeUploadExternal", files, phase="prepare")
        return self.state_of(name) or Upload(name, ready=False)

    def state_of(self, name: str) -> Upload | None:
        """Until a file has been looked through it has no type."""
        fields = {"file": name}
        answer = self._call("GET", "files.info", fields, phase="prepare", fine="file_not_found")
        if answer.at("ok") is not True:
            return None
        with self.reading(answer, "prepare"):
            return Upload(name, bool(answer.data["file"]["mimetype"]))

    # --- errors -----------------------------------------------------------------------------------

    def code_of(self, answer: Answer) -> str:
        """A refusal comes with any status, mostly 200."""
        return answer.word("error") if answer.at("ok") is False else ""

    def words_of(self, answer: Answer) -> str:
        messages, needed = answer.at("response_metadata", "messages"), answer.at("needed")
        details = [*(messages if isinstance(messages, list) else ()), *([needed] if needed else ())]
        return ": ".join([super().words_of(answer), *map(str, details)])
