"""What every view has: the transaction, the office, how a time and a delivery are shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from crosspost.config import Config
from crosspost.delivery_parts import parts_of
from crosspost.tables import Delivery, Revision

Json = dict[str, Any]


class Shown:
    """Values of one office, read in one transaction."""

    def __init__(self, session: Session, config: Config) -> None:
        self.session = session
        self.config = config

    def time(self, moment: datetime | None) -> str | None:
        """A time as views show it."""
        if moment is None:
            return None
        return moment.astimezone(self.config.office.tz).isoformat(timespec="seconds")

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

    def heading(self, delivery: Delivery) -> Json:
        """The announcement of a delivery in a line: number and title."""
        revision = self.session.get_one(Revision, delivery.revision_id)
        title = revision.title or first_words(revision.body)
        return {"number": revision.announcement_id, "title": title}


def first_words(body: str) -> str:
    """The beginning of a text, for one that has no title."""
    line = " ".join(body.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
