"""What is public of a revision, read from the database in one go.

It only reads, and keeps no transaction open while pages are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from crosspost import queue
from crosspost.acts import Act
from crosspost.adapters import adapter_class
from crosspost.config import Config
from crosspost.delivery_parts import parts_of
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.post import Image, Video, from_json
from crosspost.rendering import visible
from crosspost.site.folder import Folder, Page
from crosspost.site.lookup import key_of
from crosspost.site.pages import instant
from crosspost.site.publishing import page_of
from crosspost.site.standing import Approved, Change, Copy, Standing
from crosspost.tables import Announcement, Approval, Delivery, LedgerEntry, Part, Revision

#: Entries by which what is public is corrected or withdrawn, and what they make of it.
CHANGES = {"corrected": "corrected", "retracted": "withdrawn"}


@dataclass(frozen=True)
class Entry:
    """The entry of one public delivery: its index, its bytes as they are hashed."""

    index: int
    data: bytes


@dataclass(frozen=True)
class Subject:
    """One revision with a page: what stands there, its images and videos by their names there, and
    for each public delivery the entry that may be shown, by channel."""

    page: Page
    media: Mapping[str, Path]
    standing: Standing
    entries: Mapping[str, Entry]


def revisions(session: Session, site: str, since: int | None, until: int) -> list[int]:
    """The revisions with a page on the channel `site`; only those of whose announcement the ledger
    has entries from `since` to `until` (not included), if given."""
    query = (
        select(Revision.id)
        .join(Delivery, col(Delivery.revision_id) == col(Revision.id))
        .where(Delivery.channel == site, Delivery.status == Status.PUBLISHED)
        .order_by(col(Revision.id))
    )
    if since is not None:
        touched = (
            select(LedgerEntry.announcement_id)
            .where(col(LedgerEntry.id) >= since, col(LedgerEntry.id) < until)
            .distinct()
        )
        query = query.where(col(Revision.announcement_id).in_(touched))
    return [number for number in session.exec(query).all() if number is not None]


def read(session: Session, config: Config, number: int, folder: Folder) -> Subject:
    """What is public of the revision with this id, which has a page. From `folder` only the time of
    its page is taken, where that can be: a page found after a crash is older than its finding."""
    revision = session.get_one(Revision, number)
    published = [
        (delivery, parts_of(session, delivery))
        for delivery in queue.deliveries_of(session, revision)
        # what was taken down is no copy; the one posted in its place is
        if delivery.status is Status.PUBLISHED and delivery.act != Act.DELETE
    ]
    announcement = session.get_one(Announcement, revision.announcement_id)
    entries = _entries(session, revision.announcement_id)
    standing = Standing(
        code=revision.code,
        announcement=revision.announcement_id,
        revision=revision.number,
        approvals=_approvals(session, config, number),
        copies=tuple(_copy(config, revision, delivery, parts) for delivery, parts in published),
        changes=_changes(session, revision),
        erased=announcement.redacted,
        erased_at=_erased_at(session, revision) if announcement.redacted else "",
        amends=_amended(session, config, announcement),
        amends_as=CHANGES.get(announcement.amend, ""),
    )
    page, files = _page(config, published, folder)
    shown = {
        delivery.channel: entry
        for delivery, _ in published
        if (entry := entries.get(queue.known(delivery.id))) and _may_be_shown(config, entry.data)
    }
    return Subject(page, {file.filename: file.path for file in files}, standing, shown)


def _page(
    config: Config, published: Sequence[tuple[Delivery, list[Part]]], folder: Folder
) -> tuple[Page, Sequence[Image | Video]]:
    """The page of the site's delivery, from what was approved and not from what is on the disk."""
    [part] = next(parts for delivery, parts in published if delivery.channel == config.site_channel)
    post = from_json(json.loads(part.payload), config.media)
    if post.document is None:
        raise ValueError("a post for the site has a document")
    known = part.published_at or datetime.fromtimestamp(0, UTC)
    begun = (part.begun_at or known).replace(microsecond=0)
    written = _written(folder, post.document.code)
    at = written if written is not None and begun <= written <= known else known
    page = page_of(post.document, post.images, post.videos, at)
    return page, (*post.images, *post.videos)


def _written(folder: Folder, code: str) -> datetime | None:
    try:
        page = folder.page(code)
        return instant(page) if page else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _copy(config: Config, revision: Revision, delivery: Delivery, parts: Sequence[Part]) -> Copy:
    channel = config.channels.get(delivery.channel)
    last = max((part.published_at for part in parts if part.published_at), default=None)
    return Copy(
        channel=delivery.channel,
        platform=channel.platform if channel else "",
        title=adapter_class(channel.platform).title if channel else delivery.channel,
        at=_stamp(last or delivery.ended_at or revision.created_at),
        links=tuple(part.permalink for part in parts if _is_web(part.permalink)),
        digest=delivery.render_digest,
        salt=revision.salt.hex(),
        # without its salt it was erased: what stands there instead was never approved
        posts=tuple(json.loads(p.payload) for p in parts) if revision.salt else (),
    )


def _is_web(link: str) -> bool:
    return link.startswith(("https://", "http://"))


def _approvals(session: Session, config: Config, revision: int) -> tuple[Approved, ...]:
    rows = session.exec(
        select(Approval)
        .where(Approval.revision_id == revision, col(Approval.void_at).is_(None))
        .order_by(col(Approval.id))
    )
    return tuple(
        Approved(known_as(config, row.by), _stamp(row.at), alone=row.emergency) for row in rows
    )


def known_as(config: Config, name: str) -> str:
    """A person as the public may know them: the office title, and the name if `[site]` says so."""
    person = config.people.get(name)
    title = person.title if person else ""
    if config.site is None or not config.site.names:
        return title
    return f"{name}, {title}" if title else name


def _entries(session: Session, announcement: int) -> dict[int, Entry]:
    """By delivery, the entry by which it became public."""
    query = select(LedgerEntry.id, LedgerEntry.delivery_id, LedgerEntry.entry).where(
        LedgerEntry.announcement_id == announcement,
        col(LedgerEntry.kind).in_(book.PUBLIC_KINDS),
    )
    found = session.exec(query.order_by(col(LedgerEntry.id))).all()
    return {delivery: Entry(index, data) for index, delivery, data in found if delivery is not None}


def _may_be_shown(config: Config, data: bytes) -> bool:
    """An entry names who did it: the daemon may be known to everybody, a person only if `[site]`
    says so."""
    named = config.site is not None and config.site.names
    return named or str(json.loads(data)["by"]).startswith("daemon@")


def _changes(session: Session, revision: Revision) -> tuple[Change, ...]:
    """What became of it since, as the ledger has it."""
    return tuple(
        Change(
            at=record.values["at"],
            kind=CHANGES[record.values["kind"]],
            reason=record.note,
            page=str(record.values.get("data", {}).get("page", "")),
        )
        for record in book.entries(session, announcement=revision.announcement_id)
        if record.values["kind"] in CHANGES and record.values.get("revision") == revision.number
    )


def _erased_at(session: Session, revision: Revision) -> str:
    found = book.entries(session, announcement=revision.announcement_id)
    return max((one.values["at"] for one in found if one.values["kind"] == "redacted"), default="")


def _amended(session: Session, config: Config, announcement: Announcement) -> str:
    """The code of the page that this announcement sets right or withdraws; "" for most."""
    if announcement.amends is None:
        return ""
    query = (
        select(Revision.code)
        .join(Delivery, col(Delivery.revision_id) == col(Revision.id))
        .where(Revision.announcement_id == announcement.amends)
        .where(Delivery.channel == config.site_channel, Delivery.status == Status.PUBLISHED)
        .order_by(col(Revision.number).desc())
    )
    return session.exec(query.limit(1)).first() or ""


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


# --- what a citizen may paste ---------------------------------------------------------------------


def keys(subject: Subject, address: str) -> Iterator[str]:
    """The digests under which everything that is public of it is looked up: texts and links."""
    said = [address, *(text for copy in subject.standing.copies for text in _pasted(copy))]
    page = subject.page
    said += [page.text, f"{page.title} {page.text}", f"{page.title} {page.text} {page.source}"]
    yield from dict.fromkeys(key for text in said if (key := key_of(text)))


def _pasted(copy: Copy) -> Iterator[str]:
    yield from copy.links
    texts = [visible(post["text"], _markup(copy)) for post in copy.posts]
    yield from texts
    yield " ".join(texts)


def _markup(copy: Copy) -> Any:
    return adapter_class(copy.platform).capabilities.markup if copy.platform else None
