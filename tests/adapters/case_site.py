"""A folder of pages, read as a web server and a reader would."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

from crosspost.config import Config, Office, SiteSettings
from crosspost.testing.case import Case
from crosspost.testing.loopback import PublicPost

#: Elements that HTML never closes.
VOID = frozenset({"meta", "link", "img", "br", "hr"})


class PageReader(HTMLParser):
    """What a reader finds on a page: the text of its body, images, the related link."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.text = ""
        self.link = ""
        self.images: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "video":
            self.images.append((values["aria-describedby"], values["src"]))
        if tag == "img":
            self.images.append((values["alt"], values["src"]))
        if values.get("class") == "link":
            self.link = values["href"]
        if tag not in VOID:
            self.open.append((tag, values.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if ("div", "body") in self.open:
            self.text += data


class Pages:
    """The site's folder as the public sees it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp())

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)

    @property
    def posts(self) -> list[PublicPost]:
        found = sorted(self.path.glob("public/p/*/index.html"), key=lambda p: p.stat().st_mtime_ns)
        return [self._read(path) for path in found]

    def _read(self, path: Path) -> PublicPost:
        page = PageReader(path.read_text(encoding="utf-8"))
        images = tuple(
            (alt, hashlib.sha256((path.parent / file).read_bytes()).hexdigest())
            for alt, file in page.images
        )
        return PublicPost(path.parent.name, page.text, images, page.link)


class SiteCase(Case):
    """The case of the conformance suite."""

    platform = "site"
    SECRETS: ClassVar[tuple[str, ...]] = ()
    threads = False

    def start(self) -> Any:
        return Pages()

    def options(self, platform: Any) -> dict[str, Any]:
        return {}

    def config(self, platform: Any) -> Config:
        return Config(
            path=platform.path / "crosspost.toml",
            office=Office(name="Kantor & Contoh", language="id"),
            site=SiteSettings(url="https://kantor.example"),
        )
