"""Somebody's yes to an announcement, exactly as it will be sent.

All of an act in one transaction, or none of it. This room must not send anything, and writes no
status itself (`queue.py` does).
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crosspost import queue
from crosspost.config import Config
from crosspost.database import Approval, Database, Revision
from crosspost.errors import Conflict, TimeError
from crosspost.lifecycle import Status
from crosspost.people import require_approver
from crosspost.queue import Doing, known
from crosspost.revisions import current_revision
from crosspost.times import is_late, spoken
from crosspost.wording import language, t


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
        if not let_go(session, revision, doing):
            raise Conflict(
                t("There is nothing to approve in announcement {number}.", number=number),
                hint=t("Where it stands: crosspost show {number}", number=number),
            )
        return revision


def let_go(session: Session, revision: Revision, doing: Doing) -> bool:
    waiting = [d for d in queue.deliveries_of(session, revision) if d.status is Status.HELD]
    if not waiting:
        return False
    session.add(Approval(revision_id=known(revision.id), by=doing.by, at=doing.at))
    session.flush()
    for delivery in waiting:
        queue.approve(session, delivery, doing)
    return True


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
