"""When and whether what is queued goes out: reschedule, cancel, retry, resolve.

Each function is one act of a person: all of it in one transaction, or none of it. It must not send
anything, and writes no status itself (`queue.py` does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from crosspost import allowance, holds, queue
from crosspost.approvals import approve_again, void
from crosspost.config import Config
from crosspost.database import Database
from crosspost.errors import Conflict, NotFound
from crosspost.lifecycle import Status, status_word
from crosspost.people import require
from crosspost.policy import Deed
from crosspost.queue import Doing
from crosspost.revisions import current_revision
from crosspost.tables import Delivery, Revision
from crosspost.times import Moment
from crosspost.wording import t


@dataclass(frozen=True)
class Rescheduled:
    """The channels with another time, and whether they are approved for it already."""

    channels: tuple[str, ...]
    approved: bool


#: What can be rescheduled or cancelled, and what can be retried.
NOT_SENT = (Status.HELD, Status.SCHEDULED)
OVER = (Status.FAILED, Status.MISSED)


def possible(
    database: Database,
    config: Config,
    number: int,
    doing: Doing,
    deed: Deed,
    statuses: Sequence[Status],
    channels: Sequence[str] = (),
) -> list[str]:
    """The channels on which a deed would do something now: for the question before it. Raises
    Conflict and NotFound as the deed itself."""
    require(config, doing.by, deed)
    with database.read() as session:
        revision = current_revision(session, number)
        return [delivery.channel for delivery in _chosen(session, revision, channels, statuses)]


def reschedule(
    database: Database,
    config: Config,
    number: int,
    due: Moment,
    doing: Doing,
    *,
    channels: Sequence[str] = (),
) -> Rescheduled:
    """Another time for what is not sent yet. An approval binds the time, so it is void; where
    nobody else could give it, it is given in the name of who gave the time.

    Raises Conflict for a channel where it is too late, or when there is none left.
    """
    require(config, doing.by, Deed.PLAN)
    with database.write() as session:
        revision = current_revision(session, number)
        chosen = _chosen(session, revision, channels, NOT_SENT)
        not_after = due.utc + config.policy.grace(revision.urgency)
        again = [d for d in chosen if d.status is Status.SCHEDULED]
        for delivery in chosen:
            queue.reschedule(session, delivery, due, not_after, doing)
            allowance.require(session, config, delivery)
        void(session, revision, doing.at)
        names = tuple(delivery.channel for delivery in chosen)
        approved = bool(again) and approve_again(session, config, number, again, doing)
        return Rescheduled(names, approved)


def cancel(
    database: Database, config: Config, number: int, doing: Doing, *, channels: Sequence[str] = ()
) -> list[str]:
    """Take back what is not sent yet; returns the channels. Raises Conflict as `reschedule`."""
    require(config, doing.by, Deed.PLAN)
    with database.write() as session:
        revision = current_revision(session, number)
        chosen = _chosen(session, revision, channels, NOT_SENT)
        for delivery in chosen:
            queue.cancel(session, delivery, doing)
        return [delivery.channel for delivery in chosen]


def retry(
    database: Database, config: Config, number: int, doing: Doing, *, channels: Sequence[str] = ()
) -> list[str]:
    """Let failed and missed deliveries go out now; returns the channels. A paused channel is let
    go on too, since a person has looked at it. Raises Conflict as `reschedule`."""
    require(config, doing.by, Deed.RUN)
    with database.write() as session:
        revision = current_revision(session, number)
        chosen = _chosen(session, revision, channels, OVER)
        not_after = doing.at + config.policy.grace(revision.urgency)
        for delivery in chosen:
            queue.retry(session, delivery, not_after, doing)
            holds.unpause(session, delivery.channel)
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
    require(config, doing.by, Deed.RUN)
    with database.write() as session:
        revision = current_revision(session, number)
        [delivery] = _chosen(session, revision, [channel], (Status.REVIEW,))
        match finding:
            case Finding.PUBLISHED:
                queue.resolve_published(session, delivery, permalink, doing)
            case Finding.ABSENT:
                not_after = doing.at + config.policy.grace(revision.urgency)
                queue.resolve_absent(session, delivery, not_after, doing)
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
