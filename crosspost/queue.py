"""The queue of deliveries: enqueue, approve, claim, cancel, miss. The only writer of a status.

Every change of status goes through `move`: a guarded UPDATE (id, status and fence must still be
what was read) and its ledger entry, in the caller's transaction. This room must not speak to
platforms, read clocks or decide on retries; it is told what happened, by whom, and when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlmodel import Session, col, select

from crosspost import agenda, rests
from crosspost.acts import Act
from crosspost.binding import bound, keep
from crosspost.delivery_parts import PARTLY, PublicParts, parts_of, public_parts, write_part
from crosspost.errors import Conflict, NotFound
from crosspost.ledger import book
from crosspost.ledger.hashing import salted_digest
from crosspost.lifecycle import ENDED, GIVEN_UP, Status, Verb, status_word, target
from crosspost.post import Post, to_json
from crosspost.prepared import Prepared, Setting, inserting
from crosspost.tables import Attempt, Delivery, Part, Revision
from crosspost.times import Moment
from crosspost.wording import t

#: So many revisions' numbers and codes are remembered; then they are read again.
REMEMBERED = 1_000


@dataclass(frozen=True)
class Doing:
    """Who does something, when (aware), and why in a person's words."""

    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class Change:
    """What a move writes besides the status: columns of the row, and data for the ledger entry."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


class Stale(Conflict):
    """The delivery is not what it was when it was read: somebody else moved it meanwhile."""


# --- entering -------------------------------------------------------------------------------------


def enqueue(
    session: Session,
    revision: Revision,
    channel: str,
    posts: Sequence[Post],
    *,
    due: Moment,
    not_after: datetime,
    waits_for: int | None,
    doing: Doing,
    act: str = Act.PUBLISH,
    amends: int | None = None,
) -> Delivery:
    """Put one revision into the queue of one channel, held until it is approved. `amends` is the
    delivery that an act other than publishing is done to."""
    payloads = [to_json(post) for post in posts]
    delivery = Delivery(
        revision_id=known(revision.id),
        channel=channel,
        act=act,
        amends=amends,
        status=Status.HELD,
        due_at=due.utc,
        wall=due.wall,
        zone=due.zone,
        urgent=revision.urgency == "urgent",
        not_after=not_after,
        waits_for=waits_for,
        render_digest=salted_digest(revision.salt, payloads),
    )
    session.add(delivery)
    session.flush()
    for position, payload in enumerate(payloads):
        session.add(
            Part(
                delivery_id=known(delivery.id),
                position=position,
                channel=channel,
                payload=json.dumps(payload, ensure_ascii=False),
            )
        )
    session.flush()
    data: dict[str, Any] = {"due": book.stamp(due.utc), "wall": due.wall, "zone": due.zone}
    if amends is not None:
        data |= {"act": str(act), "amends": amends}
    _record(session, delivery, "queued", doing, data, digest=delivery.render_digest)
    return delivery


# --- the one writer -------------------------------------------------------------------------------


def move(
    session: Session, delivery: Delivery, verb: Verb, doing: Doing, change: Change | None = None
) -> None:
    """Do `verb` to `delivery`: the row, then its ledger entry. `delivery` is brought up to date.

    Raises Conflict when it is no legal move, Stale when the row has changed since it was read.
    """
    moves(session, delivery, [(verb, change or Change())], doing)


def moves(
    session: Session, delivery: Delivery, steps: Sequence[tuple[Verb, Change]], doing: Doing
) -> None:
    """Several moves, one after the other, in one: each has its ledger entry. Raises as `move`."""
    columns: dict[str, Any] = {}
    path = [delivery.status]
    for verb, change in steps:
        after = target(path[-1], verb)
        if after is None:
            raise Conflict(
                t(
                    "This delivery is {status}; that is not possible now.",
                    status=status_word(path[-1]),
                ),
                hint=t(
                    "Its story: crosspost why {number}", number=announcement_of(session, delivery)
                ),
            )
        path.append(after)
        columns |= change.columns
    columns["status"] = path[-1]
    if path[-1] in ENDED:
        columns["ended_at"] = doing.at
    rewrite(session, delivery, columns)
    for (verb, change), before, after in zip(steps, path, path[1:], strict=False):
        data = {"from": before.value, "to": after.value, "fence": delivery.fence, **change.data}
        digest = delivery.render_digest if after is Status.PUBLISHED else None
        _record(session, delivery, verb.value, doing, data, digest)


def _record(
    session: Session,
    delivery: Delivery,
    kind: str,
    doing: Doing,
    data: Mapping[str, Any],
    digest: str | None = None,
) -> None:
    announcement, number, code = subject(session, delivery.revision_id)
    book.append(
        session,
        book.Act(
            kind=kind,
            by=doing.by,
            at=doing.at,
            announcement=announcement,
            revision=number,
            code=code,
            delivery=delivery.id,
            channel=delivery.channel,
            digest=digest,
            data=data,
            note=doing.note,
        ),
    )


# --- moves of people ------------------------------------------------------------------------------


def approve(session: Session, delivery: Delivery, doing: Doing) -> None:
    """A person said yes to exactly what is rendered, for that time (`binding.py`)."""
    revision = session.get_one(Revision, delivery.revision_id)
    found = bound(session, revision)
    keep(session, revision, found)
    data = {"render": delivery.render_digest, "approval": found.digest}
    move(session, delivery, Verb.APPROVE, doing, Change({"approved_digest": found.digest}, data))


def return_(session: Session, delivery: Delivery, doing: Doing) -> None:
    """Its approval is void; it waits for another."""
    move(session, delivery, Verb.RETURN, doing, Change({"approved_digest": None}))


def cancel(session: Session, delivery: Delivery, doing: Doing) -> None:
    """A person, or a newer revision, takes it back before it is sent. What is left of a thread that
    is public in part is given up, which is a failure, so that somebody sees to the rest."""
    public = public_parts(session, delivery)
    verb = Verb.CANCEL
    columns: dict[str, Any] = {}
    if public.some:
        columns = {"not_before": None, "outcome": PARTLY, "reason": public.sentence}
        if delivery.status is Status.SCHEDULED:
            verb = Verb.GIVE_UP
    move(session, delivery, verb, doing, Change(columns, public.data))


def reschedule(
    session: Session, delivery: Delivery, due: Moment, not_after: datetime, doing: Doing
) -> None:
    """Another time for a delivery that is still held or scheduled; an approval binds the time, so
    it is held afterwards. Raises Conflict otherwise."""
    if delivery.status not in (Status.HELD, Status.SCHEDULED):
        raise Conflict(
            t(
                "On {channel} it is {status} already; its time cannot be changed.",
                channel=delivery.channel,
                status=status_word(delivery.status),
            )
        )
    if delivery.status is Status.SCHEDULED:
        return_(session, delivery, Doing(doing.by, doing.at))
    rewrite(
        session,
        delivery,
        {
            "due_at": due.utc,
            "wall": due.wall,
            "zone": due.zone,
            "not_after": not_after,
            "not_before": None,
        },
    )
    data = {"due": book.stamp(due.utc), "wall": due.wall, "zone": due.zone}
    _record(session, delivery, "rescheduled", doing, data)


def retry(session: Session, delivery: Delivery, not_after: datetime, doing: Doing) -> None:
    """A person lets a failed or missed delivery go out after all, until `not_after`."""
    change = Change(_anew(not_after), {"not_after": book.stamp(not_after)})
    move(session, delivery, Verb.RETRY, doing, change)


def resolve_published(session: Session, delivery: Delivery, permalink: str, doing: Doing) -> None:
    """A person saw that it is public, at `permalink` ("" when it has no address there)."""
    parts = parts_of(session, delivery)
    left = [part for part in parts if part.published_at is None]
    public = PublicParts(len(parts) - len(left) + 1, len(parts), permalink)
    data: dict[str, Any] = {"permalink": permalink} if permalink else {}
    if public.some:  # of a thread: without the platform's id nothing can be tied to this part
        columns = {"outcome": PARTLY, "reason": public.sentence, "not_before": None}
        move(session, delivery, Verb.GIVE_UP, doing, Change(columns, data | public.data))
    else:
        columns = {"outcome": "published", "reason": "", "not_before": None}
        move(session, delivery, Verb.RESOLVE_PUBLISHED, doing, Change(columns, data))
    write_part(session, left[0], {"permalink": permalink, "published_at": doing.at})


def resolve_absent(session: Session, delivery: Delivery, not_after: datetime, doing: Doing) -> None:
    """A person saw that it is not public: it may be sent again, until `not_after`."""
    change = Change(_anew(not_after), {"not_after": book.stamp(not_after)})
    move(session, delivery, Verb.RESOLVE_ABSENT, doing, change)


def give_up(session: Session, delivery: Delivery, doing: Doing) -> None:
    """A person saw that it is not public, or the rest of a thread, and leaves it so."""
    public = public_parts(session, delivery)
    columns = {"not_before": None, "outcome": GIVEN_UP}
    if public.some:
        columns["reason"] = public.sentence
    move(session, delivery, Verb.GIVE_UP, doing, Change(columns, public.data))


def _anew(not_after: datetime) -> dict[str, Any]:
    """The columns of a delivery that a person lets go out at once. Its time, long past, stays: it
    is what was approved."""
    return {
        "not_after": not_after,
        "not_before": None,
        "clean_looks": 0,
        "unclear_looks": 0,
        "ended_at": None,
        "outcome": "",
        "reason": "",
    }


def rewrite(session: Session, delivery: Delivery, columns: Mapping[str, Any]) -> None:
    """Columns of a row that must still be what was read: same status, same fence. `delivery` is
    brought up to date. A status among them comes from `moves` alone. Raises Stale; where writes
    are gathered (`prepared.py`), Unmatched is raised later instead."""
    its = {"its_id": delivery.id, "its_status": delivery.status, "its_fence": delivery.fence}
    row = ("delivery", delivery.id)
    if not _guarded(tuple(columns)).put(session, {**its, **columns}, row):
        raise Stale(
            t("This delivery was changed by somebody else meanwhile."),
            hint=t("Look at it again, then decide."),
        )
    vars(delivery).update(columns)


@cache
def _guarded(columns: tuple[str, ...]) -> Prepared:
    return Setting(Delivery, columns, ("id", "status", "fence"))


# --- moves of the daemon --------------------------------------------------------------------------


def claim(
    session: Session, busy: Iterable[str], doing: Doing, spacing: timedelta = timedelta()
) -> list[Delivery]:
    """Take the next due delivery of each channel that is free, oldest first: preparing, with a new
    fence and a new attempt. `busy` names the channels that are at work already; `spacing` is the
    least distance on a channel after one of a backlog."""
    due = [session.get_one(Delivery, row.id) for row in agenda.due(session, doing.at, busy)]
    for delivery in due:
        take(session, delivery, doing, spacing)
    return due


def take(
    session: Session,
    delivery: Delivery,
    doing: Doing,
    spacing: timedelta = timedelta(),
    begun: Mapping[str, Any] | None = None,
) -> None:
    """Take a due delivery: preparing, with a new fence and a new attempt; with `begun`, what the
    ledger says of that, its intent as well: publishing."""
    columns = {
        "fence": delivery.fence + 1,
        "attempts": delivery.attempts + 1,
        "claimed_by": doing.by,
        "claimed_at": doing.at,
        "not_before": None,
    }
    steps = [(Verb.CLAIM, Change(columns, {"attempt": delivery.attempts + 1}))]
    if begun is not None:
        steps.append((Verb.BEGIN, Change(data=begun)))
    moves(session, delivery, steps, doing)
    attempt = {
        "delivery_id": delivery.id,
        "number": delivery.attempts,
        "fence": delivery.fence,
        "by": doing.by,
        "started_at": doing.at,
        "outcome": "",
        "message": "",
    }
    _ATTEMPTED.put(session, attempt, ("attempt", delivery.id))
    rests.space(session, delivery, doing.at, spacing)


_ATTEMPTED = Prepared(
    inserting(Attempt, "delivery_id", "number", "fence", "by", "started_at", "outcome", "message")
)


def miss(session: Session, doing: Doing) -> list[Delivery]:
    """End every scheduled delivery whose latest time has passed; none while the clock that says so
    is not believed."""
    late = agenda.late(session, doing.at)
    for delivery in late:
        public = public_parts(session, delivery)
        reason = delivery.reason or _why_late(session, delivery)
        columns = {"outcome": delivery.outcome or "late", "reason": reason}
        if public.some:
            columns = {"outcome": PARTLY, "reason": f"{public.sentence} {reason}"}
        move(session, delivery, Verb.MISS, doing, Change(columns, public.data))
    return late


def _why_late(session: Session, delivery: Delivery) -> str:
    if delivery.waits_for is not None:
        page = session.get_one(Delivery, delivery.waits_for)
        if page.status != Status.PUBLISHED:
            return t("Its page on the site was not published.")
    return t("The daemon was not running, or the channel was busy or on hold, at its time.")


# --- rows -----------------------------------------------------------------------------------------


def deliveries_of(session: Session, revision: Revision) -> list[Delivery]:
    """The deliveries of a revision in the order of their making."""
    query = select(Delivery).where(Delivery.revision_id == revision.id).order_by(col(Delivery.id))
    return list(session.exec(query))


def get_delivery(session: Session, number: int) -> Delivery:
    """The delivery with this id. Raises NotFound."""
    delivery = session.get(Delivery, number)
    if delivery is None:
        raise NotFound(t("There is no delivery {number}.", number=number))
    return delivery


def announcement_of(session: Session, delivery: Delivery) -> int:
    """The number of the announcement that a delivery belongs to."""
    return subject(session, delivery.revision_id)[0]


def subject(session: Session, revision_id: int) -> tuple[int, int, str]:
    """Announcement, number and code of a revision, from the clerk's memory where there is one."""
    remembered: dict[int, tuple[int, int, str]] = session.info.get("subjects", {})
    if len(remembered) >= REMEMBERED:
        remembered.clear()
    if revision_id not in remembered:
        revision = session.get_one(Revision, revision_id)
        remembered[revision_id] = (revision.announcement_id, revision.number, revision.code)
    return remembered[revision_id]


def known(number: int | None) -> int:
    if number is None:
        raise ValueError("the row has not been written yet")
    return number
