"""Verifying what the office gave out, with nothing but its verification key.

Needs no office, no database, no network. It must not believe a file before the signature holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.ledger.canonical import canonical
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.handover import handover_in
from crosspost.ledger.hashing import leaf_hash, salted_digest
from crosspost.ledger.keys import Keys, handovers_in, read_keys
from crosspost.ledger.proof import FIRST_LINE, SUFFIX, Proof, read_proof
from crosspost.ledger.strongbox import read_file
from crosspost.ledger.tiles import tiles
from crosspost.ledger.tree import EMPTY_ROOT, CompactRange, Tree
from crosspost.wording import t

MANIFEST, CHECKPOINT, ENTRIES, WORDS = "manifest.json", "checkpoint", "entries.jsonl", "words.jsonl"
KEYS = "keys.json"  # all verification keys, as in `identity.json`


@dataclass(frozen=True)
class Verified:
    """What holds: a proof (then `index` and `entry` say of what), a checkpoint, or an export.

    `note` is the checkpoint with all signatures; those of others are not verified here. `keys` are
    those that it was checked with, those that an export leads to among them.
    """

    kind: str  # proof, checkpoint, export
    checkpoint: Checkpoint
    note: bytes
    keys: Keys
    index: int | None = None
    entry: Any = None


def verify(path: Path, keys: Keys, against: Path | None = None) -> Verified:
    """Verify a proof, a checkpoint, or the folder of an export.

    `against` is a checkpoint or proof from another time or place, which must be of the same ledger.
    Raises Refuted, Undecided, and ForkProven when both are signed and cannot both be true.
    """
    try:
        if path.is_dir() or path.name == MANIFEST:
            return _verify_export(path if path.is_dir() else path.parent, keys, against)
        witness = checkpoint_in(against, keys) if against else None
        found = _verify_file(path, read_file(path), keys)
    except OSError as error:
        raise Undecided(
            t("{path} cannot be read: {reason}.", path=path, reason=error.strerror)
        ) from error
    if witness:
        compare(found.checkpoint, witness)
    return found


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
    if not _is_proof(path, data):
        return Verified("checkpoint", keys.read(partial(read_checkpoint, data)), data, keys)
    proof = read_proof(data)
    checkpoint = keys.read(proof.check)
    return Verified("proof", checkpoint, proof.note, keys, proof.index, _readable(proof.entry))


def _is_proof(path: PurePath, data: bytes) -> bool:
    return path.suffix == SUFFIX or data.startswith(FIRST_LINE.encode())


def _readable(entry: bytes) -> Any:
    try:
        return json.loads(entry)
    except (ValueError, RecursionError):
        return entry.decode(errors="replace")


def checkpoint_in(path: Path, keys: Keys) -> Checkpoint:
    """The signed checkpoint of a file; a fork is proved by signatures alone, so a proof in it need
    not hold."""
    data = read_file(path)
    note = read_proof(data).note if _is_proof(path, data) else data
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
        raise _fork()


def _fork() -> ForkProven:
    return ForkProven(
        t("FORK: two different ledgers were signed with this key."),
        hint=t("Keep both files. Together they are proof for anybody, without any trust in you."),
    )


# --- an export ------------------------------------------------------------------------------------


def _verify_export(folder: Path, known: Keys, against: Path | None) -> Verified:
    manifest = _manifest(folder / MANIFEST)
    for name, about in manifest["files"].items():
        _check_file(folder, name, about)
    said = read_file(folder / KEYS).decode(errors="replace")
    keys = known.linked(handovers_in(said))
    witness = checkpoint_in(against, keys) if against else None
    note = read_file(folder / CHECKPOINT)
    checkpoint = keys.read(partial(read_checkpoint, note))
    told = (manifest.get("origin"), manifest.get("size"), manifest.get("root"), manifest.get("v"))
    if told != (checkpoint.origin, checkpoint.size, checkpoint.root.hex(), 1):
        raise Refuted(t("The manifest and the checkpoint contradict each other."))
    told_keys = read_keys(said)
    if read_file(folder / "vkey") != f"{told_keys.newest}\n".encode() or not keys.bears_out(
        told_keys
    ):
        raise Refuted(t("The keys in the export are others than the key given leads to."))
    _check_entries(folder, checkpoint, witness, told_keys.handovers())
    for name in manifest["files"]:
        if name.endswith(SUFFIX):
            _check_proof(read_proof(read_file(folder / name)), keys, checkpoint)
    return Verified("export", checkpoint, note, keys)


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest, which has one spelling only, so that no byte of it can change unseen."""
    if not path.exists():
        raise Undecided(
            t("{path} is missing.", path=path), hint=t("Get the export again, whole and unchanged.")
        )
    data = path.read_bytes()
    try:
        manifest = json.loads(data)
        good = canonical(manifest) + b"\n" == data and {
            CHECKPOINT,
            ENTRIES,
            KEYS,
            WORDS,
            "vkey",
        } <= set(manifest["files"])
    except (ValueError, RecursionError, KeyError, TypeError):
        good = False
    if not good:
        raise Undecided(
            t("{path} is not a manifest that crosspost made.", path=path),
            hint=t("Get the export again, whole and unchanged."),
        )
    found: dict[str, Any] = manifest
    return found


def _check_file(folder: Path, name: str, about: Any) -> None:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise Undecided(t("The manifest names a file outside the export."))
    digest, size = hashlib.sha256(), 0
    try:
        with (folder / name).open("rb") as file:
            while piece := file.read(1 << 16):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise Undecided(
            t("{path} cannot be read: {reason}.", path=folder / name, reason=error.strerror),
            hint=t("Get the export again, whole and unchanged."),
        ) from error
    if about != {"sha256": digest.hexdigest(), "bytes": size}:
        raise Refuted(t("{path} is not the file that was exported.", path=folder / name))


def _check_entries(
    folder: Path, checkpoint: Checkpoint, witness: Checkpoint | None, handovers: Mapping[int, str]
) -> None:
    """The entries against the checkpoint, the words against the entries, the tiles against both,
    and each change of the key against its entry."""
    found = {}
    tree, leaves = CompactRange(), bytearray()
    roots = {0: EMPTY_ROOT}
    words = _words(folder / WORDS)
    with (folder / ENTRIES).open("rb") as lines:
        for line in lines:
            entry = line[:-1] if line.endswith(b"\n") else line
            _check_words(words.pop(tree.size, None), entry, tree.size)
            if note := handover_in(entry, checkpoint.origin):
                found[tree.size] = note
            leaf = leaf_hash(entry)
            tree.append(leaf)
            leaves += leaf
            if witness and tree.size == witness.size:
                roots[tree.size] = tree.root()
    if (tree.size, tree.root()) != (checkpoint.size, checkpoint.root) or words:
        raise Refuted(t("The entries are not those that were signed."))
    if found != handovers:
        raise Refuted(t("The keys in the export are not those of its entries."))
    _check_tiles(folder, Tree(bytes(leaves)))
    if witness and witness.size > checkpoint.size:
        compare(checkpoint, witness)
    if witness and roots[witness.size] != witness.root:
        raise _fork()


def _words(path: Path) -> dict[int, dict[str, Any]]:
    found = {}
    with path.open("rb") as lines:
        for line in lines:
            try:
                values = json.loads(line)
                found[values["index"]] = values
            except (ValueError, RecursionError, KeyError, TypeError) as error:
                raise Refuted(t("{path} holds what is no note.", path=path)) from error
    return found


def _check_words(words: dict[str, Any] | None, entry: bytes, index: int) -> None:
    if words is None:
        return
    try:
        digest = salted_digest(bytes.fromhex(words["salt"]), words["note"])
        good = json.loads(entry)["note"] == digest
    except (ValueError, RecursionError, KeyError, TypeError):
        good = False
    if not good:
        raise Refuted(t("The words of entry {index} are not those recorded.", index=index))


def _check_tiles(folder: Path, tree: Tree) -> None:
    for tile in tiles(tree.size):
        path = folder / tile.path
        if not path.exists() or path.read_bytes() != tile.content(tree.node):
            raise Refuted(t("{path} is not a tile of this ledger.", path=path))


def _check_proof(proof: Proof, keys: Keys, checkpoint: Checkpoint) -> None:
    if keys.read(proof.check) != checkpoint:
        raise Refuted(t("The proof of entry {index} is of another tree.", index=proof.index))


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
