"""Google's resumable uploads: a video goes up in pieces, and goes on where it was broken off.

It must not know what the video is for, nor make it public; an adapter says where an upload begins.
Facts: developers.google.com, YouTube Data API v3, "Resumable uploads".
"""

from __future__ import annotations

import re
from typing import Any

from crosspost.adapters.base import Answer, address, web_link
from crosspost.adapters.renewing import RenewingAdapter
from crosspost.adapters.uploads import VideoAdapter
from crosspost.post import Outgoing, Video

#: Bytes of one piece of an upload, a multiple of 256 KiB, and pieces at most in one go.
PIECE, PIECES = 8 * 1024 * 1024, 16


class ResumableAdapter(VideoAdapter, RenewingAdapter):
    """An adapter that uploads in this way."""

    def uploaded(self, outgoing: Outgoing, video: Video, path: str, about: dict[str, Any]) -> str:
        """The name of the uploaded video, which is what `about` says; `path` is where an upload
        begins. Raises MediaProcessing with the session while there is more to send."""
        session = web_link(outgoing.prepared.get("session"))
        if not session:  # it is on record before the first piece is sent
            raise self.uploading({"session": self._begun(video, path, about)})
        answer = self._piece(session, video, 0, 0)
        for _ in range(PIECES):
            if answer.status != 308:
                return self.id_in(answer, "prepare", "id")
            start = _next(answer)
            if start >= video.size:
                break
            answer = self._piece(session, video, start, PIECE)
        raise self.uploading({"session": session})

    def _begun(self, video: Video, path: str, about: dict[str, Any]) -> str:
        """The address of a new upload."""
        headers = {
            "X-Upload-Content-Length": str(video.size),
            "X-Upload-Content-Type": video.mime,
        }
        query = {"uploadType": "resumable", "part": ",".join(about)}
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


def _next(answer: Answer) -> int:
    """Where an upload goes on: after what the server has (header Range)."""
    found = re.fullmatch(r"bytes=0-(\d{1,18})", answer.headers.get("Range", ""))
    return int(found[1]) + 1 if found else 0
