"""Two signed checkpoints side by side: whether both can be true.

It must not decide which of the two is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePath

from crosspost.errors import ForkProven, Undecided
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.keys import Keys
from crosspost.ledger.proof import FIRST_LINE, SUFFIX, read_proof
from crosspost.ledger.strongbox import read_file
from crosspost.wording import t


def is_proof(path: PurePath, data: bytes) -> bool:
    """Whether a file of this name and content is a proof, and not a checkpoint."""
    return path.suffix == SUFFIX or data.startswith(FIRST_LINE.encode())


def checkpoint_in(path: Path, keys: Keys) -> Checkpoint:
    """The signed checkpoint of a file; a fork is proved by signatures alone, so a proof in it need
    not hold."""
    data = read_file(path)
    note = read_proof(data).note if is_proof(path, data) else data
    return keys.read(partial(read_checkpoint, note))


def compare(one: Checkpoint, other: Checkpoint) -> None:
    """Raises ForkProven when both cannot be true, Undecided when that cannot be seen."""
    if one.size != other.size:
        raise Undecided(
            t(
                "It holds by itself. Whether trees of {one} and {other} entries are of one ledger "
                "cannot be seen from these two files.",
                one=one.size,
                other=other.size,
            ),
            hint=t("Ask the office for an export, and verify that against the other file."),
        )
    if one.root != other.root:
        raise fork()


def fork() -> ForkProven:
    """One key signed two histories."""
    return ForkProven(
        t("FORK: two different ledgers were signed with this key."),
        hint=t("Keep both files. Together they are proof for anybody, without any trust in you."),
    )
