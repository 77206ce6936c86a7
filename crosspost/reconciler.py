"""One unconfirmed delivery to its evidence: is the post public, or is it not?

What an answer means is decided by `retry.before_look` and `retry.after_look`; here the platform is
asked and the decision carried out. Nothing is ever published from this room.
"""

from __future__ import annotations

import json
import logging

from crosspost import outcomes, queue, retry
from crosspost.adapters import Adapter
from crosspost.database import Delivery, Part
from crosspost.errors import UserError
from crosspost.post import Outgoing, Receipt
from crosspost.publisher import settle
from crosspost.wording import t
from crosspost.workbench import Workbench, failure_of


def look(bench: Workbench, delivery: Delivery) -> None:
    """Look once for an unconfirmed delivery, as its adapter can, and settle what can be settled."""
    parts = bench.clerk.do(lambda session: queue.parts_of(session, delivery))
    part = next(part for part in parts if part.remote_id is None)
    begun = part.begun_at or bench.now()
    receipt: Receipt | None = None
    words = ""
    try:
        adapter = bench.adapter(delivery.channel)
    except UserError as error:
        words = str(error)
        seen = retry.Look(found=False, clear=False, clean_looks=0, begun=begun)
        decision = retry.after_look(seen, now=bench.now(), settle=retry.LOOK_GAP)
    else:
        can = adapter.capabilities
        first = retry.before_look(
            can.reconcile, begun=begun, now=bench.now(), key_window=can.key_window
        )
        if first is None:
            outgoing = bench.outgoing(parts, part, json.loads(part.handle or "{}"))
            receipt, clear, words = _find(adapter, outgoing)
            clean = delivery.clean_looks + 1 if clear else 0
            seen = retry.Look(receipt is not None, clear, clean, begun)
            decision = retry.after_look(seen, now=bench.now(), settle=can.settle)
        else:
            decision = first
    _carry_out(bench, delivery, part, receipt, decision, words)


def _find(adapter: Adapter, outgoing: Outgoing) -> tuple[Receipt | None, bool, str]:
    """What a look told: the receipt, whether the answer was clear, and the words if it was not."""
    try:
        return adapter.find(outgoing), True, ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no evidence
        return None, False, failure_of(error).words


def _carry_out(
    bench: Workbench,
    delivery: Delivery,
    part: Part,
    receipt: Receipt | None,
    decision: retry.AfterLook,
    words: str,
) -> None:
    doing = bench.doing()
    match decision:
        case retry.Confirm() if receipt is not None:
            settle(bench, delivery, part, receipt)
        case retry.Disprove():
            delivery = bench.store(delivery, lambda s, row: outcomes.disprove(s, row, doing))
            bench.say(
                logging.WARNING, "disproved", delivery, t("it is not public; it is sent again")
            )
        case retry.Repeat():
            delivery = bench.store(delivery, lambda s, row: outcomes.repeat(s, row, doing))
            bench.say(
                logging.WARNING, "repeated", delivery, t("it is sent again under the same key")
            )
        case retry.LookAgain(at=at):
            bench.store(
                delivery,
                lambda s, row: outcomes.looked(s, row, clear=not words, next_look=at, words=words),
            )
        case _:
            reason = _why_a_person(delivery, words)
            delivery = bench.store(delivery, lambda s, row: outcomes.ask(s, row, reason, doing))
            bench.say(logging.ERROR, "review", delivery, reason)


def _why_a_person(delivery: Delivery, words: str) -> str:
    return t(
        "Nobody but a person can tell whether it is public on {channel}: {reason}",
        channel=delivery.channel,
        reason=words or delivery.reason,
    )
