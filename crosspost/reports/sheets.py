"""A report as JSON values, and lists as CSV, for spreadsheets.

It must not count. A cell that a spreadsheet would take for a formula gets a quote before it (OWASP,
"CSV injection").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crosspost.lifecycle import Status
from crosspost.reports.figures import OUTCOMES, Report, Row, Span, Tally


def to_json(report: Report) -> dict[str, Any]:
    """Everything; spans of time are whole seconds, what there is none of is null."""
    return {
        "month": report.month,
        "office": report.office,
        "announcements": report.announcements,
        "corrected": report.corrected,
        "withdrawn": report.withdrawn,
        "total": _tally(report.total),
        "channels": [_tally(tally) for tally in report.channels],
        "classes": [_tally(tally) for tally in report.classes],
        "responses": [
            {
                "class": response.name,
                "to_approval": _span(response.to_approval),
                "to_public": _span(response.to_public),
                "lateness": _span(response.lateness),
            }
            for response in report.responses
        ],
        "approvals": [{"by": by, "number": number} for by, number in report.approvals],
        "days": [{"day": day.isoformat(), "public": number} for day, number in report.days],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    share = tally.share_on_time
    return {
        "name": tally.name or None,
        "planned": tally.planned,
        **tally.outcomes,
        "share_on_time": None if share is None else round(share, 4),
    }


def _span(span: Span | None) -> dict[str, int] | None:
    return (
        None
        if span is None
        else {"typical": _seconds(span.typical), "longest": _seconds(span.longest)}
    )


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())


def tallies_csv(report: Report) -> str:
    """One line for the whole, each channel and each class."""
    head = ["by", "name", "planned", *OUTCOMES, "share_on_time"]
    groups = (("total", [report.total]), ("channel", report.channels), ("class", report.classes))
    lines = [
        [by, *("" if value is None else value for value in _tally(tally).values())]
        for by, tallies in groups
        for tally in tallies
    ]
    return _csv(head, lines)


def public_list_csv(rows: Sequence[Row], zone: str) -> str:
    """The public-information list: one line for each announcement with a public copy."""
    tz = ZoneInfo(zone)
    head = ["number", "first_public", "title", "source", "class", "channels"]
    lines = []
    for number in dict.fromkeys(row.announcement for row in rows):
        mine = [row for row in rows if row.announcement == number and row.published]
        mine = [row for row in mine if row.status is Status.PUBLISHED]
        if mine:
            first = min(row.published for row in mine if row.published).astimezone(tz)
            about = mine[-1]
            channels = ", ".join(sorted({row.channel for row in mine}))
            when = first.isoformat(timespec="seconds")
            lines.append([number, when, about.title, about.source, about.urgency, channels])
    return _csv(head, lines)


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180 section 2
    writer.writerow(head)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return out.getvalue()


def _cell(value: object) -> object:
    text = value if isinstance(value, str) else ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else value
