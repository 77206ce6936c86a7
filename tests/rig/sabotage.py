"""Bad designs, planted: each must be caught by the rig or the simulation, or those prove nothing.

Each takes `patch(owner, name, value)`, so that a test can undo it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm.attributes import set_committed_value

from crosspost import outcomes, publisher, queue, retry
from crosspost.database import Delivery, Part, table

Patch = Callable[[Any, str, Any], None]


def mark_after_posting(patch: Patch = setattr) -> None:
    """Take it, post it, then write that it was begun: as most queues do."""
    settle, failed = publisher.settle, publisher._failed

    def begun(run, index, outgoing):
        run.parts[index].handle = json.dumps(dict(outgoing.handle))
        return outgoing

    def mark(bench, delivery, part):
        def change(session, row):
            outcomes.begin(session, row, Part(**part.model_dump()), bench.doing())

        return bench.store(delivery, change)

    def settle_late(bench, delivery, part, receipt):
        return settle(bench, mark(bench, delivery, part), part, receipt)

    def failed_late(bench, delivery, part, error, *, settle, publishing):
        if publishing:
            delivery = mark(bench, delivery, part)
        failed(bench, delivery, part, error, settle=settle, publishing=publishing)

    patch(publisher._Run, "_begun", begun)
    patch(publisher, "settle", settle_late)
    patch(publisher, "_failed", failed_late)


def settle_at_once(patch: Patch = setattr) -> None:
    """What two looks do not find is not there, however soon after the call."""
    after_look, after_failure = retry.after_look, retry.after_failure
    none = timedelta(0)
    patch(retry, "after_look", lambda *a, **k: after_look(*a, **{**k, "settle": none}))
    patch(retry, "after_failure", lambda *a, **k: after_failure(*a, **{**k, "settle": none}))


def ignore_fences(patch: Patch = setattr) -> None:
    """Whoever writes last is right."""
    its = table(Delivery)

    def rewrite(session, delivery, columns):
        session.execute(update(its).where(its.c.id == delivery.id).values(**columns))
        for name, value in columns.items():
            set_committed_value(delivery, name, value)

    patch(queue, "rewrite", rewrite)


SABOTAGES: dict[str, Callable[..., None]] = {
    "mark_after_posting": mark_after_posting,
    "settle_at_once": settle_at_once,
    "ignore_fences": ignore_fences,
}
