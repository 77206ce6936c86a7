"""Erasure by law: the text, its salts and its images go; that it was there, and the order, stay.

The ledger's entries hold salted digests only, so they stay and verify, and say nothing any more.
This room must not touch an entry, nor what platforms keep (`retract` before it does that).
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from crosspost import erasures, queue
from crosspost.acts import Act
from crosspost.amended import WITHDRAWAL, following
from crosspost.config import Config
from crosspost.database import Database
from crosspost.delivery_parts import parts_of
from crosspost.errors import Conflict
from crosspost.ledger import book
from crosspost.lifecycle import ENDED, status_word
from crosspost.people import require
from crosspost.policy import Deed
from crosspost.post import Document, Post, to_json
from crosspost.queue import Doing, known
from crosspost.revisions import current_revision, record
from crosspost.tables import (
    Announcement,
    Attempt,
    Delivery,
    Erasure,
    Image,
    LedgerEntry,
    LedgerNote,
    Part,
    Revision,
    Video,
    table,
)
from crosspost.wording import t, words


@dataclass(frozen=True)
class Redacted:
    """By which order it is erased, how many files went now, and where copies of others are."""

    order: str
    files: int
    elsewhere: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """What else repeats an announcement, by number: its withdrawals, which say its title and source
    and are erased with it; and corrections, which say something else and stay."""

    withdrawals: tuple[int, ...]
    corrections: tuple[int, ...]


@dataclass(frozen=True)
class _Matter:
    """All of one announcement: its current revision, all of them, and their deliveries."""

    number: int
    current: Revision
    revisions: Sequence[Revision]
    deliveries: Sequence[Delivery]


def redact(database: Database, config: Config, number: int, order: str, doing: Doing) -> Redacted:
    """Erase announcement `number` with all its revisions and its withdrawals, by an order (its
    number), for the reason in `doing.note`. What this account may not remove stays on the list of
    `erasures.py`; done again, it goes on with that, and is no second act. Raises Conflict while
    something of it may still go out, or when `doing.by` may not; DatabaseError when remains could
    not be cleaned out of the file: then do it again."""
    require_possible(database, config, number, order, doing)
    elsewhere: list[str] = []
    with database.write() as session:
        reach = _redactable(session, number, order)
        for one in (number, *reach.withdrawals):
            elsewhere += _redact(session, config, _matter(session, one), order.strip(), doing)
        by = session.get_one(Announcement, number).redacted
    done = erasures.finish(database, config, None)
    database.scrub()
    return Redacted(by, done.files, tuple(dict.fromkeys(elsewhere)))


def _redact(
    session: Session, config: Config, matter: _Matter, order: str, doing: Doing
) -> Iterator[str]:
    """Erase it, unless it is erased already; where copies of others are."""
    parts = [part for delivery in matter.deliveries for part in parts_of(session, delivery)]
    if not session.get_one(Announcement, matter.number).redacted:
        files = _files_of(session, matter.revisions)
        digests = {*files, *(d for p in parts for d in _files_in(p))}
        _erase(session, matter, parts, order)
        _erase_taken_down(session, matter, order)
        record(session, matter.current, "redacted", doing, data={"order": order})
        erasures.begin(session, matter.number, sorted(digests), book.size(session), doing.at)
    channels = {delivery.id: delivery.channel for delivery in matter.deliveries}
    for part in parts:
        if part.permalink and channels[part.delivery_id] != config.site_channel:
            yield part.permalink


def require_possible(
    database: Database, config: Config, number: int, order: str, doing: Doing
) -> Reach:
    """What else repeats it. Raises as `redact`, before anybody is asked."""
    require(config, doing.by, Deed.REDACT)
    if not order.strip() or not doing.note:
        raise Conflict(
            t("Name the order, and say why."),
            hint=t('For example: crosspost redact {n} --order "..." --reason "..."', n=number),
        )
    with database.read() as session:
        return _redactable(session, number, order)


def _redactable(session: Session, number: int, order: str) -> Reach:
    """What else repeats it. Raises Conflict when it cannot be erased under this order, or now."""
    matter = _matter(session, number)
    by = session.get_one(Announcement, number).redacted
    if by and by != order.strip() and session.get(Erasure, number) is None:
        raise Conflict(
            t(
                "Announcement {number} was erased already, by the order {order}.",
                number=number,
                order=by,
            ),
            hint=t("Nothing was changed."),
        )
    reach = _reach(session, number)
    for one in (matter, *(_matter(session, n) for n in (*reach.withdrawals, *reach.corrections))):
        _require_quiet(one.number, one.deliveries)
    return reach


def _reach(session: Session, number: int) -> Reach:
    gone, stay = [number], list[int]()
    for one in following(session, number):
        withdraws = one.amend == WITHDRAWAL and one.amends in gone
        (gone if withdraws else stay).append(known(one.id))
    left = [n for n in stay if not session.get_one(Announcement, n).redacted]
    return Reach(tuple(gone[1:]), tuple(left))


def _matter(session: Session, number: int) -> _Matter:
    current = current_revision(session, number)
    revisions = session.exec(select(Revision).where(Revision.announcement_id == number)).all()
    deliveries = [d for revision in revisions for d in queue.deliveries_of(session, revision)]
    return _Matter(number, current, revisions, deliveries)


def _require_quiet(number: int, deliveries: Sequence[Delivery]) -> None:
    under_way = [
        f"{delivery.channel} ({status_word(delivery.status)})"
        for delivery in deliveries
        if delivery.status not in ENDED
    ]
    if under_way:
        raise Conflict(
            t("Something of it may still go out: {names}.", names=", ".join(under_way)),
            hint=t("Take that back first, or wait for it: crosspost cancel {n}", n=number),
        )


def _erase(session: Session, matter: _Matter, parts: Sequence[Part], order: str) -> None:
    revisions, deliveries = matter.revisions, matter.deliveries
    announcement = session.get_one(Announcement, matter.number)
    announcement.redacted, announcement.reason = order, ""
    session.add(announcement)
    for revision in revisions:
        _erase_revision(session, revision, order)
    languages = {revision.id: revision for revision in revisions}
    for delivery in deliveries:
        delivery.reason = ""
        session.add(delivery)
    of = {delivery.id: languages[delivery.revision_id] for delivery in deliveries}
    for part in parts:
        part.payload = _placeholder(part, of[part.delivery_id], order)
        part.prepared = ""
        session.add(part)
    session.flush()
    ids = [delivery.id for delivery in deliveries]
    theirs = update(table(Attempt)).where(col(Attempt.delivery_id).in_(ids))
    session.execute(theirs.values(message=""))
    entries = select(LedgerEntry.id).where(LedgerEntry.announcement_id == matter.number)
    session.execute(delete(table(LedgerNote)).where(col(LedgerNote.id).in_(entries)))


def _erase_taken_down(session: Session, matter: _Matter, order: str) -> None:
    """A correction that took a post down has that post as its own."""
    its = [delivery.id for delivery in matter.deliveries]
    query = (
        select(Part, Revision)
        .join(Delivery, col(Delivery.id) == col(Part.delivery_id))
        .join(Revision, col(Revision.id) == col(Delivery.revision_id))
        .where(col(Delivery.amends).in_(its), Delivery.act == Act.DELETE)
    )
    for part, revision in session.exec(query).all():
        part.payload, part.prepared = _placeholder(part, revision, order), ""
        session.add(part)
    session.flush()


def _erase_revision(session: Session, revision: Revision, order: str) -> None:
    revision.title = revision.source = revision.link = ""
    revision.body = _sentence(revision.lang, order)
    revision.tags, revision.texts, revision.salt = "[]", "{}", b""
    session.add(revision)
    for model in (Image, Video):
        its = update(table(model)).where(table(model).c.revision_id == revision.id)
        session.execute(its.values(sha256="", alt=""))


def _sentence(lang: str, order: str) -> str:
    say = words(lang)
    return say("What stood here was erased by order of law: {order}", order=order)


def _placeholder(part: Part, revision: Revision, order: str) -> str:
    """The post that stands in the place of one: it says that it was erased, and by which order."""
    sentence = _sentence(revision.lang, order)
    try:
        has_document = json.loads(part.payload).get("document") is not None
    except (ValueError, AttributeError):
        has_document = False
    document = Document(
        code=revision.code,
        revision=revision.number,
        title="",
        html=f"<p>{html.escape(sentence)}</p>",
        text=sentence,
        summary=sentence,
        source="",
        link="",
        lang=revision.lang,
        urgency=revision.urgency,
    )
    post = Post(sentence, revision.lang, document=document if has_document else None)
    return json.dumps(to_json(post), ensure_ascii=False)


# --- files ----------------------------------------------------------------------------------------


def _files_of(session: Session, revisions: Sequence[Revision]) -> Iterator[str]:
    for model in (Image, Video):
        for revision in revisions:
            its = table(model).c
            query = select(its.sha256).where(its.revision_id == known(revision.id))
            yield from (digest for (digest,) in session.execute(query) if digest)


def _files_in(part: Part) -> Iterator[str]:
    """The digests of the files that a post names."""
    try:
        post = json.loads(part.payload)
        card = post.get("card") or {}
        shown = [*post.get("images", []), *post.get("videos", []), card.get("image")]
    except (ValueError, AttributeError):
        return
    yield from (str(file["sha256"]) for file in shown if file)
