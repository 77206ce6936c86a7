"""Correct and withdraw what is public: a plan for each channel, then deliveries that carry it out.

An amendment is an announcement of its own, linked to the one that it amends, so it is approved,
timed and followed like any. This room must not send anything; how a channel sets something right is
decided by `acts.py`, and that it is on record of the original by `amended.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlmodel import Session, col, select

from crosspost import queue
from crosspost.acts import Act, steps
from crosspost.adapters import open_adapter
from crosspost.approvals import release
from crosspost.config import Config
from crosspost.database import Database
from crosspost.delivery_parts import parts_of
from crosspost.drafts import Draft, Kept, Rendered, compose, render_for
from crosspost.errors import Conflict
from crosspost.lifecycle import ENDED, Status, status_word
from crosspost.offers import Stage
from crosspost.people import require
from crosspost.policy import Deed
from crosspost.post import Capabilities, Content, Post, from_json
from crosspost.queue import Doing, known
from crosspost.revisions import current_revision, images_of, store, videos_of
from crosspost.tables import Announcement, Delivery, Part, Revision
from crosspost.times import Moment, moment_of
from crosspost.wording import t, words


class Kind(StrEnum):
    """What an amendment does; also the kind of the original's ledger entry."""

    CORRECTED = "corrected"
    RETRACTED = "retracted"


@dataclass(frozen=True)
class Public:
    """What is public of an announcement on one channel."""

    delivery: Delivery
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Step:
    """One delivery of an amendment: what it does on its channel, to which delivery, with what."""

    channel: str
    act: Act
    amends: int
    posts: tuple[Post, ...]
    where: tuple[str, ...]  # where people see what it is done to


@dataclass(frozen=True)
class Plan:
    """An amendment before it is queued."""

    amends: int
    kind: Kind
    content: Content
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]


def amend(
    database: Database,
    config: Config,
    number: int,
    kind: Kind,
    doing: Doing,
    *,
    text: str = "",
    title: str = "",
    sure: Callable[[Plan], None] | None = None,
) -> int:
    """Queue the correction of announcement `number` to `text` (Markdown), or its withdrawal;
    returns the amendment's own number. The reason, for the public, stands in `doing.note`.

    `sure` is called with the plan before anything is queued; what it raises stops it. Raises
    Conflict when nothing is public, when something of it still goes out, or when it is amended
    already; ContentError when the new text does not fit.
    """
    if not doing.note:
        raise Conflict(t("Say why: the public reads it."), hint=t("Use --reason."))
    with database.read() as session:
        plan = _plan(session, config, number, kind, doing, (title, text))
    if sure is not None:
        sure(plan)
    with database.write() as session:
        _require_same(session, config, plan, doing)
        return _queue(session, config, plan, doing)


# --- the plan -------------------------------------------------------------------------------------


def _plan(
    session: Session, config: Config, number: int, kind: Kind, doing: Doing, said: tuple[str, str]
) -> Plan:
    old = current_revision(session, number)
    public = _public(session, config, old, kind, doing)
    title, body = _wording(old, kind, said, doing.note)
    draft = Draft(
        title=title,
        body=body,
        source=old.source,
        link=old.link,
        lang=old.lang,
        urgency=old.urgency,
        images=(),
        channels=tuple(public),
        due=moment_of(doing.at, config.office.zone),
        tags=tuple(json.loads(old.tags)),
        at_once=True,
    )
    kept = Kept(tuple(images_of(session, config, old)), tuple(videos_of(session, config, old)))
    rendered = compose(config, draft, kept=kept)
    found = [
        step
        for channel, there in public.items()
        for step in _steps(config, kind, channel, there, rendered)
    ]
    bare = rendered.content if kind is Kind.CORRECTED else _without_media(rendered.content)
    return Plan(number, kind, bare, tuple(found), rendered.warnings)


def _wording(old: Revision, kind: Kind, said: tuple[str, str], reason: str) -> tuple[str, str]:
    """Title and text of an amendment, in the announcement's language: that it is one comes first,
    and why."""
    say = words(old.lang)
    new_title, text = said
    plain = (new_title or old.title).strip()
    for before in (say("Correction: {title}", title=""), say("Withdrawn: {title}", title="")):
        plain = plain.removeprefix(before)
    if kind is Kind.CORRECTED:
        headed = say("Correction: {title}", title=plain)
        body = f"{text.strip()}\n\n{say('What was corrected: {reason}', reason=reason)}"
    else:
        headed = say("Withdrawn: {title}", title=plain)
        body = say("This announcement no longer holds: {reason}", reason=reason)
    if plain:
        return headed, body
    return "", f"**{headed.strip(' :')}.** {body}"


def _steps(
    config: Config, kind: Kind, channel: str, there: Public, rendered: Rendered
) -> list[Step]:
    can = open_adapter(config, channel).capabilities
    posts = rendered.posts[channel]
    fits = len(posts) == len(there.parts) and all(part.remote_id for part in there.parts)
    acts = (Act.PUBLISH,) if channel == config.site_channel else steps(can, fits=fits)
    public = tuple(part.permalink for part in there.parts if part.permalink)
    amends = known(there.delivery.id)
    made = []
    for act in acts:
        if act is Act.DELETE:
            what = tuple(from_json(json.loads(p.payload), config.media) for p in there.parts)
        elif _keeps_media(kind, act, can):
            what = posts
        else:
            bare = _without_media(rendered.content)
            what = render_for(config, channel, bare, tuple(rendered.posts))
        # what is published anew stands nowhere yet
        made.append(Step(channel, act, amends, what, () if act is Act.PUBLISH else public))
    return made


def _keeps_media(kind: Kind, act: Act, can: Capabilities) -> bool:
    """Whether the images of the original go with it: they stay in what is edited, and are shown
    again where the whole is."""
    whole = act is Act.PUBLISH and kind is Kind.CORRECTED
    return can.needs_media or act is Act.EDIT or whole


def _without_media(content: Content) -> Content:
    return replace(content, images=(), videos=())


# --- what is public -------------------------------------------------------------------------------


def _public(
    session: Session, config: Config, old: Revision, kind: Kind, doing: Doing
) -> dict[str, Public]:
    """What is public of it, by channel, that can be amended now. Raises Conflict."""
    deed = Deed.CORRECT if kind is Kind.CORRECTED else Deed.RETRACT
    require(config, doing.by, deed, old.urgency)
    number = old.announcement_id
    if order := session.get_one(Announcement, number).redacted:
        raise Conflict(t("Its text was erased by order {order}.", order=order))
    deliveries = queue.deliveries_of(session, old)
    _require_quiet(number, deliveries)
    _require_first(session, number)
    found = {}
    for delivery in deliveries:
        there = _seen(session, delivery)
        if there is not None and delivery.channel in config.channels:
            found[delivery.channel] = Public(there, tuple(parts_of(session, there)))
    if not found:
        raise Conflict(
            t("Nothing of announcement {number} is public.", number=number),
            hint=t("What is not sent yet is changed with: crosspost edit {number}", number=number),
        )
    site = config.site_channel
    return dict(sorted(found.items(), key=lambda item: item[0] != site))


def _seen(session: Session, delivery: Delivery) -> Delivery | None:
    """The delivery by which people see this one: where it was edited in place, the one that was
    published first."""
    if delivery.status is not Status.PUBLISHED or delivery.act == Act.DELETE:
        return None
    while delivery.act == Act.EDIT and delivery.amends is not None:
        delivery = session.get_one(Delivery, delivery.amends)
    return delivery


def _require_quiet(number: int, deliveries: Sequence[Delivery]) -> None:
    """Raises Conflict while something of it may still go out as it is."""
    under_way = [
        f"{delivery.channel} ({status_word(delivery.status)})"
        for delivery in deliveries
        if delivery.status not in ENDED
    ]
    if under_way:
        raise Conflict(
            t("Something of it may still go out: {names}.", names=", ".join(under_way)),
            hint=t("Take that back first, or wait for it: crosspost cancel {n}", n=number),
        )


def _require_first(session: Session, number: int) -> None:
    """Raises Conflict when it has an amendment that is public or on its way."""
    for later in session.exec(select(Announcement).where(col(Announcement.amends) == number)):
        revision = current_revision(session, known(later.id))
        gone = (Status.CANCELLED, Status.FAILED, Status.MISSED)
        if later.told_at is None and all(
            delivery.status in gone for delivery in queue.deliveries_of(session, revision)
        ):
            continue
        raise Conflict(
            t("Announcement {later} amends it already.", later=later.id),
            hint=t(
                "Is that one wrong too? Correct it, or take it back: crosspost show {later}",
                later=later.id,
            ),
        )


def _require_same(session: Session, config: Config, plan: Plan, doing: Doing) -> None:
    """Raises Conflict unless what is public is still what the plan is made for."""
    old = current_revision(session, plan.amends)
    public = _public(session, config, old, plan.kind, doing)
    if {known(there.delivery.id) for there in public.values()} != {s.amends for s in plan.steps}:
        raise Conflict(
            t("What is public has changed meanwhile; nothing was queued."), hint=t("Try again.")
        )


# --- the deliveries -------------------------------------------------------------------------------


def _queue(session: Session, config: Config, plan: Plan, doing: Doing) -> int:
    announcement = Announcement(
        created_at=doing.at,
        created_by=doing.by,
        amends=plan.amends,
        amend=plan.kind.value,
        reason=doing.note,
    )
    session.add(announcement)
    session.flush()
    number = known(announcement.id)
    revision = store(session, number, plan.content, doing, "added", Stage.SUBMITTED)
    due = moment_of(doing.at, config.office.zone)
    page: int | None = None
    for channel in dict.fromkeys(step.channel for step in plan.steps):
        own = [step for step in plan.steps if step.channel == channel]
        last = _queue_channel(session, config, revision, own, page, due, doing)
        page = last if channel == config.site_channel else page
    if config.policy.needed(revision.urgency) == 0:
        release(session, revision, Doing(doing.by, doing.at))
    return number


def _queue_channel(
    session: Session,
    config: Config,
    revision: Revision,
    own: Sequence[Step],
    page: int | None,
    due: Moment,
    doing: Doing,
) -> int | None:
    """The deliveries of one channel, each waiting for the one before, the first for the page."""
    waits_for = page
    for step in own:
        delivery = queue.enqueue(
            session,
            revision,
            step.channel,
            step.posts,
            due=due,
            not_after=due.utc + config.policy.grace(revision.urgency),
            waits_for=waits_for,
            doing=Doing(doing.by, doing.at),
            act=step.act,
            amends=step.amends,
        )
        waits_for = delivery.id
    return waits_for
