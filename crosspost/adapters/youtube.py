"""YouTube: a video with title and description, on the channel of whoever logged in.

It must not make anything public while uploading: a video goes up private, is processed, and then
one short call shows it. Facts: developers.google.com, YouTube Data API v3, "Resumable uploads".
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, text_id
from crosspost.adapters.oauth import OAuth, OAuthAdapter, OAuthSettings
from crosspost.adapters.resumable import ResumableAdapter
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Post, Receipt, Reconcile
from crosspost.quotas import Quota
from crosspost.rendering.measure import utf8
from crosspost.rendering.youtube import shown, snippet_of
from crosspost.wording import t

#: Google's day ends at midnight in California.
UPLOADS = Quota(Decimal(100), "day", zone="America/Los_Angeles", setting="uploads_per_day")


class YouTubeSettings(OAuthSettings):
    """`category_id` is a number of YouTube's list: 25 is news and politics, 29 non-profits."""

    base_url: WebAddress = "https://www.googleapis.com"
    privacy: Literal["public", "unlisted"] = "public"
    category_id: str = Field(default="25", pattern=r"^\d{1,3}$", coerce_numbers_to_str=True)
    made_for_kids: bool = False
    uploads_per_day: int = Field(default=100, ge=0)  # of the office's own project at Google


class YouTubeAdapter(ResumableAdapter, OAuthAdapter):
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
    quotas = (UPLOADS,)
    renewed: ClassVar = {errors.QuotaExhausted: UPLOADS}
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
    code_at, words_at, shows_code = ("error", "errors", 0, "reason"), (("error", "message"),), True
    so_already = (Meaning(errors.TargetGone, 404, code="videoNotFound", phases="delete"),)
    oauth = OAuth(
        authorize="https://accounts.google.com/o/oauth2/v2/auth",
        token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        scopes=(
            "https://www.googleapis.com/auth/youtube.upload",
            "https://www.googleapis.com/auth/youtube.force-ssl",
        ),
        extra={"access_type": "offline", "prompt": "consent"},
    )

    def _api(
        self, method: str, what: str, query: dict[str, str], *, phase: str, **more: Any
    ) -> Answer:
        """One call about `what`: "videos", "channels"."""
        where = f"/youtube/v3/{what}"
        return self.call_signed_in(method, where, phase=phase, params=query, **more)

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
        about = {"snippet": self._snippet(outgoing.post), "status": self._status("private")}
        name = name or self.uploaded(outgoing, video, "/upload/youtube/v3/videos", about)
        state = self._state_of(name, "prepare")
        there = state and state.get("uploadStatus") != "deleted"
        words = t("The uploaded video is gone; it is uploaded again.")
        self.insist(there, errors.MediaExpired, words)
        self._refuse_unready(name, state)
        out = state.get("privacyStatus") == self.settings.privacy
        return {"video": name} | ({"published": True} if out else {})

    def publish(self, outgoing: Outgoing) -> Receipt:
        if outgoing.prepared.get("published"):
            raise self.out_already()
        name = str(outgoing.prepared["video"])
        body = {"id": name, "status": self._status(self.settings.privacy)}
        answer = self._api("PUT", "videos", {"part": "status"}, phase="publish", json=body)
        with self.reading(answer, "publish"):
            same, privacy = text_id(answer.data["id"]), str(answer.data["status"]["privacyStatus"])
        words = t(
            "YouTube keeps the video private: Google has not verified the app yet. "
            "Make it public in YouTube Studio."
        )
        self.insist(privacy == self.settings.privacy, errors.PermissionDenied, words)
        return _receipt(same)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        name = str(outgoing.prepared.get("video") or "")
        state = self._state_of(name, "find") if name else {}
        return _receipt(name) if state.get("privacyStatus") == self.settings.privacy else None

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        """Title and description. What was uploaded for it is taken away again."""
        body = {"id": receipt.remote_id, "snippet": self._snippet(outgoing.post)}
        self._api("PUT", "videos", {"part": "snippet"}, phase="edit", json=body)
        spare = str(outgoing.prepared.get("video") or "")
        state = self._state_of(spare, "edit") if spare not in ("", receipt.remote_id) else {}
        if state.get("privacyStatus") == "private":
            self.delete(_receipt(spare))
        return receipt

    def delete(self, receipt: Receipt) -> None:
        self._api("DELETE", "videos", {"id": receipt.remote_id}, phase="delete")

    def _state_of(self, name: str, phase: str) -> dict[str, Any]:
        """How a video of ours stands; empty when there is none of that name."""
        answer = self._api("GET", "videos", {"part": "status", "id": name}, phase=phase)
        with self.reading(answer, phase):
            for video in answer.list_at("items"):
                text_id(video["id"]), str(video["status"]["privacyStatus"])
                return dict(video["status"])
        return {}

    def _snippet(self, post: Post) -> dict[str, str]:
        return snippet_of(post, self.settings.category_id)

    def _status(self, privacy: str) -> dict[str, Any]:
        return {
            "privacyStatus": privacy,
            "embeddable": True,
            "selfDeclaredMadeForKids": self.settings.made_for_kids,
        }

    def _refuse_unready(self, name: str, state: dict[str, Any]) -> None:
        match state.get("uploadStatus"):
            case "uploaded":
                raise self.uploading({"video": name}, t("YouTube is working on the video."))
            case "failed" | "rejected":
                reason = str(state.get("failureReason") or state.get("rejectionReason") or "?")
                words = t("YouTube does not take the video: {reason}.", reason=self.said(reason))
                raise self.error(errors.MediaRejected, words)


def _receipt(name: str) -> Receipt:
    return Receipt(name, f"https://www.youtube.com/watch?v={name}")
