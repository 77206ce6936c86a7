"""A small file that passes for a video, for platforms that take no post without one."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path

from crosspost.post import Video


@cache
def one_video(size: int = 300_000, mime: str = "video/mp4") -> Video:
    """A file of so many bytes, the same in every process."""
    path = Path(tempfile.gettempdir()) / f"crosspost-one-video-{size}.mp4"
    content = (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * (size // 256 + 1))[:size]
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Video(path, digest, mime, "Petugas melayani warga", size, 1280, 720, 9000, "h264")
