"""Looking for problems in a file, with nothing queued: check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.wording import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crosspost.checks import Finding


def register(app: typer.Typer) -> None:
    """Put the command of this file into `app`."""
    app.command()(check)


def check(
    file: Annotated[
        Path, typer.Argument(help="Markdown with front matter, or - for standard input.")
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what is wrong with an announcement, without queueing it. Exit code 1: it is refused."""
    from crosspost.checks import Level
    from crosspost.cli.drafting import Fields, from_file, gather
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json
    from crosspost.cli.writing import draft_of
    from crosspost.drafts import inspect
    from crosspost.precedents import earlier

    office = open_office(secrets=False)
    given = gather("-", None, Fields()) if str(file) == "-" else from_file(file)
    draft = draft_of(office, given, Fields(at="now"))
    with office.database.read() as session:
        said = earlier(session, office.config.checks, draft.due.utc)
    found = inspect(office.config, draft, earlier=said, try_images=True)
    blocked = any(finding.level is Level.BLOCK for finding in found)
    if json:
        findings = [{"id": f.id, "level": f.level.value, "sentence": f.sentence} for f in found]
        show_json({"ok": not blocked, "findings": findings})
    else:
        _show(found, blocked=blocked)
    if blocked:
        raise typer.Exit(1)


def _show(found: Sequence[Finding], *, blocked: bool) -> None:
    from crosspost.checks import Level
    from crosspost.cli.output import calm, say

    for finding in found:
        word = t("refused") if finding.level is Level.BLOCK else t("note")
        say(f"{word} ({finding.id}): {calm(finding.sentence)}")
    if blocked:
        say(t("As it is, this cannot be queued."))
    else:
        say(t("Nothing stands in the way of queueing this.") if found else t("Nothing was found."))
