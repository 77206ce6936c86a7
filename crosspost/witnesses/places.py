"""Where what is remembered of others lies, beside crosspost.toml.

Knows names of files only, so that `status` can look without any cryptography. It must not read what
is in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: The folder of this office's own witness.
FOLDER = "witness"
#: The folder of checkpoints that contradict this office's head and bear its own signature.
CONFLICTS = "ledger.conflicts"


def origin_hash(origin: str) -> str:
    """How a witness names a log, in addresses and files: SHA-256 of its origin, 64 hex digits (C2SP
    tlog-witness)."""
    return hashlib.sha256(origin.encode()).hexdigest()


@dataclass(frozen=True)
class Fork:
    """Two notes of one log, of one size, that cannot both be true: proof for anybody."""

    origin: str
    one: Path
    other: Path


def fork_of(folder: Path, origin: str) -> Fork:
    """Where the proof is kept that a log forked, in the folder of the witness."""
    name = origin_hash(origin)
    return Fork(origin, folder / f"{name}.fork-a", folder / f"{name}.fork-b")


def forks(folder: Path, origins: Iterable[str]) -> list[Fork]:
    """Those that are kept of these logs."""
    found = (fork_of(folder, origin) for origin in dict.fromkeys(origins))
    return [fork for fork in found if fork.other.exists()]
