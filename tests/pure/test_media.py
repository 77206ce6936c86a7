"""Images: what is refused and how that is said, what is kept, and what is taken away."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import pytest
from PIL import ExifTags, ImageChops, ImageCms, ImageFilter, ImageStat, PngImagePlugin
from PIL import Image as Pixels

from crosspost import media, mediafiles, resizing, sizes
from crosspost.errors import ContentError
from crosspost.post import Capabilities, Image
from crosspost.resizing import Fitter

ALT = "Warga antre di loket layanan"
ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825


def photo(width: int = 64, height: int = 48, mode: str = "RGB") -> Pixels.Image:
    """A picture with structure: a gradient across, and one down."""
    across = Pixels.linear_gradient("L").rotate(90).resize((width, height))
    down = Pixels.linear_gradient("L").resize((width, height))
    return Pixels.merge("RGB", (across, down, across)).convert(mode)


def noise(width: int, height: int, mode: str = "RGB") -> Pixels.Image:
    """A picture that hardly compresses; the same each time."""
    wanted = width * height * len(mode)
    blocks = (hashlib.sha256(str(i).encode()).digest() for i in range(wanted // 32 + 1))
    return Pixels.frombytes(mode, (width, height), b"".join(blocks)[:wanted])


def saved(path: Path, image: Pixels.Image, form: str, **options: object) -> Path:
    image.save(path, form, **options)
    return path


def opened(image: Image) -> Pixels.Image:
    with Pixels.open(image.path) as found:
        found.load()
        return found


def fit(image: Image, capabilities: Capabilities, folder: Path) -> Image:
    return Fitter(folder).fit(image, capabilities)


def refusal(path: Path, tmp_path: Path, alt: str = ALT) -> str:
    store = tmp_path / "media"
    with pytest.raises(ContentError) as caught:
        media.take_in(path, alt, store)
    assert path.name in str(caught.value)
    assert not store.exists() or not list(store.iterdir()), "a refused image leaves nothing behind"
    return str(caught.value)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


# --- what is refused


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "foto.jpg", tmp_path)


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "foto.jpg").mkdir()
    assert "not a file" in refusal(tmp_path / "foto.jpg", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named_with_the_reason(tmp_path: Path) -> None:
    path = saved(tmp_path / "foto.jpg", photo(), "JPEG")
    path.chmod(0)
    assert "may not do that" in refusal(path, tmp_path)


def test_a_name_too_long_for_the_system_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / ("x" * 300), tmp_path)


@pytest.mark.parametrize("alt", ["", "  \n", "foto.jpg", "FOTO", "Foto.JPG "])
def test_an_image_without_a_description_is_refused(tmp_path: Path, alt: str) -> None:
    path = saved(tmp_path / "foto.jpg", photo(), "JPEG")
    assert "for those who cannot see it" in refusal(path, tmp_path, alt)


@pytest.mark.parametrize(
    "data",
    [b"", b"halo", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff", b"%PDF-1.7"],
)
def test_what_is_no_image_is_refused_whatever_its_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "foto.jpg"
    path.write_bytes(data)
    assert "not a JPEG, PNG, WebP or GIF image" in refusal(path, tmp_path)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO", "PDF", "EPS"])
def test_other_formats_are_refused(tmp_path: Path, form: str) -> None:
    assert "not a JPEG" in refusal(saved(tmp_path / "foto.jpg", photo(), form), tmp_path)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, form: str, share: float) -> None:
    path = saved(tmp_path / "foto", noise(200, 200), form)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    sentence = refusal(path, tmp_path)
    assert "damaged or incomplete" in sentence or "not a JPEG" in sentence


@pytest.mark.parametrize(
    ("width", "height"), [(7746, 7746), (10_000, 10_000), (30_000, 30_000), (1_000_000, 70)]
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, width: int, height: int
) -> None:
    path = tmp_path / "bom.png"
    path.write_bytes(png_header(width, height))
    assert "more than 60 million pixels" in refusal(path, tmp_path)


def test_a_bomb_in_a_text_chunk_is_refused(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "a" * 80_000_000, zip=True)
    path = saved(tmp_path / "bom.png", photo(), "PNG", pnginfo=texts)
    assert path.stat().st_size < 200_000
    assert "damaged" in refusal(path, tmp_path)


def test_a_file_over_thirty_megabytes_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "foto.jpg", photo(), "JPEG")
    with path.open("ab") as file:
        file.truncate(30_000_001)
    assert "more than 30 MB" in refusal(path, tmp_path)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_refused(tmp_path: Path, form: str) -> None:
    frames = [photo(), photo().rotate(90)]
    path = saved(tmp_path / "gerak", frames[0], form, save_all=True, append_images=frames[1:])
    assert "animated" in refusal(path, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    path = saved(tmp_path / "foto.jpg", photo(), "JPEG")
    with pytest.raises(ContentError, match="cannot be stored in"):
        media.take_in(path, ALT, tmp_path / "media")


def test_no_warning_of_pillow_reaches_the_admin(tmp_path: Path) -> None:
    path = tmp_path / "bom.png"
    path.write_bytes(png_header(10_000, 10_000))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        refusal(path, tmp_path)
    assert caught == []


# --- what is taken in


def test_an_image_lies_under_its_digest_and_says_what_it_is(tmp_path: Path) -> None:
    image = media.take_in(saved(tmp_path / "f.jpg", photo(), "JPEG"), f" {ALT}\n", tmp_path / "m")
    data = (tmp_path / "m" / image.sha256).read_bytes()
    assert image.path == tmp_path / "m" / image.sha256
    assert hashlib.sha256(data).hexdigest() == image.sha256
    assert (image.mime, image.alt, image.width, image.height) == ("image/jpeg", ALT, 64, 48)
    assert image.size == len(data)
    assert [file.name for file in (tmp_path / "m").iterdir()] == [image.sha256]


def test_the_same_file_is_stored_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "f.jpg", photo(), "JPEG")
    first = media.take_in(path, ALT, tmp_path / "m")
    written = first.path.stat().st_mtime_ns
    assert media.take_in(path, ALT, tmp_path / "m") == first
    assert first.path.stat().st_mtime_ns == written


def test_a_damaged_stored_file_is_written_again(tmp_path: Path) -> None:
    path = saved(tmp_path / "f.jpg", photo(), "JPEG")
    image = media.take_in(path, ALT, tmp_path / "m")
    image.path.write_bytes(b"half")
    assert mediafiles.intact(media.take_in(path, ALT, tmp_path / "m"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_place_camera_or_author_is_kept(tmp_path: Path, form: str) -> None:
    exif = Pixels.Exif()
    exif[MAKE] = "KAMERA-RAHASIA"
    exif[GPS] = {1: "S", 2: (7.0, 14.0, 33.0), 3: "E", 4: (112.0, 45.0, 9.0)}
    options: dict[str, object] = {"exif": exif.tobytes()}
    if form == "JPEG":
        options |= {"comment": b"KOMENTAR-RAHASIA"}
    if form == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", "PENULIS-RAHASIA")
        texts.add_itxt("XML:com.adobe.xmp", "<x>XMP-RAHASIA</x>")
        options |= {"pnginfo": texts, "dpi": (300, 300)}
    path = saved(tmp_path / "f", photo(), form, **options)
    assert b"RAHASIA" in path.read_bytes(), "the test must have something to find"
    image = media.take_in(path, ALT, tmp_path / "m")
    data = image.path.read_bytes()
    for trace in (b"RAHASIA", b"Exif", b"eXIf", b"http", b"tEXt", b"iTXt", b"ICC"):
        assert trace not in data
    assert not opened(image).getexif()


def test_what_hangs_behind_the_image_is_not_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "f.jpg", photo(), "JPEG")
    path.write_bytes(path.read_bytes() + b"PK\x03\x04 VIDEO-RAHASIA")
    assert b"RAHASIA" not in media.take_in(path, ALT, tmp_path / "m").path.read_bytes()


def test_a_phone_picture_with_a_second_one_behind_is_one_jpeg(tmp_path: Path) -> None:
    path = saved(tmp_path / "f.jpg", photo(), "MPO", save_all=True, append_images=[photo(32, 32)])
    image = media.take_in(path, ALT, tmp_path / "m")
    assert (opened(image).format, image.width) == ("JPEG", 64)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_stands_upright(tmp_path: Path, orientation: int) -> None:
    upright = Pixels.new("RGB", (64, 32), "white")
    upright.paste("red", (0, 0, 16, 16))  # the corner at the top left
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # how a camera holds it
    lying = upright if turn is None else upright.transpose(Pixels.Transpose(turn))
    exif = Pixels.Exif()
    exif[ORIENTATION] = orientation
    image = media.take_in(saved(tmp_path / "f", lying, "PNG", exif=exif), ALT, tmp_path / "m")
    assert (image.width, image.height) == (64, 32)
    assert opened(image).tobytes() == upright.tobytes()


def test_a_jpeg_is_encoded_again_with_hardly_any_loss_or_growth(tmp_path: Path) -> None:
    path = saved(tmp_path / "f.jpg", photo(512, 512), "JPEG", quality=70)
    image = media.take_in(path, ALT, tmp_path / "m")
    with Pixels.open(path) as before:
        pairs = zip(before.tobytes(), opened(image).tobytes(), strict=True)
        assert sum(abs(a - b) for a, b in pairs) / (512 * 512 * 3) < 0.1
    assert image.size <= path.stat().st_size * 1.05


@pytest.mark.parametrize(
    ("mode", "form", "mime", "kept"),
    [
        ("L", "JPEG", "image/jpeg", "L"),
        ("CMYK", "JPEG", "image/jpeg", "RGB"),
        ("1", "PNG", "image/png", "RGB"),
        ("P", "PNG", "image/png", "RGB"),
        ("LA", "PNG", "image/png", "RGB"),  # its alpha is opaque
        ("RGB", "WEBP", "image/jpeg", "RGB"),
        ("P", "GIF", "image/png", "RGB"),
    ],
)
def test_every_kind_of_pixel_becomes_a_plain_one(
    tmp_path: Path, mode: str, form: str, mime: str, kept: str
) -> None:
    path = saved(tmp_path / "f", photo(mode=mode), form)
    image = media.take_in(path, ALT, tmp_path / "m")
    assert (image.mime, opened(image).mode) == (mime, kept)


def test_sixteen_bits_become_eight_without_going_white(tmp_path: Path) -> None:
    deep = Pixels.frombytes(
        "I;16", (256, 1), b"".join(struct.pack("<H", i * 257) for i in range(256))
    )
    image = media.take_in(saved(tmp_path / "f.png", deep, "PNG"), ALT, tmp_path / "m")
    assert opened(image).mode == "L"
    assert opened(image).tobytes() == bytes(range(256))


def test_transparency_stays(tmp_path: Path) -> None:
    clear = photo(mode="RGBA")
    clear.putalpha(Pixels.linear_gradient("L").resize(clear.size))
    for form in ("PNG", "WEBP"):
        path = saved(tmp_path / "f", clear, form, lossless=True, exact=True)
        image = media.take_in(path, ALT, tmp_path / "m")
        assert image.mime == "image/png"
        assert opened(image).tobytes() == clear.tobytes()


def test_a_profile_is_applied_and_taken_away(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path / "f.png", photo(), "PNG", icc_profile=profile)
    image = media.take_in(path, ALT, tmp_path / "m")
    assert "icc_profile" not in opened(image).info
    pairs = zip(opened(image).tobytes(), photo().tobytes(), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_profile_that_means_other_colours_changes_them(
    tmp_path: Path, mode: str, form: str
) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")
    red = Pixels.new("RGB", (20, 10), (200, 30, 30)).convert(mode)
    if mode == "RGBA":
        red.putalpha(100)
    path = saved(tmp_path / "f", red, form, icc_profile=swapped, lossless=True)
    shown = opened(media.take_in(path, ALT, tmp_path / "m")).convert(mode)
    r, _, b, *alpha = shown.getpixel((5, 5))
    assert b > 150 > r, "what it calls red is blue"
    assert alpha == ([100] if mode == "RGBA" else [])


def test_the_profile_of_most_cameras_costs_no_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted = []
    apply = ImageCms.applyTransform

    def applying(pixels: Pixels.Image, transform: object) -> Pixels.Image:
        converted.append(pixels.size)
        return apply(pixels, transform)

    monkeypatch.setattr(ImageCms, "applyTransform", applying)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path / "f.png", photo(), "PNG", icc_profile=profile)
    assert opened(media.take_in(path, ALT, tmp_path / "m")).tobytes() == photo().tobytes()
    assert (64, 48) not in converted


@pytest.mark.parametrize("profile", [b"rubbish", b"\0" * 200])
def test_a_broken_profile_does_not_keep_an_image_out(tmp_path: Path, profile: bytes) -> None:
    path = saved(tmp_path / "f.png", photo(), "PNG", icc_profile=profile)
    assert opened(media.take_in(path, ALT, tmp_path / "m")).tobytes() == photo().tobytes()


# --- what a channel gets


def taken(tmp_path: Path, image: Pixels.Image, form: str) -> Image:
    return media.take_in(saved(tmp_path / "f", image, form), ALT, tmp_path / "m")


def test_an_image_that_fits_is_itself(tmp_path: Path) -> None:
    image = taken(tmp_path, photo(), "JPEG")
    assert fit(image, Capabilities(), tmp_path / "m") is image


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "limits",
    [
        {"image_side": 300},
        {"image_pixels": 40_000},
        {"image_bytes": 60_000},
        {"image_bytes": 9_000},
        {"image_bytes": 20_000, "image_side": 200, "image_pixels": 10_000},
        {"image_bytes": 30_000, "image_types": ("image/png",)},
        {"image_bytes": 50_000, "image_types": ("image/jpeg",)},
        {"image_types": ("image/jpeg",)},
        {"image_types": ("image/png",)},
    ],
)
def test_a_derivative_is_within_every_limit(
    tmp_path: Path, form: str, limits: dict[str, object]
) -> None:
    image = taken(tmp_path, noise(500, 400), form)
    capabilities = Capabilities(**limits)  # type: ignore[arg-type]
    fitted = fit(image, capabilities, tmp_path / "m")
    shown = opened(fitted)
    assert fitted.path.stat().st_size == fitted.size <= capabilities.image_bytes
    assert shown.size == (fitted.width, fitted.height)
    assert fitted.width * fitted.height <= capabilities.image_pixels
    assert max(shown.size) <= capabilities.image_side
    assert fitted.mime == shown.get_format_mimetype()
    assert fitted.mime in capabilities.image_types
    assert abs(fitted.width / fitted.height - 500 / 400) < 0.05, "nothing is squeezed"
    assert fitted.alt == ALT
    assert mediafiles.intact(fitted)


@pytest.mark.parametrize(("width", "height"), [(400, 100), (100, 400), (191, 100), (3000, 100)])
@pytest.mark.parametrize("side", [4096, 333])
def test_a_shape_that_is_not_taken_gets_a_border_and_loses_nothing(
    tmp_path: Path, width: int, height: int, side: int
) -> None:
    image = taken(tmp_path, photo(width, height), "PNG")
    room = Capabilities(image_shapes=(0.8, 1.91), image_side=side, image_types=("image/png",))
    fitted = fit(image, room, tmp_path / "m")
    assert 0.8 <= fitted.width / fitted.height <= 1.91
    assert max(fitted.width, fitted.height) <= side
    if fitted is not image and side == 4096:
        left, top = (fitted.width - width) // 2, (fitted.height - height) // 2
        whole = opened(fitted)
        assert whole.getpixel((0, 0)) == (255, 255, 255)
        middle = whole.crop((left, top, left + width, top + height))
        assert middle.tobytes() == opened(image).tobytes()


def test_fitting_is_deterministic_and_loses_no_more_than_it_must(tmp_path: Path) -> None:
    path = saved(tmp_path / "f", noise(100, 80).resize((500, 400)), "JPEG", quality=95)
    image = media.take_in(path, ALT, tmp_path / "m")
    room = Capabilities(image_bytes=image.size * 2 // 3)
    first = fit(image, room, tmp_path / "m")
    assert first == fit(image, room, tmp_path / "m")
    assert (first.width, first.height) == (500, 400), "quality goes before size"


def test_a_png_stays_one_where_it_can(tmp_path: Path) -> None:
    image = taken(tmp_path, photo(400, 400), "PNG")
    assert fit(image, Capabilities(image_side=200), tmp_path / "m").mime == "image/png"


def test_transparency_becomes_white_where_a_jpeg_is_wanted(tmp_path: Path) -> None:
    clear = Pixels.new("RGBA", (50, 50), (0, 0, 0, 0))
    fitted = fit(
        taken(tmp_path, clear, "PNG"), Capabilities(image_types=("image/jpeg",)), tmp_path / "m"
    )
    assert opened(fitted).getpixel((25, 25)) == (255, 255, 255)


@pytest.mark.parametrize("limits", [{"image_bytes": 10}, {"image_types": ("video/mp4",)}])
def test_what_can_never_fit_is_said(tmp_path: Path, limits: dict[str, object]) -> None:
    image = taken(tmp_path, noise(100, 100), "JPEG")
    with pytest.raises(ContentError, match="cannot be made to fit"):
        fit(image, Capabilities(**limits), tmp_path / "m")  # type: ignore[arg-type]


def test_a_very_long_strip_ends_in_a_refusal_not_in_an_endless_loop(tmp_path: Path) -> None:
    image = taken(tmp_path, photo(20_000, 20), "PNG")
    with pytest.raises(ContentError):
        fit(image, Capabilities(image_side=1000), tmp_path / "m")


@pytest.mark.parametrize("change", [b"", b"other bytes", None])
def test_a_stored_file_that_changed_is_noticed(tmp_path: Path, change: bytes | None) -> None:
    image = taken(tmp_path, photo(), "JPEG")
    assert mediafiles.intact(image)
    image.path.unlink()
    if change is not None:
        image.path.write_bytes(change)
    assert not mediafiles.intact(image)
    with pytest.raises(ContentError, match="missing or was changed"):
        fit(image, Capabilities(image_side=10), tmp_path / "m")


def test_the_largest_photo_is_taken_and_fitted(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    photo(9000, 6000).save(buffer, "JPEG")
    (tmp_path / "f.jpg").write_bytes(buffer.getvalue())
    image = media.take_in(tmp_path / "f.jpg", ALT, tmp_path / "m")
    fitted = fit(image, Capabilities(image_bytes=950_000, image_side=2048), tmp_path / "m")
    assert (fitted.width, fitted.height) == (2048, 1365)


# --- what the file says of the place --------------------------------------------------------------


def _with_place(form: str, how: str) -> bytes:
    buffer = io.BytesIO()
    options: dict[str, object] = {}
    if how == "exif":
        exif = Pixels.Exif()
        exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (8.0, 5.0, 0.0)}
        options["exif"] = exif
    elif how == "xmp":
        options["xmp"] = b'<x:xmpmeta><rdf:Description exif:GPSLatitude="8,5.0S"/></x:xmpmeta>'
    elif how == "camera":
        exif = Pixels.Exif()
        exif[ExifTags.Base.Make] = "Camera"
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSVersionID] = b"\x02\x03\x00\x00"
        options["exif"] = exif
    Pixels.new("RGB", (20, 10)).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("form", "how", "named"),
    [
        ("JPEG", "exif", True),
        ("PNG", "exif", True),
        ("WEBP", "exif", True),
        ("JPEG", "xmp", True),
        ("WEBP", "xmp", True),
        ("JPEG", "camera", False),
        ("PNG", "", False),
    ],
)
def test_a_photo_that_names_its_place_is_known(
    tmp_path: Path, form: str, how: str, named: bool
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(_with_place(form, how))
    assert media.names_its_place(path) is named


@pytest.mark.parametrize("data", [b"", b"no image", _with_place("JPEG", "exif")[:60]])
def test_a_file_that_is_no_image_names_no_place(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    assert media.names_its_place(path) is False
    assert media.names_its_place(tmp_path / "missing.jpg") is False


# --- many channels


def test_an_image_is_decoded_once_for_all_channels_and_shared_results_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [media.take_in(saved(tmp_path / f"{n}.jpg", noise(300 + n, 200), "JPEG"), ALT,
                              tmp_path / "m") for n in (1, 2)]  # fmt: skip
    decoded, encodings = [], []
    opened_file, encoded = resizing.opened_file, resizing.encoded

    def opening(path: Path, data: bytes) -> object:
        decoded.append(path)
        return opened_file(path, data)

    def encoding(pixels: Pixels.Image, mime: str, **options: object) -> bytes:
        encodings.append((pixels.size, mime))
        return encoded(pixels, mime, **options)

    monkeypatch.setattr(resizing, "opened_file", opening)
    monkeypatch.setattr(resizing, "encoded", encoding)
    small, same, large = (
        Capabilities(image_side=100),
        Capabilities(image_side=100, max_alt=5, max_images=9),  # differs in nothing that counts
        Capabilities(image_side=200),
    )
    fitter = Fitter(tmp_path / "m")
    fitter.prepare(pictures, [small, same, large, Capabilities()])
    assert len(decoded) == 2
    assert len([size for size, _ in encodings if size[0] >= 100]) == 4
    for picture in pictures:
        assert fitter.fit(picture, small) is fitter.fit(picture, same)
        assert max(fitter.fit(picture, large).width, 0) == 200
        assert fitter.fit(picture, Capabilities()) is picture
    assert len(decoded) == 2, "what was prepared is at hand"


def test_what_cannot_be_made_for_one_channel_is_said_of_that_channel_alone(tmp_path: Path) -> None:
    picture = media.take_in(saved(tmp_path / "a.jpg", noise(300, 200), "JPEG"), ALT, tmp_path / "m")
    impossible = Capabilities(image_bytes=10)
    fitter = Fitter(tmp_path / "m")
    fitter.prepare([picture], [impossible, Capabilities(image_side=100)])
    assert fitter.fit(picture, Capabilities(image_side=100)).width == 100
    for _ in "ab":
        with pytest.raises(ContentError, match="cannot be made to fit 10 bytes"):
            fitter.fit(picture, impossible)


def test_hopeless_qualities_are_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = media.take_in(saved(tmp_path / "a.jpg", noise(900, 900), "JPEG", quality=95), ALT,
                            tmp_path / "m")  # fmt: skip
    tried = []
    encoded = resizing.encoded

    def encoding(pixels: Pixels.Image, mime: str, **options: object) -> bytes:
        tried.append(pixels.size)
        return encoded(pixels, mime, **options)

    monkeypatch.setattr(resizing, "encoded", encoding)
    limit = picture.size // 6
    fitted = fit(picture, Capabilities(image_bytes=limit), tmp_path / "m")
    assert limit * 0.9 < fitted.size <= limit
    whole = [size for size in tried if size[0] == size[1]]  # not what bytes are guessed from
    assert len(whole) <= 2, "the first size needs a guess, not four files"
    assert (900, 900) not in whole


SIDES = {side: Capabilities(image_side=side) for side in (900, 640, 480, 450, 333)}
TIGHT = [Capabilities(image_side=640, image_bytes=limit) for limit in range(20_000, 160_000, 9_000)]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_a_channel_gets_does_not_depend_on_the_others_nor_on_which_thread_was_faster(
    tmp_path: Path, mode: str
) -> None:
    picture = taken(tmp_path, noise(960, 720, mode), "JPEG")
    channels = [*SIDES.values(), *TIGHT]
    together = Fitter(tmp_path / "m")
    together.prepare([picture], channels)
    for can in channels:
        alone = fit(picture, can, tmp_path / "alone")
        assert together.fit(picture, can).sha256 == alone.sha256, can


@pytest.mark.parametrize("side", [640, 500, 481, 430, 240, 200])
def test_a_smaller_image_looks_as_if_it_was_made_at_once_with_the_best_filter(
    tmp_path: Path, side: int
) -> None:
    sharp = photo(960, 720)
    for x in range(0, 960, 40):  # edges, where filters differ
        sharp.paste("white", (x, 100, x + 13, 600))
    picture = taken(tmp_path, sharp, "PNG")
    fitted = fit(picture, Capabilities(image_side=side), tmp_path / "m")
    best = sharp.resize((fitted.width, fitted.height), Pixels.Resampling.LANCZOS)
    apart = ImageStat.Stat(ImageChops.difference(opened(fitted), best)).rms
    assert max(apart) < 255 / 10 ** (28 / 20), "at least 28 dB, at edges of full contrast"


@pytest.mark.parametrize(
    ("size", "side", "made"),
    [
        ((4000, 3000), 2048, (2000, 1500)),  # hardly less than it takes, and just a half
        ((4032, 3024), 2048, (2016, 1512)),
        ((4032, 3024), 2000, (2000, 1500)),  # the half is too large
        ((4200, 3000), 2048, (2048, 1462)),
        ((4400, 3000), 2048, (2048, 1396)),  # the half is larger
        ((3800, 2850), 2048, (2048, 1536)),  # the half is much less
        ((8160, 6120), 2048, (2040, 1530)),  # just a quarter
        ((2001, 1501), 1010, (1001, 751)),
        ((1000, 800), 1000, (1000, 800)),
    ],
)
def test_a_half_or_a_quarter_is_sent_where_the_channel_takes_hardly_more(
    size: tuple[int, int], side: int, made: tuple[int, int]
) -> None:
    image = Image(Path("f"), "0" * 64, "image/jpeg", ALT, *size, 1_000_000)
    framed, target = sizes.target(image, Capabilities(image_side=side))
    assert (framed, target) == (size, made)


@pytest.mark.parametrize("blur", [0, 1, 4])
def test_a_jpeg_has_the_best_quality_that_fits(tmp_path: Path, blur: int) -> None:
    pixels = noise(960, 720).filter(ImageFilter.GaussianBlur(blur))
    picture = taken(tmp_path, pixels, "PNG")
    made = pixels.resize((800, 600), Pixels.Resampling.HAMMING)
    for quality in resizing._QUALITIES:
        best = media.encoded(made, "image/jpeg", quality=quality)
        room = Capabilities(
            image_types=("image/jpeg",), image_side=800, image_bytes=len(best) * 103 // 100
        )
        assert fit(picture, room, tmp_path / "m").path.read_bytes() == best


def test_one_image_is_written_by_one_thread_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow keeps the quality in the image while it writes a file of it."""
    picture = taken(tmp_path, noise(300, 200), "JPEG")
    busy: dict[int, threading.Event] = {}
    clashes = []
    encoded = resizing.encoded

    def encoding(pixels: Pixels.Image, mime: str, **options: object) -> bytes:
        if id(pixels) in busy:
            clashes.append(pixels.size)
            busy[id(pixels)].set()
        another = busy.setdefault(id(pixels), threading.Event())
        another.wait(0.1)  # is there a second one meanwhile?
        data = encoded(pixels, mime, **options)
        busy.pop(id(pixels), None)
        return data

    monkeypatch.setattr(resizing, "encoded", encoding)
    rooms = [
        Capabilities(image_side=200, image_types=(kind,)) for kind in ("image/jpeg", "image/png")
    ]
    Fitter(tmp_path / "m").prepare([picture], rooms)
    assert not clashes
