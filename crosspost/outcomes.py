"""What became of an attempt: begun, settled, postponed, refused, doubted, looked for, rescued.

Each function is one move of `queue.py` with what belongs to it: the receipt, the attempt's end, the
pause of a channel. It must not decide which of them is right (`retry.py`) or speak to platforms.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlmodel import Session, col, select

from crosspost import amended, queue, rests
from crosspost.acts import is_repeatable
from crosspost.delivery_parts import PARTLY, has_parts_left, public_parts, write_part
from crosspost.ledger import book
from crosspost.lifecycle import IN_HAND, Status, Verb
from crosspost.post import Receipt
from crosspost.prepared import Setting
from crosspost.queue import Doing
from crosspost.tables import Attempt, Delivery, Part
from crosspost.wording import t


def begin(session: Session, delivery: Delivery, part: Part, doing: Doing) -> None:
    """The intent, before the first byte: publishing, with the handle in the row. Once this is
    committed the post may be public, whatever happens next."""
    data = write_intent(session, part, doing)
    queue.move(session, delivery, Verb.BEGIN, doing, queue.Change(data=data))


def write_intent(session: Session, part: Part, doing: Doing) -> dict[str, Any]:
    """The part's side of it; what the ledger says of it. Its delivery is moved with it."""
    begun = part.begun_at or doing.at
    columns = {"handle": part.handle, "prepared": part.prepared, "begun_at": begun}
    write_part(session, part, columns)
    return {"part": part.position}


def settle_part(
    session: Session,
    delivery: Delivery,
    part: Part,
    receipt: Receipt,
    doing: Doing,
    *,
    last: bool | None = None,
) -> bool:
    """The platform's yes to one part is stored; True when the whole delivery is published by it.
    `last`: whether it is, where the caller knows all its parts.

    Also what evidence says of an unconfirmed one.
    """
    stored = {
        # what is edited or taken down keeps its id where it was published
        "remote_id": None if is_repeatable(delivery.act) else receipt.remote_id,
        "permalink": receipt.permalink,
        "extra": json.dumps(dict(receipt.extra)),
        "published_at": doing.at,
    }
    write_part(session, part, stored)
    found = delivery.status == Status.UNCONFIRMED
    if last is None:
        last = not has_parts_left(session, delivery)
    verb = (Verb.CONFIRM if found else Verb.PUBLISH) if last else Verb.NEXT_PART
    data = {"part": part.position, "remote_id": receipt.remote_id, "permalink": receipt.permalink}
    columns: dict[str, Any] = {"clean_looks": 0, "unclear_looks": 0}
    if last:
        columns |= {"outcome": "published", "reason": "", "not_before": None}
    queue.move(session, delivery, verb, doing, queue.Change(columns, data))
    if last:
        end_attempt(session, delivery, doing.at, "confirmed" if found else "published")
        if delivery.amends is not None:
            amended.tell(session, delivery, doing)
    if not found:  # evidence of an earlier post says nothing of how the channel is now
        rests.works(session, delivery.channel, doing.at)
    return last


@dataclass(frozen=True)
class Failure:
    """How an attempt failed: the error's kind, HTTP status and words (without secrets)."""

    kind: str
    words: str
    status: int | None = None

    @property
    def data(self) -> dict[str, Any]:
        """What of it enters the ledger: kind and status, not the words."""
        return {"outcome": self.kind, **({"http_status": self.status} if self.status else {})}


@dataclass(frozen=True)
class Health:
    """What a failure means for its channel: until when nothing is sent there, and whether it counts
    for the breaker (`jitter` is for that, in [0, 1])."""

    pause_until: datetime | None = None
    sick: bool = False
    jitter: float = 0.0


def postpone(
    session: Session,
    delivery: Delivery,
    until: datetime,
    failure: Failure,
    doing: Doing,
    *,
    health: Health = Health(),
) -> None:
    """It surely did not happen; it waits until then."""
    columns = {"not_before": until, "outcome": failure.kind, "reason": failure.words}
    data = {**failure.data, "until": book.stamp(until)}
    queue.move(session, delivery, Verb.POSTPONE, doing, queue.Change(columns, data))
    end_attempt(session, delivery, doing.at, failure.kind, failure)
    _note_health(session, delivery.channel, failure, doing, health)


def _note_health(
    session: Session, channel: str, failure: Failure, doing: Doing, health: Health
) -> None:
    if health.pause_until is not None:
        rests.pause(session, channel, health.pause_until, failure.words)
    if health.sick:
        rests.failed_again(session, channel, doing.at, health.jitter, failure.words)


def refuse(session: Session, delivery: Delivery, failure: Failure, doing: Doing) -> None:
    """A final no. Of a thread that is public in part it says so."""
    public = public_parts(session, delivery)
    words = f"{public.sentence} {failure.words}" if public.some else failure.words
    columns = {"outcome": PARTLY if public.some else failure.kind, "reason": words}
    change = queue.Change(columns, {**failure.data, **public.data})
    queue.move(session, delivery, Verb.REFUSE, doing, change)
    end_attempt(session, delivery, doing.at, failure.kind, failure)


def doubt(
    session: Session,
    delivery: Delivery,
    look_at: datetime,
    failure: Failure,
    doing: Doing,
    *,
    health: Health = Health(),
) -> None:
    """It may be public: nobody sends it again before there is evidence."""
    columns = {
        "not_before": look_at,
        "outcome": failure.kind,
        "reason": failure.words,
        "clean_looks": 0,
        "unclear_looks": 0,
    }
    queue.move(session, delivery, Verb.DOUBT, doing, queue.Change(columns, failure.data))
    end_attempt(session, delivery, doing.at, failure.kind, failure)
    _note_health(session, delivery.channel, failure, doing, health)


def alarm(session: Session, delivery: Delivery, reason: str, doing: Doing) -> None:
    """What would be sent is not what was approved: back to held, the approval is void."""
    public = public_parts(session, delivery)
    words = f"{public.sentence} {reason}" if public.some else reason
    columns = {"approved_digest": None, "outcome": "not_as_approved", "reason": words}
    queue.move(session, delivery, Verb.ALARM, doing, queue.Change(columns, public.data))
    end_attempt(session, delivery, doing.at, "not_as_approved", Failure("not_as_approved", reason))


def looked(
    session: Session,
    delivery: Delivery,
    *,
    clear: bool,
    next_look: datetime,
    words: str = "",
    pause: bool = False,
) -> None:
    """A look at an unconfirmed post that settled nothing yet. An unclear one breaks the row of
    clean ones. `pause`: the platform wants no call on this channel before the next look."""
    columns: dict[str, Any] = {"not_before": next_look}
    if clear:
        columns["clean_looks"] = delivery.clean_looks + 1
    else:
        columns |= {"clean_looks": 0, "unclear_looks": delivery.unclear_looks + 1}
        columns |= {"reason": words} if words else {}
    queue.rewrite(session, delivery, columns)
    if pause:
        rests.pause(session, delivery.channel, next_look, words)


def disprove(session: Session, delivery: Delivery, doing: Doing) -> None:
    """Evidence says that it is not public: it may be sent again."""
    columns = {"not_before": None, "clean_looks": 0, "unclear_looks": 0}
    data = {"looks": delivery.clean_looks + 1}
    queue.move(session, delivery, Verb.DISPROVE, doing, queue.Change(columns, data))


def repeat(session: Session, delivery: Delivery, doing: Doing) -> None:
    """The intent to send the same bytes under the same key again, to learn what became of them. It
    stays in doubt until an answer is there."""
    queue.move(session, delivery, Verb.REPEAT, doing)


def ask(session: Session, delivery: Delivery, reason: str, doing: Doing) -> None:
    """No evidence can be had: a person decides."""
    columns = {"not_before": None, "reason": reason}
    queue.move(session, delivery, Verb.ASK, doing, queue.Change(columns))


def question(session: Session, delivery: Delivery, reason: str, doing: Doing) -> None:
    """It may have been published by a history that is lost: a person decides."""
    prepared = delivery.status is Status.PREPARING
    columns = {"not_before": None, "outcome": "restored", "reason": reason}
    queue.move(session, delivery, Verb.QUESTION, doing, queue.Change(columns))
    if prepared:
        end_attempt(session, delivery, doing.at, "restored", Failure("restored", reason))


def rescue(
    session: Session, doing: Doing, channels: Collection[str] | None = None
) -> list[Delivery]:
    """Take over what a dead daemon had in hand: what was being prepared goes back to scheduled,
    what was being published is in doubt and looked for at once (absence counts only later). Only
    for the holder of the daemon's lock, or of the leases of these channels."""
    query = select(Delivery).where(col(Delivery.status).in_(list(IN_HAND)))
    if channels is not None:
        query = query.where(col(Delivery.channel).in_(channels))
    left = session.exec(query).all()
    failure = Failure("daemon_died", t("The daemon ended before the answer was known."))
    for delivery in left:
        if delivery.status == Status.PUBLISHING and not is_repeatable(delivery.act):
            doubt(session, delivery, doing.at, failure, doing)
        else:
            postpone(session, delivery, doing.at, failure, doing)
    return list(left)


def end_attempt(
    session: Session,
    delivery: Delivery,
    at: datetime,
    outcome: str,
    failure: Failure | None = None,
) -> None:
    """Write down how the latest attempt ended."""
    columns: dict[str, Any] = {"ended_at": at, "outcome": outcome}
    if failure is not None:
        columns |= {"message": failure.words, "http_status": failure.status}
    its = {"its_delivery_id": delivery.id, "its_number": delivery.attempts}
    row = ("attempt", delivery.id)
    _attempt(tuple(columns)).put(session, {**its, **columns}, row)


@cache
def _attempt(columns: tuple[str, ...]) -> Setting:
    return Setting(Attempt, columns, ("delivery_id", "number"))


def doubted_at(session: Session, delivery: Delivery) -> datetime | None:
    """When the latest attempt ended without a clear answer: no call of it was under way later."""
    return session.exec(
        select(Attempt.ended_at).where(
            Attempt.delivery_id == delivery.id, Attempt.number == delivery.attempts
        )
    ).first()
