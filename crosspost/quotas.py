"""How much a platform lets an account publish in a day or a month, in posts or in money.

Pure: what was used is handed in. It must not count, wait or refuse anything by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from crosspost.wording import t

POSTS = "posts"
#: One post alone is more than the quota.
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Quota:
    """So much of `unit` in each `period`.

    `unit` is "posts", or a currency (ISO 4217). A period is a span that rolls along with the clock,
    or a calendar day or month in `zone`. `setting` is the config key that gives another limit; a
    limit of 0 there, or None here, is no limit.
    """

    limit: Decimal | None
    period: timedelta | Literal["day", "month"]
    unit: str = POSTS
    zone: str = "UTC"
    setting: str = ""

    def begins(self, now: datetime) -> datetime:
        """Since when what was used counts."""
        if isinstance(self.period, timedelta):
            return now - self.period
        local = now.astimezone(ZoneInfo(self.zone))
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return (day if self.period == "day" else day.replace(day=1)).astimezone(UTC)

    def ends(self, now: datetime) -> datetime:
        """When a calendar period is over; for one that rolls, when all of it is free again."""
        if isinstance(self.period, timedelta):
            return now + self.period
        first = self.begins(now).astimezone(ZoneInfo(self.zone))
        ahead = first + timedelta(days=1 if self.period == "day" else 32)
        return (ahead if self.period == "day" else ahead.replace(day=1)).astimezone(UTC)

    def words(self, used: Decimal) -> str:
        """For an admin: "7 of 100 posts in 24 hours"."""
        limit = self.limit or Decimal(0)
        if self.unit == POSTS:
            amounts = t("{used} of {limit} posts", used=used, limit=limit)
        else:
            amounts = f"{self.unit} {used:.2f} / {limit:.2f}"
        return f"{amounts} {self._span()}"

    def _span(self) -> str:
        if isinstance(self.period, timedelta):
            return t("in {hours} hours", hours=int(self.period.total_seconds() // 3600))
        return t("this day") if self.period == "day" else t("this month")


@dataclass(frozen=True)
class Use:
    """What one post used of a quota, and when (aware)."""

    at: datetime
    amount: Decimal = Decimal(1)


def used(quota: Quota, uses: Iterable[Use], now: datetime) -> Decimal:
    """How much of a quota is used at `now`."""
    return sum((use.amount for use in _counting(quota, uses, now)), Decimal(0))


def free_at(quota: Quota, uses: Iterable[Use], amount: Decimal, now: datetime) -> datetime | None:
    """When `amount` more fits; None: now. NEVER when it is more than the whole quota."""
    if quota.limit is None or amount == 0:
        return None
    if amount > quota.limit:
        return NEVER
    counting = _counting(quota, uses, now)
    left = sum((use.amount for use in counting), Decimal(0))
    if left + amount <= quota.limit:
        return None
    if not isinstance(quota.period, timedelta):
        return quota.ends(now)
    for use in counting:
        left -= use.amount
        if left + amount <= quota.limit:
            return use.at + quota.period
    return NEVER  # not reached: without any use all of the quota is free


def _counting(quota: Quota, uses: Iterable[Use], now: datetime) -> list[Use]:
    """What counts at `now`, oldest first. What is exactly as old as a rolling period is over."""
    begins = quota.begins(now)
    rolls = isinstance(quota.period, timedelta)
    found = (use for use in uses if begins <= use.at <= now and not (rolls and use.at == begins))
    return sorted(found, key=lambda use: use.at)
