"""Verifying an export: every file by the manifest, every line by the signed checkpoint.

Needs no office and no database, and reads it as a stream, however large. It must not believe a
file before a signature or a hash says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from crosspost.errors import Refuted, Undecided
from crosspost.foreign import of_system
from crosspost.ledger.canonical import canonical
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.comparing import checkpoint_in, compare, fork
from crosspost.ledger.contents import Contents, Told, lines_in
from crosspost.ledger.handover import handover_in
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.keys import Keys, handovers_in, read_keys
from crosspost.ledger.proof import SUFFIX, Proof, read_proof
from crosspost.ledger.strongbox import read_file
from crosspost.ledger.tiles import tiles
from crosspost.ledger.tree import EMPTY_ROOT, CompactRange, Tree
from crosspost.wording import t

MANIFEST, CHECKPOINT, ENTRIES = "manifest.json", "checkpoint", "entries.jsonl"
WORDS, TEXTS, POSTS = "words.jsonl", "texts.jsonl", "posts.jsonl"
VKEY, KEYS = "vkey", "keys.json"  # the key that signs; all of them, as in `identity.json`
MEDIA = "media"  # the folder of images and videos, each under its SHA-256
README = "README.txt"
NEEDED = {CHECKPOINT, ENTRIES, WORDS, TEXTS, POSTS, VKEY, KEYS}


@dataclass(frozen=True)
class Export:
    """What holds of a whole export. `note` is its checkpoint with all signatures."""

    checkpoint: Checkpoint
    note: bytes
    keys: Keys
    told: Told


def verify_export(folder: Path, known: Keys, against: Path | None) -> Export:
    """Verify the export in `folder`. `against` as for `verify`. Raises Refuted, Undecided,
    ForkProven, OSError."""
    manifest = _manifest(folder / MANIFEST)
    for name, about in manifest["files"].items():
        _check_file(folder, name, about)
    _require_no_more(folder, manifest["files"])
    said = read_file(folder / KEYS).decode(errors="replace")
    keys = known.linked(handovers_in(said))
    witness = checkpoint_in(against, keys) if against else None
    note = read_file(folder / CHECKPOINT)
    checkpoint = keys.read(partial(read_checkpoint, note))
    told = (manifest.get("origin"), manifest.get("size"), manifest.get("root"), manifest.get("v"))
    if told != (checkpoint.origin, checkpoint.size, checkpoint.root.hex(), 1):
        raise Refuted(t("The manifest and the checkpoint contradict each other."))
    told_keys = read_keys(said)
    vkey = read_file(folder / VKEY)
    if vkey != f"{told_keys.newest}\n".encode() or not keys.bears_out(told_keys):
        raise Refuted(t("The keys in the export are others than the key given leads to."))
    contents = Contents(
        lines_in(folder / WORDS), lines_in(folder / TEXTS), lines_in(folder / POSTS)
    )
    _check_entries(folder, checkpoint, witness, told_keys.handovers(), contents)
    for name in manifest["files"]:
        if name.endswith(SUFFIX):
            _check_proof(read_proof(read_file(folder / name)), keys, checkpoint)
    return Export(checkpoint, note, keys, contents.end(_media(manifest), manifest["missing"]))


def _media(manifest: Mapping[str, Any]) -> set[str]:
    """The digests of the images and videos; each must be called by its own."""
    found = set()
    for name, about in manifest["files"].items():
        folder, _, digest = name.partition("/")
        if folder == MEDIA:
            if about["sha256"] != digest:
                raise Refuted(t("{path} is not the file that its name says.", path=name))
            found.add(digest)
    return found


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest, which has one spelling only, so that no byte of it can change unseen."""
    if not path.exists():
        raise Undecided(
            t("{path} is missing.", path=path), hint=t("Get the export again, whole and unchanged.")
        )
    data = path.read_bytes()
    try:
        manifest = json.loads(data)
        missing = manifest["missing"]
        good = canonical(manifest) + b"\n" == data and set(manifest["files"]) >= NEEDED
        good = good and isinstance(missing, list) and all(isinstance(one, str) for one in missing)
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
            t("{path} cannot be read: {reason}.", path=folder / name, reason=of_system(error)),
            hint=t("Get the export again, whole and unchanged."),
        ) from error
    if about != {"sha256": digest.hexdigest(), "bytes": size}:
        raise Refuted(
            t("{path} is not the file that was exported.", path=folder / name),
            hint=t("Get the export again, whole; if it stays so, keep a copy and tell the office."),
        )


def _require_no_more(folder: Path, known: Mapping[str, Any]) -> None:
    """What is on no list proves nothing, but whoever looks into the folder could take it for some
    of it."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and name != MANIFEST and (path.is_symlink() or not path.is_dir()):
            raise Undecided(
                t("{path} is on no list of the export.", path=path),
                hint=t("Somebody put it there; take it away, or get the export again."),
            )


def _check_entries(
    folder: Path,
    checkpoint: Checkpoint,
    witness: Checkpoint | None,
    handovers: Mapping[int, str],
    contents: Contents,
) -> None:
    """The entries against the checkpoint, what was said against the entries, the tiles against
    both, and each change of the key against its entry."""
    found = {}
    tree, leaves = CompactRange(), bytearray()
    roots = {0: EMPTY_ROOT}
    for entry in _entries(folder / ENTRIES):
        contents.take(tree.size, entry)
        if note := handover_in(entry, checkpoint.origin):
            found[tree.size] = note
        leaf = leaf_hash(entry)
        tree.append(leaf)
        leaves += leaf
        if witness and tree.size == witness.size:
            roots[tree.size] = tree.root()
    if (tree.size, tree.root()) != (checkpoint.size, checkpoint.root):
        raise Refuted(t("The entries are not those that were signed."))
    if found != handovers:
        raise Refuted(t("The keys in the export are not those of its entries."))
    _check_tiles(folder, Tree(bytes(leaves)))
    if witness and witness.size > checkpoint.size:
        compare(checkpoint, witness)
    if witness and roots[witness.size] != witness.root:
        raise fork()


def _entries(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        for line in lines:
            yield line[:-1] if line.endswith(b"\n") else line


def _check_tiles(folder: Path, tree: Tree) -> None:
    for tile in tiles(tree.size):
        path = folder / tile.path
        if not path.exists() or path.read_bytes() != tile.content(tree.node):
            raise Refuted(t("{path} is not a tile of this ledger.", path=path))


def _check_proof(proof: Proof, keys: Keys, checkpoint: Checkpoint) -> None:
    if keys.read(proof.check) != checkpoint:
        raise Refuted(t("The proof of entry {index} is of another tree.", index=proof.index))
