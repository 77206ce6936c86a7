"""What commands show, as JSON values with documented keys (`docs/json.md`).

It only reads. Times are RFC 3339 with the office's offset; what does not apply is null. How it
looks in a terminal is the command line's business.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from crosspost import agenda, alarms, allowance, connections, logins, queue, sightings
from crosspost.config import Channel, Config
from crosspost.database import (
    AlarmState,
    Announcement,
    Approval,
    ChannelState,
    Delivery,
    Part,
    Revision,
)
from crosspost.delivery_parts import parts_of
from crosspost.differences import difference
from crosspost.emergencies import unreviewed
from crosspost.errors import UserError
from crosspost.ledger import book
from crosspost.lifecycle import NEEDS_PERSON, Status, status_word
from crosspost.people import title_of
from crosspost.restoring import restored
from crosspost.revisions import current_revision, images_of, videos_of
from crosspost.witnesses.concerns import concerns

Json = dict[str, Any]
_WORDS = ("title", "body", "source", "link", "lang", "urgency")


class Views:
    """The views of one office, in one transaction."""

    def __init__(self, session: Session, config: Config) -> None:
        self.session = session
        self.config = config

    def time(self, moment: datetime | None) -> str | None:
        """A time as views show it."""
        if moment is None:
            return None
        return moment.astimezone(self.config.office.tz).isoformat(timespec="seconds")

    # --- announcements ----------------------------------------------------------------------------

    def announcements(
        self, *, status: Status | None = None, channel: str | None = None, last: int | None = None
    ) -> list[Json]:
        """The newest announcements, newest last; only those with a delivery in that status or
        channel, if given."""
        query = select(Announcement.id).order_by(col(Announcement.id).desc())
        if status is not None or channel is not None:
            fitting = select(Revision.announcement_id).join(Delivery)
            if status is not None:
                fitting = fitting.where(Delivery.status == status)
            if channel is not None:
                fitting = fitting.where(Delivery.channel == channel)
            query = query.where(col(Announcement.id).in_(fitting))
        numbers = self.session.exec(query.limit(last)).all()
        return [self.summary(number) for number in reversed(numbers) if number is not None]

    def summary(self, number: int) -> Json:
        """One announcement in a line."""
        revision = current_revision(self.session, number)
        deliveries = queue.deliveries_of(self.session, revision)
        return {
            "number": number,
            "revision": revision.number,
            "title": revision.title or _first_words(revision.body),
            "stage": revision.stage,
            "due": self.time(min((d.due_at for d in deliveries), default=None)),
            "channels": {d.channel: d.status.value for d in deliveries},
        }

    def announcement(self, number: int) -> Json:
        """One announcement whole: words, images, approvals, deliveries."""
        revision = current_revision(self.session, number)
        images = images_of(self.session, self.config, revision)
        deliveries = queue.deliveries_of(self.session, revision)
        has_page = any(d.channel == self.config.site_channel for d in deliveries)
        return {
            "number": number,
            "revision": revision.number,
            "code": revision.code,
            "title": revision.title,
            "body": revision.body,
            "source": revision.source,
            "link": revision.link,
            "lang": revision.lang,
            "urgency": revision.urgency,
            "tags": json.loads(revision.tags),
            "texts": json.loads(revision.texts),
            "page": self.config.page(revision.code) if has_page and self.config.site else None,
            "stage": revision.stage,
            "author": revision.created_by,
            "created": self.time(revision.created_at),
            "digest": revision.digest,
            "images": [
                {
                    "sha256": image.sha256,
                    "alt": image.alt,
                    "mime": image.mime,
                    "width": image.width,
                    "height": image.height,
                    "size": image.size,
                }
                for image in images
            ],
            "videos": [
                {name: value for name, value in asdict(video).items() if name != "path"}
                for video in videos_of(self.session, self.config, revision)
            ],
            "needed": self.config.policy.needed(revision.urgency),
            "approvals": self._approvals(revision),
            **self._amendments(number),
            "deliveries": [self.delivery(delivery) for delivery in deliveries],
        }

    def _approvals(self, revision: Revision) -> list[Json]:
        rows = self.session.exec(
            select(Approval).where(Approval.revision_id == revision.id).order_by(col(Approval.id))
        )
        return [
            {
                "by": row.by,
                "title": title_of(self.config, row.by) or None,
                "at": self.time(row.at),
                "digest": row.digest,
                "signed": bool(row.signature),
                "void": self.time(row.void_at),
                "emergency": row.emergency,
                "reviewed_by": row.reviewed_by or None,
                "reviewed": self.time(row.reviewed_at),
                "objected": row.objected,
            }
            for row in rows
        ]

    def _amendments(self, number: int) -> Json:
        """What it corrects or withdraws, and what corrects or withdraws it."""
        own = self.session.get_one(Announcement, number)
        later = self.session.exec(
            select(Announcement)
            .where(Announcement.amends == number, col(Announcement.told_at).is_not(None))
            .order_by(col(Announcement.id).desc())
        ).first()
        return {
            "amends": own.amends,
            "amend": own.amend or None,
            "amend_reason": own.reason or None,
            "amended_by": later.id if later else None,
            "amended": later.amend if later else None,
            "redacted": own.redacted or None,
        }

    def history(self, number: int) -> list[Json]:
        """Every revision of an announcement, the first one first, with what it changed."""
        current_revision(self.session, number)
        rows = self.session.exec(
            select(Revision)
            .where(Revision.announcement_id == number)
            .order_by(col(Revision.number))
        ).all()
        compared = [self._compared(revision) for revision in rows]
        return [
            {
                "revision": revision.number,
                "author": revision.created_by,
                "created": self.time(revision.created_at),
                "stage": revision.stage,
                "approvals": self._approvals(revision),
                "changes": difference(before, now) if before else {},
            }
            for revision, before, now in zip(rows, [None, *compared], compared, strict=False)
        ]

    def _compared(self, revision: Revision) -> Json:
        """A revision as `differences.py` compares it."""
        deliveries = queue.deliveries_of(self.session, revision)
        images = images_of(self.session, self.config, revision)
        return {
            **{name: getattr(revision, name) for name in _WORDS},
            "channels": [delivery.channel for delivery in deliveries],
            "due": sorted({f"{d.wall} {d.zone}" for d in deliveries}),
            "images": [f"{image.alt} ({image.sha256[:12]})" for image in images],
        }

    def delivery(self, delivery: Delivery) -> Json:
        """One delivery: where it stands and, once published, where people see it."""
        parts = parts_of(self.session, delivery)
        channel = self.config.channels.get(delivery.channel)
        return {
            "id": delivery.id,
            "channel": delivery.channel,
            "act": delivery.act,
            "platform": channel.platform if channel else None,
            "status": delivery.status.value,
            "due": self.time(delivery.due_at),
            "wall": delivery.wall,
            "zone": delivery.zone,
            "not_before": self.time(delivery.not_before),
            "not_after": self.time(delivery.not_after),
            "attempts": delivery.attempts,
            "outcome": delivery.outcome or None,
            "reason": delivery.reason or None,
            "published": self.time(_last(part.published_at for part in parts)),
            "permalinks": [part.permalink for part in parts if part.permalink],
        }

    # --- previews ---------------------------------------------------------------------------------

    def posts(self, number: int, channels: Sequence[str] = ()) -> list[Json]:
        """Each post of an announcement exactly as it is stored, approved and sent."""
        revision = current_revision(self.session, number)
        return [
            {"channel": delivery.channel, "part": part.position + 1, **json.loads(part.payload)}
            for delivery in queue.deliveries_of(self.session, revision)
            if not channels or delivery.channel in channels
            for part in parts_of(self.session, delivery)
        ]

    # --- the office -------------------------------------------------------------------------------

    def channels(self, now: datetime) -> list[Json]:
        """Every configured channel and what is known of it."""
        states = {s.channel: s for s in self.session.exec(select(ChannelState))}
        unconnected = connections.unconnected(self.session, self.config)
        every = states.get(agenda.EVERYTHING) or ChannelState(channel=agenda.EVERYTHING)
        return [
            {
                "channel": channel.name,
                "platform": channel.platform,
                "held": bool(state and state.held) or every.held,
                "hold_reason": (state.hold_reason if state and state.held else "")
                or every.hold_reason
                or None,
                "paused_until": self.time(pause.paused_until if pause else None),
                "reason": (pause.reason or None) if pause else None,
                "last_published": self.time(self._last_published(channel.name)),
                "login_ends": self.time(state.login_ends if state else None),
                "connected": channel.name not in unconnected,
                "quotas": self._quotas(channel, now),
            }
            for channel in self.config.channels.values()
            for state in [states.get(channel.name)]
            for pause in [state if state and _still(state.paused_until, now) else None]
        ]

    def _quotas(self, channel: Channel, now: datetime) -> list[Json]:
        return [
            {
                "unit": standing.quota.unit,
                "used": str(standing.used),
                "limit": str(standing.quota.limit),
                "words": standing.quota.words(standing.used),
            }
            for standing in allowance.standings(self.session, channel, now)
        ]

    def _last_published(self, channel: str) -> datetime | None:
        query = select(Part.published_at).where(
            Part.channel == channel, col(Part.published_at).is_not(None)
        )
        return self.session.exec(
            query.order_by(col(Part.published_at).desc()).limit(1)
        ).one_or_none()

    def people(self, you: str) -> list[Json]:
        """Everybody of `[people]`; `you` is who asks."""
        return [
            {
                "name": name,
                "title": person.title,
                "roles": [role.value for role in person.roles],
                "os_user": person.os_user,
                "keys": len(person.ssh_keys),
                "you": name == you,
            }
            for name, person in self.config.people.items()
        ]

    def status(self, now: datetime, daemon: bool | None) -> Json:
        """The office at a glance: what runs, what waits, what needs a person."""
        counts = Counter(self.session.exec(select(Delivery.status)))
        waiting = select(Delivery).where(
            col(Delivery.status).in_(list(NEEDS_PERSON)), Delivery.outcome != "given_up"
        )
        remembered = sightings.remembered(self.session)
        people = [
            {
                "announcement": number,
                **self.delivery(delivery),
                "read": _is_read(remembered, delivery, number),
            }
            for delivery in self.session.exec(waiting.order_by(col(Delivery.id)))
            for number in [queue.announcement_of(self.session, delivery)]
        ]
        channels = self.channels(now)
        paused = [c for c in channels if c["held"] or c["paused_until"]]
        wake = self._next(channels, now)
        return {
            "office": self.config.office.name,
            "now": self.time(now),
            "daemon_runs": daemon,
            "next": self.time(wake),
            "overdue": daemon is False and wake is not None and wake <= now,
            "deliveries": {status.value: counts.get(status, 0) for status in Status},
            "needs_person": people,
            "paused_channels": paused,
            "emergencies": [
                {
                    "announcement": one.announcement,
                    "revision": one.revision,
                    "by": one.by,
                    "at": self.time(one.at),
                }
                for one in unreviewed(self.session)
            ],
            "restored": self._restored(),
            "witnesses": [
                {"words": words, "read": _was_read(remembered, key)}
                for key, words in concerns(self.session, self.config, now).items()
            ],
            "broken_alarms": sightings.broken_ways(self.session, self.config),
            "ending_logins": [
                {
                    "channel": ending.channel,
                    "ends": self.time(ending.ends),
                    "late": self.time(ending.late),
                }
                for ending in logins.endings(self.session, now)
            ],
        }

    def _next(self, channels: Sequence[Json], now: datetime) -> datetime | None:
        """When something is to be done next; what a person holds back does not count."""
        held = [channel["channel"] for channel in channels if channel["held"]]
        if not held:
            return agenda.next_wake(self.session, (), now)
        begins = func.coalesce(col(Delivery.not_before), col(Delivery.due_at))
        first = self.session.exec(
            select(begins)
            .where(Delivery.status == Status.SCHEDULED, col(Delivery.channel).not_in(held))
            .order_by(begins)
            .limit(1)
        ).one_or_none()
        return max(first, now) if first else None

    def _restored(self) -> str | None:
        try:
            found = restored(self.session, self.config.folder)
        except UserError as error:
            return error.problems[0]
        return found.words() if found else None

    def alarms(self, now: datetime, daemon: bool | None) -> list[Json]:
        """What needs a person now, and what became of telling them."""
        remembered = sightings.remembered(self.session)
        found = alarms.current(sightings.seen_in(self.session, self.config, now, daemon))
        return [
            {
                "key": alarm.key,
                "words": alarm.words,
                "told": self.time(row.told_at if row else None),
                "read": self.time(row.read_at if row else None),
                "read_by": (row.read_by if row else None) or None,
            }
            for alarm in found
            for row in [remembered.get(alarm.key)]
        ]

    def heading(self, delivery: Delivery) -> Json:
        """The announcement of a delivery in a line: number and title."""
        revision = self.session.get_one(Revision, delivery.revision_id)
        title = revision.title or _first_words(revision.body)
        return {"number": revision.announcement_id, "title": title}

    def entries(
        self,
        *,
        announcement: int | None = None,
        last: int | None = None,
        wanted: book.Wanted = book.ANY,
    ) -> list[Json]:
        """Ledger entries in order: index, the entry itself, its leaf hash, the words kept apart."""
        return [
            {"index": e.index, "entry": dict(e.values), "leaf": e.leaf, "note": e.note or None}
            for e in book.entries(self.session, announcement=announcement, last=last, wanted=wanted)
        ]


def status_words(channels: Mapping[str, str]) -> str:
    """The statuses of an announcement's deliveries in a few words: "published 3, failed 1"."""
    counts = Counter(channels.values())
    if len(counts) == 1:
        return status_word(Status(next(iter(counts))))
    return ", ".join(f"{status_word(Status(status))} {n}" for status, n in counts.items())


def _is_read(remembered: Mapping[str, AlarmState], delivery: Delivery, number: int) -> bool:
    return _was_read(remembered, alarms.key_of(sightings.trouble_of(delivery, number)))


def _was_read(remembered: Mapping[str, AlarmState], key: str) -> bool:
    row = remembered.get(key)
    return row is not None and row.read_at is not None


def _still(until: datetime | None, now: datetime) -> bool:
    """Whether a pause until then lasts."""
    return until is not None and until > now


def _first_words(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
