"""Hash tiles: the tree as plain files of at most 256 hashes, for mirrors (C2SP tlog-tiles).

Pure: paths and bytes. It must not write a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crosspost.ledger.tree import Node

WIDTH = 256
HEIGHT = 8  # levels of the tree in one tile


@dataclass(frozen=True)
class Tile:
    """Hashes `index * 256` and following of the tree's level `level * 8`; `width` of them."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where the file lies: `tile/0/x001/x234/067`, and `.p/WIDTH` after that when partial."""
        return self._path(str(self.level))

    @property
    def bundle_path(self) -> str:
        """Where the entries under this tile of level 0 lie, if they are given out."""
        return self._path("entries")

    def _path(self, level: str) -> str:
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{partial}"

    def content(self, node: Node) -> bytes:
        """The file: its hashes one after the other."""
        first = self.index * WIDTH
        return b"".join(node(self.level * HEIGHT, at) for at in range(first, first + self.width))


_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


def read_path(path: str) -> tuple[Tile, bool] | None:
    """The tile that lies at `path`, and whether the file there is the bundle of its entries; None
    when no tile lies there."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    is_bundle = found[1] == "entries"
    index = int(found[2].replace("x", "").replace("/", ""))
    tile = Tile(0 if is_bundle else int(found[1]), index, int(found[3] or WIDTH))
    same = (tile.bundle_path if is_bundle else tile.path) == path
    return (tile, is_bundle) if same else None


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as one file: each after its length, a big-endian uint16 (C2SP tlog-tiles, "Log
    Entries"). Raises OverflowError for an entry of more than 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a file that `bundle` made. Raises ValueError for anything else."""
    found, at = [], 0
    while at < len(data):
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        if len(data) < begin or at > len(data):
            raise ValueError("the bundle ends within an entry")
        found.append(data[begin:at])
    return found


def tiles(size: int) -> Iterator[Tile]:
    """Every tile of a tree of `size` leaves, the leaves' level first."""
    level, hashes = 0, size
    while hashes:
        full, rest = divmod(hashes, WIDTH)
        yield from (Tile(level, index) for index in range(full))
        if rest:
            yield Tile(level, full, rest)
        level, hashes = level + 1, full
