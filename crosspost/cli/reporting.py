"""Accounting for a month: report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.cli.options import AsJson
from crosspost.foreign import of_system
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.reports.figures import Report, Span, Tally


def register(app: typer.Typer) -> None:
    """Put the command of this file into `app`."""
    app.command()(report)


def report(
    month: Annotated[
        str | None,
        typer.Option(metavar="MONTH", help='Which, like "2026-11"; by default the one that runs.'),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as a page into this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the numbers into this file.")] = None,
    public_list: Annotated[
        Path | None,
        typer.Option("--list", help="Write the public-information list (CSV) into this file."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Tell a month in numbers.

    What was planned, published, late, failed and corrected, and how fast.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json
    from crosspost.reports import gathering, page, sheets
    from crosspost.wording import language

    office = open_office(secrets=False)
    zone = office.config.office.zone
    chosen = gathering.month_of(month or gathering.present_month(zone, office.now), zone)
    with office.database.read() as session:
        found = gathering.gather(session, office.config, chosen)
        rows = gathering.rows(session, chosen)
    files = [
        (html, page.page(found, language()) if html else ""),
        (csv, sheets.tallies_csv(found)),
        (public_list, sheets.public_list_csv(rows, zone)),
    ]
    for path, text in files:
        if path is not None:
            _write(path, text)
            say(t("Written: {path}", path=path))
    if json:
        show_json(sheets.to_json(found))
    elif not any(path for path, _ in files):
        _print(found)


def _write(path: Path, text: str) -> None:
    """Raises UserError when it cannot be written. A byte order mark tells spreadsheets that a list
    is UTF-8."""
    from crosspost.errors import UserError

    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    try:
        path.write_text(text, encoding=encoding, newline="")
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=path, reason=of_system(error)),
            hint=t("Choose another file or folder."),
        ) from error


def _print(found: Report) -> None:
    from crosspost.cli.output import say, table
    from crosspost.reports.figures import OUTCOMES
    from crosspost.reports.words import class_word, outcome_word
    from crosspost.wording import language

    lang = language()
    say(f"{found.office}, {found.month}")
    say(
        t(
            "Announcements {announcements}, corrected {corrected}, withdrawn {withdrawn}.",
            announcements=found.announcements,
            corrected=found.corrected,
            withdrawn=found.withdrawn,
        )
    )
    heads = [t("planned"), *(outcome_word(name, lang) for name in OUTCOMES), t("on time, share")]
    channels = [(tally.name, *_cells(tally)) for tally in found.channels]
    table([t("Channel"), *heads], [*channels, (t("all"), *_cells(found.total))])
    classes = [(class_word(tally.name, lang), *_cells(tally)) for tally in found.classes]
    table([t("Class"), *heads], classes)
    spans = [
        (
            class_word(response.name, lang),
            _said(response.to_approval),
            _said(response.to_public),
            _said(response.lateness),
        )
        for response in found.responses
    ]
    headings = [t("written to approved"), t("written to public"), t("planned to public")]
    table([t("Class"), *headings], spans)
    table([t("Person"), t("approvals")], found.approvals)


def _cells(tally: Tally) -> list[object]:
    from crosspost.reports.page import percent

    return [tally.planned, *tally.outcomes.values(), percent(tally.share_on_time)]


def _said(span: Span | None) -> str:
    from crosspost.reports.words import span_words
    from crosspost.wording import language

    if span is None:
        return "–"
    typical, longest = (span_words(each, language()) for each in (span.typical, span.longest))
    return t("{typical} (at most {longest})", typical=typical, longest=longest)
