"""Break-glass: published now by one person alone, and on a list until a second one has looked.

What everybody must hear of is the entry `emergency`; what is still to be looked at is
`unreviewed`. This room must not alarm anybody itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from crosspost import queue, signing
from crosspost.approvals import Sign, add_row, release, signed_by
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import Conflict
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.offers import Offer, Stage, offered, require_as_seen, require_sound
from crosspost.people import require, who_may
from crosspost.policy import Deed, is_four_eyes
from crosspost.queue import Doing
from crosspost.revisions import current_revision, record
from crosspost.tables import Approval, Revision
from crosspost.times import moment_of
from crosspost.wording import t


def publish_now(
    database: Database,
    config: Config,
    number: int,
    doing: Doing,
    *,
    base: int | None = None,
    sign: Sign | None = None,
) -> Revision:
    """Let the current revision go out now, whoever wrote it and whatever its time was; the reason
    stands in `doing.note`. Raises Conflict as `approvals.approve`."""
    digest = ready(database, config, number, doing, base=base)
    signature = signed_by(config, doing.by, digest, signing.EMERGENCY, sign)
    with database.write() as session:
        offer = _due_now(session, config, number, doing, base)
        if offer.bound.digest != digest:
            raise Conflict(
                t("It was changed while you looked at it: its time or its channels."),
                hint=t("Look at it: crosspost show {number}", number=number),
            )
        add_row(session, offer, doing, signature, emergency=True)
        record(session, offer.revision, "emergency", doing, digest=digest)
        release(session, offer.revision, Doing(doing.by, doing.at))
        return offer.revision


def ready(
    database: Database, config: Config, number: int, doing: Doing, *, base: int | None = None
) -> str:
    """The digest of what `publish_now` would let out at this moment. Raises as it does."""
    require(config, doing.by, Deed.EMERGENCY)
    if not doing.note:
        raise Conflict(
            t("Say why it cannot wait for a second person."),
            hint=t('For example: crosspost approve {n} --emergency --reason "..."', n=number),
        )
    # The signature is over what will be stored; what is stored meanwhile is undone.
    return _as_it_will_be(database, config, number, doing, base)


class _Undo(Exception):
    """Nothing of the trial is kept."""


def _as_it_will_be(
    database: Database, config: Config, number: int, doing: Doing, base: int | None
) -> str:
    """The digest of what an emergency approval at this moment binds."""
    digest = ""
    try:
        with database.write() as session:
            digest = _due_now(session, config, number, doing, base).bound.digest
            raise _Undo
    except _Undo:
        return digest


def _due_now(
    session: Session, config: Config, number: int, doing: Doing, base: int | None
) -> Offer:
    """What is not sent yet gets the time of this act, and waits for the approval of just that."""
    offer = offered(session, config, number)
    revision = offer.revision
    require_as_seen(offer, base, None)
    require_sound(offer)
    now = moment_of(doing.at, config.office.zone)
    open_ones = [
        delivery
        for delivery in queue.deliveries_of(session, revision)
        if delivery.status in (Status.HELD, Status.SCHEDULED)
    ]
    if not open_ones:
        raise Conflict(
            t("There is nothing left to publish in announcement {number}.", number=number),
            hint=t("Where it stands: crosspost show {number}", number=number),
        )
    not_after = doing.at + config.policy.grace(revision.urgency)
    for delivery in open_ones:
        queue.reschedule(session, delivery, now, not_after, Doing(doing.by, doing.at))
    if revision.stage != Stage.SUBMITTED:
        revision.stage = Stage.SUBMITTED.value
        session.add(revision)
        session.flush()
    return offered(session, config, number)


@dataclass(frozen=True)
class Unreviewed:
    """An emergency that no second person has looked at."""

    announcement: int
    revision: int
    by: str
    at: datetime


def unreviewed(session: Session) -> list[Unreviewed]:
    """Every emergency that is still to be reviewed, the oldest first."""
    rows = session.exec(
        select(Approval, Revision)
        .join(Revision, col(Revision.id) == col(Approval.revision_id))
        .where(col(Approval.emergency).is_(True), col(Approval.reviewed_at).is_(None))
        .order_by(col(Approval.id))
    )
    return [Unreviewed(r.announcement_id, r.number, a.by, a.at) for a, r in rows]


def countersign(
    database: Database, config: Config, number: int, doing: Doing, *, objects: bool = False
) -> int:
    """A second person has looked at the emergencies of an announcement, and stands by them, or
    objects; what they say stands in `doing.note`. Returns how many there were. Raises Conflict
    when there is none, or when it was their own."""
    require_reviewable(database, config, number, doing)
    with database.write() as session:
        open_ones = _reviewable(session, config, number, doing)
        for approval, revision in open_ones:
            approval.reviewed_by, approval.reviewed_at = doing.by, doing.at
            approval.objected = objects
            session.add(approval)
            verdict = "objected" if objects else "agreed"
            data = {"verdict": verdict, "at": book.stamp(approval.at), "of": approval.by}
            record(session, revision, "emergency_reviewed", doing, data=data)
        session.flush()
        return len(open_ones)


def require_reviewable(database: Database, config: Config, number: int, doing: Doing) -> None:
    """Raises as `countersign`."""
    require(config, doing.by, Deed.APPROVE)
    with database.read() as session:
        _reviewable(session, config, number, doing)


def _reviewable(
    session: Session, config: Config, number: int, doing: Doing
) -> list[tuple[Approval, Revision]]:
    """The emergencies of an announcement that nobody has looked at, each with what it let out."""
    current_revision(session, number)
    query = (
        select(Approval, Revision)
        .join(Revision, col(Revision.id) == col(Approval.revision_id))
        .where(
            Revision.announcement_id == number,
            col(Approval.emergency).is_(True),
            col(Approval.reviewed_at).is_(None),
        )
    )
    open_ones = [(approval, revision) for approval, revision in session.exec(query)]
    if not open_ones:
        raise Conflict(
            t("No emergency of announcement {number} waits for review.", number=number),
            hint=t("Which ones wait: crosspost status"),
        )
    own = {name for approval, revision in open_ones for name in (approval.by, revision.created_by)}
    if doing.by in own and is_four_eyes(config.people):
        others = [name for name in who_may(config, Deed.APPROVE) if name not in own]
        raise Conflict(
            t("You wrote it or let it out yourself; somebody else must look at it."),
            hint=t("May: {names}.", names=", ".join(others) or t("nobody")),
        )
    return open_ones
