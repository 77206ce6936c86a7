"""An announcement before the queue: add it, edit it.

Each function is one act of a person: all of it in one transaction, or none of it. It must not send
anything, and writes no status itself (`queue.py` does).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlmodel import Session

from crosspost import allowance, precedents, queue
from crosspost.approvals import release, void
from crosspost.config import Config
from crosspost.database import Database
from crosspost.delivery_parts import public_parts
from crosspost.drafts import Draft, Kept, Rendered, compose
from crosspost.errors import Conflict
from crosspost.lifecycle import ENDED, MAYBE_PUBLIC, Status, status_word
from crosspost.offers import Stage
from crosspost.people import require
from crosspost.policy import Deed
from crosspost.queue import Doing, known
from crosspost.revisions import current_revision, images_of, store, videos_of
from crosspost.tables import Announcement, Delivery, Revision
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
    as_draft: bool = False,
    sure: Callable[[Rendered], None] | None = None,
) -> Added:
    """Queue a new announcement for all its channels. Raises UserError with nothing queued.

    `as_draft`: it cannot be approved before `approvals.submit`. `sure` is called with what will be
    queued, before it is; what it raises stops it.
    """
    require(config, doing.by, Deed.WRITE)
    with database.read() as session:
        earlier = precedents.earlier(session, config.checks, draft.due.utc)
    rendered = compose(config, draft, earlier=earlier)
    if sure is not None:
        sure(rendered)
    with database.write() as session:
        announcement = Announcement(created_at=doing.at, created_by=doing.by)
        session.add(announcement)
        session.flush()
        stage = Stage.DRAFT if as_draft else Stage.SUBMITTED
        revision = store(session, known(announcement.id), rendered.content, doing, "added", stage)
        _enqueue(session, config, draft, revision, rendered, doing)
        approved = not as_draft and _released(session, config, revision, doing)
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
    as_draft: bool = False,
    keep_videos: bool = True,
    sure: Callable[[Rendered], None] | None = None,
) -> Added:
    """Make the next revision of announcement `number` out of `draft`; what was queued of the old
    one is cancelled, and so is its approval.

    `base` is the revision that the author saw, `as_draft` and `sure` as in `add`; `keep_images` and
    `keep_videos` add those of the old revision to those of the draft. Raises Conflict when there is
    a newer one, or when something of it is published or may be.
    """
    require(config, doing.by, Deed.WRITE)
    with database.read() as session:
        old = current_revision(session, number)
        _require_editable(session, old, base)
        kept = Kept(
            tuple(images_of(session, config, old)) if keep_images else (),
            tuple(videos_of(session, config, old)) if keep_videos else (),
        )
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
        void(session, old, doing.at)
        stage = Stage.DRAFT if as_draft else Stage.SUBMITTED
        revision = store(session, number, rendered.content, doing, "edited", stage)
        _enqueue(session, config, draft, revision, rendered, doing)
        approved = not as_draft and _released(session, config, revision, doing)
        return Added(number, revision.number, approved, rendered.warnings)


def require_editable(database: Database, number: int, base: int) -> None:
    """Before anything is asked: raises Conflict as `edit` would, for a newer revision than `base`
    or for what is or may be public."""
    with database.read() as session:
        _require_editable(session, current_revision(session, number), base)


def _released(session: Session, config: Config, revision: Revision, doing: Doing) -> bool:
    """Where no approval is needed it is scheduled at once."""
    needed = config.policy.needed(revision.urgency)
    return needed == 0 and release(session, revision, Doing(doing.by, doing.at))


def _require_editable(session: Session, revision: Revision, base: int) -> None:
    announcement = session.get_one(Announcement, revision.announcement_id)
    if announcement.redacted:
        raise Conflict(t("Its text was erased by order {order}.", order=announcement.redacted))
    amends = announcement.amends
    if amends is not None:
        raise Conflict(
            t("It corrects or withdraws announcement {n}; it is not edited.", n=amends),
            hint=t(
                "Cancel it and make another: crosspost cancel {number}",
                number=revision.announcement_id,
            ),
        )
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
        or public_parts(session, delivery).public
    ]
    if public:
        raise Conflict(
            t(
                "It is too late to edit; it is or may be public on: {names}.",
                names=", ".join(public),
            ),
            hint=t(
                "What is public is not edited quietly. "
                "Correct it in the open: crosspost correct {number}",
                number=revision.announcement_id,
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
        allowance.require(session, config, delivery)
        if channel == site:
            page = delivery
