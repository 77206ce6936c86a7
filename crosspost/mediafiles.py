"""Files of media as they are kept: whole, and each under the digest of its bytes.

It must not look into them (`media.py`, `video.py`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from crosspost.errors import ContentError
from crosspost.foreign import of_system
from crosspost.post import Image, Video
from crosspost.wording import t


def intact(image: Image | Video) -> bool:
    """Whether the file is there and still has the bytes that its digest names."""
    try:
        with image.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == image.sha256
    except OSError:
        return False


def stored(data: bytes, mime: str, size: tuple[int, int], alt: str, media: Path) -> Image:
    """The image as a file of `media`, whole and durable or not there at all."""
    digest = hashlib.sha256(data).hexdigest()
    image = Image(media / digest, digest, mime, alt, *size, len(data))
    if intact(image):
        return image
    try:
        media.mkdir(parents=True, exist_ok=True)
        _write(image.path, data)
    except OSError as error:
        reason = of_system(error)
        raise ContentError(
            t("The image cannot be stored in {folder}: {reason}.", folder=media, reason=reason),
            hint=t("Make room, or let this user write there, and try again."),
        ) from error
    return image


def _write(path: Path, data: bytes) -> None:
    """A file that is there whole after a crash, or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
