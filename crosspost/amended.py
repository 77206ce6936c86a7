"""That something is corrected or withdrawn goes on record of what it corrects, once it is public.

So the page of the original says what changed, when and why, and nothing vanishes from it. This room
must not decide how it is set right on a channel (`acts.py`, `amending.py`).
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from crosspost.ledger import book
from crosspost.queue import Doing, known, subject
from crosspost.tables import Announcement, Delivery, Revision

#: What an announcement that withdraws another one does to it (`Announcement.amend`).
WITHDRAWAL = "retracted"


def following(session: Session, number: int) -> list[Announcement]:
    """What sets announcement `number` right or withdraws it, and what does so to these, each after
    the one that it amends."""
    found = list(
        session.exec(
            select(Announcement)
            .where(col(Announcement.amends) == number)
            .order_by(col(Announcement.id))
        )
    )
    return [*found, *(later for one in found for later in following(session, known(one.id)))]


def tell(session: Session, delivery: Delivery, doing: Doing) -> None:
    """The entry of the original, with the first delivery of its amendment that is public."""
    number, _, code = subject(session, delivery.revision_id)
    amendment = session.get_one(Announcement, number)
    if amendment.amends is None or amendment.told_at is not None:
        return
    original = session.exec(
        select(Revision)
        .where(Revision.announcement_id == amendment.amends)
        .order_by(col(Revision.number).desc())
        .limit(1)
    ).one()
    amendment.told_at = doing.at
    session.add(amendment)
    session.flush()
    book.append(
        session,
        book.Act(
            kind=amendment.amend,
            by=doing.by,
            at=doing.at,
            announcement=original.announcement_id,
            revision=original.number,
            code=original.code,
            data={"amendment": number, "page": code},
            note=amendment.reason,
        ),
    )
