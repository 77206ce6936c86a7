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

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, address, text_id, web_link
from crosspost.adapters.oauth import OAuth, OAuthAdapter, OAuthSettings
from crosspost.adapters.uploads import VideoAdapter
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Receipt, Reconcile, Video
from crosspost.quotas import Quota
from crosspost.rendering.measure import utf16
from crosspost.wording import t

#: Bytes of one piece; the last one takes the rest besides. TikTok allows 5 to 64 MB.
PIECE = 10_000_000
#: TikTok takes pieces for an hour after the beginning.
UPLOAD_LIFE = timedelta(minutes=55)


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

    @property
    def failed(self) -> bool:
        return self.word == "FAILED"

    @property
    def done(self) -> bool:
        return self.word in ("SEND_TO_USER_INBOX", "PUBLISH_COMPLETE")


class TikTokAdapter(VideoAdapter, OAuthAdapter):
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
        video, upload = self.video_of(outgoing), dict(outgoing.prepared)
        if not upload.get("publish_id"):
            raise self.uploading(self._begun(outgoing, video))
        state = self._state(upload, "prepare")
        if state.failed:
            raise self._failure(state.reason)
        if state.done or state.bytes == video.size:
            return upload  # an earlier attempt did it: `publish` will see
        if datetime.fromisoformat(str(upload["until"])) <= self.context.now():
            raise self.broken_off()
        last = _start_of_last(video)
        for start in range((state.bytes or 0) // PIECE * PIECE, last, PIECE):
            size, ok = min(PIECE, last - start), (200, 201, 206)
            self._send(upload, video, start, size, phase="prepare", ok=ok)
        return upload

    def publish(self, outgoing: Outgoing) -> Receipt:
        """The last piece, and what TikTok makes of it at once."""
        video, upload = outgoing.post.videos[0], outgoing.prepared
        name = text_id(upload["publish_id"])
        state = self._state(upload, "prepare")
        if state.failed:
            raise self._failure(state.reason)
        if state.done or state.bytes == video.size:
            raise self.out_already()
        start = _start_of_last(video)
        self._send(upload, video, start, video.size - start, phase="publish", ok=(201,))
        words = t("TikTok has the video and is working on it; it will be asked again.")
        try:
            state = self._state(upload, "outcome")
        except errors.PlatformError as error:
            raise self.error(errors.UnknownOutcome, words) from error
        if state.failed:
            raise self._failure(state.reason)
        if not state.done:
            raise self.error(errors.UnknownOutcome, words)
        return Receipt(name)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        upload = outgoing.prepared
        if not upload.get("publish_id"):
            return None
        state = self._state(upload, "find")
        if state.done:
            return Receipt(text_id(upload["publish_id"]))
        short = state.bytes is not None and state.bytes < outgoing.post.videos[0].size
        if state.failed or short:
            return None  # TikTok could not use it, or the last piece never arrived
        raise self.error(errors.RetryLater, t("TikTok is still working on the video."))

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
            name, where = text_id(data["publish_id"]), address(data["upload_url"])
        until = self.context.now() + UPLOAD_LIFE
        return {"publish_id": name, "upload_url": where, "until": until.isoformat()}

    def _refuse_forbidden(self, creator: dict[str, Any], video: Video) -> None:
        """What TikTok wants to be looked at before anything is posted at once."""
        allowed = creator.get("privacy_level_options")
        if isinstance(allowed, list) and self.settings.privacy not in allowed:
            words = t(
                "TikTok does not let this app post so publicly; it allows: {allowed}.",
                allowed=", ".join(map(str, allowed)),
            )
            raise self.error(errors.PermissionDenied, words)
        longest = creator.get("max_video_post_duration_sec")
        if isinstance(longest, int) and video.milliseconds > longest * 1000:
            words = t("TikTok takes videos of at most {limit} seconds here.", limit=longest)
            raise self.error(errors.MediaRejected, words)

    def _send(
        self, upload: Any, video: Video, start: int, size: int, *, phase: str, ok: tuple[int, ...]
    ) -> None:
        """One piece; without the token: the address itself is the permission."""
        self.put_piece(web_link(upload["upload_url"]), video, start, size, phase=phase, ok=ok)

    def _state(self, upload: Any, phase: str) -> State:
        """How far an upload has got."""
        body = {"publish_id": str(upload["publish_id"])}
        answer = self._call("POST", "/post/publish/status/fetch/", phase=phase, json=body)
        with self.reading(answer, phase):
            data = answer.data["data"]
            word, got = text_id(data["status"]), data.get("uploaded_bytes")
            known = isinstance(got, int) and not isinstance(got, bool)
            return State(word, got if known else None, str(data.get("fail_reason") or ""))

    def _failure(self, reason: str) -> errors.PlatformError:
        rows = (row.kind for row in self.meanings if reason in row.code.split())
        kind = next(rows, errors.MediaRejected)
        words = t("TikTok could not use the video: {reason}.", reason=self.said(reason) or "?")
        return self.error(errors.MediaExpired if kind is errors.RetryLater else kind, words)

    # --- calls and errors -------------------------------------------------------------------------

    def _call(self, method: str, path: str, *, phase: str, **more: Any) -> Answer:
        answer = self.call_signed_in(method, path, phase=phase, **more)
        if self.code_of(answer) == "ok":
            return answer
        with self.reading(answer, phase):
            text_id(answer.data["error"]["code"])
        raise self.error_from(answer, phase)

    def _creator(self, phase: str) -> dict[str, Any]:
        answer = self._call("POST", "/post/publish/creator_info/query/", phase=phase, json={})
        with self.reading(answer, phase):
            return dict(answer.data["data"])

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


def _start_of_last(video: Video) -> int:
    """Where the last piece begins."""
    return (max(1, video.size // PIECE) - 1) * PIECE
