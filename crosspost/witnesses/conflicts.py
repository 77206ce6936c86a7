"""What contradicts the head: a checkpoint that this office signed and does not know any more.

It is kept beside crosspost.toml, and while it is there nothing is sealed or sent. It must not ask
anybody (`asking.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlmodel import Session

from crosspost.durable import make_durable, replace_durably
from crosspost.errors import ForkProven, Refuted, UserError
from crosspost.foreign import of_system
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.evidence import Sealed, open_sealed
from crosspost.ledger.note import Verifier
from crosspost.ledger.strongbox import Strongbox, read_file
from crosspost.ledger.tree import subtree_hash
from crosspost.witnesses.places import CONFLICTS
from crosspost.wording import t


@dataclass(frozen=True)
class Contradiction:
    """A checkpoint with a signature of this office, as a witness has it, that the head cannot have
    grown from."""

    checkpoint: Checkpoint
    note: bytes
    why: Refuted | ForkProven


def contradiction(sealed: Sealed, known: Checkpoint) -> Refuted | ForkProven | None:
    """Why `known`, which this office signed, and the head cannot both be right."""
    hint = t(
        "Keep all files, and the folder {folder}. If the database was restored: docs/record.md",
        folder=CONFLICTS,
    )
    if known.size > sealed.head.size:
        return Refuted(
            t(
                "A witness cosigned {size} entries, and the head has only {ours}: it was set back.",
                size=known.size,
                ours=sealed.head.size,
            ),
            hint=hint,
        )
    if subtree_hash(sealed.tree.node, 0, known.size) != known.root:
        return ForkProven(
            t("FORK: a witness has another history of {size} entries, signed with this key.",
              size=known.size),
            hint=hint,
        )  # fmt: skip
    return None


def keep_conflict(folder: Path, found: Contradiction) -> None:
    """Keep what contradicts the head. Raises UserError when the disk refuses."""
    place = folder / CONFLICTS
    try:
        place.mkdir(exist_ok=True)
        name = f"{found.checkpoint.size}-{found.checkpoint.root.hex()[:16]}.checkpoint"
        replace_durably(place / name, found.note)
        make_durable(folder)
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=place, reason=of_system(error))
        ) from error


def require_no_conflict(session: Session, folder: Path) -> None:
    """Raises Refuted or ForkProven while a kept checkpoint contradicts the head."""
    kept = sorted((folder / CONFLICTS).glob("*.checkpoint"))
    if not kept or not Strongbox(folder).is_founded():
        return
    sealed = open_sealed(session, folder)
    for path in kept:
        known = sealed.keys.read_ever(partial(_kept, path))
        if known is None:
            continue  # of another ledger that was here
        if (found := contradiction(sealed, known)) is not None:
            raise found


def _kept(path: Path, key: Verifier) -> Checkpoint:
    return read_checkpoint(read_file(path), key)
