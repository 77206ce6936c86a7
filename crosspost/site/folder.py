"""The folder of pages: a page appears whole or not at all, and the lists follow from the pages.

Each announcement has a folder `p/<code>/` with its page, its images and videos, and
`announcement.json`; one rename makes it public. Index, archive and feeds are made anew from what is
there, so they can be lost, or be late after a crash, without anything being wrong for long. This
room must not know how a page looks (`pages.py`, `feeds.py`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from crosspost.site.standing import CORRECTED, RECORD, WITHDRAWN, Standing
from crosspost.site.standing import from_json as standing_from_json

DATA = "announcement.json"
LIST = "announcements.json"
DRAFT = ".new-"  # how the name of what is not whole yet begins


@dataclass(frozen=True)
class Picture:
    """An image of a page: its file beside the page, its description, its size in pixels."""

    file: str
    alt: str
    width: int
    height: int
    sha256: str


@dataclass(frozen=True)
class Film:
    """A video of a page: its file beside the page, its media type and description, its size in
    pixels, 0 where nobody could tell."""

    file: str
    mime: str
    alt: str
    width: int
    height: int
    sha256: str


@dataclass(frozen=True)
class Page:
    """One announcement as the public sees it. `published` is RFC 3339 in UTC."""

    code: str
    revision: int
    title: str  # "" when it has none
    lang: str  # BCP 47
    published: str
    summary: str
    source: str
    link: str
    html: str  # safe HTML
    text: str  # the same as plain text
    pictures: tuple[Picture, ...] = ()
    videos: tuple[Film, ...] = ()

    @property
    def media(self) -> tuple[Picture | Film, ...]:
        """All files that it shows."""
        return (*self.pictures, *self.videos)

    @property
    def heading(self) -> str:
        """What stands for it in a list."""
        return self.title or self.summary


def to_json(page: Page) -> str:
    """The public data file of a page."""
    return json.dumps(asdict(page), ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> Page:
    """What `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    values: dict[str, Any] = json.loads(text)
    pictures = tuple(Picture(**picture) for picture in values.pop("pictures"))
    videos = tuple(Film(**video) for video in values.pop("videos", ()))  # older pages have none
    return Page(**values, pictures=pictures, videos=videos)


class Folder:
    """The pages in one folder. Every method raises OSError when the disk does not do its part.

    `before_change` is called with the name of each file that is about to change or go.
    """

    def __init__(self, path: Path, before_change: Callable[[str], None] = lambda _name: None):
        self.path = path
        self._before_change = before_change

    def page(self, code: str) -> Page | None:
        """The page with this code; None when it is not there."""
        try:
            return from_json((self._of(code) / DATA).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def state(self, code: str) -> str:
        """ "corrected" or "withdrawn", as the record beside the page says; "" for neither."""
        try:
            state = json.loads((self._of(code) / RECORD).read_text("utf-8")).get("state")
        except (OSError, ValueError, AttributeError):
            return ""
        return state if state in (CORRECTED, WITHDRAWN) else ""

    def standing(self, code: str) -> Standing | None:
        """What the record beside the page says; None when there is none, or one that nobody can
        read."""
        try:
            return standing_from_json((self._of(code) / RECORD).read_text("utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, code: str, files: Mapping[str, bytes | Path]) -> None:
        """Make the page `code` public: all of `files` (a path is copied), by one rename. One that
        is there already stays as it is."""
        target = self._of(code)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=target.parent))
        try:
            with _held(draft, wanted=False):
                for name, content in files.items():
                    with (draft / name).open("wb") as file:
                        _write(file, content)
                draft.chmod(0o755)
                _sync(draft)
                draft.rename(target)
            _sync(target.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def clear(self, code: str, but: Collection[str] = ()) -> None:
        """Nothing of the page `code` is left but its folder, and the files named in `but`."""
        for path in sorted(self._of(code).glob("*")):
            if path.name not in but:
                self.remove(f"p/{code}/{path.name}")

    def replace(self, name: str, content: bytes | Path) -> None:
        """Write a file of the folder whole (a path is copied), in the place of an older one."""
        self._before_change(name)
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: a channel's worker and the daemon may write the same list at once
        handle, draft = tempfile.mkstemp(prefix=DRAFT, dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                with suppress(OSError):  # a share that knows no locks: then nobody sweeps there
                    _hold(handle)
                _write(file, content)
                Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        if (self.path / name).exists():
            self._before_change(name)
            (self.path / name).unlink(missing_ok=True)

    def move(self, name: str, other: str) -> None:
        """Give a file another name, if it is there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            (self.path / name).replace(self.path / other)

    def sweep(self) -> None:
        """Take away what killed processes were writing; what is being written stays."""
        for draft in sorted(self.path.rglob(f"{DRAFT}*")):
            try:
                with _held(draft):
                    shutil.rmtree(draft) if draft.is_dir() else draft.unlink()
            except OSError:
                continue  # somebody's, or gone, or no lock says whether it is somebody's

    def settle(self, name: str, content: bytes) -> bool:
        """Make a file say exactly this; True when it did not."""
        if self.read(name) == content:
            return False
        self.replace(name, content)
        return True

    def read(self, name: str) -> bytes | None:
        """A file's content; None when it is not there."""
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def digest(self, name: str) -> str:
        """The SHA-256 of a file, hex; "" when it is not there."""
        try:
            with (self.path / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def listed(self, *, anew: bool = False, but: Collection[str] = ()) -> list[Page]:
        """Every page that is there, newest first.

        The list file only saves reading them all: it is believed for pages that are there, unless
        `anew`, and but for the codes in `but`; a page that it does not know is read from its own
        folder.
        """
        kept = () if anew else self.kept_list()
        known = {page.code: page for page in kept if page.code not in but}
        pages = [known.get(code) or self.page(code) for code in self._codes()]
        return sorted(
            (page for page in pages if page), key=lambda p: (p.published, p.code), reverse=True
        )

    def kept_list(self) -> list[Page]:
        """What the list file says; nothing when it is lost or damaged."""
        try:
            items = json.loads((self.path / LIST).read_text(encoding="utf-8"))
            return [from_json(json.dumps(item)) for item in items]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return []

    def _codes(self) -> list[str]:
        try:
            return [e.name for e in os.scandir(self.path / "p") if not e.name.startswith(".")]
        except FileNotFoundError:
            return []

    def _of(self, code: str) -> Path:
        if not code.isalnum():
            raise ValueError("a code is made of letters and digits")
        return self.path / "p" / code


def list_json(pages: Sequence[Page]) -> bytes:
    """The list file over pages, newest first."""
    return json.dumps([asdict(_brief(page)) for page in pages], ensure_ascii=False).encode()


def _brief(page: Page) -> Page:
    """What lists show of a page: everything but the whole text."""
    values = {**asdict(page), "html": "", "text": "", "pictures": (), "videos": ()}
    return Page(**values)


def _write(file: BinaryIO, content: bytes | Path) -> None:
    if isinstance(content, Path):
        with content.open("rb") as original:
            shutil.copyfileobj(original, file)
    else:
        file.write(content)
    file.flush()
    os.fchmod(file.fileno(), 0o644)
    os.fsync(file.fileno())


@contextmanager
def _held(path: Path, *, wanted: bool = True) -> Iterator[None]:
    """A draft that is somebody's: the kernel lets go of it when the process ends, however it ends.
    Raises OSError when it is somebody else's, or the disk knows no locks, if that is `wanted`."""
    handle = os.open(path, os.O_RDONLY)
    try:
        try:
            _hold(handle)
        except OSError:
            if wanted:
                raise
        yield
    finally:
        os.close(handle)


def _hold(handle: int) -> None:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync(folder: Path) -> None:
    """Names in a folder are durable only once the folder itself is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
