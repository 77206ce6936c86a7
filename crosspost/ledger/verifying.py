"""Verifying what the office gave out, with nothing but its verification key.

Needs no office, no database, no network. It must not believe a file before the signature holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from crosspost.errors import Refuted, Undecided
from crosspost.foreign import of_system
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.comparing import checkpoint_in, compare, is_proof
from crosspost.ledger.contents import Told
from crosspost.ledger.exported import MANIFEST, verify_export
from crosspost.ledger.keys import Keys, handovers_in, read_keys
from crosspost.ledger.proof import read_proof
from crosspost.ledger.strongbox import read_file
from crosspost.wording import t


@dataclass(frozen=True)
class Verified:
    """What holds: a proof (then `index` and `entry` say of what), a checkpoint, or an export (then
    `told` says how much).

    `note` is the checkpoint with all signatures; those of others are not verified here. `keys` are
    those that it was checked with, those that an export leads to among them.
    """

    kind: str  # proof, checkpoint, export
    checkpoint: Checkpoint
    note: bytes
    keys: Keys
    index: int | None = None
    entry: Any = None
    told: Told | None = None


def verify(path: Path, keys: Keys, against: Path | None = None) -> Verified:
    """Verify a proof, a checkpoint, or the folder of an export.

    `against` is a checkpoint or proof from another time or place, which must be of the same ledger.
    Raises Refuted, Undecided, and ForkProven when both are signed and cannot both be true.
    """
    try:
        if path.is_dir() or path.name == MANIFEST:
            found = verify_export(path if path.is_dir() else path.parent, keys, against)
            return Verified("export", found.checkpoint, found.note, found.keys, told=found.told)
        witness = checkpoint_in(against, keys) if against else None
        return verify_data(path.name, read_file(path), keys, witness)
    except OSError as error:
        raise Undecided(
            t("{path} cannot be read: {reason}.", path=path, reason=of_system(error))
        ) from error


def verify_data(name: str, data: bytes, keys: Keys, witness: Checkpoint | None) -> Verified:
    """Verify a proof or a checkpoint that came from elsewhere under that name. Raises as `verify`
    does."""
    found = _verify_file(PurePosixPath(name), data, keys)
    if witness:
        compare(found.checkpoint, witness)
    return found


def verify_keys(text: str, given: Keys) -> Keys:
    """Verify an `identity.json`: the keys in it, if those given lead to the newest of them. Raises
    Refuted, Undecided, ForkProven."""
    said = read_keys(text)
    keys = given.linked(handovers_in(text))
    if said.newest not in [key.verifier for key in keys.ranges]:
        raise Undecided(
            t("No signature leads from the key given to {key}.", key=said.newest),
            hint=t("Ask the office itself, in another way, whether it has lost its key."),
        )
    if not keys.bears_out(said):
        raise Refuted(t("The file says of the keys what they did not sign."))
    return keys


def _verify_file(path: PurePath, data: bytes, keys: Keys) -> Verified:
    if not is_proof(path, data):
        return Verified("checkpoint", keys.read(partial(read_checkpoint, data)), data, keys)
    proof = read_proof(data)
    checkpoint = keys.read(proof.check)
    return Verified("proof", checkpoint, proof.note, keys, proof.index, _readable(proof.entry))


def _readable(entry: bytes) -> Any:
    try:
        return json.loads(entry)
    except (ValueError, RecursionError):
        return entry.decode(errors="replace")


def lines_of(verified: Verified) -> Iterator[str]:
    """What holds, in sentences."""
    checkpoint = verified.checkpoint
    values = {"origin": checkpoint.origin, "size": checkpoint.size, "index": verified.index}
    yield {
        "proof": t("VERIFIED: entry {index} is in the ledger of {origin}.", **values),
        "checkpoint": t("VERIFIED: {origin} signed this checkpoint.", **values),
        "export": t("VERIFIED: the export is the whole ledger of {origin}.", **values),
    }[verified.kind]
    yield t("Its checkpoint covers {size} entries.", **values)
    if verified.told is not None:
        yield from _told(verified.told)


def _told(told: Told) -> Iterator[str]:
    values = {"texts": told.texts, "posts": told.posts, "media": told.media}
    yield t("With it: {texts} texts, their posts on {posts} channels, {media} files.", **values)
    if told.erased:
        yield t("Erased by law, as the record says: {count} announcements.", count=told.erased)
    if told.missing:
        yield t("Lost at the office, as the export says: {count} files.", count=told.missing)
