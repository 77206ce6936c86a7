"""What stands to be approved, and whether this person may approve it now.

It only reads; the yes itself is written by `approvals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from crosspost import queue
from crosspost.binding import Bound, bound
from crosspost.config import Config
from crosspost.errors import Conflict, TimeError
from crosspost.lifecycle import Status
from crosspost.people import may_approve, require_another
from crosspost.queue import Doing
from crosspost.revisions import current_revision
from crosspost.tables import Approval, Revision
from crosspost.times import is_late, spoken
from crosspost.wording import language, t


class Stage(StrEnum):
    """Where a wording is before its approval."""

    DRAFT = "draft"  # the author is still at it
    SUBMITTED = "submitted"  # it may be approved
    REJECTED = "rejected"  # somebody said no; an edit or a submit goes on


@dataclass(frozen=True)
class Offer:
    """What there is to approve: the revision, what an approval would bind, who has said yes to
    exactly that, and how many are needed."""

    revision: Revision
    bound: Bound
    given: tuple[str, ...]
    needed: int


def offered(session: Session, config: Config, number: int) -> Offer:
    """What stands to be approved of announcement `number` now. Raises NotFound."""
    revision = current_revision(session, number)
    found = bound(session, revision)
    rows = session.exec(
        select(Approval).where(
            Approval.digest == found.digest,
            Approval.revision_id == revision.id,
            col(Approval.void_at).is_(None),
            col(Approval.emergency).is_(False),
        )
    )
    allowed = may_approve(config, revision.created_by) if config.people else None
    given = dict.fromkeys(row.by for row in rows if allowed is None or row.by in allowed)
    return Offer(revision, found, tuple(given), config.policy.needed(revision.urgency))


def require_open(
    session: Session,
    config: Config,
    offer: Offer,
    doing: Doing,
    base: int | None,
    seen: str | None,
) -> None:
    revision = offer.revision
    require_as_seen(offer, base, seen)
    if not any(d.status is Status.HELD for d in queue.deliveries_of(session, revision)):
        raise Conflict(
            t(
                "There is nothing to approve in announcement {number}.",
                number=revision.announcement_id,
            ),
            hint=where_it_stands(revision),
        )
    require_another(config, doing.by, revision.created_by)
    require_stage(revision, Stage.SUBMITTED)
    require_sound(offer)
    if doing.by in offer.given and len(offer.given) < offer.needed:
        raise Conflict(
            t("You have approved it already; it needs {needed} people.", needed=offer.needed),
            hint=where_it_stands(revision),
        )
    _require_time_left(session, config, revision, doing.at)


def require_as_seen(offer: Offer, base: int | None, seen: str | None) -> None:
    """Raises Conflict when it is another revision, time or set of channels than the person saw."""
    revision = offer.revision
    if base is not None and revision.number != base:
        raise Conflict(
            t(
                "You approve revision {base}, but the newest is revision {new}.",
                base=base,
                new=revision.number,
            ),
            hint=_look_at_it(revision),
        )
    if seen is not None and seen != offer.bound.digest:
        raise Conflict(
            t("It was changed while you looked at it: its time or its channels."),
            hint=_look_at_it(revision),
        )


def require_sound(offer: Offer) -> None:
    """Raises Conflict when the rows are not those that were queued."""
    if offer.bound.changed:
        raise Conflict(
            t("What is stored is not what was queued: somebody changed the database."),
            *offer.bound.changed,
            hint=t(
                "Find out who; then make it anew: crosspost edit {number}",
                number=offer.revision.announcement_id,
            ),
        )


def require_stage(revision: Revision, *possible: Stage) -> None:
    """Raises Conflict unless the revision stands there."""
    if Stage(revision.stage) in possible:
        return
    sentence = {
        Stage.DRAFT: t("It is still a draft."),
        Stage.SUBMITTED: t("It is submitted already."),
        Stage.REJECTED: t("It was rejected."),
    }[Stage(revision.stage)]
    raise Conflict(
        sentence,
        hint=t(
            "Its author goes on with: crosspost edit {number}, or crosspost submit {number}",
            number=revision.announcement_id,
        )
        if Stage(revision.stage) is not Stage.SUBMITTED
        else where_it_stands(revision),
    )


def _require_time_left(session: Session, config: Config, revision: Revision, now: datetime) -> None:
    for delivery in queue.deliveries_of(session, revision):
        if delivery.status is Status.HELD and is_late(now, delivery.not_after):
            when = spoken(delivery.due_at, config.office.zone, language())
            number = revision.announcement_id
            raise TimeError(
                t("Its time is over: it was due {when}.", when=when),
                hint=t(
                    "Give it another time first: crosspost reschedule {number} --at TIME",
                    number=number,
                ),
            )


def _look_at_it(revision: Revision) -> str:
    return t("Look at it: crosspost show {number}", number=revision.announcement_id)


def where_it_stands(revision: Revision) -> str:
    return t("Where it stands: crosspost show {number}", number=revision.announcement_id)


def stage_word(stage: str) -> str:
    """A stage as an admin reads it."""
    return {
        "draft": t("draft"),
        "submitted": t("submitted"),
        "rejected": t("rejected"),
    }[stage]
