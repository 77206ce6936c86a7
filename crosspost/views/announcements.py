"""Announcements: in a line, whole, with their history, as they are sent, and what is on record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlmodel import col, select

from crosspost import queue
from crosspost.delivery_parts import parts_of
from crosspost.differences import difference
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.people import title_of
from crosspost.revisions import current_revision, images_of, videos_of
from crosspost.tables import Announcement, Approval, Delivery, Revision
from crosspost.views.shown import Json, Shown, first_words

_WORDS = ("title", "body", "source", "link", "lang", "urgency")


class AnnouncementViews(Shown):
    """The views of what the office says."""

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
            "title": revision.title or first_words(revision.body),
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

    def posts(self, number: int, channels: Sequence[str] = ()) -> list[Json]:
        """Each post of an announcement exactly as it is stored, approved and sent."""
        revision = current_revision(self.session, number)
        return [
            {"channel": delivery.channel, "part": part.position + 1, **json.loads(part.payload)}
            for delivery in queue.deliveries_of(self.session, revision)
            if not channels or delivery.channel in channels
            for part in parts_of(self.session, delivery)
        ]

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
