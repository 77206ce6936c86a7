"""What a program that was killed left half written, with the number of its process in the name.

It must not know what such a file is for; whose names are meant is said by who made them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path


def abandoned(folder: Path, name: str, after: timedelta, now: datetime) -> Iterator[Path]:
    """The files of `folder` whose whole name is like the pattern `name`, in which the group
    `process` is the number of the process that made it; that process is gone from this machine, and
    nobody, of another machine either, has written to the file for as long as `after`."""
    for path in folder.iterdir():
        found = re.fullmatch(name, path.name, re.DOTALL)
        if found is None or _is_alive(int(found["process"])):
            continue
        with suppress(OSError):  # somebody else may sweep too
            idle = now.timestamp() - path.lstat().st_mtime
            if path.is_file() and not path.is_symlink() and idle > after.total_seconds():
                yield path


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
