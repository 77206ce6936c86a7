"""An announcement before and after the queue: add, edit, approve, reschedule, cancel, retry.

Each function is one act of a person: all of it in one transaction, or none of it. It must not send
anything, and writes no status itself (`queue.py` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from crosspost import precedents, queue
from crosspost.config import Config
from crosspost.database import Announcement, Approval, Database, Delivery, Image, Revision
from crosspost.drafts import Draft, Rendered, compose
from crosspost.errors import Conflict, NotFound, TimeError
from crosspost.ledger import book
from crosspost.ledger.hashing import new_salt, salted_digest
from crosspost.lifecycle import ENDED, MAYBE_PUBLIC, Status, status_word
from crosspost.people import require_approver
from crosspost.post import Content
from crosspost.post import Image as PostImage
from crosspost.queue import Doing
from crosspost.times import Moment, is_late, moment_of, spoken
from crosspost.wording import t


@dataclass(frozen=True)
class Added:
    """What an `add` or `edit` made."""

    announcement: int
    revision: int
    approved: bool
    warnings: tuple[str, ...]


def add(
    database: Database,
    config: Config,
    draft: Draft,
    doing: Doing,
    *,
    sure: Callable[[Rendered], None] | None = None,
) -> Added:
    """Queue a new announcement for all its channels. Raises UserError with nothing queued.

    `sure` is called with what will be queued, before it is; what it raises stops it.
    """
    with database.read() as session:
        earlier = precedents.earlier(session, config.checks, draft.due.utc)
    rendered = compose(config, draft, earlier=earlier)
    if sure is not None:
        sure(rendered)
    with database.write() as session:
        announcement = Announcement(created_at=doing.at, created_by=doing.by)
        session.add(announcement)
        session.flush()
        revision = _store(session, _id(announcement.id), rendered.content, doing, "added")
        _enqueue(session, config, draft, revision, rendered, doing)
        approved = config.policy.approve_on_add and _approve(session, revision, doing)
        return Added(revision.announcement_id, 1, approved, rendered.warnings)


def edit(
    database: Database,
    config: Config,
    number: int,
    draft: Draft,
    doing: Doing,
    *,
    base: int,
    keep_images: bool,
    sure: Callable[[Rendered], None] | None = None,
) -> Added:
    """Make the next revision of announcement `number` out of `draft`; what was queued of the old
    one is cancelled, and so is its approval.

    `base` is the revision that the author saw, `sure` as in `add`. Raises Conflict when there is a
    newer one, or when something of it is published or may be.
    """
    with database.read() as session:
        old = current_revision(session, number)
        _require_editable(session, old, base)
        kept = images_of(session, config, old) if keep_images else None
        earlier = precedents.earlier(session, config.checks, draft.due.utc, but=number)
    rendered = compose(config, draft, revision=base + 1, kept=kept, earlier=earlier)
    if sure is not None:
        sure(rendered)
    with database.write() as session:
        old = current_revision(session, number)
        _require_editable(session, old, base)
        for delivery in queue.deliveries_of(session, old):
            if delivery.status not in ENDED:
                queue.cancel(session, delivery, doing)
        revision = _store(session, number, rendered.content, doing, "edited")
        _enqueue(session, config, draft, revision, rendered, doing)
        approved = config.policy.approve_on_add and _approve(session, revision, doing)
        return Added(number, revision.number, approved, rendered.warnings)


def _require_editable(session: Session, revision: Revision, base: int) -> None:
    if revision.number != base:
        raise Conflict(
            t("Somebody else has edited it meanwhile: revision {new}.", new=revision.number),
            hint=t("Look at it: crosspost show {number}", number=revision.announcement_id),
        )
    public = [
        f"{delivery.channel} ({status_word(delivery.status)})"
        for delivery in queue.deliveries_of(session, revision)
        if delivery.status in MAYBE_PUBLIC
        or delivery.status is Status.PREPARING
        or queue.public_parts(session, delivery).public
    ]
    if public:
        raise Conflict(
            t(
                "It is too late to edit; it is or may be public on: {names}.",
                names=", ".join(public),
            ),
            hint=t(
                "What is public is not edited quietly. Queue a new announcement that corrects it."
            ),
        )


def _store(session: Session, number: int, content: Content, doing: Doing, kind: str) -> Revision:
    """The rows of a revision, and the entry that binds its content."""
    salt = new_salt()
    revision = Revision(
        announcement_id=number,
        number=content.revision,
        code=content.code,
        title=content.title,
        body=content.body,
        source=content.source,
        link=content.link,
        lang=content.lang,
        urgency=content.urgency,
        created_at=doing.at,
        created_by=doing.by,
        salt=salt,
        digest=salted_digest(salt, content_values(content)),
    )
    session.add(revision)
    session.flush()
    for position, image in enumerate(content.images):
        session.add(
            Image(
                revision_id=_id(revision.id),
                position=position,
                sha256=image.sha256,
                alt=image.alt,
                mime=image.mime,
                width=image.width,
                height=image.height,
                size=image.size,
            )
        )
    session.flush()
    _record(session, revision, kind, doing, digest=revision.digest)
    return revision


def content_values(content: Content) -> dict[str, object]:
    """The content of a revision as JSON values, as its salted digest covers them."""
    return {
        "title": content.title,
        "body": content.body,
        "source": content.source,
        "link": content.link,
        "lang": content.lang,
        "urgency": content.urgency,
        "images": [{"sha256": image.sha256, "alt": image.alt} for image in content.images],
    }


def _record(
    session: Session, revision: Revision, kind: str, doing: Doing, digest: str | None = None
) -> None:
    book.append(
        session,
        book.Act(
            kind=kind,
            by=doing.by,
            at=doing.at,
            announcement=revision.announcement_id,
            revision=revision.number,
            code=revision.code,
            digest=digest,
            note=doing.note,
        ),
    )


def _enqueue(
    session: Session,
    config: Config,
    draft: Draft,
    revision: Revision,
    rendered: Rendered,
    doing: Doing,
) -> None:
    """The site's delivery first: it makes the page that the others link to, so they wait for it."""
    site = config.site_channel
    page: Delivery | None = None
    for channel in sorted(draft.channels, key=lambda name: name != site):
        delivery = queue.enqueue(
            session,
            revision,
            channel,
            rendered.posts[channel],
            due=draft.due,
            not_after=draft.due.utc + config.policy.grace(draft.urgency),
            waits_for=page.id if page is not None else None,
            doing=doing,
        )
        if channel == site:
            page = delivery


def approve(
    database: Database, config: Config, number: int, doing: Doing, *, base: int | None = None
) -> Revision:
    """Say yes to the current revision, exactly as rendered; its deliveries are scheduled.

    `base`: the revision that the approver saw. Raises Conflict when there is nothing to approve or
    a newer revision, or when `doing.by` may not; TimeError when its time is over.
    """
    require_approver(config, doing.by)
    with database.write() as session:
        revision = current_revision(session, number)
        if base is not None and revision.number != base:
            raise Conflict(
                t(
                    "You approve revision {base}, but there is revision {new} by now.",
                    base=base,
                    new=revision.number,
                ),
                hint=t("Look at it: crosspost show {number}", number=number),
            )
        _require_time_left(session, config, revision, doing.at)
        if not _approve(session, revision, doing):
            raise Conflict(
                t("There is nothing to approve in announcement {number}.", number=number),
                hint=t("Where it stands: crosspost show {number}", number=number),
            )
        return revision


def _approve(session: Session, revision: Revision, doing: Doing) -> bool:
    waiting = [d for d in queue.deliveries_of(session, revision) if d.status is Status.HELD]
    if not waiting:
        return False
    session.add(Approval(revision_id=_id(revision.id), by=doing.by, at=doing.at))
    session.flush()
    for delivery in waiting:
        queue.approve(session, delivery, doing)
    return True


def _require_time_left(session: Session, config: Config, revision: Revision, now: datetime) -> None:
    for delivery in queue.deliveries_of(session, revision):
        if delivery.status is Status.HELD and is_late(now, delivery.not_after):
            when = spoken(delivery.due_at, config.office.zone, config.office.language)
            number = revision.announcement_id
            raise TimeError(
                t("Its time is over: it was due {when}.", when=when),
                hint=t(
                    "Give it another time first: crosspost reschedule {number} --at TIME",
                    number=number,
                ),
            )


def reschedule(
    database: Database,
    config: Config,
    number: int,
    due: Moment,
    doing: Doing,
    *,
    channels: Sequence[str] = (),
) -> list[str]:
    """Another time for what is not sent yet; returns the channels. Raises Conflict for a channel
    where it is too late, or when there is none left."""
    with database.write() as session:
        revision = current_revision(session, number)
        chosen = _chosen(session, revision, channels, (Status.HELD, Status.SCHEDULED))
        not_after = due.utc + config.policy.grace(revision.urgency)
        for delivery in chosen:
            queue.reschedule(session, delivery, due, not_after, doing)
        return [delivery.channel for delivery in chosen]


def cancel(
    database: Database, number: int, doing: Doing, *, channels: Sequence[str] = ()
) -> list[str]:
    """Take back what is not sent yet; returns the channels. Raises Conflict as `reschedule`."""
    with database.write() as session:
        revision = current_revision(session, number)
        chosen = _chosen(session, revision, channels, (Status.HELD, Status.SCHEDULED))
        for delivery in chosen:
            queue.cancel(session, delivery, doing)
        return [delivery.channel for delivery in chosen]


def retry(
    database: Database, config: Config, number: int, doing: Doing, *, channels: Sequence[str] = ()
) -> list[str]:
    """Let failed and missed deliveries go out now; returns the channels. A paused channel is let
    go on too, since a person has looked at it. Raises Conflict as `reschedule`."""
    now = moment_of(doing.at, config.office.zone)
    with database.write() as session:
        revision = current_revision(session, number)
        chosen = _chosen(session, revision, channels, (Status.FAILED, Status.MISSED))
        not_after = doing.at + config.policy.grace(revision.urgency)
        for delivery in chosen:
            queue.retry(session, delivery, now, not_after, doing)
            queue.unpause(session, delivery.channel)
        return [delivery.channel for delivery in chosen]


class Finding(StrEnum):
    """What a person found on a channel that cannot be asked."""

    PUBLISHED = "published"
    ABSENT = "absent"
    GIVEN_UP = "given_up"  # absent, and to be left so


def resolve(
    database: Database,
    config: Config,
    number: int,
    channel: str,
    finding: Finding,
    doing: Doing,
    *,
    permalink: str = "",
) -> None:
    """A person says what became of a delivery in review. Raises Conflict when it is not there."""
    now = moment_of(doing.at, config.office.zone)
    with database.write() as session:
        revision = current_revision(session, number)
        [delivery] = _chosen(session, revision, [channel], (Status.REVIEW,))
        match finding:
            case Finding.PUBLISHED:
                queue.resolve_published(session, delivery, permalink, doing)
            case Finding.ABSENT:
                not_after = doing.at + config.policy.grace(revision.urgency)
                queue.resolve_absent(session, delivery, now, not_after, doing)
            case Finding.GIVEN_UP:
                queue.give_up(session, delivery, doing)


def _chosen(
    session: Session, revision: Revision, channels: Sequence[str], possible: Sequence[Status]
) -> list[Delivery]:
    """The deliveries meant: the named channels, each in a `possible` status; or all that are."""
    deliveries = {d.channel: d for d in queue.deliveries_of(session, revision)}
    number = revision.announcement_id
    unknown = [name for name in channels if name not in deliveries]
    if unknown:
        raise NotFound(
            t(
                "Announcement {number} does not go to {names}.",
                number=number,
                names=", ".join(unknown),
            ),
            hint=t("It goes to: {names}.", names=", ".join(deliveries)),
        )
    wrong = [deliveries[name] for name in channels if deliveries[name].status not in possible]
    chosen = [
        delivery
        for delivery in deliveries.values()
        if delivery.status in possible and (not channels or delivery.channel in channels)
    ]
    if wrong or not chosen:
        stands = [f"{d.channel}: {status_word(d.status)}" for d in wrong or deliveries.values()]
        raise Conflict(
            t("That is not possible now ({stands}).", stands=", ".join(stands)),
            hint=t("The whole story: crosspost why {number}", number=number),
        )
    return chosen


# --- rows -----------------------------------------------------------------------------------------


def current_revision(session: Session, number: int) -> Revision:
    """The newest revision of announcement `number`. Raises NotFound."""
    found = session.exec(
        select(Revision)
        .where(Revision.announcement_id == number)
        .order_by(col(Revision.number).desc())
        .limit(1)
    ).first()
    if found is None:
        raise NotFound(
            t("There is no announcement {number}.", number=number),
            hint=t("See which there are: crosspost list"),
        )
    return found


def images_of(session: Session, config: Config, revision: Revision) -> list[PostImage]:
    """The images of a revision as they were taken in."""
    rows = session.exec(
        select(Image).where(Image.revision_id == revision.id).order_by(col(Image.position))
    )
    return [
        PostImage(
            path=config.media / row.sha256,
            sha256=row.sha256,
            mime=row.mime,
            alt=row.alt,
            width=row.width,
            height=row.height,
            size=row.size,
        )
        for row in rows
    ]


def _id(number: int | None) -> int:
    if number is None:
        raise ValueError("the row has not been written yet")
    return number
