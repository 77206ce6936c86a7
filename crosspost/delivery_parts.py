"""The parts of a delivery: one post each, and which of them are public.

This room must not know statuses: whoever writes a part moves its delivery in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from crosspost.prepared import Prepared, Setting
from crosspost.tables import Delivery, Part, table
from crosspost.wording import t


def parts_of(session: Session, delivery: Delivery) -> list[Part]:
    """The parts of a delivery in order."""
    return list(session.exec(_PARTS, params={"its_delivery": delivery.id}))


def has_parts_left(session: Session, delivery: Delivery) -> bool:
    """Whether a part of it is not out yet."""
    return bool(_PARTS_LEFT.rows(session, {"its_delivery": delivery.id}))


#: The outcome of a delivery that ended with only some of its parts public.
PARTLY = "partly_public"


@dataclass(frozen=True)
class PublicParts:
    """How many parts of a delivery are public, of how many, and where the last of them is."""

    public: int
    parts: int
    where: str

    @property
    def some(self) -> bool:
        """Some are and some are not: a thread is broken off."""
        return 0 < self.public < self.parts

    @property
    def sentence(self) -> str:
        """What a person must know of it."""
        return t(
            "{public} of {parts} parts are public already ({where}); the rest is not.",
            public=self.public,
            parts=self.parts,
            where=self.where or "?",
        )

    @property
    def data(self) -> dict[str, Any]:
        """What of it enters the ledger."""
        return {"public_parts": self.public, "parts": self.parts} if self.some else {}


def public_parts(session: Session, delivery: Delivery) -> PublicParts:
    """Which parts of a delivery are public."""
    parts = parts_of(session, delivery)
    public = [part for part in parts if part.published_at is not None]
    where = public[-1].permalink or public[-1].remote_id if public else ""
    return PublicParts(len(public), len(parts), where or "")


_PARTS = (
    select(Part)
    .where(col(Part.delivery_id) == bindparam("its_delivery"))
    .order_by(col(Part.position))
)
_PARTS_LEFT = Prepared(
    select(table(Part).c.id).where(
        table(Part).c.delivery_id == bindparam("its_delivery"),
        table(Part).c.published_at.is_(None),
    )
)


def write_part(session: Session, part: Part, columns: Mapping[str, Any]) -> None:
    """Columns of a part; `part` is brought up to date. The caller moves its delivery in the same
    transaction, and the guard of that move is the guard of this too."""
    _part(tuple(columns)).put(session, {"its_id": part.id, **columns}, ("part", part.id))
    vars(part).update(columns)


@cache
def _part(columns: tuple[str, ...]) -> Prepared:
    return Setting(Part, columns, ("id",))
