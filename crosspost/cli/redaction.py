"""Erasure by law: redact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.cli.options import Number, Yes
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    app.command()(redact)


def redact(
    number: Number,
    order: Annotated[str, typer.Option("--order", help="The number of the order; it is public.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")],
    yes: Yes = False,
) -> None:
    """Erase an announcement by order of law: text and images, everywhere here. It cannot be undone.

    The record keeps that it was there, and verifies; its page says that it was erased.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say, warn
    from crosspost.redacting import redact as erase
    from crosspost.redacting import require_possible

    office = open_office(secrets=False)
    doing = office.doing(reason.strip())
    require_possible(office.database, office.config, number, order, doing)
    with office.views() as views:
        found = views.announcement(number)
    say(t("Announcement {number}, revision {revision}", **found))
    say(f"  {found['title']}")
    confirm(t("Erase its text and images for ever, in all its revisions?"), yes=yes, final=True)
    done = erase(office.database, office.config, number, order, doing)
    say(t("Erased: announcement {number}, {files} files.", number=number, files=done.files))
    _erase_pages(office, done.codes)
    warn(t("Copies of the database that were made before still hold it: erase them too."))
    if done.elsewhere:
        warn(t("Copies on other platforms are not touched; have them taken down there:"))
        for link in done.elsewhere:
            warn(f"  {link}")


def _erase_pages(office: Office, codes: tuple[str, ...]) -> None:
    """The pages say by now that it was erased; what else lay beside them is gone."""
    from crosspost.cli.output import warn
    from crosspost.errors import UserError
    from crosspost.ledger.sealing import seal_if_due
    from crosspost.showing.exhibit import show
    from crosspost.site.folder import Folder

    folder = office.config.site_folder
    if folder is None:
        return
    try:
        for code in codes:
            Folder(folder).clear(code)
    except OSError as error:
        warn(t("The pages cannot be erased: {reason}.", reason=error.strerror or error))
    try:
        seal_if_due(office.database, office.config.folder, now=office.now, last=None)
        show(office.database, office.config, whole=True)
    except UserError as error:
        warn(str(error))
        warn(t("So the pages still show it. Under the daemon's account, run: crosspost log seal"))
