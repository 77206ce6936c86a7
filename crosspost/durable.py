"""Files that outlive a power cut: written whole and flushed to the disk, or not there.

It must not know what it writes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that it outlives a power cut; when the disk refuses, there is none."""
    with suppress(FileNotFoundError):
        path.unlink()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        make_durable(path.parent)
    except OSError:
        # After a failed fsync nobody knows what is on the disk, and a later one would not tell.
        path.unlink(missing_ok=True)
        raise


def replace_durably(path: Path, data: bytes) -> None:
    """Write a file in the place of an older one: whenever this is broken off, one of both is there.
    Raises OSError."""
    draft = path.with_name(f"{path.name}.new")
    write_durably(draft, data)
    draft.replace(path)
    make_durable(path.parent)


def make_durable(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
