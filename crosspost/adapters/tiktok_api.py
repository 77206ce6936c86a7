"""TikTok's Content Posting API: its calls, how an upload stands, what its errors mean.

It must not send anything of a video; `tiktok.py` does. Facts: developers.tiktok.com.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, text_id
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.uploads import VideoAdapter
from crosspost.wording import t


@dataclass(frozen=True)
class State:
    """How far TikTok has got with one upload: its word for it, how many bytes it has (None when it
    does not tell), and why it failed."""

    word: str
    bytes: int | None
    reason: str

    @property
    def failed(self) -> bool:
        return self.word == "FAILED"

    @property
    def done(self) -> bool:
        return self.word in ("SEND_TO_USER_INBOX", "PUBLISH_COMPLETE")


class TikTokApi(VideoAdapter, OAuthAdapter):
    """Calls to TikTok as one account."""

    #: By `error.code`, or by the reason of a failed upload.
    meanings = (
        Meaning(errors.AuthExpired, 401),
        Meaning(errors.AuthExpired, code="access_token_invalid"),
        Meaning(errors.PermissionDenied, code="scope_not_authorized scope_permission_missed"),
        Meaning(errors.PermissionDenied, code="privacy_level_option_mismatch"),
        Meaning(errors.PermissionDenied, code="unaudited_client_can_only_post_to_private_accounts"),
        Meaning(errors.AuthRevoked, code="auth_removed"),
        Meaning(errors.RateLimited, code="rate_limit_exceeded"),
        Meaning(errors.QuotaExhausted, code="spam_risk_too_many_posts reached_active_user_cap"),
        Meaning(errors.QuotaExhausted, code="spam_risk_too_many_pending_share"),
        Meaning(errors.AccountRestricted, code="spam_risk_user_banned_from_posting"),
        Meaning(errors.RejectedContent, code="spam_risk_text spam_risk publish_cancelled"),
        Meaning(errors.MediaRejected, code="file_format_check_failed duration_check_failed"),
        Meaning(errors.MediaRejected, code="frame_rate_check_failed picture_size_check_failed"),
        Meaning(errors.RetryLater, code="internal_error internal"),
        # the address of the upload is void
        Meaning(errors.MediaExpired, (403, 404, 410, 416), phases="publish"),
        Meaning(errors.RejectedContent, code="*", phases="prepare"),
        Meaning(errors.Misconfigured, code="*"),
    )

    def api(self, method: str, path: str, *, phase: str, **more: Any) -> Answer:
        answer = self.call_signed_in(method, path, phase=phase, **more)
        if self.code_of(answer) == "ok":
            return answer
        with self.reading(answer, phase):
            text_id(answer.data["error"]["code"])
        raise self.error_from(answer, phase)

    def creator(self, phase: str) -> dict[str, Any]:
        """What the account allows to be posted at once."""
        answer = self.api("POST", "/post/publish/creator_info/query/", phase=phase, json={})
        with self.reading(answer, phase):
            return dict(answer.data["data"])

    def state_of(self, upload: Any, phase: str) -> State:
        """How far an upload has got."""
        body = {"publish_id": str(upload["publish_id"])}
        answer = self.api("POST", "/post/publish/status/fetch/", phase=phase, json=body)
        with self.reading(answer, phase):
            data = answer.data["data"]
            word, got = text_id(data["status"]), data.get("uploaded_bytes")
            known = isinstance(got, int) and not isinstance(got, bool)
            return State(word, got if known else None, str(data.get("fail_reason") or ""))

    def failure(self, reason: str) -> errors.PlatformError:
        rows = (row.kind for row in self.meanings if reason in row.code.split())
        kind = next(rows, errors.MediaRejected)
        words = t("TikTok could not use the video: {reason}.", reason=self.said(reason) or "?")
        return self.error(errors.MediaExpired if kind is errors.RetryLater else kind, words)

    def code_of(self, answer: Answer) -> str:
        """Every answer has one."""
        return answer.word("error", "code")

    def until_of(self, answer: Answer) -> datetime | None:
        """TikTok names no time: calls are counted by the minute, posts by the day."""
        kind, now = self.error_of(answer, ""), self.context.now()
        if kind is errors.RateLimited and not answer.headers.get("Retry-After"):
            return now + timedelta(minutes=1)
        return now + timedelta(hours=24) if kind is errors.QuotaExhausted else None

    def words_of(self, answer: Answer) -> str:
        code = self.code_of(answer)
        return f"{answer.at('error', 'message')} [{code}]" if code else super().words_of(answer)
