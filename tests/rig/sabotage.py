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

from crosspost import database, outcomes, publisher, queue, retry, sharing
from crosspost.leases import SharedLeases
from crosspost.tables import Delivery, table

Patch = Callable[[Any, str, Any], None]


def mark_after_posting(patch: Patch = setattr) -> None:
    """Take it, post it, then write that it was begun: as most queues do."""

    def publish_part(run, index):
        part = run.parts[index]
        try:
            run._prepare(part)
        except Exception as error:  # noqa: BLE001 - as in the original
            return run._failed(part, error, publishing=False)
        try:
            outgoing = run._outgoing(part, json.loads(part.handle))
            receipt = run.adapter.publish(outgoing)
        except Exception as error:  # noqa: BLE001 - as in the original
            mark(run, part)
            return run._failed(part, error, publishing=True)
        mark(run, part)
        last = index == len(run.parts) - 1
        return publisher.settle(run.bench, run.delivery, part, receipt, last=last)

    def mark(run, part):
        doing = run.bench.doing()
        run.bench.store(run.delivery, lambda s, row: outcomes.begin(s, row, part, doing))

    patch(publisher, "_handle_at_once", lambda _bench, _claimed, _part: None)
    patch(publisher._Run, "_publish_part", publish_part)


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


def ignore_leases(patch: Patch = setattr) -> None:
    """Every daemon works every channel, and whoever writes last is right."""
    ignore_fences(patch)
    patch(sharing, "others_at_work", lambda _session, _holder: set())
    patch(SharedLeases, "take", lambda _leases, channels: list(channels))
    patch(SharedLeases, "guard", lambda _leases, _session, _channel: None)
    patch(SharedLeases, "holds", lambda _leases, _channel: True)


def trust_the_disk(patch: Patch = setattr) -> None:
    """A commit is not waited for until it is on the disk: faster, until the power fails."""
    prepare = database._prepare_sqlite

    def prepare_lazily(connection, record):
        prepare(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    patch(database, "_prepare_sqlite", prepare_lazily)


#: Those that the rig or the simulation must catch; `trust_the_disk` is for `power_loss.py`.
SABOTAGES: dict[str, Callable[..., None]] = {
    "mark_after_posting": mark_after_posting,
    "settle_at_once": settle_at_once,
    "ignore_fences": ignore_fences,
    "ignore_leases": ignore_leases,
}
