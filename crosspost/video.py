"""Videos: an author's file is checked and kept as it is; no channel gets another one.

Files lie in the folder of the images, under their SHA-256. What stands in the file's own boxes is
read here; length, size of the picture and codec are ffprobe's to say, where it is installed. This
room must not encode anything, nor know platforms; what one takes stands in its `Capabilities`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from crosspost.errors import ContentError
from crosspost.foreign import of_system
from crosspost.post import Capabilities, Video
from crosspost.wording import t

BYTES_LIMIT = 1_000_000_000
#: Seconds that ffprobe may take.
PATIENCE = 30

_PIECE = 1_048_576  # bytes read at once
_WEBM = b"\x1a\x45\xdf\xa3"  # the head of EBML (RFC 8794)
# where a camera writes the place: QuickTime, 3GPP (TS 26.244), Apple
_PLACES = (b"\xa9xyz", b"loci\0\0\0\0", b"com.apple.quicktime.location")


def take_in(path: Path, alt: str, media: Path) -> Video:
    """Check an author's video file and store it in the folder `media`, unchanged.

    Raises ContentError, naming the file, for one that is missing, unreadable, too large, cut short,
    or no MP4, MOV or WebM video; and for one without a description.
    """
    alt = alt.strip()
    if not alt:
        raise ContentError(
            t("{file}: the video has no description.", file=path),
            hint=t("Say with --video-alt what is seen and said, for those who cannot."),
        )
    try:
        with _file(path) as file:
            mime = _type_of(path, file)
        facts = _probed(path)
        media.mkdir(parents=True, exist_ok=True)
        digest, size = _kept(path, media)
    except OSError as error:
        reason = of_system(error)
        raise ContentError(
            t("{file}: the file cannot be read or kept: {reason}.", file=path, reason=reason)
        ) from error
    return Video(media / digest, digest, mime, alt, size, **facts)


def problems(video: Video, capabilities: Capabilities, channel: str) -> list[str]:
    """Why `channel` does not take `video`, a sentence each; none when it does, as far as known."""
    found = []
    if video.mime not in capabilities.video_types:
        wanted = ", ".join(kind.rpartition("/")[2] for kind in capabilities.video_types)
        found.append(t("{channel} takes no such video; it takes {types}.", channel=channel,
                       types=wanted))  # fmt: skip
    if video.codec and video.codec not in capabilities.video_codecs:
        found.append(t("{channel} does not take the codec {codec} of the video; it takes {known}.",
                       channel=channel, codec=video.codec,
                       known=", ".join(capabilities.video_codecs)))  # fmt: skip
    if video.size > capabilities.video_bytes:
        found.append(t("{channel} takes videos of at most {limit} MB; this one has {size}.",
                       channel=channel, limit=capabilities.video_bytes // 1_000_000,
                       size=-(-video.size // 1_000_000)))  # fmt: skip
    if video.milliseconds > capabilities.video_seconds * 1000:
        found.append(t("{channel} takes videos of at most {limit} seconds; this one has {seconds}.",
                       channel=channel, limit=capabilities.video_seconds,
                       seconds=-(-video.milliseconds // 1000)))  # fmt: skip
    longest = capabilities.max_alt
    if capabilities.max_video_alt is not None:
        longest = capabilities.max_video_alt
    if longest is not None and len(video.alt) > longest:
        found.append(t("{channel} takes descriptions of videos of at most {limit} characters; this "
                       "one has {count}.",
                       channel=channel, limit=longest, count=len(video.alt)))  # fmt: skip
    return found


def names_its_place(path: Path) -> bool:
    """Whether the file says where it was taken; False for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            before = b""
            for piece in _pieces(file):
                if any(place in before + piece for place in _PLACES):
                    return True
                before = piece[-64:]
    except OSError:
        pass
    return False


def _file(path: Path) -> BinaryIO:
    if not path.exists():
        raise ContentError(t("{file}: there is no such file.", file=path))
    if not path.is_file():
        raise ContentError(t("{file}: this is not a file.", file=path))
    if path.stat().st_size > BYTES_LIMIT:
        raise ContentError(
            t("{file}: the file has more than {limit} MB.", file=path, limit=BYTES_LIMIT // 10**6),
            hint=t("Save a smaller copy of the video, and give that."),
        )
    return path.open("rb")


def _type_of(path: Path, file: BinaryIO) -> str:
    """The media type by the first bytes, whatever the name says; an MP4 or MOV whose boxes do not
    fill the file is cut short (ISO/IEC 14496-12, section 4.2)."""
    head = file.read(12)
    if head.startswith(_WEBM):
        return "video/webm"
    if head[4:8] != b"ftyp":
        raise ContentError(
            t("{file}: this is not an MP4, MOV or WebM video.", file=path),
            hint=t("Save it as MP4 (H.264 and AAC), which every platform takes."),
        )
    if not {b"moov", b"mdat"} <= set(_boxes(file, path.stat().st_size)):
        raise ContentError(
            t("{file}: the video is damaged or incomplete.", file=path),
            hint=t("Export or copy the video again, and give that."),
        )
    return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"


def _boxes(file: BinaryIO, end: int) -> Iterator[bytes]:
    """The names of the boxes of an MP4 that lie whole within the file."""
    place = 0
    while place + 8 <= end:
        file.seek(place)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:  # it goes to the end
            size = end - place
        if size < 8 or place + size > end:
            return
        yield head[4:8]
        place += size


def _probed(path: Path) -> dict[str, Any]:
    """What ffprobe says of length, picture and codec; nothing when it is not installed.

    Raises ContentError when it finds no picture in the file.
    """
    tool = shutil.which("ffprobe")
    if tool is None:
        return {}
    options = ["-v", "error", "-protocol_whitelist", "file", "-of", "json"]
    wanted = "format=duration:stream=codec_type,codec_name,width,height"
    command = [tool, *options, "-show_entries", wanted, f"file:{path.absolute()}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603
        said = json.loads(done.stdout)
        stream = next(s for s in said["streams"] if s["codec_type"] == "video")
        return {
            "width": int(stream["width"]),
            "height": int(stream["height"]),
            "milliseconds": round(float(said["format"]["duration"]) * 1000),
            "codec": str(stream["codec_name"]),
        }
    except (subprocess.SubprocessError, ValueError, KeyError, StopIteration) as error:
        raise ContentError(
            t("{file}: the video is damaged, or nothing is seen in it.", file=path),
            hint=t("Export or copy the video again, and give that."),
        ) from error


def _kept(path: Path, media: Path) -> tuple[str, int]:
    """Digest and bytes of the file, a copy of which is whole in `media` afterwards, or not there
    at all."""
    digest, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(dir=media, prefix=".incoming-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy, path.open("rb") as file:
            for piece in _pieces(file):
                digest.update(piece)
                size += copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        temporary.chmod(0o644)
        temporary.replace(media / digest.hexdigest())
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest(), size


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
