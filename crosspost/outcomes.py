"""What became of an attempt: begun, settled, postponed, refused, doubted, looked for, rescued.

Each function is one move of `queue.py` with what belongs to it: the receipt, the attempt's end, the
pause of a channel. It must not decide which of them is right (`retry.py`) or speak to platforms.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from crosspost import queue
from crosspost.database import Attempt, Delivery, Part, table
from crosspost.ledger import book
from crosspost.lifecycle import IN_HAND, Status, Verb
from crosspost.post import Receipt
from crosspost.prepared import Prepared, setting
from crosspost.queue import Doing
from crosspost.wording import t


def begin(session: Session, delivery: Delivery, part: Part, doing: Doing) -> None:
    """The intent, before the first byte: publishing, with the handle in the row. Once this is
    committed the post may be public, whatever happens next."""
    begun = part.begun_at or doing.at
    columns = {"handle": part.handle, "prepared": part.prepared, "begun_at": begun}
    queue.write_part(session, part, columns)
    queue.move(session, delivery, Verb.BEGIN, doing, queue.Change(data={"part": part.position}))


def settle_part(
    session: Session, delivery: Delivery, part: Part, receipt: Receipt, doing: Doing
) -> bool:
    """The platform's yes to one part is stored; True when the whole delivery is published by it.

    Also what evidence says of an unconfirmed one.
    """
    stored = {
        "remote_id": receipt.remote_id,
        "permalink": receipt.permalink,
        "extra": json.dumps(dict(receipt.extra)),
        "published_at": doing.at,
    }
    queue.write_part(session, part, stored)
    found = delivery.status == Status.UNCONFIRMED
    last = not queue.has_parts_left(session, delivery)
    verb = (Verb.CONFIRM if found else Verb.PUBLISH) if last else Verb.NEXT_PART
    data = {"part": part.position, "remote_id": receipt.remote_id, "permalink": receipt.permalink}
    columns: dict[str, Any] = {"clean_looks": 0, "unclear_looks": 0}
    if last:
        columns |= {"outcome": "published", "reason": "", "not_before": None}
    queue.move(session, delivery, verb, doing, queue.Change(columns, data))
    if last:
        end_attempt(session, delivery, doing.at, "confirmed" if found else "published")
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


def postpone(
    session: Session,
    delivery: Delivery,
    until: datetime,
    failure: Failure,
    doing: Doing,
    *,
    pause_channel: bool = False,
) -> None:
    """It surely did not happen; it waits until then, and its whole channel too if so decided."""
    columns = {"not_before": until, "outcome": failure.kind, "reason": failure.words}
    data = {**failure.data, "until": book.stamp(until)}
    queue.move(session, delivery, Verb.POSTPONE, doing, queue.Change(columns, data))
    end_attempt(session, delivery, doing.at, failure.kind, failure)
    if pause_channel:
        queue.pause(session, delivery.channel, until, failure.words)


def refuse(session: Session, delivery: Delivery, failure: Failure, doing: Doing) -> None:
    """A final no."""
    columns = {"outcome": failure.kind, "reason": failure.words}
    queue.move(session, delivery, Verb.REFUSE, doing, queue.Change(columns, failure.data))
    end_attempt(session, delivery, doing.at, failure.kind, failure)


def doubt(
    session: Session, delivery: Delivery, look_at: datetime, failure: Failure, doing: Doing
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


def alarm(session: Session, delivery: Delivery, reason: str, doing: Doing) -> None:
    """What would be sent is not what was approved: back to held, the approval is void."""
    columns = {"approved_digest": None, "outcome": "not_as_approved", "reason": reason}
    queue.move(session, delivery, Verb.ALARM, doing, queue.Change(columns))
    end_attempt(session, delivery, doing.at, "not_as_approved", Failure("not_as_approved", reason))


def looked(
    session: Session, delivery: Delivery, *, clear: bool, next_look: datetime, words: str = ""
) -> None:
    """A look at an unconfirmed post that settled nothing yet. An unclear one breaks the row of
    clean ones."""
    columns: dict[str, Any] = {"not_before": next_look}
    if clear:
        columns["clean_looks"] = delivery.clean_looks + 1
    else:
        columns |= {"clean_looks": 0, "unclear_looks": delivery.unclear_looks + 1}
        columns |= {"reason": words} if words else {}
    queue.rewrite(session, delivery, columns)


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


def rescue(session: Session, doing: Doing) -> list[Delivery]:
    """Take over what a dead daemon had in hand: what was being prepared goes back to scheduled,
    what was being published is in doubt and looked for at once (absence counts only later). Only
    for the holder of the daemon's lock."""
    left = session.exec(select(Delivery).where(col(Delivery.status).in_(list(IN_HAND)))).all()
    failure = Failure("daemon_died", t("The daemon ended before the answer was known."))
    for delivery in left:
        if delivery.status == Status.PUBLISHING:
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
    its = {"its_delivery": delivery.id, "its_number": delivery.attempts}
    _attempt(tuple(columns)).run(session, {**its, **columns})


@cache
def _attempt(columns: tuple[str, ...]) -> Prepared:
    its = table(Attempt).c
    latest = (its.delivery_id == bindparam("its_delivery"), its.number == bindparam("its_number"))
    return Prepared(setting(Attempt, columns).where(*latest))


def doubted_at(session: Session, delivery: Delivery) -> datetime | None:
    """When the latest attempt ended without a clear answer: no call of it was under way later."""
    return session.exec(
        select(Attempt.ended_at).where(
            Attempt.delivery_id == delivery.id, Attempt.number == delivery.attempts
        )
    ).first()
