"""Signed lists of files: what a folder of the site held, file by file, when the office wrote it.

Pure. A list is a signed note of the ledger's key. Its second line is a word where a checkpoint has
a number, so neither can ever be taken for the other. It must not read a file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from crosspost.errors import Undecided
from crosspost.ledger.note import Signer, Verifier, open_note
from crosspost.wording import t

#: How the list of a folder is called, in that folder.
NAME = "manifest"
#: The list that is about to take its place: until then each file is as one of both says.
NEXT = "manifest.next"
#: The list of the whole site while what it lists changes: it proves nothing.
OLD = "manifest.old"
FORM = "crosspost files v1"
_LINE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,14}) ([!-~]+)", re.ASCII)
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True)
class FileDigest:
    """A file's content: SHA-256 as 64 hex digits, and its length in bytes."""

    sha256: str
    size: int


def digest_of(content: bytes) -> FileDigest:
    """What a list says about a file with this content."""
    return FileDigest(hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Manifest:
    """`files` by their path below `folder` of the site ("" for the site itself), with `/`.

    `size` is the number of entries that the ledger had then, so that an older list is known as
    older.
    """

    origin: str
    folder: str
    size: int
    files: Mapping[str, FileDigest]

    def text(self) -> str:
        """The text that is signed."""
        lines = [self.origin, FORM, str(self.size), f"/{self.folder}"]
        lines += [f"{f.sha256} {f.size} {path}" for path, f in sorted(self.files.items())]
        return "\n".join([*lines, ""])

    def signed(self, signer: Signer) -> bytes:
        """The signed note."""
        return signer.sign(self.text())


def read_manifest(note: bytes, verifier: Verifier) -> Manifest:
    """The list in a note that `verifier` signed. Raises Refuted, Undecided."""
    lines = open_note(note, verifier).split("\n")[:-1]
    if len(lines) < 4 or lines[1] != FORM or not _SIZE.fullmatch(lines[2]) or lines[3][:1] != "/":
        raise _no_list()
    found = [_LINE.fullmatch(line) for line in lines[4:]]
    files = {m[3]: FileDigest(m[1], int(m[2])) for m in found if m and is_path(m[3])}
    manifest = Manifest(lines[0], lines[3][1:], int(lines[2]), files)
    if lines[0] != verifier.name or manifest.text() != "\n".join([*lines, ""]):
        raise _no_list()
    return manifest


def is_path(path: str) -> bool:
    """Whether a list may name it: a relative path that leads nowhere else."""
    return all(part not in ("", ".", "..") for part in path.split("/"))


def _no_list() -> Undecided:
    return Undecided(
        t("This is not a list of files that crosspost made."),
        hint=t("Get the file again, whole and unchanged."),
    )
