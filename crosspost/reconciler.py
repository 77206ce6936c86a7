"""One unconfirmed delivery to its evidence: is the post public, or is it not?

What an answer means is decided by `retry.before_look` and `retry.after_look`; here the platform is
asked and the decision carried out. Nothing is sent from this room but the same bytes under the same
key, where the platform sees that it is one post.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime

from crosspost import agenda, outcomes, retry
from crosspost.adapters import Adapter
from crosspost.post import Outgoing, Receipt
from crosspost.publisher import Claimed, answers_to, not_as_approved, settle, with_parts
from crosspost.tables import Delivery
from crosspost.wording import t
from crosspost.workbench import Workbench, failure_of


def look(bench: Workbench, delivery: Delivery) -> None:
    """Look once for an unconfirmed delivery, as its adapter can, and settle what can be settled."""
    [claimed], doubted, may_send = bench.clerk.do(
        lambda session: (
            with_parts(session, delivery),
            outcomes.doubted_at(session, delivery) or bench.now(),
            agenda.is_open(session, delivery.channel, bench.now()),
        )
    )
    if all(part.published_at is not None for part in claimed.parts):
        return  # another daemon has found it meanwhile
    case = _Case(bench, claimed, doubted)
    try:
        adapter = bench.adapter(delivery.channel)
    except Exception as error:  # noqa: BLE001 - it may be mended meanwhile, and is no evidence
        seen = retry.Look(found=False, clear=False, clean_looks=0, doubted=doubted)
        case.carry_out(
            retry.after_look(seen, now=bench.now(), settle=retry.LOOK_GAP), _words_of(error)
        )
        return
    can = adapter.capabilities
    match retry.before_look(
        can.reconcile, begun=case.begun, now=bench.now(), key_window=can.key_window
    ):
        case None:
            case.find(adapter)
        case retry.Repeat() if may_send:
            case.repeat(adapter)
        case retry.Repeat():  # held or paused: nothing is sent there, a repeat neither
            case.carry_out(retry.LookAgain(bench.now() + retry.REPEAT_GAP), t("The channel rests."))
        case decision:
            case.carry_out(decision)


class _Case:
    """One look at one delivery."""

    def __init__(self, bench: Workbench, claimed: Claimed, doubted: datetime) -> None:
        self.bench = bench
        self.claimed = claimed
        self.delivery = claimed.delivery
        self.doubted = doubted
        left = [part for part in claimed.parts if part.published_at is None]
        self.part, self.last = left[0], len(left) == 1
        self.begun = self.part.begun_at or bench.now()

    def find(self, adapter: Adapter) -> None:
        """Ask the platform."""
        words, until = "", None
        receipt, asked = None, self.bench.now()  # an answer tells of the time before it
        try:
            receipt = adapter.find(self._outgoing())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no evidence
            words, until = _words_of(error), getattr(error, "until", None)
        clean = 0 if words else self.delivery.clean_looks + 1
        seen = retry.Look(receipt is not None, not words, clean, self.doubted, until)
        settle_time = adapter.capabilities.settle
        decision = retry.after_look(seen, now=asked, settle=settle_time)
        self.carry_out(decision, words, receipt)

    def repeat(self, adapter: Adapter) -> None:
        """Send the same bytes under the same key, on record before the first of them leaves."""
        bench = self.bench
        reason = not_as_approved(bench, self.claimed)
        if reason:
            self.carry_out(retry.Ask(), reason)
            return
        doing = bench.doing()
        self.delivery = bench.store(self.delivery, lambda s, row: outcomes.repeat(s, row, doing))
        bench.say(
            logging.WARNING, "repeated", self.delivery, t("it is sent again under the same key")
        )
        if not bench.leases.holds(self.delivery.channel):
            words = t("The daemon was stopped before it was sent.")
            self.carry_out(retry.LookAgain(bench.now() + retry.REPEAT_GAP), words)
            return
        try:
            self.part.prepared = json.dumps(adapter.prepare(self._outgoing()))
            receipt = adapter.publish(self._outgoing())
        except Exception as error:  # noqa: BLE001 - whatever it is, the first call may be out
            decision = retry.after_repeat(error, now=bench.now(), doubted=self.doubted)
            self.carry_out(decision, _words_of(error))
        else:
            self.carry_out(retry.Confirm(), "", receipt)

    def _outgoing(self) -> Outgoing:
        handle = json.loads(self.part.handle or "{}")
        answers = answers_to(self.delivery, self.claimed.amended)
        post = self.claimed.posts(self.bench.config.media)[self.part.position]
        return self.bench.outgoing(self.claimed.parts, self.part, post, handle, answers)

    def carry_out(
        self, decision: retry.AfterLook, words: str = "", receipt: Receipt | None = None
    ) -> None:
        """Store what was decided. `words` say why nothing clear came back."""
        bench, delivery, doing = self.bench, self.delivery, self.bench.doing()
        match decision:
            case retry.Confirm() if receipt is not None:
                settle(bench, delivery, self.part, receipt, last=self.last)
            case retry.Disprove():
                delivery = bench.store(delivery, lambda s, row: outcomes.disprove(s, row, doing))
                said = t("it is not public; it is sent again")
                bench.say(logging.WARNING, "disproved", delivery, said)
            case retry.LookAgain(at=at, pause=pause):
                bench.store(
                    delivery,
                    lambda s, row: outcomes.looked(
                        s, row, clear=not words, next_look=at, words=words, pause=pause
                    ),
                )
            case _:
                reason = _why_a_person(delivery, words)
                delivery = bench.store(delivery, lambda s, row: outcomes.ask(s, row, reason, doing))
                bench.say(logging.ERROR, "review", delivery, reason)


def _words_of(error: Exception) -> str:
    """Never empty: no words would mean that the answer was clear."""
    return failure_of(error).words or type(error).__name__


def _why_a_person(delivery: Delivery, words: str) -> str:
    return t(
        "Nobody but a person can tell whether it is public on {channel}: {reason}",
        channel=delivery.channel,
        reason=words or delivery.reason,
    )
