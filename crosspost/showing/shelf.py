"""The folder of the site as the record fills it: what is written is signed, and mended when lost.

It must not read the database. Each page's folder has a signed list of its files, and the site has
one of all of them; both are made from what was written here, never from what lies on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crosspost.config import Config
from crosspost.errors import Refuted, Undecided
from crosspost.ledger.evidence import Sealed
from crosspost.ledger.manifest import (
    NAME,
    NEXT,
    OLD,
    FileDigest,
    Manifest,
    digest_of,
    read_manifest,
)
from crosspost.ledger.note import Signer
from crosspost.ledger.proof import SUFFIX, Proof, read_proof
from crosspost.showing.subjects import Entry, Subject
from crosspost.site import pages
from crosspost.site.folder import DATA, Folder, to_json
from crosspost.site.publishing import LEDGER
from crosspost.site.standing import RECORD, Copy, Standing
from crosspost.site.standing import to_json as record_json


@dataclass(frozen=True)
class Seal:
    """What signs: the sealed ledger, and its key for as long as this is being written."""

    sealed: Sealed
    signer: Signer


@dataclass
class Shelf:
    """One round of writing. `files` gathers what the site's list will say. Without a `seal` (the
    ledger has no key) there are no proofs and no lists. Raises OSError, Refuted, Undecided."""

    folder: Folder
    config: Config
    seal: Seal | None
    files: dict[str, FileDigest] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> None:
        """A file of the site, to be listed."""
        self.folder.settle(name, content)
        self.files[name] = digest_of(content)

    # --- pages ------------------------------------------------------------------------------------

    def put_page(self, subject: Subject) -> None:
        """The page of a revision, its record and proofs, and the list of them."""
        site = self.config.site
        if site is None:
            return
        where = f"p/{subject.page.code}"
        standing, proofs = self._proved(where, subject)
        html = pages.announcement(subject.page, self.config.office, site, standing)
        files = {
            **proofs,  # before what names them
            DATA: to_json(subject.page).encode(),
            RECORD: record_json(standing).encode(),
            "index.html": html.encode(),
        }
        self._mend_media(where, subject)
        digests = {name: digest_of(content) for name, content in files.items()}
        for shown in subject.page.media:
            size = (self.folder.path / where / shown.file).stat().st_size
            digests[shown.file] = FileDigest(shown.sha256, size)
        note = self._list_of(where, digests)
        if note is not None and note != self.folder.read(f"{where}/{NAME}"):
            self.folder.replace(f"{where}/{NEXT}", note)
        for name, content in files.items():
            self.folder.settle(f"{where}/{name}", content)
        if standing.erased:
            self.folder.clear(subject.page.code, but={*digests, NAME, NEXT})
        if note is not None:
            self.put(f"{where}/{NAME}", note)
            self.folder.remove(f"{where}/{NEXT}")

    def _mend_media(self, where: str, subject: Subject) -> None:
        """Images and videos are large and never change: only one that is not as it should be is
        written."""
        for shown in subject.page.media:
            name = f"{where}/{shown.file}"
            if self.folder.digest(name) != shown.sha256:
                self.folder.replace(name, subject.media[shown.file])

    def _proved(self, where: str, subject: Subject) -> tuple[Standing, dict[str, bytes]]:
        standing = subject.standing
        if self.seal is None:
            return standing, {}
        copies, proofs = [], {}
        for copy in standing.copies:
            entry = subject.entries.get(copy.channel)
            if entry is not None and entry.index < self.seal.sealed.head.size:
                name = f"{copy.channel}{SUFFIX}"
                proofs[name] = self._proof(f"{where}/{name}", entry)
                copy = replace(copy, proof=name, index=entry.index)
            copies.append(copy)
        origin = self.seal.sealed.head.origin
        return replace(standing, copies=_site_first(copies), ledger=origin), proofs

    def _proof(self, name: str, entry: Entry) -> bytes:
        """The proof that is there, if it still proves this entry by the key of today; else a new
        one. So a page does not change each time that the ledger grows."""
        assert self.seal is not None  # noqa: S101 - its only caller asks
        sealed, known = self.seal.sealed, self.folder.read(name)
        try:
            proof = read_proof(known or b"")
            same = (proof.entry, proof.index) == (entry.data, entry.index)
            if same and proof.check(sealed.verifier).size <= sealed.head.size:
                return proof.text()
        except (Refuted, Undecided):
            pass
        made: Proof = sealed.proof(entry.index, entry.data)
        return made.text()

    def _list_of(self, where: str, digests: Mapping[str, FileDigest]) -> bytes | None:
        """The signed list of a page: the one that is there, if it says just this."""
        if self.seal is None:
            return None
        head, name = self.seal.sealed.head, f"{where}/{NAME}"
        known = self.list_at(name)
        note = self.folder.read(name)
        if known is None or note is None or (known.folder, known.files) != (where, dict(digests)):
            note = Manifest(head.origin, where, head.size, digests).signed(self.seal.signer)
        return note

    def list_at(self, name: str) -> Manifest | None:
        """A signed list on the site; None when it is not there, or not of the key of today."""
        if self.seal is None:
            return None
        try:
            return read_manifest(self.folder.read(name) or b"", self.seal.sealed.verifier)
        except (Refuted, Undecided):
            return None

    # --- the whole site ---------------------------------------------------------------------------

    def put_site_list(self) -> None:
        """The list of the whole site, after everything else: from then on it counts again."""
        if self.seal is None:
            return
        head = self.seal.sealed.head
        made = Manifest(head.origin, "", head.size, self.files)
        self.folder.settle(f"{LEDGER}/{NAME}", made.signed(self.seal.signer))
        self.folder.remove(f"{LEDGER}/{OLD}")


def _site_first(copies: list[Copy]) -> tuple[Copy, ...]:
    return tuple(sorted(copies, key=lambda copy: copy.platform != "site"))
