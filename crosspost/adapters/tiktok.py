"""TikTok: a video as a draft in the app's inbox, which a person finishes there; or, for an app that
TikTok has audited, posted at once.

It must not send the last piece of a video before all is decided: with it TikTok goes to work.
Facts: developers.tiktok.com, Content Posting API.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from crosspost.adapters.base import Answer, text_id, web_link
from crosspost.adapters.oauth import OAuth, OAuthAdapter, OAuthSettings
from crosspost.config import WebAddress
from crosspost.errors import (
    AccountRestricted,
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    Misconfigured,
    NotSupported,
    PermissionDenied,
    PlatformError,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Receipt, Reconcile, Video
from crosspost.quotas import Quota
from crosspost.rendering.measure import utf16
from crosspost.wording import t

#: Bytes of one piece; the last one takes the rest besides. TikTok allows 5 to 64 MB.
PIECE = 10_000_000
#: TikTok takes pieces for an hour after the beginning.
UPLOAD_LIFE = timedelta(minutes=55)
FAILED = "FAILED"
DONE = ("SEND_TO_USER_INBOX", "PUBLISH_COMPLETE")

#: What `error.code`, and the reason of a failed upload, mean.
CODES: dict[str, type[PlatformError]] = {
    "scope_not_authorized": PermissionDenied,
    "scope_permission_missed": PermissionDenied,
    "unaudited_client_can_only_post_to_private_accounts": PermissionDenied,
    "privacy_level_option_mismatch": PermissionDenied,
    "auth_removed": AuthRevoked,
    "rate_limit_exceeded": RateLimited,
    "spam_risk_too_many_posts": QuotaExhausted,
    "spam_risk_too_many_pending_share": QuotaExhausted,
    "reached_active_user_cap": QuotaExhausted,
    "spam_risk_user_banned_from_posting": AccountRestricted,
    "spam_risk_text": RejectedContent,
    "spam_risk": RejectedContent,
    "file_format_check_failed": MediaRejected,
    "duration_check_failed": MediaRejected,
    "frame_rate_check_failed": MediaRejected,
    "picture_size_check_failed": MediaRejected,
    "publish_cancelled": RejectedContent,
    "internal_error": RetryLater,
    "internal": RetryLater,
}


class TikTokSettings(OAuthSettings):
    """`mode`: "draft" leaves the last word, and the caption, to a person in the app; "direct" needs
    an app that TikTok has audited, and then `privacy` counts."""

    base_url: WebAddress = "https://open.tiktokapis.com/v2"
    mode: Literal["draft", "direct"] = "draft"
    privacy: Literal[
        "PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"
    ] = "PUBLIC_TO_EVERYONE"
    posts_per_day: int = Field(default=15, ge=0)  # by all programs of the account together


@dataclass(frozen=True)
class State:
    """How far TikTok has got with one upload: its word for it, how many bytes it has (None when it
    does not tell), and why it failed."""

    word: str
    bytes: int | None
    reason: str


class TikTokAdapter(OAuthAdapter):
    """One account."""

    platform = "tiktok"
    title = "TikTok"
    Settings = TikTokSettings
    capabilities: Capabilities = Capabilities(
        max_length=2200,
        max_videos=1,
        video_bytes=1_000_000_000,
        video_seconds=600,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        video_codecs=("h264", "hevc", "vp8", "vp9"),
        needs_media=True,
        card=CardMaker.NONE,
        reconcile=Reconcile.TWO_PHASE,
        settle=timedelta(minutes=2),  # longer than our own time-out and the server's queue
    )
    quotas = (Quota(Decimal(15), timedelta(days=1), setting="posts_per_day"),)
    oauth = OAuth(
        authorize="https://www.tiktok.com/v2/auth/authorize/",
        token="/oauth/token/",  # noqa: S106 - an address
        scopes=("user.info.basic",),
        separator=",",
        pkce="hex",
        client_id="client_key",
    )

    def scopes(self) -> tuple[str, ...]:
        wanted = "video.publish" if self.settings.mode == "direct" else "video.upload"
        return (*self.oauth.scopes, wanted)

    def check(self) -> Account:
        query = {"fields": "open_id,display_name"}
        answer = self._call("GET", "/user/info/", phase="check", params=query)
        with self.reading(answer, "check"):
            name = str(answer.data["data"]["user"]["display_name"])
        if self.settings.mode == "draft":
            return Account(name, facts={t("mode"): t("drafts, to be finished in the app")})
        creator = self._creator("check")
        link = f"https://www.tiktok.com/@{creator.get('creator_username')}"
        return Account(name, link, {t("mode"): t("posted at once")})

    def measure(self, text: str) -> int:
        """UTF-16 code units."""
        return utf16(text)

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        """All of the video but its last piece. What TikTok calls the upload is kept, so that it
        goes on from there: only a few may be open at once."""
        if not outgoing.post.videos:
            raise NotSupported(
                t("{platform} takes no post without a video.", platform=self.title),
                platform=self.platform,
            )
        video, upload = outgoing.post.videos[0], dict(outgoing.prepared)
        if not upload.get("publish_id"):
            raise self._working(t("The video is being uploaded."), self._begun(outgoing, video))
        state = self._state(upload, "prepare")
        if state.word == FAILED:
            raise self._failure(state.reason)
        if state.word in DONE or state.bytes == video.size:
            return upload  # an earlier attempt did it: `publish` will see
        if datetime.fromisoformat(str(upload["until"])) <= self.context.now():
            raise MediaExpired(
                t("The upload was broken off too long ago; it begins again."),
                platform=self.platform,
            )
        last = _start_of_last(video)
        for start in range(_piece_at(state.bytes or 0), last, PIECE):
            self._send(upload, video, start, min(PIECE, last - start), phase="prepare")
        return upload

    def publish(self, outgoing: Outgoing) -> Receipt:
        """The last piece, and what TikTok makes of it at once."""
        video, upload = outgoing.post.videos[0], outgoing.prepared
        name = text_id(upload["publish_id"])
        state = self._state(upload, "prepare")
        if state.word == FAILED:
            raise self._failure(state.reason)
        if state.word in DONE or state.bytes == video.size:
            raise DuplicateDetected(
                t("The post is out already, by an earlier attempt."), platform=self.platform
            )
        start = _start_of_last(video)
        self._send(upload, video, start, video.size - start, phase="publish", ok=(201,))
        try:
            state = self._state(upload, "outcome")
        except PlatformError as error:
            raise self._in_doubt() from error
        if state.word == FAILED:
            raise self._failure(state.reason)
        if state.word not in DONE:
            raise self._in_doubt()
        return Receipt(name)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        upload = outgoing.prepared
        if not upload.get("publish_id"):
            return None
        video = outgoing.post.videos[0]
        state = self._state(upload, "find")
        if state.word in DONE:
            return Receipt(text_id(upload["publish_id"]))
        if state.word == FAILED or (state.bytes is not None and state.bytes < video.size):
            return None  # TikTok could not use it, or the last piece never arrived
        raise RetryLater(t("TikTok is still working on the video."), platform=self.platform)

    def _in_doubt(self) -> UnknownOutcome:
        return UnknownOutcome(
            t("TikTok has the video and is working on it; it will be asked again."),
            platform=self.platform,
        )

    # --- uploading --------------------------------------------------------------------------------

    def _begun(self, outgoing: Outgoing, video: Video) -> dict[str, Any]:
        pieces = max(1, video.size // PIECE)
        source = {
            "source": "FILE_UPLOAD",
            "video_size": video.size,
            "chunk_size": video.size if pieces == 1 else PIECE,
            "total_chunk_count": pieces,
        }
        path, body = "/post/publish/inbox/video/init/", {"source_info": source}
        if self.settings.mode == "direct":
            self._refuse_forbidden(self._creator("prepare"), video)
            path = "/post/publish/video/init/"
            body["post_info"] = {
                "title": outgoing.post.text,
                "privacy_level": self.settings.privacy,
            }
        answer = self._call("POST", path, phase="prepare", json=body)
        with self.reading(answer, "prepare"):
            data = answer.data["data"]
            name, where = text_id(data["publish_id"]), web_link(data["upload_url"])
            if not where:
                raise ValueError("not an address")
        until = self.context.now() + UPLOAD_LIFE
        return {"publish_id": name, "upload_url": where, "until": until.isoformat()}

    def _refuse_forbidden(self, creator: dict[str, Any], video: Video) -> None:
        """What TikTok wants to be looked at before anything is posted at once."""
        allowed = creator.get("privacy_level_options")
        if isinstance(allowed, list) and self.settings.privacy not in allowed:
            raise PermissionDenied(
                t(
                    "TikTok does not let this app post so publicly; it allows: {allowed}.",
                    allowed=", ".join(map(str, allowed)),
                ),
                platform=self.platform,
            )
        longest = creator.get("max_video_post_duration_sec")
        if isinstance(longest, int) and video.milliseconds > longest * 1000:
            raise MediaRejected(
                t("TikTok takes videos of at most {limit} seconds here.", limit=longest),
                platform=self.platform,
            )

    def _send(
        self,
        upload: Any,
        video: Video,
        start: int,
        size: int,
        *,
        phase: str,
        ok: tuple[int, ...] = (200, 201, 206),
    ) -> None:
        """One piece; without the token: the address itself is the permission."""
        content = self.piece_of(video, start, size)
        span = f"bytes {start}-{start + len(content) - 1}/{video.size}"
        headers = {"Content-Range": span, "Content-Type": video.mime}
        where = web_link(upload["upload_url"])
        self.call("PUT", where, phase=phase, ok=ok, headers=headers, data=content)

    def _state(self, upload: Any, phase: str) -> State:
        """How far an upload has got."""
        body = {"publish_id": str(upload["publish_id"])}
        answer = self._call("POST", "/post/publish/status/fetch/", phase=phase, json=body)
        with self.reading(answer, phase):
            data = answer.data["data"]
            word, got = text_id(data["status"]), data.get("uploaded_bytes")
            known = isinstance(got, int) and not isinstance(got, bool)
            return State(word, got if known else None, str(data.get("fail_reason") or ""))

    def _failure(self, reason: str) -> PlatformError:
        kind = CODES.get(reason, MediaRejected)
        words = t("TikTok could not use the video: {reason}.", reason=self.said(reason) or "?")
        return (MediaExpired if kind is RetryLater else kind)(words, platform=self.platform)

    def _working(self, words: str, prepared: dict[str, Any]) -> MediaProcessing:
        return MediaProcessing(words, platform=self.platform, prepared=prepared)

    # --- calls and errors -------------------------------------------------------------------------

    def _call(self, method: str, path: str, *, phase: str, **more: Any) -> Answer:
        answer = self.call_signed_in(method, path, phase=phase, **more)
        if _code(answer) == "ok":
            return answer
        with self.reading(answer, phase):
            text_id(answer.data["error"]["code"])
        raise self.error_from(answer, phase)

    def _creator(self, phase: str) -> dict[str, Any]:
        answer = self._call("POST", "/post/publish/creator_info/query/", phase=phase, json={})
        with self.reading(answer, phase):
            return dict(answer.data["data"])

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        code = _code(answer)
        if code == "access_token_invalid" or answer.status == 401:
            return AuthExpired if self._can_renew() else AuthRevoked
        if code in CODES:
            return CODES[code]
        if phase == "publish" and answer.status in (403, 404, 410, 416):
            return MediaExpired  # the address of the upload is void
        if code and answer.status < 500:
            return RejectedContent if phase == "prepare" else Misconfigured
        return None

    def until_of(self, answer: Answer) -> datetime | None:
        """TikTok names no time: calls are counted by the minute, posts by the day."""
        kind, now = CODES.get(_code(answer)), self.context.now()
        if kind is RateLimited and not answer.headers.get("Retry-After"):
            return now + timedelta(minutes=1)
        return now + timedelta(hours=24) if kind is QuotaExhausted else None

    def words_of(self, answer: Answer) -> str:
        error = answer.data.get("error") if isinstance(answer.data, dict) else None
        words = error.get("message") if isinstance(error, dict) else None
        return f"{words} [{_code(answer)}]" if _code(answer) else super().words_of(answer)


def _code(answer: Answer) -> str:
    """The `code` of an answer, which every one has; "" when it has none."""
    error = answer.data.get("error") if isinstance(answer.data, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def _start_of_last(video: Video) -> int:
    """Where the last piece begins."""
    return (max(1, video.size // PIECE) - 1) * PIECE


def _piece_at(got: int) -> int:
    """Where the piece begins that is to be sent when TikTok has `got` bytes."""
    return got // PIECE * PIECE
