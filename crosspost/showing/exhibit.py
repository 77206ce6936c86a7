"""The record onto the site, after each sealing: checkpoint and tiles, pages, lists, index.

Whenever this is killed, each file is whole, old or new; the signed list of all of them, without
which nobody can call one of them forged, comes last. Whatever is lost or was changed is written
anew. A site that shows a newer ledger than the head, or another one, stops it: then the head is not
the head any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from sqlmodel import Session

from crosspost import fakes
from crosspost.accounts import remembered
from crosspost.adapters import adapter_class
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import ForkProven, Refuted, UserError
from crosspost.foreign import of_system
from crosspost.ledger import book
from crosspost.ledger.checkpoint import read_checkpoint
from crosspost.ledger.evidence import Sealed, open_sealed
from crosspost.ledger.manifest import NAME, OLD
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tiles import WIDTH, bundle, tiles
from crosspost.ledger.tree import subtree_hash
from crosspost.showing import subjects
from crosspost.showing.shelf import Seal, Shelf
from crosspost.showing.subjects import Subject
from crosspost.site import lookup, publicpages, publishing
from crosspost.site.folder import Folder
from crosspost.site.publicpages import Identity, KnownFake, OfficialAccount
from crosspost.site.publishing import LEDGER
from crosspost.timestamps.kept import PUBLIC as STAMPS
from crosspost.timestamps.kept import kept
from crosspost.wording import t

#: So many revisions are read in one transaction; nobody waits for it to end.
AT_ONCE = 20
#: Platforms whose accounts are not for the public, or are none.
INTERNAL = ("site", "slack", "webhook")


def show(
    database: Database, config: Config, *, whole: bool = False, since: int | None = None
) -> int:
    """Bring the site up to date with the record; returns how many entries it covers now.

    Only what the signed list of the site does not cover is looked at; `whole`, or where that list
    is missing or not ours, everything. Without a key there is no list: there `since` is what the
    last call returned. Raises Refuted or ForkProven when the site shows what the head does not
    know, Undecided, UserError when the disk refuses.
    """
    if config.site is None or config.site_channel is None:
        return 0
    box = Strongbox(config.folder)
    try:
        if not box.is_founded():
            return _Exhibit(database, config, None).show(None if whole else since)
        with box.signer() as signer:
            with database.read() as session:
                sealed = open_sealed(session, config.folder)
            exhibit = _Exhibit(database, config, Seal(sealed, signer))
            _require_no_newer(exhibit.folder, sealed)
            return exhibit.show(None if whole else exhibit.covered())
    except OSError as error:
        raise UserError(
            t("The pages cannot be written: {reason}.", reason=of_system(error)),
            hint=t("Mend that; they are brought up to date by themselves then."),
        ) from error


def show_checkpoint(config: Config) -> None:
    """Put the cosignatures that came meanwhile under the checkpoint that the site shows; when the
    head is another one by now, the next round shows that. Raises Undecided, UserError."""
    if config.site is None or config.site_channel is None:
        return
    box = Strongbox(config.folder)
    folder = Folder(config.folder / config.site.folder)
    try:
        with box.signer():
            shown = folder.read(f"{LEDGER}/checkpoint") or b""
            if shown.startswith(box.head_note()):
                folder.settle(f"{LEDGER}/checkpoint", box.shown_note())
    except OSError as error:
        raise UserError(
            t("The pages cannot be written: {reason}.", reason=of_system(error))
        ) from error


class _Exhibit:
    def __init__(self, database: Database, config: Config, seal: Seal | None) -> None:
        self.database, self.config, self.seal = database, config, seal
        path = config.folder / (config.site.folder if config.site else "")
        self.folder = Folder(path, self._before_change)
        self.shelf = Shelf(self.folder, config, seal)
        self.keys: list[tuple[str, str]] = []
        self.shown: set[str] = set()
        self.fakes: list[tuple[str, str]] = []

    def covered(self) -> int | None:
        """How many entries the signed list of the site covers; what it says of files is taken
        over. None without one."""
        known = self.shelf.list_at(f"{LEDGER}/{NAME}") or self.shelf.list_at(f"{LEDGER}/{OLD}")
        if known is None or known.folder:
            return None
        self.shelf.files.update(known.files)
        return known.size

    def _before_change(self, name: str) -> None:
        """While files change there is no list of them that counts."""
        if name not in (f"{LEDGER}/{NAME}", f"{LEDGER}/{OLD}"):
            publishing.withdraw_list(self.folder)

    def show(self, since: int | None) -> int:
        """The checkpoint and its tiles first, since what comes after may be proved by them; then
        pages, and what is made of them; their list last."""
        until = self._size()
        if since is None:
            self.folder.sweep()
        if self.seal is not None:
            _put_tiles(self.folder, self.seal.sealed)
            self.folder.settle(f"{LEDGER}/checkpoint", self.seal.sealed.note)
        for subject in self._subjects(since, until):
            self.shelf.put_page(subject)
            self.shown.add(subject.page.code)
            page = self.config.page(subject.page.code)
            self.keys += [(key, subject.page.code) for key in subjects.keys(subject, page)]
        if since is None or self.shown:
            self._put_lists(anew=since is None)
        self._put_public_pages()
        self._put_index(whole=since is None)
        if self.seal is not None:
            if self.config.site and self.config.site.entries:
                self._put_bundles(self.seal.sealed)
            self._put_stamps(whole=since is None)
            _drop_partials(self.folder, self.seal.sealed)
            self.shelf.put_site_list()
        return until

    def _size(self) -> int:
        if self.seal is not None:
            return self.seal.sealed.head.size
        with self.database.read() as session:
            return book.size(session)

    def _subjects(self, since: int | None, until: int) -> Iterator[Subject]:
        """In short transactions: while one is open, SQLite lets nobody write."""
        site = self.config.site_channel or ""
        with self.database.read() as session:
            numbers = subjects.revisions(session, site, since, until)
        for first in range(0, len(numbers), AT_ONCE):
            some = numbers[first : first + AT_ONCE]
            with self.database.read() as session:
                found = [subjects.read(session, self.config, n, self.folder) for n in some]
            yield from found

    def _put_lists(self, *, anew: bool) -> None:
        """All of them: which of them the site's channel has written since, nobody knows."""
        assert self.config.site is not None  # noqa: S101 - `show` asks first
        office, site = self.config.office, self.config.site
        made = publishing.lists(self.folder, office, site, every=True, anew=anew, but=self._read())
        for name, content in made.items():
            self.shelf.put(name, content)

    def _put_public_pages(self) -> None:
        assert self.config.site is not None  # noqa: S101 - `show` asks first
        with self.database.read() as session:
            identity = _identity(self.config, self.seal, session)
            known = fakes.listed(session)
        self.fakes = [(k, f"{lookup.FAKE}{f.number}") for f in known for k in f.keys]
        made = publicpages.files(identity, self.config.office, self.config.site)
        for name, content in made.items():
            self.shelf.put(name, content)
        self._drop_fakes_but(made)

    def _drop_fakes_but(self, made: Mapping[str, bytes]) -> None:
        """What was no fake after all has no page any more."""
        root = self.folder.path
        for path in [*root.glob("fakes/*/index.html"), *root.glob("*/fakes/*/index.html")]:
            name = path.relative_to(root).as_posix()
            if name not in made:
                self.folder.remove(name)
                path.parent.rmdir()
                self.shelf.files.pop(name, None)

    def _put_index(self, *, whole: bool) -> None:
        known: Sequence[tuple[str, str]] = [] if whole else list(self._known_keys())
        for name, content in lookup.shards([*self.keys, *known, *self.fakes]).items():
            self.shelf.put(name, content)

    def _put_stamps(self, *, whole: bool) -> None:
        """Time stamps never change once they are there."""
        for one in kept(self.config.folder):
            for path in (one.checkpoint, one.token):
                name = f"{LEDGER}/{STAMPS}/{path.name}"
                if whole or name not in self.shelf.files:
                    self.shelf.put(name, path.read_bytes())

    def _put_bundles(self, sealed: Sealed) -> None:
        """The entries themselves, where everybody may read them; each is what was sealed."""
        for tile in tiles(sealed.head.size):
            name = f"{LEDGER}/{tile.bundle_path}"
            if tile.level or (self.folder.path / name).exists():
                continue
            first = tile.index * WIDTH
            with self.database.read() as session:
                entries = book.entries_from(session, first, tile.width)
            for index, entry in enumerate(entries, first):
                sealed.proof(index, entry)
            self.folder.replace(name, bundle(entries))

    def _read(self) -> set[str]:
        """The codes of the pages that were read anew, those that were erased among them."""
        return self.shown

    def _known_keys(self) -> Iterator[tuple[str, str]]:
        """What the index says of all pages but those that were read anew: what was erased from one
        must not be found any more, not even by its digest."""
        read = self._read()
        for name in lookup.SHARDS:
            content = self.folder.read(name)
            prefix = name.removeprefix(f"{lookup.FOLDER}/").removesuffix(".json")
            for rest, value in lookup.keys_in(content or b"{}").items():
                if value not in read and not value.startswith(lookup.FAKE):
                    yield prefix + rest, value


def _require_no_newer(folder: Folder, sealed: Sealed) -> None:
    """The checkpoint on the site must be one that the head's tree begins with."""
    note = folder.read(f"{LEDGER}/checkpoint")
    shown = sealed.keys.read_ever(partial(read_checkpoint, note or b""))
    if shown is None:
        return  # not ours, or not there: it is written anew
    path = folder.path / LEDGER / "checkpoint"
    if shown.size > sealed.head.size:
        raise Refuted(
            t("{path} covers more entries than the head: the head was set back.", path=path),
            hint=t("Leave all files as they are, and look with: crosspost log verify"),
        )
    if subtree_hash(sealed.tree.node, 0, shown.size) != shown.root:
        raise ForkProven(
            t("{path} and the head are signed and cannot both be true.", path=path),
            hint=t("Keep both files; somebody used the key for a second history."),
        )


def _put_tiles(folder: Folder, sealed: Sealed) -> None:
    """Hash tiles (C2SP tlog-tiles). A full one never changes; partial ones go when it is full."""
    for tile in tiles(sealed.head.size):
        name = f"{LEDGER}/{tile.path}"
        content = folder.path / name
        if not content.exists() or content.stat().st_size != tile.width * 32:
            folder.replace(name, tile.content(sealed.tree.node))


def _drop_partials(folder: Folder, sealed: Sealed) -> None:
    """What full files make superfluous (C2SP tlog-tiles, "Partial Tiles"), once no checkpoint that
    is shown needs it."""
    for tile in tiles(sealed.head.size):
        for name in (tile.path, tile.bundle_path) if not tile.level else (tile.path,):
            partial = folder.path / LEDGER / f"{name}.p"
            if tile.width == WIDTH and partial.exists():
                shutil.rmtree(partial)


def _identity(config: Config, seal: Seal | None, session: Session) -> Identity:
    """Who the office is now: its keys, its accounts, its witnesses, and what is none of its own."""
    keys = seal.sealed.keys.ranges if seal is not None else ()
    origin = seal.sealed.head.origin if seal is not None else ""
    accounts = publicpages.accounts_of([*_configured(config), *_found(config, session)])
    witnesses = tuple(one.vkey for one in config.witnesses.values())
    known = tuple(_fake(known) for known in fakes.listed(session))
    return Identity(origin, keys, accounts, witnesses, known)


def _configured(config: Config) -> Iterator[OfficialAccount]:
    for account in config.site.accounts if config.site else ():
        yield OfficialAccount(account.name, account.url or "", account.platform)


def _found(config: Config, session: Session) -> Iterator[OfficialAccount]:
    """The accounts of the channels as `channels check` found them, where the public sees them."""
    for name, account in remembered(session).items():
        channel = config.channels.get(name)
        if channel and channel.platform not in INTERNAL and account.url.startswith("https://"):
            title = adapter_class(channel.platform).title
            yield OfficialAccount(account.name, account.url, title)


def _fake(known: fakes.Known) -> KnownFake:
    found, at = known.found, known.at.isoformat(timespec="seconds")
    return KnownFake(known.number, at, found.title, found.explanation, found.text, found.links)
