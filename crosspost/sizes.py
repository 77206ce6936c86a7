"""At which sizes an image is made for a channel.

Arithmetic alone: it must not look at pixels. A size is width and height, in pixels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from crosspost.post import Capabilities, Image

#: Longer sides, in pixels, of an image that has too many bytes at each quality: first that of a
#: large screen, then always about two thirds of the pixels. Channels so share what is made.
_SIDES = (2560, 2048, 1600, 1280, 1024, 800, 640, 512, 400, 320, 256, 200, 160, 128, 100, 80, 64,
          50, 40, 32, 25, 20, 16)  # fmt: skip
_SMALLEST_SIDE = 16  # pixels; what does not fit so is not worth sending
_SHAPE_MARGIN = 1.01  # sides are rounded when an image is made smaller
_NEARLY = 0.95  # of the sides that a channel takes: what is lost where just a half is sent
_GAP = 1.1  # what is made of a half is so much smaller than it, else it would be blurred

Size = tuple[int, int]


def target(image: Image, can: Capabilities) -> tuple[Size, Size]:
    """The size of the ground that an image stands on for a channel, and what that is shrunk to:
    just a half or quarter where the channel takes hardly more, since that is quick and crisp."""
    framed = _canvas(image.width, image.height, can)
    size = _smaller(framed, _first_scale(framed, can))
    half = next(
        (half for half in _halves(framed) if half[0] <= size[0] and half[1] <= size[1]), size
    )
    return framed, half if half[0] >= size[0] * _NEARLY and half[1] >= size[1] * _NEARLY else size


def fits(image: Image, capabilities: Capabilities) -> bool:
    """Whether a channel takes the image as it is."""
    return (
        image.mime in capabilities.image_types
        and image.size <= capabilities.image_bytes
        and _canvas(image.width, image.height, capabilities) == (image.width, image.height)
        and _first_scale((image.width, image.height), capabilities) == 1
    )


def steps(size: Size) -> Iterator[Size]:
    """The size, and smaller ones of the same shape, down to the smallest that is worth sending."""
    for side in (max(size), *(side for side in _SIDES if side < max(size))):
        smaller = _smaller(size, side / max(size))
        if min(smaller) >= _SMALLEST_SIDE:
            yield smaller


def halvings(framed: Size, size: Size) -> int:
    """How often an image may be halved, which is quick, before it is made `size`. What is left to
    do is nothing, or enough to look as if it had been done at once."""
    usable = itertools.takewhile(lambda half: half == size or _much_larger(half, size),
                                 _halves(framed))  # fmt: skip
    return len(list(usable))


def _halves(size: Size) -> Iterator[Size]:
    """The sizes of an image that is halved again and again, as Pillow rounds them."""
    while max(size) > 1:
        size = (size[0] + 1) // 2, (size[1] + 1) // 2
        yield size


def _much_larger(half: Size, size: Size) -> bool:
    return half[0] >= size[0] * _GAP and half[1] >= size[1] * _GAP


def _first_scale(size: Size, capabilities: Capabilities) -> float:
    """By how much the sides must shrink for the channel's pixels and side; 1 for not at all."""
    return min(
        1.0,
        capabilities.image_side / max(size),
        math.sqrt(capabilities.image_pixels / math.prod(size)),
    )


def _canvas(width: int, height: int, capabilities: Capabilities) -> Size:
    """The size that an image of this size must have for its shape to be taken; its own if it is."""
    least, most = capabilities.image_shapes or (0.0, math.inf)
    if width < least * height:
        return math.ceil(least * _SHAPE_MARGIN * height), height
    if width > most * height:
        return width, math.ceil(width / most * _SHAPE_MARGIN)
    return width, height


def _smaller(size: Size, scale: float) -> Size:
    """A size shrunk by `scale`; rounded down, so that a limit holds."""
    if scale >= 1:
        return size
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))
