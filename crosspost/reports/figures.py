"""What a month's deliveries add up to.

Pure. It must not know tables or formats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from crosspost.lifecycle import Status

#: What is public so soon after its time was on time.
ON_TIME = timedelta(minutes=5)
#: Became public, but not on time; the other outcomes are statuses, or still open.
LATE = "late"
OUTCOMES = ("on_time", LATE, "failed", "missed", "cancelled", "open")


@dataclass(frozen=True)
class Row:
    """One delivery that was planned for the month. Times are aware; None: not (yet)."""

    announcement: int
    title: str
    source: str
    urgency: str  # class of announcement
    channel: str
    status: Status
    due: datetime
    queued: datetime  # the revision's making
    approved: datetime | None
    published: datetime | None

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`."""
        if self.status is Status.PUBLISHED and self.published is not None:
            return LATE if self.published - self.due > ON_TIME else "on_time"
        ended = {
            Status.FAILED: "failed",
            Status.MISSED: "missed",
            Status.CANCELLED: "cancelled",
        }
        return ended.get(self.status, "open")


@dataclass(frozen=True)
class Tally:
    """How many deliveries were planned, and what became of them."""

    name: str  # of a channel or a class; "" for all
    planned: int
    outcomes: dict[str, int]

    @property
    def share_on_time(self) -> float | None:
        """Of what was to go out and is decided, the part that was on time, 0 to 1; None: none."""
        decided = self.planned - self.outcomes["cancelled"] - self.outcomes["open"]
        return self.outcomes["on_time"] / decided if decided else None


@dataclass(frozen=True)
class Span:
    """How long something took: typically (the median), and at most."""

    typical: timedelta
    longest: timedelta


@dataclass(frozen=True)
class Response:
    """How fast a class of announcements was: from its making to the approval, and to the first
    public copy; from the planned time to each copy. None: there was none."""

    name: str
    to_approval: Span | None
    to_public: Span | None
    lateness: Span | None


@dataclass(frozen=True)
class Report:
    """A month. `approvals` are (who, how many); `changes` how many announcements were corrected and
    withdrawn in it; `days` holds (day, copies that became public) of each day of the month."""

    month: str  # "2026-11"
    office: str
    announcements: int
    total: Tally
    channels: tuple[Tally, ...]
    classes: tuple[Tally, ...]
    responses: tuple[Response, ...]
    approvals: tuple[tuple[str, int], ...]
    corrected: int
    withdrawn: int
    days: tuple[tuple[date, int], ...]


def report(
    rows: Sequence[Row],
    *,
    month: str,
    office: str,
    zone: str,
    approvals: Iterable[str] = (),
    corrected: int = 0,
    withdrawn: int = 0,
) -> Report:
    """Everything, counted. `approvals` names a person for each approval of the month; days are
    those of `zone`."""
    counted = Counter(approvals)
    return Report(
        month=month,
        office=office,
        announcements=len({row.announcement for row in rows}),
        total=_tally("", rows),
        channels=tuple(_tallies(rows, lambda row: row.channel)),
        classes=tuple(_tallies(rows, lambda row: row.urgency)),
        responses=tuple(_responses(rows)),
        approvals=tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))),
        corrected=corrected,
        withdrawn=withdrawn,
        days=tuple(_days(rows, month, ZoneInfo(zone))),
    )


def _tallies(rows: Sequence[Row], name: Callable[[Row], str]) -> Iterable[Tally]:
    for each in sorted({name(row) for row in rows}):
        yield _tally(each, [row for row in rows if name(row) == each])


def _tally(name: str, rows: Sequence[Row]) -> Tally:
    counts = Counter(row.outcome for row in rows)
    return Tally(name, len(rows), {outcome: counts[outcome] for outcome in OUTCOMES})


def _responses(rows: Sequence[Row]) -> Iterable[Response]:
    for name in sorted({row.urgency for row in rows}):
        mine = [row for row in rows if row.urgency == name]
        yield Response(
            name,
            _span(_first(mine, lambda row: row.approved)),
            _span(_first(mine, lambda row: row.published)),
            _span([max(row.published - row.due, timedelta()) for row in mine if row.published]),
        )


def _first(rows: Sequence[Row], moment: Callable[[Row], datetime | None]) -> list[timedelta]:
    """Of each announcement, from its making to the first such moment."""
    spans: dict[int, timedelta] = {}
    for row in rows:
        at = moment(row)
        if at is not None:
            span = max(at - row.queued, timedelta())
            spans[row.announcement] = min(span, spans.get(row.announcement, span))
    return list(spans.values())


def _span(lengths: Sequence[timedelta]) -> Span | None:
    if not lengths:
        return None
    typical = median(length.total_seconds() for length in lengths)
    return Span(timedelta(seconds=typical), max(lengths))


def _days(rows: Sequence[Row], month: str, zone: ZoneInfo) -> Iterable[tuple[date, int]]:
    public = Counter(row.published.astimezone(zone).date() for row in rows if row.published)
    day = date.fromisoformat(f"{month}-01")
    while f"{day:%Y-%m}" == month:
        yield day, public[day]
        day += timedelta(days=1)
