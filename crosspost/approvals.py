"""From a draft to a yes: submit, reject, approve. What is approved is what will be sent.

Each function is one act of a person: all of it in one transaction, or none of it. This room must
not send anything, and writes no status itself (`queue.py` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from crosspost import queue, signing
from crosspost.binding import keep
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import Conflict
from crosspost.lifecycle import Status
from crosspost.offers import Offer, Stage, offered, require_open, require_stage, where_it_stands
from crosspost.people import require, roles_of
from crosspost.policy import Deed, Role, is_four_eyes
from crosspost.queue import Doing, known
from crosspost.revisions import current_revision, record
from crosspost.tables import Approval, Delivery, Revision, table
from crosspost.wording import t

#: Makes the approver's signature over a digest, for a namespace of `signing.py`.
Sign = Callable[[str, str], str]


@dataclass(frozen=True)
class Approved:
    """What an approval did: `released` when it was the last one needed."""

    number: int  # of the revision
    given: int
    needed: int
    released: bool


def approve(
    database: Database,
    config: Config,
    number: int,
    doing: Doing,
    *,
    base: int | None = None,
    seen: str | None = None,
    sign: Sign | None = None,
) -> Approved:
    """Say yes to the current revision, exactly as rendered; with the last yes that is needed its
    deliveries are scheduled.

    `base`: the revision that the approver saw, `seen` the digest of it with times and channels;
    `sign` is needed where `[policy] signed` is true. Raises Conflict when there is nothing to
    approve or something else by now, or when `doing.by` may not; TimeError when its time is over.
    """
    offer = ready(database, config, number, doing, base=base, seen=seen)
    signature = signed_by(config, doing.by, offer.bound.digest, signing.APPROVAL, sign)
    with database.write() as session:
        offer = offered(session, config, number)
        require_open(session, config, offer, doing, base, seen or offer.bound.digest)
        return _give(session, offer, doing, signature)


def ready(
    database: Database,
    config: Config,
    number: int,
    doing: Doing,
    *,
    base: int | None = None,
    seen: str | None = None,
) -> Offer:
    """What `approve` would say yes to now. Raises as it does."""
    require(config, doing.by, Deed.APPROVE)
    with database.read() as session:
        offer = offered(session, config, number)
        require_open(session, config, offer, doing, base, seen)
        return offer


def _give(session: Session, offer: Offer, doing: Doing, signature: str) -> Approved:
    revision, given = offer.revision, offer.given
    if doing.by not in given:
        given = (*given, doing.by)
        add_row(session, offer, doing, signature)
        _record_given(session, offer, len(given), doing)
    released = len(given) >= offer.needed
    if released:
        release(session, revision, Doing(doing.by, doing.at))
    return Approved(revision.number, len(given), offer.needed, released)


def _record_given(session: Session, offer: Offer, given: int, doing: Doing) -> None:
    data = {"given": given, "needed": offer.needed}
    record(session, offer.revision, "approval_given", doing, digest=offer.bound.digest, data=data)


def add_row(
    session: Session, offer: Offer, doing: Doing, signature: str, *, emergency: bool = False
) -> None:
    """Somebody's yes, with what it is a yes to."""
    keep(session, offer.revision, offer.bound)
    session.add(
        Approval(
            revision_id=known(offer.revision.id),
            digest=offer.bound.digest,
            by=doing.by,
            at=doing.at,
            signature=signature,
            emergency=emergency,
        )
    )
    session.flush()


def release(session: Session, revision: Revision, doing: Doing) -> bool:
    """What is held is scheduled; False when there is nothing held."""
    waiting = [d for d in queue.deliveries_of(session, revision) if d.status is Status.HELD]
    for delivery in waiting:
        queue.approve(session, delivery, doing)
    return bool(waiting)


def approve_again(
    session: Session, config: Config, number: int, again: Sequence[Delivery], doing: Doing
) -> bool:
    """What was approved and only got another time is approved for that at once, where whoever gave
    the time could approve it alone; else False."""
    offer = offered(session, config, number)
    alone = not is_four_eyes(config.people) and Role.APPROVER in roles_of(config, doing.by)
    if offer.needed > 1 or (offer.needed and (config.policy.signed or not alone)):
        return False
    if offer.needed:
        add_row(session, offer, doing, "")
        _record_given(session, offer, 1, doing)
    for delivery in again:
        queue.approve(session, delivery, Doing(doing.by, doing.at))
    return True


def signed_by(config: Config, name: str, digest: str, namespace: str, sign: Sign | None) -> str:
    """The signature of `name` where the policy wants one, verified; else "". Raises Conflict when
    there is none, or when it is by another key."""
    if not config.policy.signed:
        return ""
    if sign is None:
        raise Conflict(
            t("Here an approval is signed with a key, and there is none."),
            hint=t("Use the command on the machine of your key: crosspost approve"),
        )
    signature = sign(digest, namespace)
    person = config.people.get(name)
    if not signing.verifies(digest, namespace, signature, person.ssh_keys if person else ()):
        raise Conflict(
            t("That signature is not by a key of {name}.", name=name),
            hint=t("The keys stand in [people.{name}] of {path}.", name=name, path=config.path),
        )
    return signature


# --- submit and reject ----------------------------------------------------------------------------


def submit(database: Database, config: Config, number: int, doing: Doing) -> Revision:
    """The author says that it may be approved now. Where no approval is needed it is scheduled.
    Raises Conflict when it is submitted already, or when `doing.by` may not."""
    require_submittable(database, config, number, doing)
    with database.write() as session:
        revision = _submittable(session, number)
        _set_stage(session, revision, Stage.SUBMITTED)
        record(session, revision, "submitted", doing)
        if not config.policy.needed(revision.urgency):
            release(session, revision, doing)
        return revision


def require_submittable(database: Database, config: Config, number: int, doing: Doing) -> None:
    """Raises as `submit`."""
    require(config, doing.by, Deed.WRITE)
    with database.read() as session:
        _submittable(session, number)


def _submittable(session: Session, number: int) -> Revision:
    revision = current_revision(session, number)
    require_stage(revision, Stage.DRAFT, Stage.REJECTED)
    return revision


def reject(database: Database, config: Config, number: int, doing: Doing) -> Revision:
    """Say no, with the reason in `doing.note`: nothing of it goes out, and approvals that it had
    are void. Raises Conflict when there is nothing to reject, or when `doing.by` may not."""
    require_rejectable(database, config, number, doing)
    with database.write() as session:
        revision, open_ones = _rejectable(session, number)
        _set_stage(session, revision, Stage.REJECTED)
        record(session, revision, "rejected", doing)
        for delivery in open_ones:
            take_back(session, delivery, Doing(doing.by, doing.at))
        void(session, revision, doing.at)
        return revision


def require_rejectable(database: Database, config: Config, number: int, doing: Doing) -> None:
    """Raises as `reject`."""
    require(config, doing.by, Deed.APPROVE)
    with database.read() as session:
        _rejectable(session, number)


def _rejectable(session: Session, number: int) -> tuple[Revision, list[Delivery]]:
    revision = current_revision(session, number)
    deliveries = queue.deliveries_of(session, revision)
    open_ones = [d for d in deliveries if d.status in (Status.HELD, Status.SCHEDULED)]
    if not open_ones:
        raise Conflict(
            t("There is nothing to reject in announcement {number}.", number=number),
            hint=where_it_stands(revision),
        )
    require_stage(revision, Stage.SUBMITTED)
    return revision, open_ones


def take_back(session: Session, delivery: Delivery, doing: Doing) -> None:
    """A scheduled delivery waits for approval again."""
    if delivery.status is Status.SCHEDULED:
        queue.return_(session, delivery, doing)


def void(session: Session, revision: Revision, at: datetime) -> None:
    """Approvals given so far do not count for what is approved from now on."""
    its = (col(Approval.revision_id) == revision.id) & col(Approval.void_at).is_(None)
    session.execute(update(table(Approval)).where(its).values(void_at=at))


def _set_stage(session: Session, revision: Revision, stage: Stage) -> None:
    revision.stage = stage.value
    session.add(revision)
    session.flush()
