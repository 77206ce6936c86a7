"""What is wrong with the images' descriptions and metadata.

Pure. It must not open a file: what is in one is said by the `Picture`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from crosspost.checks.subject import Subject
from crosspost.wording import t

#: Characters; the smallest limit of the platforms (X: 1,000), and longer than anybody listens.
LONGEST_ALT = 1000

_FILE = re.compile(r"[^\n]{1,200}\.(?:jpe?g|png|webp|gif|heic|heif|tiff?|bmp)", re.IGNORECASE)
# what cameras and messengers call their files
_CAMERA = re.compile(
    r"(?:img|dsc[fn]?|pxl|dcim|mvimg|screenshot|whatsapp image|photo|image|foto|gambar)"
    r"[ _-]?\(?\d[\d \w().-]{0,80}",
    re.IGNORECASE,
)


def alt_missing(subject: Subject) -> Iterator[str]:
    """Images without a description."""
    for picture in subject.pictures:
        if not picture.alt.strip() and picture.moving:
            yield t(
                "{file}: the video has no description. Say with --video-alt what is seen and said, "
                "for those who cannot see or hear it.",
                file=picture.name,
            )
        elif not picture.alt.strip():
            yield t(
                "{file}: the image has no description. Describe with --alt what is seen, for those "
                "who cannot see it.",
                file=picture.name,
            )


def alt_file_name(subject: Subject) -> Iterator[str]:
    """Descriptions that are only the name of a file."""
    for picture in subject.pictures:
        alt = picture.alt.strip()
        own = (picture.name, PurePath(picture.name).name, PurePath(picture.name).stem)
        if alt and (
            alt.casefold() in (name.casefold() for name in own)
            or _FILE.fullmatch(alt)
            or _CAMERA.fullmatch(alt)
        ):
            yield t(
                "{file}: the description is only the name of a file. Describe with --alt what is "
                "seen, for those who cannot see it.",
                file=picture.name,
            )


def alt_long(subject: Subject) -> Iterator[str]:
    """Descriptions that a platform cuts off, and that nobody listens to."""
    for picture in subject.pictures:
        if len(picture.alt) > LONGEST_ALT:
            yield t(
                "{file}: the description has {count} characters. Say it in at most {limit}, and "
                "put the details into the text.",
                file=picture.name,
                count=len(picture.alt),
                limit=LONGEST_ALT,
            )


def unusable(subject: Subject) -> Iterator[str]:
    """Images that cannot be taken in."""
    for picture in subject.pictures:
        if picture.problem:
            yield picture.problem


def located(subject: Subject) -> Iterator[str]:
    """Photos and videos whose metadata name the place."""
    for picture in subject.pictures:
        if picture.located and picture.moving:
            yield t(
                "{file}: the video says where it was taken, and goes out as it is. Export it again "
                "without the place, unless everybody may know it.",
                file=picture.name,
            )
        elif picture.located:
            yield t(
                "{file}: the file says where the photo was taken. That is removed before "
                "publishing; do not give the original file to anybody, and look whether the "
                "picture itself shows a place that must not be known.",
                file=picture.name,
            )
