"""Slack's Web API: its methods, its files, what its errors mean.

It must not know what a message is; `slack.py` does. Facts: docs.slack.dev, the errors of
`chat.postMessage`.
"""

from __future__ import annotations

import json
from typing import Any

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, address, text_id, web_link
from crosspost.adapters.uploads import File, Upload, UploadingAdapter


class SlackApi(UploadingAdapter):
    """Calls to one workspace as a bot; the settings have `bot_token` and `channel_id`."""

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
    team = ""

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.bot_token.get_secret_value()}"}

    def api(
        self, verb: str, method: str, fields: dict[str, str], *, phase: str, fine: str = ""
    ) -> Answer:
        """One method; `fine` is the error that means that it is so already."""
        body: dict[str, Any] = {"params" if verb == "GET" else "data": fields}
        answer = self.call(verb, f"/{method}", phase=phase, **body)
        if answer.at("ok") is True or (fine and answer.at("error") == fine):
            return answer
        raise self.error_from(answer, phase)

    def channel(self) -> dict[str, Any]:
        """The channel of the settings, as `check` reads it."""
        fields = {"channel": self.settings.channel_id}
        answer = self.api("GET", "conversations.info", fields, phase="check")
        with self.reading(answer, "check"):
            text_id(answer.data["channel"]["id"])
            return dict(answer.data["channel"])

    def address_of_team(self) -> str:
        """Where people open the workspace; kept in `team`."""
        answer = self.api("GET", "auth.test", {}, phase="prepare")
        with self.reading(answer, "prepare"):
            self.team = web_link(answer.data["url"]).rstrip("/")
            return self.team

    def upload(self, file: File) -> Upload:
        content = self.bytes_of(file)
        about = {"filename": file.filename, "length": str(len(content))}
        answer = self.api("POST", "files.getUploadURLExternal", about, phase="prepare")
        with self.reading(answer, "prepare"):
            name, where = text_id(answer.data["file_id"]), address(answer.data["upload_url"])
        # without the token: the address itself is the permission
        headers = {"Content-Type": file.mime}
        self.call("POST", where, phase="prepare", ok=(200,), headers=headers, data=content)
        files = {"files": json.dumps([{"id": name, "title": file.filename}])}
        self.api("POST", "files.completeUploadExternal", files, phase="prepare")
        return self.state_of(name) or Upload(name, ready=False)

    def state_of(self, name: str) -> Upload | None:
        """Until a file has been looked through it has no type."""
        fields = {"file": name}
        answer = self.api("GET", "files.info", fields, phase="prepare", fine="file_not_found")
        if answer.at("ok") is not True:
            return None
        with self.reading(answer, "prepare"):
            return Upload(name, bool(answer.data["file"]["mimetype"]))

    def code_of(self, answer: Answer) -> str:
        """A refusal comes with any status, mostly 200."""
        return answer.word("error") if answer.at("ok") is False else ""

    def words_of(self, answer: Answer) -> str:
        messages, needed = answer.at("response_metadata", "messages"), answer.at("needed")
        details = [*(messages if isinstance(messages, list) else ()), *([needed] if needed else ())]
        return ": ".join([super().words_of(answer), *map(str, details)])
