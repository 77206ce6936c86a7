"""YouTube's Data API: its calls, its resumable uploads, what its errors mean.

It must not know what a post of ours is, nor make a video public; `youtube.py` does. Facts:
developers.google.com, YouTube Data API v3, "Resumable uploads", "Errors".
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, address, text_id, web_link
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.uploads import VideoAdapter
from crosspost.post import Outgoing, Video
from crosspost.quotas import Quota

#: Bytes of one piece of an upload, a multiple of 256 KiB, and pieces at most in one go.
PIECE, PIECES = 8 * 1024 * 1024, 16
#: Google's day ends at midnight in California.
UPLOADS = Quota(Decimal(100), "day", zone="America/Los_Angeles", setting="uploads_per_day")


class YouTubeApi(VideoAdapter, OAuthAdapter):
    """Calls to YouTube as the channel whose login it is."""

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
    renewed: ClassVar = {errors.QuotaExhausted: UPLOADS}

    def api(
        self, method: str, what: str, query: dict[str, str], *, phase: str, **more: Any
    ) -> Answer:
        """One call about `what`: "videos", "channels"."""
        path = f"/youtube/v3/{what}"
        return self.call_signed_in(method, path, phase=phase, params=query, **more)

    def uploaded(self, outgoing: Outgoing, video: Video, about: dict[str, Any]) -> str:
        """The name of the uploaded video, which is what `about` says. Raises MediaProcessing with
        the session while there is more to send."""
        session = web_link(outgoing.prepared.get("session"))
        if not session:  # it is on record before the first piece is sent
            raise self.uploading({"session": self._begun(video, about)})
        answer = self._piece(session, video, 0, 0)
        for _ in range(PIECES):
            if answer.status != 308:
                return self.id_in(answer, "prepare", "id")
            start = _next(answer)
            if start >= video.size:
                break
            answer = self._piece(session, video, start, PIECE)
        raise self.uploading({"session": session})

    def _begun(self, video: Video, about: dict[str, Any]) -> str:
        headers = {
            "X-Upload-Content-Length": str(video.size),
            "X-Upload-Content-Type": video.mime,
        }
        query = {"uploadType": "resumable", "part": ",".join(about)}
        path = "/upload/youtube/v3/videos"
        answer = self.call_signed_in(
            "POST", path, phase="prepare", params=query, headers=headers, json=about
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

    def status_of(self, name: str, phase: str) -> dict[str, Any] | None:
        """How a video of ours stands; None when there is none of that name."""
        answer = self.api("GET", "videos", {"part": "status", "id": name}, phase=phase)
        with self.reading(answer, phase):
            videos = list(answer.data["items"])
            if not videos:
                return None
            text_id(videos[0]["id"]), str(videos[0]["status"]["privacyStatus"])
            return dict(videos[0]["status"])


def _next(answer: Answer) -> int:
    """Where an upload goes on: after what the server has (header Range)."""
    found = re.fullmatch(r"bytes=0-(\d{1,18})", answer.headers.get("Range", ""))
    return int(found[1]) + 1 if found else 0
