"""YouTube: a video with title and description, on the channel of whoever logged in.

It must not make anything public while uploading: a video goes up private, is processed, and then
one short call shows it. Facts: developers.google.com, YouTube Data API v3, "Resumable uploads".
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

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
)
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Outgoing,
    Post,
    Receipt,
    Reconcile,
    Video,
)
from crosspost.quotas import Quota
from crosspost.rendering.measure import utf8
from crosspost.wording import t

#: Bytes of one piece of an upload, a multiple of 256 KiB, and pieces at most in one go.
PIECE, PIECES = 8 * 1024 * 1024, 16
#: Statuses of a resumable upload: done, done, go on.
GOING_ON = (200, 201, 308)
PACIFIC = ZoneInfo("America/Los_Angeles")  # where Google's day ends

#: What `errors[].reason` means.
REASONS: dict[str, type[PlatformError]] = {
    "quotaExceeded": QuotaExhausted,
    "dailyLimitExceeded": QuotaExhausted,
    "uploadLimitExceeded": QuotaExhausted,
    "rateLimitExceeded": RateLimited,
    "userRateLimitExceeded": RateLimited,
    "youtubeSignupRequired": PermissionDenied,
    "insufficientPermissions": PermissionDenied,
    "forbidden": PermissionDenied,
    "accessNotConfigured": Misconfigured,
    "authenticatedUserAccountSuspended": AccountRestricted,
    "authenticatedUserAccountClosed": AccountRestricted,
    "accountSuspended": AccountRestricted,
    "mediaBodyRequired": MediaRejected,
    "invalidFilename": MediaRejected,
    "videoNotFound": MediaExpired,
}


class YouTubeSettings(OAuthSettings):
    """`category_id` is a number of YouTube's list: 25 is news and politics, 29 non-profits."""

    base_url: WebAddress = "https://www.googleapis.com"
    privacy: Literal["public", "unlisted"] = "public"
    category_id: str = Field(default="25", pattern=r"^\d{1,3}$", coerce_numbers_to_str=True)
    made_for_kids: bool = False
    uploads_per_day: int = Field(default=100, ge=0)  # of the office's own project at Google


class YouTubeAdapter(OAuthAdapter):
    """One channel."""

    platform = "youtube"
    title = "YouTube"
    Settings = YouTubeSettings
    capabilities: Capabilities = Capabilities(
        max_title=100,
        max_length=5000,  # of the description
        unit="bytes",
        max_videos=1,
        video_bytes=1_000_000_000,
        video_seconds=12 * 3600,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        video_codecs=("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "prores"),
        needs_media=True,
        card=CardMaker.NONE,
        delete=True,
        edit=True,
        reconcile=Reconcile.TWO_PHASE,
        settle=timedelta(seconds=90),  # longer than our own time-out
    )
    quotas = (Quota(Decimal(100), "day", zone="America/Los_Angeles", setting="uploads_per_day"),)
    oauth = OAuth(
        authorize="https://accounts.google.com/o/oauth2/v2/auth",
        token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        scopes=(
            "https://www.googleapis.com/auth/youtube.upload",
            "https://www.googleapis.com/auth/youtube.force-ssl",
        ),
        extra={"access_type": "offline", "prompt": "consent"},
    )

    def check(self) -> Account:
        query = {"part": "id,snippet", "mine": "true"}
        answer = self._api("GET", "channels", query, phase="check")
        with self.reading(answer, "check"):
            channels = list(answer.data.get("items") or [])
            int(answer.data["pageInfo"]["totalResults"])
            if channels:
                name = text_id(channels[0]["id"])
                heading = str(channels[0]["snippet"]["title"])
                return Account(heading, f"https://www.youtube.com/channel/{name}")
        raise PermissionDenied(
            t("This account has no YouTube channel: open one in YouTube first."),
            platform=self.platform,
        )

    def measure(self, text: str) -> int:
        """Bytes in UTF-8, as readers see it."""
        return utf8(shown(text))

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        """The video, private, until YouTube has processed it. Where the upload has got to is kept,
        so that it goes on from there."""
        if not outgoing.post.videos:
            raise NotSupported(
                t("{platform} takes no post without a video.", platform=self.title),
                platform=self.platform,
            )
        name = str(outgoing.prepared.get("video") or "")
        if not name:
            name = self._upload(outgoing)
        state = self._status(name, "prepare")
        if state is None or state.get("uploadStatus") == "deleted":
            raise MediaExpired(
                t("The uploaded video is gone; it is uploaded again."), platform=self.platform
            )
        self._refuse_unready(name, state)
        out = state.get("privacyStatus") == self.settings.privacy
        return {"video": name} | ({"published": True} if out else {})

    def publish(self, outgoing: Outgoing) -> Receipt:
        if outgoing.prepared.get("published"):
            raise DuplicateDetected(
                t("The post is out already, by an earlier attempt."), platform=self.platform
            )
        name = str(outgoing.prepared["video"])
        body = {"id": name, "status": self._about_status(self.settings.privacy)}
        answer = self._api("PUT", "videos", {"part": "status"}, phase="publish", json=body)
        with self.reading(answer, "publish"):
            same, privacy = text_id(answer.data["id"]), str(answer.data["status"]["privacyStatus"])
        if privacy != self.settings.privacy:
            raise PermissionDenied(
                t(
                    "YouTube keeps the video private: Google has not verified the app yet. "
                    "Make it public in YouTube Studio."
                ),
                platform=self.platform,
            )
        return _receipt(same)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        name = str(outgoing.prepared.get("video") or "")
        state = self._status(name, "find") if name else None
        if state is None or state.get("privacyStatus") != self.settings.privacy:
            return None
        return _receipt(name)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        """Title and description. What was uploaded for it is taken away again."""
        body = {"id": receipt.remote_id, "snippet": self._about(outgoing.post)}
        self._api("PUT", "videos", {"part": "snippet"}, phase="edit", json=body)
        spare = str(outgoing.prepared.get("video") or "")
        state = self._status(spare, "edit") if spare not in ("", receipt.remote_id) else None
        if state and state.get("privacyStatus") == "private":
            self.delete(_receipt(spare))
        return receipt

    def delete(self, receipt: Receipt) -> None:
        answer = self._api(
            "DELETE", "videos", {"id": receipt.remote_id}, phase="delete", ok=(200, 204, 404)
        )
        if answer.status == 404 and _reason(answer) != "videoNotFound":
            raise self.error_from(answer, "delete")

    def _about(self, post: Post) -> dict[str, Any]:
        return {
            "title": shown(post.title),
            "description": shown(post.text),
            "categoryId": self.settings.category_id,
            "defaultLanguage": post.lang,
        }

    def _about_status(self, privacy: str) -> dict[str, Any]:
        return {
            "privacyStatus": privacy,
            "embeddable": True,
            "selfDeclaredMadeForKids": self.settings.made_for_kids,
        }

    # --- uploading --------------------------------------------------------------------------------

    def _upload(self, outgoing: Outgoing) -> str:
        """The name of the uploaded video. Raises MediaProcessing with the session while there is
        more to send."""
        (video, *_), session = outgoing.post.videos, web_link(outgoing.prepared.get("session"))
        words = t("The video is being uploaded.")
        if not session:  # it is on record before the first piece is sent
            raise self._working(words, {"session": self._begun(outgoing.post, video)})
        answer = self._piece(session, video, None)
        for _ in range(PIECES):
            if answer.status != 308:
                with self.reading(answer, "prepare"):
                    return text_id(answer.data["id"])
            start = _next(answer)
            if start >= video.size:
                break
            answer = self._piece(session, video, start)
        raise self._working(words, {"session": session})

    def _begun(self, post: Post, video: Video) -> str:
        headers = {
            "X-Upload-Content-Length": str(video.size),
            "X-Upload-Content-Type": video.mime,
        }
        query = {"uploadType": "resumable", "part": "snippet,status"}
        body = {"snippet": self._about(post), "status": self._about_status("private")}
        path = "/upload/youtube/v3/videos"
        answer = self.call_signed_in(
            "POST", path, phase="prepare", params=query, headers=headers, json=body
        )
        with self.reading(answer, "prepare"):
            session = web_link(answer.headers["Location"])
            if not session:
                raise ValueError("not an address")
            return session

    def _piece(self, session: str, video: Video, start: int | None) -> Answer:
        """One piece of the upload from `start`; None asks how far it has got."""
        content = b"" if start is None else self.piece_of(video, start, PIECE)
        span = "*" if start is None else f"{start}-{start + len(content) - 1}"
        headers = {"Content-Range": f"bytes {span}/{video.size}", "Content-Type": video.mime}
        if self._is_theirs(session):
            headers |= self.signed(self.access_token("prepare"))
        ok = (*GOING_ON, 404, 410)
        answer = self.call("PUT", session, phase="prepare", ok=ok, headers=headers, data=content)
        if answer.status in (404, 410):
            raise MediaExpired(
                t("The upload was broken off too long ago; it begins again."),
                platform=self.platform,
            )
        return answer

    def _is_theirs(self, where: str) -> bool:
        """Whether the token may go there."""
        there, api = urlsplit(where), urlsplit(self.settings.base_url)
        google = there.scheme == "https" and (there.hostname or "").endswith(".googleapis.com")
        return google or (there.scheme, there.netloc) == (api.scheme, api.netloc)

    def _status(self, name: str, phase: str) -> dict[str, Any] | None:
        """How a video of ours stands; None when there is none of that name."""
        answer = self._api("GET", "videos", {"part": "status", "id": name}, phase=phase)
        with self.reading(answer, phase):
            videos = list(answer.data["items"])
            if not videos:
                return None
            text_id(videos[0]["id"]), str(videos[0]["status"]["privacyStatus"])
            return dict(videos[0]["status"])

    def _refuse_unready(self, name: str, state: dict[str, Any]) -> None:
        match state.get("uploadStatus"):
            case "uploaded":
                raise self._working(t("YouTube is working on the video."), {"video": name})
            case "failed" | "rejected":
                reason = state.get("failureReason") or state.get("rejectionReason") or "?"
                raise MediaRejected(
                    t("YouTube does not take the video: {reason}.", reason=self.said(str(reason))),
                    platform=self.platform,
                )

    def _working(self, words: str, prepared: dict[str, Any]) -> MediaProcessing:
        return MediaProcessing(words, platform=self.platform, prepared=prepared)

    # --- calls and errors -------------------------------------------------------------------------

    def _api(
        self, method: str, what: str, query: dict[str, str], *, phase: str, **more: Any
    ) -> Answer:
        path = f"/youtube/v3/{what}"
        return self.call_signed_in(method, path, phase=phase, params=query, **more)

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        reason = _reason(answer)
        if answer.status >= 500:
            return None
        if answer.status == 401 and reason != "youtubeSignupRequired":
            return AuthExpired if self._can_renew() else AuthRevoked
        if reason == "videoNotFound" and phase == "edit":
            return RejectedContent
        if reason in REASONS:
            return REASONS[reason]
        if answer.status == 400:
            return Misconfigured if phase in ("check", "find") else RejectedContent
        return None

    def until_of(self, answer: Answer) -> datetime | None:
        """Google's quotas are renewed at midnight in California."""
        if REASONS.get(_reason(answer)) is not QuotaExhausted:
            return None
        tomorrow = self.context.now().astimezone(PACIFIC).date() + timedelta(days=1)
        return datetime.combine(tomorrow, datetime.min.time(), PACIFIC)

    def words_of(self, answer: Answer) -> str:
        data = answer.data.get("error") if isinstance(answer.data, dict) else None
        words = data.get("message") if isinstance(data, dict) else None
        reason = _reason(answer)
        return f"{words} [{reason}]" if isinstance(words, str) else super().words_of(answer)


def shown(text: str) -> str:
    """`text` as YouTube can show it: its titles and descriptions know no angle brackets."""
    return text.translate({ord("<"): "‹", ord(">"): "›"})


def _reason(answer: Answer) -> str:
    """The `reason` of an error answer; "" when it has none."""
    error = answer.data.get("error") if isinstance(answer.data, dict) else None
    errors = error.get("errors") if isinstance(error, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    reason = first.get("reason") if isinstance(first, dict) else None
    return reason if isinstance(reason, str) else ""


def _next(answer: Answer) -> int:
    """Where an upload goes on: after what the server has (header Range)."""
    found = re.fullmatch(r"bytes=0-(\d{1,18})", answer.headers.get("Range", ""))
    return int(found[1]) + 1 if found else 0


def _receipt(name: str) -> Receipt:
    return Receipt(name, f"https://www.youtube.com/watch?v={name}")
