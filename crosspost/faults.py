"""A fault of ours in a worker becomes a decision about what that worker had in hand.

Before the publish call began it is postponed, after that it is in doubt, and a look that failed is
no evidence. So no delivery stays in hand of nobody until the next start. This room must not decide
more than `retry.py` does, and never speaks to a platform: what has just failed may fail again.
"""

from __future__ import annotations

import logging

from sqlmodel import Session

from crosspost import outcomes, retry
from crosspost.acts import is_repeatable
from crosspost.lifecycle import IN_HAND, Status
from crosspost.outcomes import Failure
from crosspost.queue import Stale
from crosspost.tables import Delivery
from crosspost.wording import t
from crosspost.workbench import Workbench, failure_of


def settle_fault(bench: Workbench, delivery: Delivery, error: Exception) -> None:
    """Decide about `delivery`, as it was handed to the worker that ended with `error`.

    Somebody else's by now (another fence), or at its end already: then nothing is changed.
    """
    failure = failure_of(error)
    row = bench.clerk.do(lambda session: session.get(Delivery, delivery.id))
    if row is None or row.fence != delivery.fence or isinstance(error, Stale):
        return
    try:
        row = _decided(bench, row, failure, error)
    except Stale:
        return  # moved by somebody else meanwhile: theirs to decide
    words = {
        Status.SCHEDULED: t("not sent, will be tried again: {reason}", reason=failure.words),
        Status.UNCONFIRMED: t("unconfirmed, do not post by hand: {reason}", reason=failure.words),
    }.get(row.status, failure.words)
    bench.say(logging.ERROR, "fault", row, words, outcome=failure.kind)


def _decided(bench: Workbench, row: Delivery, failure: Failure, error: Exception) -> Delivery:
    if row.status in IN_HAND:
        return _ended(bench, row, failure, error)
    if row.status is Status.UNCONFIRMED:
        return _not_seen(bench, row, failure)
    return row


def _ended(bench: Workbench, row: Delivery, failure: Failure, error: Exception) -> Delivery:
    decision = retry.after_failure(
        error,
        publishing=row.status is Status.PUBLISHING and not is_repeatable(row.act),
        attempt=row.attempts,
        now=bench.now(),
        jitter=bench.jitter(),
        settle=retry.LOOK_GAP,
    )

    def change(session: Session, found: Delivery) -> None:
        match decision:
            case retry.Postpone(at=at):
                outcomes.postpone(session, found, at, failure, bench.doing())
            case retry.Doubt(at=at):
                outcomes.doubt(session, found, at, failure, bench.doing())
            case retry.GiveUp():
                outcomes.refuse(session, found, failure, bench.doing())

    return bench.store(row, change)


def _not_seen(bench: Workbench, row: Delivery, failure: Failure) -> Delivery:
    now = bench.now()

    def change(session: Session, found: Delivery) -> None:
        doubted = outcomes.doubted_at(session, found) or now
        seen = retry.Look(found=False, clear=False, clean_looks=0, doubted=doubted)
        match retry.after_look(seen, now=now, settle=retry.LOOK_GAP):
            case retry.LookAgain(at=at):
                words = failure.words
                outcomes.looked(session, found, clear=False, next_look=at, words=words)
            case _:
                outcomes.ask(session, found, failure.words, bench.doing())

    return bench.store(row, change)
