"""What a channel may still publish by its platform's quotas: counted from our own queue, before
anything is sent.

It only reads. A platform that counts otherwise, or whose quota other programs use as well, still
has the last word: its refusal makes the channel wait (`retry.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sqlmodel import Session, col, select

from crosspost import quotas
from crosspost.adapters import Adapter, adapter_class
from crosspost.config import Channel, Config
from crosspost.errors import Conflict
from crosspost.lifecycle import Status
from crosspost.post import Post, from_json
from crosspost.quotas import NEVER, POSTS, Quota, Use
from crosspost.tables import Delivery, Part
from crosspost.times import spoken
from crosspost.wording import language, t

#: Not sent yet, and counted at its time.
AHEAD = (Status.HELD, Status.SCHEDULED, Status.PREPARING)


@dataclass(frozen=True)
class Standing:
    """A quota of a channel and how much of it is used now."""

    quota: Quota
    used: Decimal


def quotas_of(channel: Channel) -> list[Quota]:
    """The channel's quotas as its settings say; those without a limit left out."""
    found = [_configured(quota, channel) for quota in adapter_class(channel.platform).quotas]
    return [quota for quota in found if quota.limit]


def _configured(quota: Quota, channel: Channel) -> Quota:
    given = channel.options.get(quota.setting) if quota.setting else None
    if given is None:
        return quota
    try:
        return replace(quota, limit=Decimal(str(given)))
    except InvalidOperation:
        return quota  # the adapter's settings refuse it in words


def standings(session: Session, channel: Channel, now: datetime) -> list[Standing]:
    """Every quota of a channel, for showing."""
    kind = adapter_class(channel.platform)
    return [
        Standing(quota, quotas.used(quota, _uses(session, kind, channel, quota, now), now))
        for quota in quotas_of(channel)
    ]


def free_at(
    session: Session, channel: Channel, posts: Sequence[Post], when: datetime, *, but: int = 0
) -> datetime | None:
    """When these posts may go out at the earliest, if not at `when` (aware); None: they may.

    What is queued to go out before counts too, except the delivery `but`.
    """
    kind = adapter_class(channel.platform)
    later = []
    for quota in quotas_of(channel):
        amount = sum((_amount(kind, channel, quota, post) for post in posts), Decimal(0))
        uses = _uses(session, kind, channel, quota, when, but=but)
        at = quotas.free_at(quota, uses, amount, when)
        later += [at] if at is not None else []
    return max(later, default=None)


def require(session: Session, config: Config, delivery: Delivery) -> None:
    """Refuse a queued delivery that does not fit into a quota at its time, and name the time when
    it does. Raises Conflict."""
    channel, office = config.channels.get(delivery.channel), config.office
    if channel is None or not quotas_of(channel):
        return
    parts = select(Part.payload).where(Part.delivery_id == delivery.id)
    posts = [from_json(json.loads(payload), Path()) for payload in session.exec(parts)]
    at = free_at(session, channel, posts, delivery.due_at, but=delivery.id or 0)
    if at is None:
        return
    if at == NEVER:
        raise Conflict(
            t("{channel}: this is more than the whole quota of the channel.", channel=channel.name),
            hint=t("Nothing was changed. How it stands: crosspost channels list"),
        )
    when = spoken(at, office.zone, language())
    raise Conflict(
        t("{channel}: the channel's quota is used up at that time.", channel=channel.name),
        hint=t("Nothing was changed. It can go {when}.", when=when),
    )


def _amount(kind: type[Adapter], channel: Channel, quota: Quota, post: Post) -> Decimal:
    return Decimal(1) if quota.unit == POSTS else kind.cost(post, channel.options)


def _uses(
    session: Session,
    kind: type[Adapter],
    channel: Channel,
    quota: Quota,
    now: datetime,
    *,
    but: int = 0,
) -> Iterator[Use]:
    """What was begun since the period began, and what is to go out before `now`."""
    begins = quota.begins(now)
    begun = select(Part.payload, Part.begun_at).where(
        Part.channel == channel.name, col(Part.begun_at) >= begins, Part.delivery_id != but
    )
    ahead = (
        select(Part.payload, Delivery.due_at)
        .join(Delivery, col(Delivery.id) == col(Part.delivery_id))
        .where(
            col(Delivery.status).in_(AHEAD),
            Delivery.channel == channel.name,
            col(Delivery.due_at) >= begins,
            col(Delivery.due_at) <= now,
            col(Part.begun_at).is_(None),
            Delivery.id != but,
        )
    )
    for payload, at in [*session.exec(begun), *session.exec(ahead)]:
        counted = quota.unit == POSTS
        post = None if counted else from_json(json.loads(payload), Path())
        amount = Decimal(1) if post is None else kind.cost(post, channel.options)
        yield Use(known(at), amount)


def known(at: datetime | None) -> datetime:
    if at is None:
        raise ValueError("the query asks for rows with a time")
    return at
