"""What the office said lately or is about to say, for the check of repeated words.

Reads only. It must not judge: whether two texts are the same is decided in `checks`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from crosspost.checks import Checks, Earlier, Level
from crosspost.lifecycle import Status
from crosspost.tables import Delivery, Revision

#: So many announcements are compared, the newest.
MOST = 300
_NEVER_OUT = (Status.CANCELLED, Status.FAILED, Status.MISSED)


def earlier(
    session: Session, settings: Checks, due: datetime, *, but: int | None = None
) -> tuple[Earlier, ...]:
    """Announcements that are published, or queued, for a time within `repeat_days` of `due`.

    `but`: the announcement that is being edited.
    """
    if settings.repeated is Level.OFF:
        return ()
    reach = timedelta(days=settings.repeat_days)
    spoken = select(Delivery.revision_id).where(
        col(Delivery.status).not_in(_NEVER_OUT),
        col(Delivery.due_at).between(due - reach, due + reach),
    )
    rows = session.exec(
        select(Revision)
        .where(col(Revision.id).in_(spoken))
        .where(col(Revision.announcement_id) != (but or 0))
        .order_by(col(Revision.id).desc())
        .limit(MOST)
    )
    return tuple(Earlier(row.announcement_id, row.title, row.body) for row in rows)
