"""Verifying the office's pages as they are shown: a page, or the whole site, by its key alone.

Needs no office and no database. Where the files come from (`Source`) it must not know; it believes
none of them before a signature or a hash says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.hashing import leaf_hash, node_hash, salted_digest
from crosspost.ledger.keys import Keys, handovers_in
from crosspost.ledger.manifest import NAME, NEXT, OLD, Manifest, digest_of, read_manifest
from crosspost.ledger.proof import read_proof
from crosspost.ledger.tiles import HEIGHT, WIDTH, Tile, read_path, tiles, unbundle
from crosspost.ledger.tree import (
    HASH_BYTES,
    Tree,
    consistency_holds,
    consistency_proof,
    subtree_hash,
)
from crosspost.site.sources import Source
from crosspost.site.standing import RECORD, Copy, Standing, from_json
from crosspost.wording import t

LEDGER = "ledger"
DATA = "announcement.json"
IDENTITY = "identity.json"


@dataclass(frozen=True)
class Genuine:
    """What holds: the whole site, or one page, then with how it stands. `note` is the checkpoint
    that the site shows, with all signatures; those of others are not verified here."""

    checkpoint: Checkpoint
    note: bytes
    pages: int
    keys: Keys  # those given, and those that the site leads to from there
    standing: Standing | None = None


def verify_page(source: Source, code: str, given: Keys) -> Genuine:
    """One page with its images, record and proofs, and that its proofs are of the ledger that the
    site shows. Raises Refuted, Undecided, ForkProven."""
    keys = _followed(source, given)
    shown, note = _checkpoint(source, keys)
    standing = _Page(source, code, keys).verify(shown, Tiles(source, shown.size))
    return Genuine(shown, note, 1, keys, standing)


def verify_site(source: Source, given: Keys) -> Genuine:
    """Every file of the site against its signed lists, the tiles against the checkpoint, the pages
    against the record. Raises Refuted, Undecided, ForkProven."""
    keys = _followed(source, given)
    shown, note = _checkpoint(source, keys)
    listed = signed_list(source, f"{LEDGER}/{NAME}", "", keys)
    if listed.size != shown.size:
        raise Undecided(
            t("The list of the site and its checkpoint are not of one time."),
            hint=t("The site may be changing just now: try again in a minute."),
        )
    for path, about in listed.files.items():
        if digest_of(needed(source, path)) != about:
            raise changed(source, path)
    tree = _tree(source, shown)
    codes = [path.split("/")[1] for path in listed.files if _is_page_list(path)]
    for code in codes:
        _Page(source, code, keys).verify(shown, tree)
    _check_names(source, listed, codes, keys, tree)
    return Genuine(shown, note, len(codes), keys)


def _followed(source: Source, given: Keys) -> Keys:
    """The keys, and those to which handovers on the site lead. Raises ForkProven."""
    said = source.read(IDENTITY) or b""
    return given.linked(handovers_in(said.decode(errors="replace")))


def _is_page_list(path: str) -> bool:
    return path.startswith("p/") and path.endswith(f"/{NAME}")


def needed(source: Source, path: str) -> bytes:
    """A file that was signed. Raises Refuted when it is gone."""
    data = source.read(path)
    if data is None:
        raise Refuted(t("{path} was signed and is not there.", path=source.where(path)))
    return data


def changed(source: Source, path: str) -> Refuted:
    """To be raised: a file is another one than the one that was signed."""
    return Refuted(t("{path} is not the file that the office signed.", path=source.where(path)))


def signed_list(source: Source, path: str, folder: str, keys: Keys) -> Manifest:
    """The signed list of a folder. Raises Undecided when it is missing, Refuted."""
    note = source.read(path)
    if note is None:
        raise Undecided(
            t("There is no signed list: {path}.", path=source.where(path)),
            hint=t(
                "A new page has one after about a minute, and so has a site that is changing; "
                "a page of others has none."
            ),
        )
    listed = keys.read_now(partial(read_manifest, note))
    if listed.folder != folder:
        raise Refuted(t("{path} is the list of another folder.", path=source.where(path)))
    return listed


def _checkpoint(source: Source, keys: Keys) -> tuple[Checkpoint, bytes]:
    path = f"{LEDGER}/checkpoint"
    note = source.read(path)
    if note is None:
        raise Undecided(t("There is no checkpoint: {path}.", path=source.where(path)))
    return keys.read(partial(read_checkpoint, note)), note


# --- the tree, from tiles -------------------------------------------------------------------------


class Tiles:
    """The hashes of the tree as tiles give them; unbelieved."""

    def __init__(self, source: Source, size: int) -> None:
        self.source, self.size = source, size
        self.known: dict[str, bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """The hash of a full subtree. Raises Undecided when its tile is not there."""
        if level % HEIGHT:
            left, right = (self.node(level - 1, 2 * index + side) for side in (0, 1))
            return node_hash(left, right)
        total = self.size >> level
        first, at = divmod(index, WIDTH)
        width = min(WIDTH, total - first * WIDTH)
        content = self._tile(Tile(level // HEIGHT, first, width))
        return content[at * HASH_BYTES : (at + 1) * HASH_BYTES]

    def _tile(self, tile: Tile) -> bytes:
        path = f"{LEDGER}/{tile.path}"
        if path not in self.known:
            content = self.source.read(path)
            if content is None or len(content) != tile.width * HASH_BYTES:
                raise Undecided(t("A tile is missing: {path}.", path=self.source.where(path)))
            self.known[path] = content
        return self.known[path]


def _tree(source: Source, shown: Checkpoint) -> Tree:
    """The whole tree, from the tiles of leaves; every other tile must follow from it."""
    leaves = b"".join(
        needed(source, f"{LEDGER}/{tile.path}") for tile in tiles(shown.size) if not tile.level
    )
    tree = Tree(leaves)
    if (tree.size, tree.root()) != (shown.size, shown.root):
        raise Refuted(t("The tiles are not those of the signed ledger."))
    for tile in tiles(shown.size):
        path = f"{LEDGER}/{tile.path}"
        if tile.level and needed(source, path) != tile.content(tree.node):
            raise Refuted(t("{path} is not a tile of this ledger.", path=source.where(path)))
    return tree


def _check_bundle(source: Source, tile: Tile, data: bytes, tree: Tree) -> None:
    first = tile.index * WIDTH
    try:
        leaves = [leaf_hash(entry) for entry in unbundle(data)]
        good = leaves == [tree.node(0, at) for at in range(first, first + tile.width)]
    except (ValueError, IndexError):
        good = False
    if not good:
        path = source.where(f"{LEDGER}/{tile.bundle_path}")
        raise Refuted(t("{path} does not hold the entries that were signed.", path=path))


# --- one page -------------------------------------------------------------------------------------


@dataclass
class _Page:
    source: Source
    code: str
    keys: Keys

    def verify(self, shown: Checkpoint, tree: Tiles | Tree) -> Standing:
        """How the page stands."""
        files = self._files(f"p/{self.code}")
        try:
            standing = from_json(files[RECORD].decode())
            self._check_text(files[DATA], standing)
            erased = bool(standing.erased)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._contradiction() from error
        for copy in standing.copies:
            if copy.proof:
                content = files.get(copy.proof, b"")
                self._check_copy(copy, content, shown, tree, erased=erased)
        return standing

    def _files(self, where: str) -> dict[str, bytes]:
        """The files of the page by name, each as a signed list says. While they change there are
        two lists, the one until now and the next one, and each file is as one of them says."""
        lists = [signed_list(self.source, f"{where}/{NAME}", where, self.keys)]
        if self.source.read(f"{where}/{NEXT}") is not None:
            lists.append(signed_list(self.source, f"{where}/{NEXT}", where, self.keys))
            if lists[1].size < lists[0].size:
                raise changed(self.source, f"{where}/{NEXT}")
        files = {}
        for name in dict.fromkeys(name for listed in lists for name in listed.files):
            said = [listed.files.get(name) for listed in lists]
            if None in said and self.source.read(f"{where}/{name}") is None:
                continue  # gone, or still to come
            files[name] = needed(self.source, f"{where}/{name}")
            if digest_of(files[name]) not in said:
                raise changed(self.source, f"{where}/{name}")
        return files

    def _check_text(self, data: bytes, standing: Standing) -> None:
        """The text of the page is that of the site's copy, as approved."""
        page = json.loads(data)
        if standing.erased:
            if (page["code"], standing.code) != (self.code, self.code):
                raise self._contradiction()
            return
        [post] = next(copy.posts for copy in standing.copies if copy.platform == "site")
        document = post["document"]
        same = all(page[key] == document[key] for key in ("title", "html", "text", "source"))
        if not same or (page["code"], standing.code) != (self.code, self.code):
            raise self._contradiction()

    def _check_copy(
        self, copy: Copy, data: bytes, shown: Checkpoint, tree: Tiles | Tree, *, erased: bool
    ) -> None:
        """The entry is about these posts; of erased ones there is only the digest to compare."""
        proof = read_proof(data)
        signed = self.keys.read(proof.check)
        require_one_ledger(signed, shown, tree)
        try:
            entry: dict[str, Any] = json.loads(proof.entry)
            salt = bytes.fromhex(copy.salt)
            digest = copy.digest if erased else salted_digest(salt, list(copy.posts))
            said = (entry["code"], entry["channel"], entry["digest"], proof.index)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._contradiction() from error
        if said != (self.code, copy.channel, digest, copy.index) or digest != copy.digest:
            raise self._contradiction()

    def _contradiction(self) -> Refuted:
        return Refuted(
            t(
                "The page and the record contradict each other: {path}.",
                path=self.source.where(f"p/{self.code}/"),
            )
        )


def require_one_ledger(signed: Checkpoint, shown: Checkpoint, tree: Tiles | Tree) -> None:
    """The checkpoint of a proof is one that the shown ledger began with."""
    if signed.size > shown.size:
        raise Refuted(t("The site shows an older checkpoint than its own proof: it was set back."))
    steps = consistency_proof(tree.node, signed.size, shown.size)
    if not consistency_holds(signed.size, shown.size, signed.root, shown.root, steps):
        if isinstance(tree, Tiles) and not _root_holds(tree, shown):
            raise Refuted(t("The tiles are not those of the signed ledger."))
        raise ForkProven(
            t("FORK: two different ledgers were signed with this key."),
            hint=t(
                "Keep both files. Together they are proof for anybody, without any trust in you."
            ),
        )


def _root_holds(tree: Tiles, shown: Checkpoint) -> bool:
    return subtree_hash(tree.node, 0, shown.size) == shown.root


# --- files that nobody signed ---------------------------------------------------------------------


def _check_names(
    source: Source, listed: Manifest, codes: list[str], keys: Keys, tree: Tree
) -> None:
    """Where all names are known: no page stands there that the office does not know, and what is
    left of smaller tiles belongs to this ledger."""
    names = source.names()
    if names is None:
        return
    known = {*listed.files, f"{LEDGER}/{NAME}", f"{LEDGER}/{OLD}", f"{LEDGER}/checkpoint"}
    for code in codes:
        note = needed(source, f"p/{code}/{NAME}")
        page = keys.read_now(partial(read_manifest, note))
        known |= {f"p/{code}/{name}" for name in page.files}
    for name in names:
        if name.startswith(f"{LEDGER}/tile/"):
            _check_tile(source, name, tree)
        elif name not in known and _is_ours(name):
            raise Undecided(
                t("{path} is on no list of the office.", path=source.where(name)),
                hint=t(
                    "A new page is listed after about a minute; then somebody else put it there."
                ),
            )


def _check_tile(source: Source, name: str, tree: Tree) -> None:
    """A tile or bundle, also one of a smaller tree that was left there."""
    found = read_path(name.removeprefix(f"{LEDGER}/"))
    data = source.read(name) or b""
    if found is not None and found[1]:
        return _check_bundle(source, found[0], data, tree)
    try:
        good = found is not None and found[0].content(tree.node) == data
    except IndexError:
        good = False
    if not good:
        raise Refuted(t("{path} is not a tile of this ledger.", path=source.where(name)))
    return None


def _is_ours(name: str) -> bool:
    """Whether only the office may write there; other files (robots.txt) are its web server's."""
    return name.endswith((".html", ".js")) or name.startswith(("p/", f"{LEDGER}/", "check/"))
