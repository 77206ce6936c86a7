"""How long an announcement takes to become the posts of every channel, and its photo the images.

    python benchmarks/rendering.py

Three numbers: a text of 2,500 characters for all channels once warm (at most 10 ms); a thread of
2,200 parts against one of 1,100 (linear); a photo of 12 megapixels for all channels, against
decoding it once and encoding each distinct result once, with the tables and options that it has
(the goal is 1.5 times). Processor time of all threads, since other programs may run; for the photo
both sides in turn, the least of seven. It is given twice: from the stored photo, and with taking in
the author's file, whose result then counts as one more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from PIL import Image as Pixels
from PIL import JpegImagePlugin

from crosspost import media, rendering
from crosspost.adapters import Adapter, open_adapter
from crosspost.post import Capabilities, Content, Image
from crosspost.resizing import Fitter
from crosspost.style import Style

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "adapters"))
from previewed import office

SENTENCES = (
    "Vaksinasi campak dan rubela bagi anak usia **9 sampai 59 bulan** diberikan gratis. ",
    "Bawa buku KIA dan kartu keluarga ke [puskesmas](https://dinkes.contoh.go.id/daftar). ",
    "Petugas menjawab pertanyaan pada hari kerja, pukul 08.00 sampai 15.00. ",
)
ROUNDS = 7
PAGE = "https://info.contoh.example.go.id/p/k7q2m3n/"


def text(characters: int) -> str:
    """Markdown of paragraphs of three sentences, about so long."""
    paragraph = "".join(SENTENCES)
    return "\n\n".join([paragraph] * (characters // len(paragraph) + 1))[:characters]


def content(body: str, images: tuple[Image, ...] = ()) -> Content:
    return Content(
        code="k7q2m3n",
        revision=1,
        title="Jadwal vaksinasi anak",
        body=body,
        source="Surat Edaran 440/117/2026",
        link="",
        lang="id",
        urgency="normal",
        images=images,
        tags=("vaksinasi anak", "layanan publik"),
    )


def adapters(folder: Path) -> list[tuple[str, Adapter]]:
    """The adapter of every platform, by the name of its channel."""
    config = office(folder)
    return [(name, open_adapter(config, name)) for name in config.channels]


def all_channels(channels: list[tuple[str, Adapter]]) -> float:
    """Seconds to render for every platform that takes text alone, the median of ten."""
    document, spent = content(text(2_500)), []
    taking = [(n, a) for n, a in channels if not a.capabilities.needs_media]
    for _ in range(11):
        begun = time.process_time()
        for name, adapter in taking:
            can = adapter.capabilities
            rendering.render(document, can, adapter.measure, page=PAGE, channel=name)
        spent.append(time.process_time() - begun)
    return statistics.median(spent[1:])


def thread(parts: int) -> float:
    """Seconds for a thread of so many parts."""
    rendering.MOST_PARTS = 10_000
    can = Capabilities(max_length=120, threads=True)
    body = content("Loket pelayanan dibuka setiap hari kerja. " * (parts * 2))
    begun = time.process_time()
    found = rendering.render(body, can, len, page=PAGE, style=Style(threads=True))
    spent = time.process_time() - begun
    assert len(found) >= parts
    return spent


def photo(folder: Path) -> Path:
    """A photo of 12 megapixels as a camera makes it: large, hard to compress."""
    width, height = 4000, 3000
    base = Pixels.linear_gradient("L").resize((width, height))
    noise = Pixels.effect_noise((width, height), 40)
    path = folder / "photo.jpg"
    Pixels.merge("RGB", (base, noise, base.rotate(180))).save(path, quality=93)
    return path


def pictures(folder: Path, channels: list[tuple[str, Adapter]]) -> None:
    """Say how long the images of all channels take, against decoding and encoding alone."""
    path = photo(folder)
    cans = [a.capabilities for _, a in channels if a.capabilities.max_images]
    spent: dict[str, list[float]] = {}
    for turn in range(ROUNDS):
        store = folder / f"media-{turn}"
        for what, seconds in _turn(path, cans, store).items():
            spent.setdefault(what, []).append(seconds)
    least = {what: min(seconds) for what, seconds in spent.items()}
    taken, bare = least["taking in"], least["decoding"] + least["encoding"]
    fitting, wall = least["fitting"], least["fitting, wall time"]
    whole = bare + least["encoding the stored one"]
    results = len({one.sha256 for one in _fitted(media.take_in(path, "Foto", store), cans, store)})
    print(f"a photo of 12 megapixels for {len(cans)} channels, {results} distinct files:")
    print(f"  {fitting:.2f} s, {fitting / bare:.2f} times one decoding and one encoding of each "
          f"({bare:.2f} s; at most 1.5); {wall:.2f} s by the clock")  # fmt: skip
    print(f"  taken in as well: {taken + fitting:.2f} s, {(taken + fitting) / whole:.2f} times")


def _turn(path: Path, cans: list[Capabilities], store: Path) -> dict[str, float]:
    """Seconds of each step, once."""
    begun = time.process_time()
    image = media.take_in(path, "Foto loket", store)
    spent = {"taking in": time.process_time() - begun}
    begun, clock = time.process_time(), time.perf_counter()
    found = _fitted(image, cans, store)
    spent["fitting"] = time.process_time() - begun
    spent["fitting, wall time"] = time.perf_counter() - clock
    begun = time.process_time()
    with Pixels.open(BytesIO(image.path.read_bytes())) as opened:
        opened.load()
    spent["decoding"] = time.process_time() - begun
    spent["encoding the stored one"] = _encoding(image)
    outputs = {one.sha256: one for one in found if one.sha256 != image.sha256}
    spent["encoding"] = sum(_encoding(one) for one in outputs.values())
    return spent


def _encoding(image: Image) -> float:
    with Pixels.open(image.path) as opened:
        opened.load()
        tables, sampling = opened.quantization, JpegImagePlugin.get_sampling(opened)
        pixels = opened.copy()
    begun = time.process_time()
    pixels.save(BytesIO(), "JPEG", optimize=True, qtables=tables, subsampling=sampling)
    return time.process_time() - begun


def _fitted(image: Image, cans: list[Capabilities], folder: Path) -> list[Image]:
    fitter = Fitter(folder)
    fitter.prepare([image], cans)
    return [fitter.fit(image, can) for can in cans]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        channels = adapters(Path(name))
        every = all_channels(channels) * 1000
        print(f"a text of 2,500 characters for all channels: {every:.1f} ms (at most 10)")
        few, many = thread(1_100), thread(2_200)
        print(
            f"a thread of 1,100 parts: {few:.3f} s, of 2,200: {many:.3f} s ({many / few:.1f} times)"
        )
        pictures(Path(name), channels)
    return 0 if every <= 10 and many <= 3 * few else 1


if __name__ == "__main__":
    sys.exit(main())
