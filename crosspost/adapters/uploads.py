"""Files that go up before the post does, and are kept by name until a post has them.

What `prepare` and its repeats need is here: nothing is uploaded twice, and what the platform still
works on is asked for again. It must not know a platform, nor publish anything.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from crosspost.adapters.base import Answer, HttpAdapter
from crosspost.errors import MediaExpired, MediaProcessing, NotSupported, PlatformError
from crosspost.post import Image, Outgoing, Post, Video
from crosspost.wording import t

File = Image | Video


@dataclass(frozen=True)
class Upload:
    """The platform's name for a file, and whether a post can have it by now."""

    name: str
    ready: bool = True


class UploadingAdapter(HttpAdapter):
    """An adapter that uploads each file by itself: `prepared["media"]` has their names in order.

    Subclasses say how one file goes up, and how an earlier upload stands (`state_of`); one that is
    ready need not be asked about where it is known how long the platform keeps it (`upload_life`).
    """

    #: How long an upload is kept that no post has; None: `state_of` is asked each time.
    upload_life: ClassVar[timedelta | None] = None

    @abstractmethod
    def upload(self, file: File) -> Upload:
        """One file, uploaded. Raises PlatformError."""

    def state_of(self, name: str) -> Upload | None:  # noqa: ARG002
        """An earlier upload as it stands; None when the platform has forgotten it, or cannot be
        asked: then the file goes up again."""
        return None

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        files = _files(outgoing.post)
        if self.upload_life is None:
            return self._uploaded(files, media_of(outgoing), {})
        now, until = self.context.now(), str(outgoing.prepared.get("until") or "")
        if not files:
            return {}
        lasts = bool(until) and datetime.fromisoformat(until) > now
        if lasts and not outgoing.prepared.get("working"):
            return dict(outgoing.prepared)
        known = media_of(outgoing) if lasts else []
        ends = until if lasts else (now + self.upload_life).isoformat()
        return self._uploaded(files, known, {"until": ends})

    def _uploaded(
        self, files: tuple[File, ...], known: list[str], about: dict[str, Any]
    ) -> dict[str, Any]:
        """The names of all, and `about`. Raises MediaProcessing while one is not ready."""
        uploads = []
        for place, file in enumerate(files):
            earlier = self.state_of(known[place]) if place < len(known) else None
            uploads.append(earlier or self.upload(file))
        prepared = {"media": [upload.name for upload in uploads], **about}
        if not all(upload.ready for upload in uploads):
            words = t("The server is still working on the images.")
            if self.capabilities.max_videos:
                words = t("The server is still working on the images or the video.")
            raise self.working(words, prepared | {"working": True})
        return prepared

    def working(self, words: str, prepared: dict[str, Any]) -> PlatformError:
        """To be raised while there is more to do; `prepared` is what there is so far."""
        return self.error(MediaProcessing, words, prepared=prepared)


def media_of(outgoing: Outgoing) -> list[str]:
    """The names of what was uploaded for a post, in the order of its files."""
    media = outgoing.prepared.get("media")
    return [str(name) for name in media] if isinstance(media, list) else []


def _files(post: Post) -> tuple[File, ...]:
    return (*post.images, *post.videos)


class VideoAdapter(HttpAdapter):
    """An adapter of a platform of videos, where one goes up in pieces that follow each other."""

    def video_of(self, outgoing: Outgoing) -> Video:
        """The video, without which there is no post. Raises NotSupported."""
        if not outgoing.post.videos:
            words = t("{platform} takes no post without a video.", platform=self.title)
            raise self.error(NotSupported, words)
        return outgoing.post.videos[0]

    def put_piece(
        self,
        where: str,
        video: Video,
        start: int,
        size: int,
        *,
        phase: str,
        ok: tuple[int, ...],
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send at most `size` bytes from `start` on (RFC 9110 section 14.4); none: ask how far the
        upload has got."""
        content = self.piece_of(video, start, size) if size else b""
        span = f"{start}-{start + len(content) - 1}" if size else "*"
        about = {"Content-Range": f"bytes {span}/{video.size}", "Content-Type": video.mime}
        about |= headers or {}
        return self.call("PUT", where, phase=phase, ok=ok, headers=about, data=content)

    def uploading(self, prepared: dict[str, Any], words: str = "") -> PlatformError:
        """To be raised while there is more to send, or to wait for; `prepared` is what is known of
        the upload."""
        words = words or t("The video is being uploaded.")
        return self.error(MediaProcessing, words, prepared=prepared)

    def broken_off(self) -> PlatformError:
        """To be raised for an upload that cannot go on."""
        return self.error(
            MediaExpired, t("The upload was broken off too long ago; it begins again.")
        )
