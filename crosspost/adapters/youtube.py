"""YouTube: a video with title and description, on the channel of whoever logged in.

It must not make anything public while uploading: a video goes up private, is processed, and then
one short call shows it. Facts: developers.google.com, YouTube Data API v3, "Resumable uploads".
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, address, text_id, web_link
from crosspost.adapters.oauth import OAuth, OAuthAdapter, OAuthSettings
from crosspost.adapters.uploads import VideoAdapter
from crosspost.config import WebAddress
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
PACIFIC = ZoneInfo("America/Los_Angeles")  # where Google's day ends


class YouTubeSettings(OAuthSettings):
    """`category_id` is a number of YouTube's list: 25 is news and politics, 29 non-profits."""

    base_url: WebAddress = "https://www.googleapis.com"
    privacy: Literal["public", "unlisted"] = "public"
    category_id: str = Field(default="25", pattern=r"^\d{1,3}$", coerce_numbers_to_str=True)
    made_for_kids: bool = False
    uploads_per_day: int = Field(default=100, ge=0)  # of the office's own project at Google


class YouTubeAdapter(VideoAdapter, OAuthAdapter):
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
    token_hosts = (".googleapis.com",)
    meanings = (
        Meaning(errors.PermissionDenied, code="youtubeSignupRequired"),
        Meaning(errors.AuthExpired, 401),
        Meaning(errors.RejectedContent, code="videoNotFound", phases="edit"),
        Meaning(errors.MediaExpired, code="videoNotFound"),
        Meaning(errors.QuotaExhausted, code="quotaExceeded dailyLimitExceeded uploadLimitExceeded"),
        Meaning(errors.RateLimited, code="rateLimitExceeded userRateLimitExceeded"),
        Meaning(errors.PermissionDenied, code="insufficientPermissions forbidden"),
        Meaning(errors.Misconfigured, code="accessNotConfigured"),
        Meaning(errors.AccountRestricted, code="authenticatedUserAccountSuspended"),
        Meaning(errors.AccountRestricted, code="authenticatedUserAccountClosed accountSuspended"),
        Meaning(errors.MediaRejected, code="mediaBodyRequired invalidFilename"),
        Meaning(errors.Misconfigured, 400, phases="check find"),
        Meaning(errors.RejectedContent, 400),
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
        words = t("This account has no YouTube channel: open one in YouTube first.")
        raise self.error(errors.PermissionDenied, words)

    def measure(self, text: str) -> int:
        """Bytes in UTF-8, as readers see it."""
        return utf8(shown(text))

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        """The video, private, until YouTube has processed it. Where the upload has got to is kept,
        so that it goes on from there."""
        video, name = self.video_of(outgoing), str(outgoing.prepared.get("video") or "")
        name = name or self._upload(outgoing, video)
        state = self._status(name, "prepare")
        if state is None or state.get("uploadStatus") == "deleted":
            words = t("The uploaded video is gone; it is uploaded again.")
            raise self.error(errors.MediaExpired, words)
        self._refuse_unready(name, state)
        out = state.get("privacyStatus") == self.settings.privacy
        return {"video": name} | ({"published": True} if out else {})

    def publish(self, outgoing: Outgoing) -> Receipt:
        if outgoing.prepared.get("published"):
            raise self.out_already()
        name = str(outgoing.prepared["video"])
        body = {"id": name, "status": self._about_status(self.settings.privacy)}
        answer = self._api("PUT", "videos", {"part": "status"}, phase="publish", json=body)
        with self.reading(answer, "publish"):
            same, privacy = text_id(answer.data["id"]), str(answer.data["status"]["privacyStatus"])
        if privacy != self.settings.privacy:
            words = t(
                "YouTube keeps the video private: Google has not verified the app yet. "
                "Make it public in YouTube Studio."
            )
            raise self.error(errors.PermissionDenied, words)
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
        if answer.status == 404 and self.code_of(answer) != "videoNotFound":
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

    def _upload(self, outgoing: Outgoing, video: Video) -> str:
        """The name of the uploaded video. Raises MediaProcessing with the session while there is
        more to send."""
        session = web_link(outgoing.prepared.get("session"))
        if not session:  # it is on record before the first piece is sent
            raise self.uploading({"session": self._begun(outgoing.post, video)})
        answer = self._piece(session, video, 0, 0)
        for _ in range(PIECES):
            if answer.status != 308:
                with self.reading(answer, "prepare"):
                    return text_id(answer.data["id"])
            start = _next(answer)
            if start >= video.size:
                break
            answer = self._piece(session, video, start, PIECE)
        raise self.uploading({"session": session})

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
            return address(answer.headers["Location"])

    def _piece(self, session: str, video: Video, start: int, size: int) -> Answer:
        """One piece of the upload from `start`; none asks how far it has got: 308 says go on."""
        signed, ok = self.signed_there(session, "prepare"), (200, 201, 308, 404, 410)
        answer = self.put_piece(session, video, start, size, phase="prepare", ok=ok, headers=signed)
        if answer.status in (404, 410):
            raise self.broken_off()
        return answer

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
                raise self.uploading({"video": name}, t("YouTube is working on the video."))
            case "failed" | "rejected":
                reason = state.get("failureReason") or state.get("rejectionReason") or "?"
                words = t(
                    "YouTube does not take the video: {reason}.", reason=self.said(str(reason))
                )
                raise self.error(errors.MediaRejected, words)

    # --- calls and errors -------------------------------------------------------------------------

    def _api(
        self, method: str, what: str, query: dict[str, str], *, phase: str, **more: Any
    ) -> Answer:
        path = f"/youtube/v3/{what}"
        return self.call_signed_in(method, path, phase=phase, params=query, **more)

    def code_of(self, answer: Answer) -> str:
        return answer.word("error", "errors", 0, "reason")

    def until_of(self, answer: Answer) -> datetime | None:
        """Google's quotas are renewed at midnight in California."""
        if self.error_of(answer, "") is not errors.QuotaExhausted:
            return None
        tomorrow = self.context.now().astimezone(PACIFIC).date() + timedelta(days=1)
        return datetime.combine(tomorrow, datetime.min.time(), PACIFIC)

    def words_of(self, answer: Answer) -> str:
        words = answer.word("error", "message")
        return f"{words} [{self.code_of(answer)}]" if words else super().words_of(answer)


def shown(text: str) -> str:
    """`text` as YouTube can show it: its titles and descriptions know no angle brackets."""
    return text.translate({ord("<"): "‹", ord(">"): "›"})


def _next(answer: Answer) -> int:
    """Where an upload goes on: after what the server has (header Range)."""
    found = re.fullmatch(r"bytes=0-(\d{1,18})", answer.headers.get("Range", ""))
    return int(found[1]) + 1 if found else 0


def _receipt(name: str) -> Receipt:
    return Receipt(name, f"https://www.youtube.com/watch?v={name}")
