"""Images fitted to what channels take: each decoded once, and what two channels share made once.

It must not know platforms; what one takes stands in its `Capabilities`. Results lie in the folder
of the images, under their SHA-256, like the originals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Pixels

from crosspost.errors import ContentError
from crosspost.media import encoded, intact, opened_file, stored
from crosspost.post import Capabilities, Image
from crosspost.wording import t

#: Of a JPEG that was made smaller; below, detail is lost before anything else is.
_QUALITIES = (90, 84, 78, 72)
_SHARES = (1.0, 0.78, 0.67, 0.59)  # the bytes of each, of the first, about
_DOUBT = 1.05  # a quality is tried when its guess is no more than so much of the limit
_CLEARLY = 0.85  # what is smaller than so much of another size may be made of that
_SHAPE_MARGIN = 1.01  # sides are rounded when an image is made smaller
_SMALLEST_SIDE = 16  # pixels; what does not fit so is not worth sending


class Fitter:
    """Fits images to channels. It keeps the pixels of one image: so all channels of one image come
    first (`prepare`), and then what was made for them is at hand."""

    def __init__(self, media: Path) -> None:
        self._media = media
        self._at_work: _Pixels | None = None
        self._made: dict[object, Image | ContentError] = {}

    def prepare(self, images: Sequence[Image], channels: Sequence[Capabilities]) -> None:
        """Make what the channels need of each of the images; what cannot be made is said by `fit`,
        of the channel that needs it."""
        for image in images:
            # the larger ones first, since smaller ones are made of them
            for can in sorted(channels, key=lambda can: -max(_target(image, can)[1])):
                self._result(image, can)
        self._at_work = None

    def fit(self, image: Image, capabilities: Capabilities) -> Image:
        """`image` within the types, bytes, pixels and side of a channel: itself where it is, else a
        derivative of the best quality that fits. Where the channel does not take its shape it gets
        a white border on two sides; nothing is cut off.

        Raises ContentError when the stored file is gone or changed, or cannot be made small enough.
        """
        result = self._result(image, capabilities)
        if isinstance(result, ContentError):
            raise result
        return result

    def _result(self, image: Image, can: Capabilities) -> Image | ContentError:
        if _fits(image, can):
            return image
        framed, size = _target(image, can)
        jpeg, png = (f"image/{kind}" in can.image_types for kind in ("jpeg", "png"))
        key = (image, framed, size, can.image_bytes, jpeg, png)
        if key not in self._made:
            try:
                self._made[key] = self._new(image, can, framed, size)
            except ContentError as error:
                self._made[key] = error
        return self._made[key]

    def _new(
        self, image: Image, can: Capabilities, framed: tuple[int, int], size: tuple[int, int]
    ) -> Image:
        pixels = self._pixels_of(image)
        while min(size) >= _SMALLEST_SIDE:
            data, mime = _best(pixels, framed, size, image, can)
            if not data:
                break
            if len(data) <= can.image_bytes:
                return stored(data, mime, size, image.alt, self._media)
            # bytes go with the area, so the next size is near the largest that fits
            size = _smaller(size, min(0.9, math.sqrt(can.image_bytes / len(data))))
        raise ContentError(
            t("The image {file} cannot be made to fit {limit} bytes.", file=image.path,
              limit=can.image_bytes),
            hint=t("Leave the image out, or leave this channel out with --to."),
        )  # fmt: skip

    def _pixels_of(self, image: Image) -> _Pixels:
        if self._at_work is None or self._at_work.digest != image.sha256:
            if not intact(image):
                raise ContentError(
                    t("The stored image {file} is missing or was changed.", file=image.path),
                    hint=t("Give the image again with `crosspost edit`."),
                )
            with opened_file(image.path, image.path.read_bytes()) as opened:
                self._at_work = _Pixels(image.sha256, opened.copy())
        return self._at_work


class _Pixels:
    """The pixels of one image, at every size that was wanted, and the files made of them."""

    def __init__(self, digest: str, original: Pixels.Image) -> None:
        self.digest = digest
        self._original = original
        self._sized: dict[tuple[object, ...], Pixels.Image] = {}
        self._last: tuple[tuple[object, ...], Pixels.Image] | None = None  # made of one of those
        self._files: dict[tuple[object, ...], bytes] = {}

    def file(
        self, framed: tuple[int, int], size: tuple[int, int], mime: str, **options: int
    ) -> bytes:
        """A file of that type, the image on a ground of the size `framed`, then made `size`."""
        key = (framed, size, mime, *options.items())
        if key not in self._files:
            self._files[key] = encoded(self.at(framed, size), mime, **options)
        return self._files[key]

    def at(self, framed: tuple[int, int], size: tuple[int, int]) -> Pixels.Image:
        """The pixels at a size: of a larger one that was made of the original, where that is
        clearly larger, so that nothing is resampled more than twice."""
        if self._last is not None and self._last[0] == (framed, size):
            return self._last[1]
        if (framed, size) not in self._sized:
            source = _framed(self._original, framed)
            larger = [
                pixels
                for (frame, _), pixels in self._sized.items()
                if frame == framed and pixels.width * _CLEARLY >= size[0]
            ]
            smallest = min(larger, key=lambda pixels: pixels.width, default=source)
            made = _resized(smallest, size)
            if smallest is not source or size == source.size:
                self._last = ((framed, size), made)
                return made
            self._sized[framed, size] = made
        return self._sized[framed, size]

    def guess(self, framed: tuple[int, int], size: tuple[int, int]) -> int:
        """About how many bytes a JPEG of the best quality has: from a sixteenth of the image."""
        pixels = self.at(framed, size)
        width, height = pixels.width // 16 // 8 * 8, pixels.height // 16 // 8 * 8
        if min(width, height) < 8:
            return len(self.file(framed, size, "image/jpeg", quality=_QUALITIES[0]))
        sample = Pixels.new(pixels.mode, (width * 4, height * 4))
        for row in range(4):
            for column in range(4):
                left, top = column * pixels.width // 4, row * pixels.height // 4
                tile = pixels.crop((left, top, left + width, top + height))
                sample.paste(tile, (column * width, row * height))
        share = pixels.width * pixels.height / (sample.width * sample.height)
        return round(len(encoded(sample, "image/jpeg", quality=_QUALITIES[0])) * share)


def _best(
    pixels: _Pixels,
    framed: tuple[int, int],
    size: tuple[int, int],
    image: Image,
    can: Capabilities,
) -> tuple[bytes, str]:
    """The file with the least loss that fits; else the smallest that was tried, or nothing where
    the channel takes no type of ours. A PNG stays one where it can."""
    takes_jpeg, limit = "image/jpeg" in can.image_types, can.image_bytes
    if "image/png" in can.image_types and (image.mime == "image/png" or not takes_jpeg):
        data = pixels.file(framed, size, "image/png")
        if len(data) <= limit or not takes_jpeg:
            return data, "image/png"
    if not takes_jpeg:
        return b"", ""
    guess = pixels.guess(framed, size)
    if guess * _SHARES[-1] > limit * _DOUBT:  # no quality makes it fit; it has to be smaller
        return pixels.file(framed, size, "image/jpeg", quality=_QUALITIES[-1]), "image/jpeg"
    data = b""
    for quality, share in zip(_QUALITIES, _SHARES, strict=True):
        if guess * share <= limit * _DOUBT or quality == _QUALITIES[-1]:
            data = pixels.file(framed, size, "image/jpeg", quality=quality)
            if len(data) <= limit:
                break
    return data, "image/jpeg"


def _target(image: Image, can: Capabilities) -> tuple[tuple[int, int], tuple[int, int]]:
    """The size of the ground that an image stands on for a channel, and what that is shrunk to."""
    framed = _canvas(image.width, image.height, can)
    return framed, _smaller(framed, _first_scale(framed, can))


def _fits(image: Image, capabilities: Capabilities) -> bool:
    return (
        image.mime in capabilities.image_types
        and image.size <= capabilities.image_bytes
        and _canvas(image.width, image.height, capabilities) == (image.width, image.height)
        and _first_scale((image.width, image.height), capabilities) == 1
    )


def _first_scale(size: tuple[int, int], capabilities: Capabilities) -> float:
    """By how much the sides must shrink for the channel's pixels and side; 1 for not at all."""
    return min(
        1.0,
        capabilities.image_side / max(size),
        math.sqrt(capabilities.image_pixels / math.prod(size)),
    )


def _canvas(width: int, height: int, capabilities: Capabilities) -> tuple[int, int]:
    """The size that an image of this size must have for its shape to be taken; its own if it is."""
    least, most = capabilities.image_shapes or (0.0, math.inf)
    if width < least * height:
        return math.ceil(least * _SHAPE_MARGIN * height), height
    if width > most * height:
        return width, math.ceil(width / most * _SHAPE_MARGIN)
    return width, height


def _framed(pixels: Pixels.Image, size: tuple[int, int]) -> Pixels.Image:
    """The whole image in the middle of a white ground of that size."""
    if size == pixels.size:
        return pixels
    ground = Pixels.new(pixels.mode, size, "white")
    ground.paste(pixels, ((size[0] - pixels.width) // 2, (size[1] - pixels.height) // 2))
    return ground


def _smaller(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """A size shrunk by `scale`; rounded down, so that a limit holds."""
    if scale >= 1:
        return size
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _resized(pixels: Pixels.Image, size: tuple[int, int]) -> Pixels.Image:
    if size == pixels.size:
        return pixels
    # made for images that get smaller: as sharp as bicubic there, in half the time
    return pixels.resize(size, Pixels.Resampling.HAMMING)
