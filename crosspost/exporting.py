"""The export of all that is sealed, for an archive or an auditor: a folder that proves itself.

It is made aside, verified as anybody would, and renamed: it is there whole or not at all. What was
erased by law stays away and is said to be. This room reads, and must not change the office.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import text
from sqlmodel import Session, select

from crosspost.binding import stored_values
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import Conflict, Refuted, UserError
from crosspost.foreign import of_system
from crosspost.ledger import book, exported
from crosspost.ledger.canonical import canonical
from crosspost.ledger.contents import files_of
from crosspost.ledger.evidence import Sealed, open_sealed, proof_name
from crosspost.ledger.exported import Export
from crosspost.ledger.hashing import salted_digest
from crosspost.ledger.tiles import tiles
from crosspost.tables import Announcement, Revision
from crosspost.timestamps.kept import PUBLIC as STAMPS
from crosspost.timestamps.kept import kept
from crosspost.wording import t

#: Entries that bind a text whose posts were approved for a channel, one after the other.
_TEXTS = text(
    "SELECT e.id, e.entry FROM ledger_entry e WHERE e.id < :size AND e.kind IN ('added', 'edited') "
    "AND EXISTS (SELECT 1 FROM ledger_entry a WHERE a.announcement_id = e.announcement_id "
    "AND a.kind = 'approved' AND a.id < :size) ORDER BY e.id"
)
#: Which wording of it that was.
_APPROVED = text(
    "SELECT entry FROM ledger_entry WHERE announcement_id = :announcement AND kind = 'approved' "
    "AND id < :size"
)
#: The posts of each delivery that was approved, with the entry that binds them.
_POSTS = text(
    # the posts of a delivery that takes others down are theirs
    "SELECT e.id, r.salt, COALESCE(NULLIF(n.redacted, ''), m.redacted), p.payload "
    "FROM ledger_entry e "
    "JOIN delivery d ON d.id = e.delivery_id JOIN revision r ON r.id = d.revision_id "
    "JOIN announcement n ON n.id = r.announcement_id "
    "LEFT JOIN delivery o ON o.id = d.amends AND d.act = 'delete' "
    "LEFT JOIN revision q ON q.id = o.revision_id "
    "LEFT JOIN announcement m ON m.id = q.announcement_id "
    "LEFT JOIN part p ON p.delivery_id = d.id "
    "WHERE e.id < :size AND e.kind = 'queued' AND EXISTS (SELECT 1 FROM ledger_entry a "
    "WHERE a.delivery_id = e.delivery_id AND a.kind = 'approved' AND a.id < :size) "
    "ORDER BY e.id, p.position"
)
_AT_ONCE = {"yield_per": 1000}


def export(database: Database, config: Config, folder: Path) -> Export:
    """Write everything that is sealed into a new `folder`, which only its owner may read: entries,
    reasons, approved texts and posts as JSON Lines, their images and videos, checkpoint and keys, a
    proof for each published delivery, hash tiles, and a manifest of all of it.

    Raises Conflict when `folder` holds something, Refuted when anything is not what was sealed or
    approved, Undecided, UserError when the disk refuses; with nothing left behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            t("{path} is there already and not empty.", path=folder),
            hint=t("Name a new folder."),
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
        try:
            made = _made(database, config, aside)
            aside.rename(folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=folder, reason=of_system(error)),
            hint=t("Nothing of it was left; mend that, then run this again."),
        ) from error
    return made


def _made(database: Database, config: Config, folder: Path) -> Export:
    with database.read() as session:
        sealed = open_sealed(session, config.folder, whole=True)
        if any(book.raw_of_kinds(session, ("redacted",), sealed.head.size)):
            raise Conflict(
                t("Something was erased by law, and that is not sealed yet."),
                hint=t("Seal it with: crosspost log seal"),
            )
        _Export(folder, sealed, config, session).write()
    return exported.verify_export(folder, sealed.keys, None)


class _Export:
    def __init__(self, folder: Path, sealed: Sealed, config: Config, session: Session) -> None:
        self.folder, self.sealed, self.media = folder, sealed, config.media
        self.office = config.folder
        self.session, self.size = session, sealed.head.size
        self.files: dict[str, dict[str, str | int]] = {}
        self.named: set[str] = set()  # digests of images and videos
        self.missing: list[str] = []

    def write(self) -> None:
        head = self.sealed.head
        self._put(exported.README, [_readme().encode()])
        self._put(exported.CHECKPOINT, [self.sealed.note])
        keys = json.dumps({"keys": self.sealed.keys.values()}, indent=1) + "\n"
        self._put(exported.KEYS, [keys.encode()])
        self._put(exported.VKEY, [f"{self.sealed.verifier}\n".encode()])
        self._put(exported.ENTRIES, self._entries())
        self._put(exported.WORDS, self._words())
        self._put(exported.TEXTS, map(_line, self._texts()))
        self._put(exported.POSTS, map(_line, self._posts()))
        self._put_media()
        for tile in tiles(head.size):
            self._put(tile.path, [tile.content(self.sealed.tree.node)])
        self._put_stamps()
        about = {"v": 1, "origin": head.origin, "size": head.size, "root": head.root.hex()}
        manifest = canonical({**about, "files": self.files, "missing": self.missing}) + b"\n"
        (self.folder / exported.MANIFEST).write_bytes(manifest)

    def _put_stamps(self) -> None:
        """What an authority outside stamped, with its tokens."""
        for one in kept(self.office):
            if one.size <= self.size:
                for path in (one.checkpoint, one.token):
                    self._put(f"{STAMPS}/{path.name}", [path.read_bytes()])

    # --- what is on record ------------------------------------------------------------------------

    def _entries(self) -> Iterator[bytes]:
        """Each entry as a line; the proofs of published deliveries are written on the way."""
        public = {index for index in book.published(self.session) if index < self.size}
        count = 0
        for index, entry in book.raw_entries(self.session):
            if count >= self.size:
                continue  # not sealed yet; read to their end, as a server wants it
            if index != count or not isinstance(entry, bytes):
                raise Refuted(t("Entry {index} is missing or unreadable.", index=count))
            proof = self.sealed.proof(index, entry)
            if index in public:
                self._put(f"proofs/{proof_name(index)}", [proof.text()])
            count += 1
            yield entry + b"\n"
        if count < self.size:
            raise Refuted(t("Entry {index} is missing or unreadable.", index=count))

    def _words(self) -> Iterator[bytes]:
        for index, note, salt in book.notes(self.session):
            if index >= self.size:
                continue
            if not isinstance(note, str) or not isinstance(salt, bytes):
                raise Refuted(t("The words of entry {index} are not those recorded.", index=index))
            yield _line({"index": index, "note": note, "salt": salt.hex()})

    # --- what was approved ------------------------------------------------------------------------

    def _texts(self) -> Iterator[dict[str, Any]]:
        for index, entry in self.session.execute(_TEXTS, {"size": self.size}).all():
            its = json.loads(entry)
            number, revision = its["announcement"], its["revision"]
            if revision not in self._approved(number):
                continue
            if order := self.session.get_one(Announcement, number).redacted:
                yield self._erased(index, order)
                continue
            query = select(Revision).where(
                Revision.announcement_id == number, Revision.number == revision
            )
            row = self.session.exec(query).one()
            content = self._values(row, index)
            self._require(index, row.salt, content, its["digest"])
            self.named.update(files_of(content))
            yield {"index": index, "salt": row.salt.hex(), "content": content}
            self.session.expunge(row)

    def _approved(self, number: int) -> set[int]:
        found = self.session.execute(_APPROVED, {"announcement": number, "size": self.size})
        return {json.loads(entry)["revision"] for (entry,) in found}

    def _values(self, row: Revision, index: int) -> dict[str, Any]:
        try:
            return stored_values(self.session, row)
        except ValueError as error:
            raise _not_approved(index) from error

    def _posts(self) -> Iterator[dict[str, Any]]:
        found = self.session.execute(_POSTS, {"size": self.size}, execution_options=_AT_ONCE)
        for (index, salt, order), rows in groupby(found, key=lambda row: tuple(row[:3])):
            payloads = [row[3] for row in rows if row[3] is not None]
            if order:
                yield self._erased(index, order)
                continue
            try:
                posts = [json.loads(payload) for payload in payloads]
            except ValueError as error:
                raise _not_approved(index) from error
            for post in posts:
                self.named.update(files_of(post))
            yield {"index": index, "salt": salt.hex(), "posts": posts}

    def _erased(self, index: int, order: str) -> dict[str, Any]:
        return {"index": index, "erased": order}

    def _require(self, index: int, salt: bytes, content: Any, digest: str) -> None:
        try:
            same = salted_digest(salt, content) == digest
        except ValueError:
            same = False
        if not same:
            raise _not_approved(index)

    def _put_media(self) -> None:
        """Each image and video that is shown somewhere; one that the office has lost is said to be
        missing, one that was changed stops the export."""
        for digest in sorted(self.named):
            name = f"{exported.MEDIA}/{digest}"
            try:
                with (self.media / digest).open("rb") as file:
                    self._put(name, _pieces(file))
            except FileNotFoundError:
                self.missing.append(digest)
                continue
            if self.files[name]["sha256"] != digest:
                raise Refuted(
                    t("{path} is not the file that was approved.", path=self.media / digest)
                )

    def _put(self, name: str, pieces: Iterable[bytes]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(1 << 20):
        yield piece


def _line(values: dict[str, Any]) -> bytes:
    return canonical(values) + b"\n"


def _not_approved(index: int) -> Refuted:
    return Refuted(t("The text or posts of entry {index} are not those recorded.", index=index))


def _readme() -> str:
    """What the folder is, for whoever opens it in thirty years."""
    lines = [
        t("The whole signed record of an office, with the texts that it approved."),
        t("It holds texts, names and reasons: for an archive or an auditor, not for the public."),
        "",
        t("entries.jsonl   every act, one a line, byte for byte as it is hashed"),
        t("words.jsonl     the reasons that people gave; each is bound by its entry"),
        t("texts.jsonl     each approved text, with the salt of its digest in the entry"),
        t("posts.jsonl     the posts made of it for each channel, likewise"),
        t("media/          their images and videos, each named by its SHA-256"),
        t("checkpoint      size and root of the record, signed; vkey and keys.json verify it"),
        t("proofs/         for each published post the proof that it is on record"),
        t("tile/           the hash tree (C2SP tlog-tiles)"),
        t("manifest.json   the SHA-256 of every file; what is said to be missing was lost before"),
        "",
        t("Verify all of it, offline: crosspost verify FOLDER --key VKEY"),
    ]
    return "\n".join(lines) + "\n"
