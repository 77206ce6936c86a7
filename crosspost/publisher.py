"""One claimed delivery through its adapter.

Decisions are made by `retry.py` and stored by `outcomes.py`; here they are only carried out. No
transaction is open while a platform is spoken to. After the platform's yes nothing here leads to a
second publish: storing it is tried until it works, and a dead process leaves a row that says
`publishing`.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from crosspost import agenda, allowance, media, outcomes, queue, retry
from crosspost.adapters import Adapter
from crosspost.database import Delivery, Part, Revision
from crosspost.errors import MediaExpired, MediaProcessing, NotSupported, QuotaExhausted
from crosspost.ledger.hashing import salted_digest
from crosspost.lifecycle import Status
from crosspost.outcomes import Failure, Health
from crosspost.post import Outgoing, Receipt
from crosspost.quotas import NEVER
from crosspost.wording import t
from crosspost.workbench import Workbench, failure_of


@dataclass(frozen=True)
class Claimed:
    """A claimed delivery (preparing) with what it takes to send it."""

    delivery: Delivery
    parts: list[Part]
    salt: bytes


def with_parts(session: Session, delivery: Delivery) -> Claimed:
    """A claimed delivery with its parts, read in the same transaction."""
    salt = session.exec(_SALT, params={"its_revision": delivery.revision_id}).one()
    return Claimed(delivery, queue.parts_of(session, delivery), salt)


_SALT = select(Revision.salt).where(col(Revision.id) == bindparam("its_revision"))


def publish(bench: Workbench, claimed: Claimed) -> None:
    """Take a claimed delivery as far as it goes now; it ends in another status."""
    delivery, parts, salt = claimed.delivery, claimed.parts, claimed.salt
    reason = not_as_approved(bench, delivery, parts, salt)
    if reason:
        delivery = bench.store(
            delivery, lambda s, row: outcomes.alarm(s, row, reason, bench.doing())
        )
        bench.say(logging.ERROR, "alarm", delivery, reason)
        return
    try:
        adapter = bench.adapter(delivery.channel)
    except Exception as error:  # noqa: BLE001 - an adapter's fault must end in a decision
        _failed(bench, delivery, parts[0], error, settle=retry.LOOK_GAP, publishing=False)
        return
    _Run(bench, adapter, delivery, parts).go()


def not_as_approved(bench: Workbench, delivery: Delivery, parts: list[Part], salt: bytes) -> str:
    """Why what would be sent is not what was approved, byte for byte; "" when it is."""
    try:
        found = salted_digest(salt, [json.loads(part.payload) for part in parts])
    except ValueError:  # no JSON at all, or none that can have been approved
        found = ""
    if found != delivery.approved_digest:
        return t("What would be sent is not what was approved.")
    posts = [bench.post(part) for part in parts]
    if not all(media.intact(image) for post in posts for image in post.images):
        return t("An image file is missing or is not the one that was approved.")
    if not all(media.intact(video) for post in posts for video in post.videos):
        return t("A video file is missing or is not the one that was approved.")
    return ""


class _OnHold(Exception):
    """A person put the channel on hold after the delivery was claimed."""


class _Run:
    """One attempt of one delivery."""

    def __init__(
        self, bench: Workbench, adapter: Adapter, delivery: Delivery, parts: list[Part]
    ) -> None:
        self.bench = bench
        self.adapter = adapter
        self.delivery = delivery
        self.parts = parts

    def go(self) -> None:
        """Every part that is not out yet, in order, while it goes well."""
        for index, part in enumerate(self.parts):
            if part.published_at is None and not self._publish_part(index):
                return

    def _publish_part(self, index: int) -> bool:
        """One part out; True when it went well."""
        try:
            outgoing = self._prepared(index)
        except Exception as error:  # noqa: BLE001 - an adapter's fault must end in a decision
            return self._failed(index, error, publishing=False)
        if self.bench.stopping.is_set() or self.bench.now() > self.delivery.not_after:
            words = t("The daemon ended, or its time was over, before it was sent.")
            return self._give_back(words)
        try:
            outgoing = self._begun(index, outgoing)
        except _OnHold:
            return self._give_back(t("It was put on hold before it was sent."))
        if not self.bench.leases.holds(self.delivery.channel):  # stopped, or cut off, for too long
            return self._give_back(t("The daemon was stopped before it was sent."))
        try:
            receipt = self.adapter.publish(outgoing)
        except Exception as error:  # noqa: BLE001 - the same
            return self._failed(index, error, publishing=True)
        settled = settle(self.bench, self.delivery, self.parts[index], receipt)
        self.delivery = settled or self.delivery
        return settled is not None

    def _prepared(self, index: int) -> Outgoing:
        part, bench = self.parts[index], self.bench
        if index == 0 and self.adapter.quotas:
            self._require_quota()
        key = (
            f"{part.channel}-{part.delivery_id}-{part.position}-{self.delivery.render_digest[:16]}"
        )
        handle = json.loads(part.handle or "{}") or self.adapter.new_handle(key, bench.now())
        outgoing = bench.outgoing(self.parts, part, handle)
        part.prepared = json.dumps(self.adapter.prepare(outgoing))
        return bench.outgoing(self.parts, part, handle)

    def _require_quota(self) -> None:
        """Nothing is prepared that the platform would refuse, or that costs more than was allowed.
        A thread goes out as a whole or not yet."""
        channel, posts = self.delivery.channel, [self.bench.post(part) for part in self.parts]
        with self.bench.database.read() as session:
            at = allowance.free_at(
                session,
                self.bench.config.channels[channel],
                posts,
                self.bench.now(),
                but=self.delivery.id or 0,
            )
        if at == NEVER:
            raise NotSupported(
                t("It is more than the whole quota of the channel."), platform=channel, sent=False
            )
        if at is not None:
            raise QuotaExhausted(
                t("The channel's own quota is used up."), platform=channel, sent=False, until=at
            )

    def _begun(self, index: int, outgoing: Outgoing) -> Outgoing:
        """The intent is durable, with the handle, before the first byte leaves."""
        part = self.parts[index]

        def change(session: Session, row: Delivery) -> None:
            if agenda.is_held(session, row.channel):
                raise _OnHold
            stored = Part(**part.model_dump())
            stored.handle = json.dumps(dict(outgoing.handle))
            outcomes.begin(session, row, stored, self.bench.doing())
            self.parts[index] = stored

        self.delivery = self.bench.store(self.delivery, change)
        return self.bench.outgoing(self.parts, self.parts[index], dict(outgoing.handle))

    def _give_back(self, words: str) -> bool:
        """Nothing has begun: a later claim, or the rule about lateness, may have it."""
        failure = Failure("not_begun", words)
        now = self.bench.now()
        self.bench.store(
            self.delivery,
            lambda s, row: outcomes.postpone(s, row, now, failure, self.bench.doing()),
        )
        return False

    def _failed(self, index: int, error: Exception, *, publishing: bool) -> bool:
        settle_time = self.adapter.capabilities.settle
        _failed(
            self.bench,
            self.delivery,
            self.parts[index],
            error,
            settle=settle_time,
            publishing=publishing,
        )
        return False


def _failed(
    bench: Workbench,
    delivery: Delivery,
    part: Part,
    error: Exception,
    *,
    settle: timedelta,
    publishing: bool,
) -> None:
    failure = failure_of(error)
    decision = retry.after_failure(
        error,
        publishing=publishing,
        attempt=delivery.attempts,
        now=bench.now(),
        jitter=bench.jitter(),
        settle=settle,
        before=delivery.outcome,
    )
    jitter = bench.jitter()

    def change(session: Session, row: Delivery) -> None:
        _keep_prepared(session.get_one(Part, part.id), error)
        doing = bench.doing()
        match decision:
            case retry.Postpone(at=at, pause=pause, sick=sick):
                health = Health(at if pause else None, sick, jitter)
                outcomes.postpone(session, row, at, failure, doing, health=health)
            case retry.GiveUp():
                outcomes.refuse(session, row, failure, doing)
            case retry.Doubt(at=at, pause_until=until, sick=sick):
                health = Health(until, sick, jitter)
                outcomes.doubt(session, row, at, failure, doing, health=health)

    delivery = bench.store(delivery, change)
    level = logging.ERROR if delivery.status is Status.FAILED else logging.WARNING
    words = {
        Status.SCHEDULED: t("not sent, will be tried again: {reason}", reason=failure.words),
        Status.UNCONFIRMED: t("unconfirmed, do not post by hand: {reason}", reason=failure.words),
    }.get(delivery.status, t("failed: {reason}", reason=failure.words))
    bench.say(level, delivery.status.value, delivery, words, outcome=failure.kind)


def _keep_prepared(part: Part, error: Exception) -> None:
    """Uploads that go on survive the wait; uploads that have expired are forgotten."""
    if isinstance(error, MediaProcessing) and error.prepared:
        part.prepared = json.dumps(error.prepared)
    elif isinstance(error, MediaExpired):
        part.prepared = ""


def settle(bench: Workbench, delivery: Delivery, part: Part, receipt: Receipt) -> Delivery | None:
    """Store the platform's yes, or the evidence of it; None when the platform named a post that
    another delivery has already, so that only a person can tell."""

    def change(session: Session, row: Delivery) -> None:
        copy = Part(**part.model_dump())
        outcomes.settle_part(session, row, copy, receipt, bench.doing())

    try:
        delivery = bench.store(delivery, change)
    except queue.Stale:
        where = receipt.permalink or receipt.remote_id
        words = t("public: {where}; but another daemon finds out about it by now", where=where)
        bench.say(logging.ERROR, "overtaken", delivery, words, permalink=receipt.permalink)
        raise
    except IntegrityError:
        _ask_about_id(bench, delivery, receipt)
        return None
    part.remote_id, part.permalink = receipt.remote_id, receipt.permalink
    part.published_at = bench.now()
    part.extra = json.dumps(dict(receipt.extra))
    words = t("published: {where}", where=receipt.permalink or receipt.remote_id)
    bench.say(logging.INFO, "published", delivery, words, permalink=receipt.permalink)
    return delivery


def _ask_about_id(bench: Workbench, delivery: Delivery, receipt: Receipt) -> None:
    reason = t("The platform answered with the id of an earlier post: {id}.", id=receipt.remote_id)
    failure = Failure("same_id_twice", reason)

    def change(session: Session, row: Delivery) -> None:
        if row.status is Status.PUBLISHING:
            outcomes.doubt(session, row, bench.now(), failure, bench.doing())
        outcomes.ask(session, row, reason, bench.doing())

    bench.say(logging.ERROR, "review", bench.store(delivery, change), reason)
