"""YouTube: a video with title and description, on the channel of whoever logged in.

It must not make anything public while uploading: a video goes up private, is processed, and then
one short call shows it. Facts: developers.google.com, YouTube Data API v3, "Resumable uploads".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from crosspost import errors
from crosspost.adapters.base import Meaning, text_id
from crosspost.adapters.oauth import OAuth, OAuthSettings
from crosspost.adapters.youtube_api import UPLOADS, YouTubeApi
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Post, Receipt, Reconcile
from crosspost.rendering.measure import utf8
from crosspost.wording import t


class YouTubeSettings(OAuthSettings):
    """`category_id` is a number of YouTube's list: 25 is news and politics, 29 non-profits."""

    base_url: WebAddress = "https://www.googleapis.com"
    privacy: Literal["public", "unlisted"] = "public"
    category_id: str = Field(default="25", pattern=r"^\d{1,3}$", coerce_numbers_to_str=True)
    made_for_kids: bool = False
    uploads_per_day: int = Field(default=100, ge=0)  # of the office's own project at Google


class YouTubeAdapter(YouTubeApi):
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

    def check(self) -> Account:
        query = {"part": "id,snippet", "mine": "true"}
        answer = self.api("GET", "channels", query, phase="check")
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
        about = {"snippet": self._about(outgoing.post), "status": self._about_status("private")}
        name = name or self.uploaded(outgoing, video, about)
        state = self.status_of(name, "prepare")
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
        answer = self.api("PUT", "videos", {"part": "status"}, phase="publish", json=body)
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
        state = self.status_of(name, "find") if name else None
        if state is None or state.get("privacyStatus") != self.settings.privacy:
            return None
        return _receipt(name)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        """Title and description. What was uploaded for it is taken away again."""
        body = {"id": receipt.remote_id, "snippet": self._about(outgoing.post)}
        self.api("PUT", "videos", {"part": "snippet"}, phase="edit", json=body)
        spare = str(outgoing.prepared.get("video") or "")
        state = self.status_of(spare, "edit") if spare not in ("", receipt.remote_id) else None
        if state and state.get("privacyStatus") == "private":
            self.delete(_receipt(spare))
        return receipt

    def delete(self, receipt: Receipt) -> None:
        self.api("DELETE", "videos", {"id": receipt.remote_id}, phase="delete")

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


def shown(text: str) -> str:
    """`text` as YouTube can show it: its titles and descriptions know no angle brackets."""
    return text.translate({ord("<"): "‹", ord(">"): "›"})


def _receipt(name: str) -> Receipt:
    return Receipt(name, f"https://www.youtube.com/watch?v={name}")
