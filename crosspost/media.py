"""Images: an author's file is checked and cleaned once; `resizing.py` fits it to channels.

Files lie in one folder under their SHA-256, so a name says what is in it and none is overwritten.
Nothing of the author's file but its pixels comes in: no place, no camera, no comment. It must not
know platforms.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import (
    ExifTags,
    ImageChops,
    ImageCms,
    ImageOps,
    ImageStat,
    JpegImagePlugin,
    UnidentifiedImageError,
)
from PIL import Image as Pixels

from crosspost.errors import ContentError
from crosspost.foreign import of_system
from crosspost.mediafiles import stored
from crosspost.post import Image
from crosspost.wording import t

BYTES_LIMIT = 30_000_000
PIXELS_LIMIT = 60_000_000  # width × height; Pillow needs up to 4 bytes for each

_UNSEEN = 2  # steps of 256 that a colour may be off without anybody seeing it
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")  # Pillow reads an MPO (a JPEG with others behind) as JPEG
_ANIMATED = ("PNG", "WEBP", "GIF")


def take_in(path: Path, alt: str, media: Path) -> Image:
    """Check an author's image file and store its pixels in the folder `media`.

    Upright, in sRGB with eight bits, without any metadata; JPEG stays JPEG with the quality that it
    has, all else is PNG, but for an opaque WebP, which is JPEG. Raises ContentError, naming the
    file, for one that is missing, unreadable, no image, broken, too large or animated, and for one
    without a description.
    """
    alt = _description(path, alt)
    with opened_file(path, _bytes_of(path)) as original:
        pixels = _upright_srgb(original)
        lossy = original.format in ("JPEG", "MPO") or (
            original.format == "WEBP" and pixels.mode == "RGB"
        )
        options = _jpeg_options(original) if lossy else {}
    if not lossy:
        return stored(encoded(pixels, "image/png"), "image/png", pixels.size, alt, media)
    data = encoded(pixels, "image/jpeg", **options)
    return stored(data, "image/jpeg", pixels.size, alt, media)


def names_its_place(path: Path) -> bool:
    """Whether the metadata of an author's file say where the photo was taken (EXIF, XMP); False for
    a file that cannot be read, which `take_in` refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pixels.open(path, formats=_FORMATS) as image:
                place = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
                xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    except Exception:  # noqa: BLE001 - a damaged file can break Pillow anywhere
        return False
    written = xmp if isinstance(xmp, bytes) else str(xmp).encode()
    tags = (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude)
    return any(tag in place for tag in tags) or b"GPSLatitude" in written


def _description(path: Path, alt: str) -> str:
    """The description, trimmed. One that is only a file's name helps nobody."""
    alt = alt.strip()
    said = alt.casefold()
    if not said or said in (path.name.casefold(), path.stem.casefold(), str(path).casefold()):
        raise ContentError(
            t("{file}: the image has no description.", file=path)
            if not said
            else t("{file}: the description is only the name of the file.", file=path),
            hint=t("Describe with --alt what is seen, for those who cannot see it."),
        )
    return alt


def _bytes_of(path: Path) -> bytes:
    """The file, read whole when it is small enough."""
    try:
        if not path.exists():
            raise ContentError(t("{file}: there is no such file.", file=path))
        if not path.is_file():
            raise ContentError(t("{file}: this is not a file.", file=path))
        with path.open("rb") as file:
            data = file.read(BYTES_LIMIT + 1)
    except OSError as error:
        reason = of_system(error)
        raise ContentError(
            t("{file}: the file cannot be read: {reason}.", file=path, reason=reason)
        ) from error
    if len(data) > BYTES_LIMIT:
        limit = BYTES_LIMIT // 1_000_000
        raise ContentError(
            t("{file}: the file has more than {limit} MB.", file=path, limit=limit),
            hint=t("Save a smaller copy of the image, and give that."),
        )
    return data


@contextmanager
def opened_file(path: Path, data: bytes) -> Iterator[Pixels.Image]:
    """The decoded image. Its size is looked at before a single pixel is decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Pixels.DecompressionBombWarning)
        try:
            with Pixels.open(BytesIO(data), formats=_FORMATS) as image:
                _refuse_large_or_moving(path, image)
                image.load()
                yield image
        except ContentError:
            raise
        except UnidentifiedImageError as error:
            raise ContentError(
                t("{file}: this is not a JPEG, PNG, WebP or GIF image.", file=path),
                hint=t("Save it in one of these formats, and give that."),
            ) from error
        except (Pixels.DecompressionBombError, Pixels.DecompressionBombWarning) as error:
            raise _too_many_pixels(path) from error
        except Exception as error:  # a damaged file can break Pillow anywhere
            raise ContentError(
                t("{file}: the image is damaged or incomplete.", file=path),
                hint=t("Export or copy the image again, and give that."),
            ) from error


def _refuse_large_or_moving(path: Path, image: Pixels.Image) -> None:
    if image.width * image.height > PIXELS_LIMIT:
        raise _too_many_pixels(path)
    if image.format in _ANIMATED and getattr(image, "is_animated", False):
        raise ContentError(
            t("{file}: the image is animated; animations are not taken.", file=path),
            hint=t("Give one picture of it."),
        )


def _too_many_pixels(path: Path) -> ContentError:
    limit = PIXELS_LIMIT // 1_000_000
    return ContentError(
        t("{file}: the image has more than {limit} million pixels.", file=path, limit=limit),
        hint=t("Save a smaller copy of the image, and give that."),
    )


def _upright_srgb(original: Pixels.Image) -> Pixels.Image:
    """The pixels alone: upright, sRGB, eight bits, as L, RGB or RGBA."""
    ImageOps.exif_transpose(original, in_place=True)  # so nothing is copied that stands upright
    pixels = original
    if pixels.mode.startswith("I"):  # a PNG of 16 bits a pixel
        pixels = pixels.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if pixels.has_transparency_data:
        pixels = pixels.convert("RGBA")
    elif pixels.mode not in ("L", "RGB", "CMYK"):
        pixels = pixels.convert("RGB")
    pixels = _in_srgb(pixels, original.info.get("icc_profile"))
    if pixels.mode == "RGBA" and pixels.getchannel("A").getextrema() == (255, 255):
        pixels = pixels.convert("RGB")
    pixels.info = {}
    return pixels


def _in_srgb(pixels: Pixels.Image, profile: bytes | None) -> Pixels.Image:
    """`pixels` with the colours that its profile means; without a usable one, as they are."""
    mode = "RGBA" if pixels.mode == "RGBA" else "RGB"
    if profile and pixels.mode != "L":
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            transform = ImageCms.buildTransform(source, target, pixels.mode, mode)
            if pixels.mode != mode or _changes_colours(transform, mode):
                return ImageCms.applyTransform(pixels, transform) or pixels
    return pixels.convert("RGB") if pixels.mode == "CMYK" else pixels


def _changes_colours(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether anybody could see it: most cameras say sRGB, and then converting would only cost."""
    levels = range(0, 256, 17)
    colours = Pixels.new(mode, (256, 16))
    colours.putdata([(r, g, b, 255)[: len(mode)] for r in levels for g in levels for b in levels])
    converted = ImageCms.applyTransform(colours, transform)
    if converted is None:
        return True
    apart = ImageStat.Stat(ImageChops.difference(colours, converted).convert("RGB"))
    return max(most for _, most in apart.extrema) > _UNSEEN


def _jpeg_options(original: Pixels.Image) -> dict[str, Any]:
    """How to encode again with the least loss: a JPEG with the tables that it has."""
    if isinstance(original, JpegImagePlugin.JpegImageFile) and original.mode in ("L", "RGB"):
        return {
            "qtables": original.quantization,
            "subsampling": JpegImagePlugin.get_sampling(original),
        }
    return {"quality": 95, "subsampling": 0}


def encoded(pixels: Pixels.Image, mime: str, *, optimize: bool = True, **options: Any) -> bytes:
    """The bytes of a file; where the format has no transparency, on white. `optimize` chooses the
    codes of a JPEG that make it smallest."""
    buffer = BytesIO()
    if mime == "image/png":
        pixels.save(buffer, "PNG")
    else:
        if pixels.mode == "RGBA":
            white = Pixels.new("RGB", pixels.size, "white")
            white.paste(pixels, mask=pixels.getchannel("A"))
            pixels = white
        pixels.save(buffer, "JPEG", optimize=optimize, **options)
    return buffer.getvalue()
