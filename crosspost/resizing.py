"""Images fitted to what channels take: each decoded once, and what two channels share made once.

It must not know platforms; what one takes stands in its `Capabilities`. Results lie in the folder
of the images, under their SHA-256, like the originals. What is made for a channel depends on the
image and on what the channel takes, and on nothing else: not on the other channels, nor on which
thread was faster.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from PIL import Image as Pixels

from crosspost.errors import ContentError
from crosspost.media import encoded, opened_file
from crosspost.mediafiles import intact, stored
from crosspost.post import Capabilities, Image
from crosspost.sizes import Size, fits, halvings, steps, target
from crosspost.wording import t

#: Of a JPEG that was made smaller; below, detail is lost before anything else is.
_QUALITIES = (90, 87, 84, 81, 78, 75, 72)
_BANDS = 8  # the bytes of an image are guessed from so many bands across it
_BAND = 16  # pixels; how high those are, the side of the squares that a JPEG is encoded in
_HEADER = 620  # bytes of a JPEG that are there once, whatever its size
_LEAST_SHARE = 0.75  # of the bytes that are guessed, a file has at least this
_DOUBT = 1.01  # when the bytes of one quality are known, those of the others are about this sure
_THREADS = 4  # at most: each holds another size of the image in memory

Made = TypeVar("Made")


class Fitter:
    """Fits images to channels. It keeps the pixels of one image: so all channels of one image come
    first (`prepare`), and then what was made for them is at hand."""

    def __init__(self, media: Path) -> None:
        self._media = media
        self._at_work: _Pixels | None = None
        self._opening = Lock()
        self._made: _Once[Image] = _Once()

    def prepare(self, images: Sequence[Image], channels: Sequence[Capabilities]) -> None:
        """Make what the channels need of each of the images; what cannot be made is said by `fit`,
        of the channel that needs it. Pillow works outside Python's lock, so on several cores."""
        with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
            for image in images:
                wanted = {_key(image, can): can for can in channels if not fits(image, can)}
                # the larger ones take longest, so they are begun first
                inside = sorted(wanted.values(), key=lambda can: -max(target(image, can)[1]))
                list(pool.map(lambda can, image=image: self._attempt(image, can), inside))
        self._at_work = None

    def _attempt(self, image: Image, can: Capabilities) -> None:
        with suppress(ContentError):  # kept, and said by `fit`
            self.fit(image, can)

    def fit(self, image: Image, capabilities: Capabilities) -> Image:
        """`image` within the types, bytes, pixels and side of a channel: itself where it is, else a
        derivative of the best quality that fits. Where the channel does not take its shape it gets
        a white border on two sides; nothing is cut off.

        Raises ContentError when the stored file is gone or changed, or cannot be made small enough.
        """
        if fits(image, capabilities):
            return image
        return self._made.get(_key(image, capabilities), lambda: self._new(image, capabilities))

    def _new(self, image: Image, can: Capabilities) -> Image:
        pixels = self._pixels_of(image)
        framed, size = target(image, can)
        for smaller in steps(size):
            data, mime = _best(pixels, framed, smaller, image, can)
            if data:
                return stored(data, mime, smaller, image.alt, self._media)
        raise ContentError(
            t("The image {file} cannot be made to fit {limit} bytes.", file=image.path,
              limit=can.image_bytes),
            hint=t("Leave the image out, or leave this channel out with --to."),
        )  # fmt: skip

    def _pixels_of(self, image: Image) -> _Pixels:
        with self._opening:
            if self._at_work is None or self._at_work.digest != image.sha256:
                if not intact(image):
                    raise ContentError(
                        t("The stored image {file} is missing or was changed.", file=image.path),
                        hint=t("Give the image again with `crosspost edit`."),
                    )
                with opened_file(image.path, image.path.read_bytes()) as opened:
                    self._at_work = _Pixels(image.sha256, opened)
            return self._at_work


class _Once(Generic[Made]):
    """What is made by key: once, also when several threads want it at the same time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: dict[Hashable, Future[Made]] = {}

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for the key, or is now; an error of `make` is raised to each who asks."""
        with self._lock:
            mine = key not in self._made
            future = self._made.setdefault(key, Future())
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()


class _Pixels:
    """The pixels of one image, at every size that was wanted, and the files made of them."""

    def __init__(self, digest: str, original: Pixels.Image) -> None:
        self.digest = digest
        self._original = original
        self._images: _Once[Pixels.Image] = _Once()
        self._files: _Once[bytes] = _Once()
        self._guesses: _Once[int] = _Once()
        self._turns: _Once[Lock] = _Once()

    def file(self, framed: Size, size: Size, mime: str, quality: int = 0) -> bytes:
        """A file of that type, the image on a ground of the size `framed`, then made `size`."""
        key = (framed, size, mime, quality)

        def make() -> bytes:
            # Pillow keeps in the image how it is being saved, so one thread after the other
            with self._turns.get((framed, size), Lock):
                return encoded(self.at(framed, size), mime, quality=quality)

        return self._files.get(key, make)

    def guess(self, framed: Size, size: Size, quality: int) -> int:
        """About how many bytes a JPEG of that quality has, rather too many than too few: `encoded`
        looks for short codes, which takes three times as long and saves a twentieth and more."""

        def make() -> int:
            sample = _sample(self.at(framed, size))
            if not sample:
                return len(self.file(framed, size, "image/jpeg", quality))
            found = len(encoded(sample, "image/jpeg", optimize=False, quality=quality))
            share = math.prod(size) / math.prod(sample.size)
            return round((found - _HEADER) * share) + _HEADER

        return self._guesses.get((framed, size, quality), make)

    def at(self, framed: Size, size: Size) -> Pixels.Image:
        """The pixels at a size: of the original, or of its half where that is large enough."""
        return self._images.get((framed, size), lambda: self._resized(framed, size))

    def _resized(self, framed: Size, size: Size) -> Pixels.Image:
        times = halvings(framed, size)
        source = self._halved(framed, times)
        if source.size == size:
            return source
        inside = framed[0] / 2**times, framed[1] / 2**times  # an odd side was rounded up
        # made for images that get smaller: as sharp as bicubic there, in half the time
        return source.resize(size, Pixels.Resampling.HAMMING, box=(0, 0, *inside))

    def _halved(self, framed: Size, times: int) -> Pixels.Image:
        def make() -> Pixels.Image:
            if not times:
                return _framed(self._original, framed)
            return self._halved(framed, times - 1).reduce(2)

        return self._images.get((framed, times), make)


def _sample(pixels: Pixels.Image) -> Pixels.Image | None:
    """Bands across an image, evenly spread; None where they would be more than a quarter of it."""
    width, height = pixels.size
    if height < 4 * _BANDS * _BAND:
        return None
    sample = Pixels.new(pixels.mode, (width, _BANDS * _BAND))
    for band in range(_BANDS):
        top = (2 * band + 1) * height // (2 * _BANDS) - _BAND // 2
        sample.paste(pixels.crop((0, top, width, top + _BAND)), (0, band * _BAND))
    return sample


def _best(
    pixels: _Pixels, framed: Size, size: Size, image: Image, can: Capabilities
) -> tuple[bytes, str]:
    """The file with the least loss that fits, and its type; no bytes where none does. A PNG stays
    one where it can."""
    takes_jpeg, limit = "image/jpeg" in can.image_types, can.image_bytes
    if "image/png" in can.image_types and (image.mime == "image/png" or not takes_jpeg):
        data = pixels.file(framed, size, "image/png")
        if len(data) <= limit:
            return data, "image/png"
    if not takes_jpeg:
        return b"", ""
    return _jpeg(pixels, framed, size, limit), "image/jpeg"


def _jpeg(pixels: _Pixels, framed: Size, size: Size, limit: int) -> bytes:
    """The JPEG of the best quality that fits, nothing where none does; found by guesses, so that
    the whole is seldom encoded more than once."""

    def within(quality: int, share: float) -> bool:
        return pixels.guess(framed, size, quality) * share <= limit

    def first(share: float) -> int:
        """The best quality that fits if files have that share of the bytes that are guessed."""
        if within(_QUALITIES[0], share):
            return 0
        return bisect_left(_QUALITIES, True, key=lambda quality: within(quality, share))

    likely = first(1)
    if likely == len(_QUALITIES):
        if not within(_QUALITIES[-1], _LEAST_SHARE):
            return b""
        likely -= 1
    tried = _QUALITIES[likely]
    found = len(pixels.file(framed, size, "image/jpeg", tried))
    best = first(found / pixels.guess(framed, size, tried) * _DOUBT)
    if found <= limit:
        best = min(best, likely)
    for quality in _QUALITIES[best:]:
        data = pixels.file(framed, size, "image/jpeg", quality)
        if len(data) <= limit:
            return data
    return b""


def _key(image: Image, can: Capabilities) -> Hashable:
    """All that decides what a channel gets of an image."""
    jpeg, png = (f"image/{kind}" in can.image_types for kind in ("jpeg", "png"))
    return image, target(image, can), can.image_bytes, jpeg, png


def _framed(pixels: Pixels.Image, size: Size) -> Pixels.Image:
    """The whole image in the middle of a white ground of that size."""
    if size == pixels.size:
        return pixels
    ground = Pixels.new(pixels.mode, size, "white")
    ground.paste(pixels, ((size[0] - pixels.width) // 2, (size[1] - pixels.height) // 2))
    return ground
