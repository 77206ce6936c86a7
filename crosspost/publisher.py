"""One claimed delivery through its adapter.

Decisions are made by `retry.py` and stored by `outcomes.py`; here they are only carried out. No
transaction is open while a platform is spoken to. After the platform's yes nothing here leads to a
second publish: storing it is tried until it works, and a dead process leaves a row that says
`publishing`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from crosspost import agenda, allowance, mediafiles, outcomes, queue, retry
from crosspost.acts import Act, is_repeatable
from crosspost.adapters import Adapter
from crosspost.binding import Basis, approvals_of, bases_of, departure, parsed
from crosspost.errors import MediaExpired, MediaProcessing, NotSupported, QuotaExhausted
from crosspost.lifecycle import Status
from crosspost.outcomes import Failure, Health
from crosspost.post import Outgoing, Post, Receipt, from_json
from crosspost.prepared import Prepared, as_read
from crosspost.queue import Stale
from crosspost.quotas import NEVER
from crosspost.strong import lacking
from crosspost.tables import Delivery, Part, table
from crosspost.wording import t
from crosspost.workbench import Following, Workbench, failure_of, receipt_of


@dataclass(frozen=True)
class Claimed:
    """A claimed delivery (preparing) with what it takes to send it."""

    delivery: Delivery
    parts: list[Part]
    basis: Basis
    amended: Sequence[Part] = ()  # the parts of what an edit, a reply or a deletion is done to
    _posts: list[Post] = field(default_factory=list)

    @cached_property
    def values(self) -> list[Any]:
        """The posts of its parts as they are stored, as JSON; none when that cannot be read."""
        return parsed([part.payload for part in self.parts])

    def posts(self, folder: Path) -> list[Post]:
        """The posts of its parts; their media lie in `folder`."""
        if not self._posts:
            self._posts.extend(from_json(values, folder) for values in self.values)
        return self._posts


def with_parts(session: Session, *deliveries: Delivery) -> list[Claimed]:
    """Deliveries with their parts, read in the same transaction."""
    ours = _parts_of(session, [delivery.id for delivery in deliveries])
    amends = [delivery.amends for delivery in deliveries if delivery.amends is not None]
    amended = dict(zip(amends, _parts_of(session, amends), strict=True))
    return [
        Claimed(delivery, parts, basis, amended.get(delivery.amends or 0, ()))
        for delivery, parts, basis in zip(
            deliveries, ours, bases_of(session, deliveries), strict=True
        )
    ]


def _parts_of(session: Session, numbers: Sequence[int | None]) -> list[list[Part]]:
    each = _PARTS.rows_each(session, [{"its_delivery": number} for number in numbers])
    return [[as_read(Part, row) for row in rows] for rows in each]


_PARTS = Prepared(
    select(*table(Part).c)
    .where(table(Part).c.delivery_id == bindparam("its_delivery"))
    .order_by(table(Part).c.position)
)


def take(bench: Workbench, session: Session, due: Sequence[Delivery]) -> list[Claimed]:
    """Take due deliveries, each of another channel. Where nothing is to be prepared, the intent is
    written with the claim: publishing, so that it can be sent at once."""
    spacing = bench.config.publishing.spacing
    found = with_parts(session, *due)
    for claimed in found:
        delivery, doing, begun = claimed.delivery, bench.doing(), None
        part = next(part for part in claimed.parts if part.published_at is None)
        if handle := _handle_at_once(bench, claimed, part):
            vars(part)["handle"] = json.dumps(handle)
            begun = outcomes.write_intent(session, part, doing)
        queue.take(session, delivery, doing, spacing, begun)
    return found


def _handle_at_once(bench: Workbench, claimed: Claimed, part: Part) -> dict[str, str] | None:
    """The handle of a part that is as approved and needs no preparation; None for any other, and
    for one that has something wrong with it, which `publish` will find and decide about. None where
    signatures are verified, too: that takes longer than a transaction should."""
    if bench.config.policy.signed or is_repeatable(claimed.delivery.act):
        return None
    adapter = bench.opened(part.channel)
    try:
        post = claimed.posts(bench.config.media)[part.position]
        files = post.images or post.videos
        if adapter is None or adapter.quotas or files or adapter.needs_preparing(post):
            return None
        if not_as_approved(bench, claimed):
            return None
        return _handle_of(bench, adapter, claimed.delivery, part)
    except Exception:  # noqa: BLE001 - here it would spoil what others have to store
        return None


def _handle_of(
    bench: Workbench, adapter: Adapter, delivery: Delivery, part: Part
) -> dict[str, str]:
    """The idempotency handle of a part: the one of its first try, else a new one."""
    key = f"{part.channel}-{part.delivery_id}-{part.position}-{delivery.render_digest[:16]}"
    handle: dict[str, str] = json.loads(part.handle or "{}")
    return handle or adapter.new_handle(key, bench.now())


def publish(bench: Workbench, claimed: Claimed, following: Following | None = None) -> None:
    """Take a claimed delivery as far as it goes now; it ends in another status, and what is
    `following` on the channel is taken with that."""
    delivery, parts = claimed.delivery, claimed.parts
    begun = delivery.status is Status.PUBLISHING  # and found to be as approved, in `take`
    reason = "" if begun else not_as_approved(bench, claimed)
    if reason:
        delivery = bench.store(
            delivery, lambda s, row: outcomes.alarm(s, row, reason, bench.doing()), following
        )
        bench.say(logging.ERROR, "alarm", delivery, reason)
        return
    try:
        adapter = bench.adapter(delivery.channel)
    except Exception as error:  # noqa: BLE001 - an adapter's fault must end in a decision
        failed = _Failed(error, publishing=False, settle=retry.LOOK_GAP)
        _store_failure(bench, delivery, parts[0], failed, following)
        return
    _Run(bench, adapter, claimed, following).go()


def not_as_approved(bench: Workbench, claimed: Claimed) -> str:
    """Why what would be sent is not what was approved, byte for byte and by whom it must be; ""
    when it is. Raises ConfigError when that cannot be found out."""
    delivery, basis = claimed.delivery, claimed.basis
    reason = departure(basis, delivery, claimed.values)
    if reason:
        return reason
    posts = claimed.posts(bench.config.media)
    if not all(mediafiles.intact(image) for post in posts for image in post.images):
        return t("An image file is missing or is not the one that was approved.")
    if not all(mediafiles.intact(video) for post in posts for video in post.videos):
        return t("A video file is missing or is not the one that was approved.")
    if bench.config.policy.signed:
        digest = str(delivery.approved_digest)
        rows = bench.clerk.do(lambda session: approvals_of(session, digest))
        return lacking(bench.config, basis.revision, digest, rows, bench.verify)
    return ""


def answers_to(delivery: Delivery, amended: Sequence[Part]) -> list[Receipt]:
    """What the first part of a delivery answers to: what is public of the one it amends."""
    return [receipt_of(part) for part in amended] if delivery.act == Act.REPLY else []


class _OnHold(Exception):
    """A person put the channel on hold after the delivery was claimed."""


class _Run:
    """One attempt of one delivery."""

    def __init__(
        self,
        bench: Workbench,
        adapter: Adapter,
        claimed: Claimed,
        following: Following | None,
    ) -> None:
        self.bench = bench
        self.adapter = adapter
        self.delivery = claimed.delivery
        self.parts = claimed.parts
        self.posts = claimed.posts(bench.config.media)
        self.amended = claimed.amended
        self.following = following  # is taken with whatever ends this run

    def go(self) -> None:
        """Every part that is not out yet, in order, while it goes well."""
        for index, part in enumerate(self.parts):
            if part.published_at is None and not self._publish_part(index):
                return

    def _publish_part(self, index: int) -> bool:
        """One part out; True when it went well."""
        part = self.parts[index]
        if self.delivery.status is not Status.PUBLISHING and not self._begun(part):
            return False
        if not self.bench.leases.holds(self.delivery.channel):  # stopped, or cut off, for too long
            return self._give_back(t("The daemon was stopped before it was sent."))
        try:
            receipt = self._done(part, json.loads(part.handle))
        except Exception as error:  # noqa: BLE001 - an adapter's fault must end in a decision
            return self._failed(part, error, publishing=True)
        last = all(other.published_at is not None for other in self.parts[index + 1 :])
        following = self.following if last else None
        return settle(self.bench, self.delivery, part, receipt, last=last, following=following)

    def _done(self, part: Part, handle: dict[str, str]) -> Receipt:
        """The one public call: whatever this delivery does."""
        outgoing = self._outgoing(part, handle)
        if not is_repeatable(self.delivery.act):
            return self.adapter.publish(outgoing)
        public = receipt_of(self.amended[part.position])
        if self.delivery.act == Act.EDIT:
            return self.adapter.edit(public, outgoing)
        self.adapter.delete(public)
        return Receipt(public.remote_id)

    def _outgoing(self, part: Part, handle: dict[str, str]) -> Outgoing:
        answers = answers_to(self.delivery, self.amended)
        return self.bench.outgoing(self.parts, part, self.posts[part.position], handle, answers)

    def _begun(self, part: Part) -> bool:
        """Prepared, and the intent is durable, with the handle, before the first byte leaves."""
        try:
            self._prepare(part)
        except Exception as error:  # noqa: BLE001 - the same
            return self._failed(part, error, publishing=False)
        if self.bench.stopping.is_set() or self.bench.now() > self.delivery.not_after:
            words = t("The daemon ended, or its time was over, before it was sent.")
            return self._give_back(words)

        def change(session: Session, row: Delivery) -> None:
            if agenda.is_held(session, row.channel):
                raise _OnHold
            outcomes.begin(session, row, part, self.bench.doing())

        try:
            self.bench.store(self.delivery, change)
        except _OnHold:
            return self._give_back(t("It was put on hold before it was sent."))
        return True

    def _prepare(self, part: Part) -> None:
        handle = _handle_of(self.bench, self.adapter, self.delivery, part)
        part.handle = json.dumps(handle)
        if is_repeatable(self.delivery.act):  # the images are there
            part.prepared = self.amended[part.position].prepared
            return
        if part.position == 0 and self.adapter.quotas:
            self._require_quota()
        outgoing = self._outgoing(part, handle)
        part.prepared = json.dumps(self.adapter.prepare(outgoing))

    def _require_quota(self) -> None:
        """Nothing is prepared that the platform would refuse, or that costs more than was allowed.
        A thread goes out as a whole or not yet."""
        channel = self.delivery.channel
        with self.bench.database.read() as session:
            at = allowance.free_at(
                session,
                self.bench.config.channels[channel],
                self.posts,
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

    def _give_back(self, words: str) -> bool:
        """Nothing has begun: a later claim, or the rule about lateness, may have it."""
        failure = Failure("not_begun", words)
        now = self.bench.now()
        self.bench.store(
            self.delivery,
            lambda s, row: outcomes.postpone(s, row, now, failure, self.bench.doing()),
            self.following,
        )
        return False

    def _failed(self, part: Part, error: Exception, *, publishing: bool) -> bool:
        doubtful = publishing and not is_repeatable(self.delivery.act)
        failed = _Failed(error, publishing=doubtful, settle=self.adapter.capabilities.settle)
        _store_failure(self.bench, self.delivery, part, failed, self.following)
        return False


@dataclass(frozen=True)
class _Failed:
    """An error, whether the publish call had begun, and how long absence does not count."""

    error: Exception
    publishing: bool
    settle: timedelta


def _store_failure(
    bench: Workbench,
    delivery: Delivery,
    part: Part,
    failed: _Failed,
    following: Following | None,
) -> None:
    error, failure = failed.error, failure_of(failed.error)
    decision = retry.after_failure(
        error,
        publishing=failed.publishing,
        attempt=delivery.attempts,
        now=bench.now(),
        jitter=bench.jitter(),
        settle=failed.settle,
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

    delivery = bench.store(delivery, change, following)
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


def settle(
    bench: Workbench,
    delivery: Delivery,
    part: Part,
    receipt: Receipt,
    *,
    last: bool,
    following: Following | None = None,
) -> bool:
    """Store the platform's yes, or the evidence of it, to a part, the `last` one that was not out;
    False when the platform named a post that another delivery has already, so that only a person
    can tell."""

    def change(session: Session, row: Delivery) -> None:
        outcomes.settle_part(session, row, part, receipt, bench.doing(), last=last)

    try:
        bench.store(delivery, change, following)
    except Stale:
        where = receipt.permalink or receipt.remote_id
        words = t("public: {where}; but another daemon finds out about it by now", where=where)
        bench.say(logging.ERROR, "overtaken", delivery, words, permalink=receipt.permalink)
        raise
    except IntegrityError:
        _ask_about_id(bench, delivery, receipt)
        return False
    words = t("published: {where}", where=receipt.permalink or receipt.remote_id)
    bench.say(logging.INFO, "published", delivery, words, permalink=receipt.permalink)
    return True


def _ask_about_id(bench: Workbench, delivery: Delivery, receipt: Receipt) -> None:
    reason = t("The platform answered with the id of an earlier post: {id}.", id=receipt.remote_id)
    failure = Failure("same_id_twice", reason)

    def change(session: Session, row: Delivery) -> None:
        if row.status is Status.PUBLISHING:
            outcomes.doubt(session, row, bench.now(), failure, bench.doing())
        outcomes.ask(session, row, reason, bench.doing())

    bench.say(logging.ERROR, "review", bench.store(delivery, change), reason)
