"""A month's deliveries, read from the queue; approvals and changes, read from the record.

It only reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from crosspost.config import Config
from crosspost.errors import UsageError
from crosspost.reports.figures import Report, Row, report
from crosspost.tables import Approval, Delivery, LedgerEntry, Part, Revision
from crosspost.wording import t


@dataclass(frozen=True)
class Month:
    """A calendar month of the office: "2026-11", from `begins` until before `ends` (aware)."""

    name: str
    begins: datetime
    ends: datetime


def month_of(words: str, zone: str) -> Month:
    """The month "2026-11" in that zone. Raises UsageError."""
    try:
        first = datetime.strptime(words, "%Y-%m").replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise UsageError(
            t('"{month}" is no month.', month=words), hint=t('Write it like "2026-11".')
        ) from error
    after = (first + timedelta(days=32)).replace(day=1)
    return Month(f"{first:%Y-%m}", first.astimezone(UTC), after.astimezone(UTC))


def present_month(zone: str, now: datetime) -> str:
    """The month that runs, in that zone."""
    return f"{now.astimezone(ZoneInfo(zone)):%Y-%m}"


def gather(session: Session, config: Config, month: Month) -> Report:
    """The month's report."""
    return report(
        rows(session, month),
        month=month.name,
        office=config.office.name,
        zone=config.office.zone,
        approvals=_approvers(session, month),
        corrected=_changed(session, month, "corrected"),
        withdrawn=_changed(session, month, "retracted"),
    )


def rows(session: Session, month: Month) -> list[Row]:
    """Every delivery that was planned for the month, by time."""
    published = (
        select(Part.delivery_id, func.max(Part.published_at).label("at"))
        .group_by(col(Part.delivery_id))
        .subquery()
    )
    approved = (
        select(Approval.revision_id, func.min(Approval.at).label("at"))
        .group_by(col(Approval.revision_id))
        .subquery()
    )
    query = (
        select(Delivery, Revision, published.c.at, approved.c.at)
        .join(Revision, col(Revision.id) == col(Delivery.revision_id))
        .join(published, published.c.delivery_id == Delivery.id, isouter=True)
        .join(approved, approved.c.revision_id == Revision.id, isouter=True)
        .where(Delivery.due_at >= month.begins, Delivery.due_at < month.ends)
        .order_by(col(Delivery.due_at), col(Delivery.id))
    )
    return [
        Row(
            announcement=revision.announcement_id,
            title=revision.title,
            source=revision.source,
            urgency=revision.urgency,
            channel=delivery.channel,
            status=delivery.status,
            due=delivery.due_at,
            queued=revision.created_at,
            approved=yes,
            published=public,
        )
        for delivery, revision, public, yes in session.exec(query)
    ]


def _approvers(session: Session, month: Month) -> Iterator[str]:
    query = select(Approval.by).where(Approval.at >= month.begins, Approval.at < month.ends)
    yield from session.exec(query)


def _changed(session: Session, month: Month, kind: str) -> int:
    """How many announcements the record says were changed in this way."""
    query = select(func.count(func.distinct(LedgerEntry.announcement_id))).where(
        LedgerEntry.kind == kind, LedgerEntry.at >= month.begins, LedgerEntry.at < month.ends
    )
    return session.exec(query).one()
