"""An office with every platform of the example, and an announcement of everything that a post can
have, previewed as `crosspost preview --html` does it: for the tests of the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from PIL import Image as Picture
from PIL import ImageDraw

from crosspost import config, media
from crosspost.adapters import BUILT_IN, open_adapter, problems_of
from crosspost.drafts import render_for
from crosspost.post import Content, Image, Video, to_json
from crosspost.preview import shown
from crosspost.preview.page import Head, page

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
SECRETS = {
    "WEBHOOK_SECRET": "whsec_" + "MDAw" * 10,
    "TELEGRAM_BOT_TOKEN": "123456:" + "A" * 35,
    "ALARM_SECRET": "whsec_" + "MDAx" * 10,
    "HEARTBEAT_URL": "https://monitor.example/1",
}
BODY = (
    """Vaksinasi campak bagi anak usia **9 sampai 59 bulan** diberikan *gratis* di semua puskesmas.

## Jadwal

- Senin sampai Kamis, pukul 08.00 sampai 11.00
  - Jumat sampai pukul 10.00 (`loket 4`)

> Vaksin ini aman, kata kepala dinas.

```
Loket 4: 08.00-10.00
```

Keterangan ada di [laman kami](https://dinkes.contoh.example.go.id/vaksinasi). مرحبا 👨‍👩‍👧 ꦲꦏ꧀ꦱꦫ
<script>alert(1)</script> & {{ 7 * 7 }} """
    + "Petugas menjawab pada hari kerja. " * 20
)
HEAD = Head(1, 2, "Jadwal vaksinasi & biaya", "Dinas Contoh", "Senin, 1 Desember 2026", "")


def office(folder: Path) -> config.Config:
    """The office of `config.example.toml`, with made-up secrets."""
    text = EXAMPLE.read_text()
    names = re.findall(r'"env:(\w+)"', text.split("[office]")[1])
    lines = [f"{name}={SECRETS.get(name, 'made-up-secret')}\n" for name in names]
    (folder / ".env").write_text("".join(lines))
    (folder / "crosspost.toml").write_text(text)
    return config.load(folder / "crosspost.toml", check_channel=problems_of)


def announcement(folder: Path, body: str = BODY, **fields: Any) -> Content:
    """An announcement with two images and a video, none of them real."""
    values: dict[str, Any] = {
        "code": "k7q2m3n",
        "revision": 2,
        "title": "Jadwal vaksinasi & biaya",
        "source": "Surat Edaran 440/117/2026",
        "link": "https://dinkes.contoh.example.go.id/",
        "lang": "id",
        "urgency": "urgent",
        "tags": ("vaksinasi anak", "layanan publik"),
        "images": tuple(_image(folder, number) for number in (1, 2)),
        **fields,
    }
    return Content(body=body, **values)


def _image(folder: Path, number: int) -> Image:
    size = (640, 360) if number % 2 else (300, 400)
    picture = Picture.new("RGB", size, (number * 60 % 255, 90, 140))
    ImageDraw.Draw(picture).rectangle((40, 40, 200, 120), fill="white")
    path = folder / f"picture{number}.png"
    picture.save(path)
    return media.take_in(path, f'Gambar {number}: loket "4" & antrean <orang>', folder / "media")


def film(folder: Path) -> Video:
    """A video whose file holds no film."""
    data = b"\x1a\x45\xdf\xa3 film"
    (folder / "media").mkdir(exist_ok=True)
    digest = "f" * 64
    (folder / "media" / digest).write_bytes(data)
    return Video(folder / "media" / digest, digest, "video/mp4", "Kepala dinas berbicara", 8)


def posts_of(settings: config.Config, content: Content) -> list[dict[str, Any]]:
    """The stored posts of every channel that takes it, as `Views.posts` gives them."""
    names = [n for n, c in settings.channels.items() if c.platform in BUILT_IN]
    cans = {name: open_adapter(settings, name).capabilities for name in names}
    if not content.videos:
        names = [n for n in names if cans[n].max_images or not cans[n].needs_media]
    found = []
    for channel in names:
        for number, post in enumerate(render_for(settings, channel, content, names), 1):
            stored = json.loads(json.dumps(to_json(post)))
            found.append({"channel": channel, "part": number, **stored})
    return found


def previewed(settings: config.Config, content: Content) -> str:
    """The page."""
    stored = posts_of(settings, content)
    about = {"texts": dict(content.texts), "body": content.body, "images": list(content.images),
             "videos": list(content.videos)}  # fmt: skip
    return page(HEAD, shown(settings, about, stored), ["Tidak ada sumber <b>."])
