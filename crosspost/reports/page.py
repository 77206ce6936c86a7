"""A report as one page: no script, nothing from elsewhere, charts as drawings with their numbers.

It must not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel.dates import format_date
from jinja2 import Environment, PackageLoader, StrictUndefined

from crosspost.reports.figures import OUTCOMES, Report, Tally
from crosspost.reports.words import class_word, outcome_word, span_words
from crosspost.wording import words

#: Of the chart of days, in units of the drawing.
HEIGHT, COLUMN = 120, 20


@dataclass(frozen=True)
class Piece:
    """A part of a bar: where it begins and how wide it is, in per cent."""

    outcome: str
    number: int
    x: float
    width: float


def page(report: Report, lang: str) -> str:
    """The whole page in that language."""
    environment = Environment(
        loader=PackageLoader("crosspost.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first = report.days[0][0]
    return environment.get_template("report.html").render(
        report=report,
        lang=lang,
        say=words(lang),
        month=format_date(first, "MMMM yyyy", locale=lang),
        outcomes=[(name, outcome_word(name, lang)) for name in OUTCOMES],
        class_word=lambda name: class_word(name, lang),
        span=lambda length: span_words(length, lang),
        percent=percent,
        pieces=lambda tally: pieces(tally, report.channels),
        columns=columns(report),
        height=HEIGHT,
        column=COLUMN,
    )


def percent(share: float | None) -> str:
    """ "97 %"; a dash for none. Never 100 when something was late."""
    if share is None:
        return "–"
    whole = min(round(share * 100), 99) if share < 1 else 100
    return f"{whole} %"


def pieces(tally: Tally, among: Sequence[Tally]) -> list[Piece]:
    """A channel's bar, as long as its part of the busiest channel's."""
    most = max((other.planned for other in among), default=1) or 1
    drawn, x = [], 0.0
    for outcome in OUTCOMES:
        width = 100 * tally.outcomes[outcome] / most
        if width:
            drawn.append(Piece(outcome, tally.outcomes[outcome], round(x, 3), round(width, 3)))
        x += width
    return drawn


def columns(report: Report) -> list[tuple[int, int, float]]:
    """Day of the month, copies, height of the column."""
    most = max((number for _, number in report.days), default=0) or 1
    return [(day.day, number, round(HEIGHT * number / most, 2)) for day, number in report.days]
