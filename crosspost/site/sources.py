"""Where the files of a site come from: a folder here; from a web server by `fetching.py`.

It must not interpret what it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crosspost.errors import Undecided
from crosspost.foreign import of_system
from crosspost.wording import t


class Source(Protocol):
    """Where the files of a site are: a folder, or a web server."""

    def read(self, path: str) -> bytes | None:
        """A file; None when it is not there. Raises Undecided when that cannot be told."""

    def names(self) -> list[str] | None:
        """Every file that is there; None when nobody can tell."""

    def where(self, path: str) -> str:
        """A file as it is named to people."""


@dataclass(frozen=True)
class FolderSource:
    """A site on a disk."""

    folder: Path

    def read(self, path: str) -> bytes | None:
        """As `Source` says."""
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Undecided(
                t(
                    "{path} cannot be read: {reason}.",
                    path=self.where(path),
                    reason=of_system(error),
                )
            ) from error

    def names(self) -> list[str] | None:
        """As `Source` says."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def where(self, path: str) -> str:
        """As `Source` says."""
        return str(self.folder / path)
