"""Slack channels, by a bot of the office.

It must not let Slack read a text as its markup: a text goes out in parts that are text or link and
nothing else, so that no `<!channel>` or `@here` in it calls anybody. Nor may it post by an incoming
webhook, whose posts cannot be looked for. Facts: docs.slack.dev.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import Answer, HttpSettings, Meaning, at, text_id, web_link, written
from crosspost.adapters.likeness import unix_moment
from crosspost.adapters.lookups import AccountListAdapter, Listed, Page
from crosspost.adapters.rights import missing_scopes
from crosspost.adapters.uploads import File, Upload, UploadingAdapter, media_of
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.rendering.rich_text import blocks_of, fallback
from crosspost.wording import t

CHANNEL = written(
    "[CG][A-Z0-9]{8,}", lambda: t("write the channel's id, which begins with C; not its name")
)


class SlackSettings(HttpSettings):
    """`bot_token` is that of the office's app in the workspace, `channel_id` the channel's id."""

    base_url: WebAddress = "https://slack.com/api"
    bot_token: SecretStr
    channel_id: Annotated[str, CHANNEL]


class SlackAdapter(AccountListAdapter, UploadingAdapter):
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
    so_already = (
        Meaning(errors.TargetGone, code="message_not_found", phases="delete"),
        Meaning(errors.MediaExpired, code="file_not_found", phases="prepare"),
    )
    yes_at, code_at = ("ok",), ("error",)
    more_words_at = (("response_metadata", "messages"), ("needed",))
    own_id_at = ("url",)  # the workspace's, for the addresses of messages
    bearer, mark, pages, lists_others = "bot_token", "key", 10, True
    measure = staticmethod(utf16)  # UTF-16 code units: never less than Slack counts

    def ask_who(self, phase: str) -> Answer:
        return self.call("GET", "/auth.test", phase=phase)

    def check(self) -> Account:
        answer = self.ask_who("check")
        me, team = self.id_in(answer, "check", "user"), self.id_in(answer, "check", "team")
        scopes, query = answer.headers.get("X-OAuth-Scopes"), {"channel": self.settings.channel_id}
        found = self.call("GET", "/conversations.info", phase="check", params=query)
        channel = self.json_of(found, "check", "channel", "id")["channel"]
        name, missing = f"#{channel.get('name')}", missing_scopes(scopes or "", channel)
        words = t("The app lacks these scopes: {scopes}.", scopes=", ".join(missing))
        self.insist(not missing, errors.PermissionDenied, words)
        words = t("The channel {channel} is archived.", channel=name)
        self.insist(not channel.get("is_archived"), errors.TargetGone, words)
        words = t(
            "The app is not in the channel {channel}: write /invite @{app} there.",
            channel=name,
            app=me,
        )
        self.insist(channel.get("is_member"), errors.PermissionDenied, words)
        link = web_link(answer.at("url"))
        return Account(f"@{me}", link, {t("workspace"): team, t("channel"): name})

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        return super().prepare(outgoing) | {"team": web_link(self.own_id("prepare")).rstrip("/")}

    def upload(self, file: File) -> Upload:
        content = self.bytes_of(file)
        about = {"filename": file.filename, "length": str(len(content))}
        answer = self.call("POST", "/files.getUploadURLExternal", phase="prepare", data=about)
        name = self.id_in(answer, "prepare", "file_id")
        where = self.address_in(answer, "prepare", "upload_url")
        # without the token: the address itself is the permission
        headers = {"Content-Type": file.mime}
        self.call("POST", where, phase="prepare", ok=(200,), headers=headers, data=content)
        files = {"files": json.dumps([{"id": name, "title": file.filename}])}
        self.call("POST", "/files.completeUploadExternal", phase="prepare", data=files)
        return self.state_of(name) or Upload(name, ready=False)

    def state_of(self, name: str) -> Upload | None:
        """Until a file has been looked through it has no type."""
        answer = self.call("GET", "/files.info", phase="prepare", params={"file": name})
        with self.reading(answer, "prepare"):
            known = self.says_yes(answer)
            return Upload(name, bool(answer.data["file"]["mimetype"])) if known else None

    def publish(self, outgoing: Outgoing) -> Receipt:
        ours = {"event_type": "crosspost_part", "event_payload": {"part": outgoing.handle["key"]}}
        message = self._message(outgoing) | {"metadata": json.dumps(ours), "unfurl_links": "true"}
        if outgoing.root:
            message["thread_ts"] = outgoing.root.remote_id
        answer = self.call("POST", "/chat.postMessage", phase="publish", data=message)
        with self.reading(answer, "publish"):
            return self._receipt(answer.data["ts"], outgoing)

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        method, query = "/conversations.history", {"channel": self.settings.channel_id}
        query |= {"limit": str(self.page_size), "include_all_metadata": "true"}
        if outgoing.root:  # what answers is not in the channel's history
            method, query["ts"] = "/conversations.replies", outgoing.root.remote_id
        answer, posts = self.call("GET", method, phase="find", params={**query, **more}), []
        with self.reading(answer, "find"):
            for message in answer.list_at("messages"):
                receipt, time = self._receipt(message["ts"], outgoing), float(message["ts"])
                mark = str(at(message, "metadata", "event_payload", "part") or "")
                posts.append(Listed(receipt, unix_moment(time), mark=mark))
        cursor = answer.at("response_metadata", "next_cursor")
        older = {"cursor": str(cursor)} if cursor else {}
        return Page(answer, posts, older, newest_first=not outgoing.root)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        message = self._message(outgoing) | self._names(receipt)
        self.call("POST", "/chat.update", phase="edit", data=message)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        self.call("POST", "/chat.delete", phase="delete", data=self._names(receipt))

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
        """With where members of the workspace see the message."""
        name, channel = text_id(ts), self.settings.channel_id
        if not re.fullmatch(r"\d+\.\d+", name):
            raise ValueError("not the name of a message")
        team = outgoing.prepared.get("team") or ""
        link = f"{team}/archives/{channel}/p{name.replace('.', '')}"
        if outgoing.root:
            link = f"{link}?thread_ts={outgoing.root.remote_id}&cid={channel}"
        return Receipt(name, link, {"channel": channel})
