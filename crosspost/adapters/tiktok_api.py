"""TikTok's Content Posting API: its calls, how an upload stands, what its errors mean.

It must not send anything of a video; `tiktok.py` does. Facts: developers.tiktok.com.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, text_id
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.uploads import VideoAdapter
from crosspost.quotas import Quota
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

    renewed: ClassVar = {
        errors.RateLimited: Quota(None, timedelta(minutes=1)),
        errors.QuotaExhausted: Quota(None, timedelta(hours=24)),
    }
    words_at, code_at, shows_code = (("error", "message"),), ("error", "code"), True

    def says_yes(self, answer: Answer) -> bool:
        """Every answer has a code."""
        return self.code_of(answer) == "ok"

    def creator(self, phase: str) -> dict[str, Any]:
        """What the account allows to be posted at once."""
        answer = self.call_signed_in(
            "POST", "/post/publish/creator_info/query/", phase=phase, json={}
        )
        with self.reading(answer, phase):
            return dict(answer.data["data"])

    def state_of(self, upload: Any, phase: str) -> State:
        """How far an upload has got."""
        body = {"publish_id": str(upload["publish_id"])}
        answer = self.call_signed_in("POST", "/post/publish/status/fetch/", phase=phase, json=body)
        with self.reading(answer, phase):
            data = answer.data["data"]
            word, got = text_id(data["status"]), data.get("uploaded_bytes")
            known = isinstance(got, int) and not isinstance(got, bool)
            return State(word, got if known else None, str(data.get("fail_reason") or ""))

    def refuse_failed(self, state: State) -> None:
        """Raise what TikTok says of an upload that it could not use."""
        if not state.failed:
            return
        reason = state.reason
        rows = (row.kind for row in self.meanings if reason in row.code.split())
        kind = next(rows, errors.MediaRejected)
        words = t("TikTok could not use the video: {reason}.", reason=self.said(reason) or "?")
        raise self.error(errors.MediaExpired if kind is errors.RetryLater else kind, words)
