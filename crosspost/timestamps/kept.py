"""Where time stamps are kept: `ledger.stamps/SIZE.tsr` beside `SIZE.checkpoint`, the very bytes
that it is of.

Knows names of files only. It must not believe what is in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: The folder beside crosspost.toml; on the site it is below `ledger/`.
FOLDER, PUBLIC = "ledger.stamps", "stamps"
TOKEN, STAMPED = ".tsr", ".checkpoint"


@dataclass(frozen=True)
class Kept:
    """A stamp that is kept: of how many entries, and its two files."""

    size: int
    checkpoint: Path
    token: Path


def kept(folder: Path) -> list[Kept]:
    """All stamps of the office in `folder`, the newest last."""
    found = []
    for token in (folder / FOLDER).glob(f"*{TOKEN}"):
        checkpoint = token.with_suffix(STAMPED)
        if token.stem.isdecimal() and checkpoint.exists():
            found.append(Kept(int(token.stem), checkpoint, token))
    return sorted(found, key=lambda one: one.size)
