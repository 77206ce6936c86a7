"""Erasure by law: redact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.cli.options import NEEDS_PERSON, Number, Yes
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office
    from crosspost.erasures import Unfinished


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    app.command()(redact)


def redact(
    number: Number,
    order: Annotated[str, typer.Option("--order", help="The number of the order; it is public.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")],
    yes: Yes = False,
) -> None:
    """Erase an announcement by order of law. It cannot be undone.

    Text and images go, everywhere here. The record keeps that it was there, and verifies; its page
    says that it was erased. Ends with 3 while something is left that this account may not remove.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say, warn
    from crosspost.redacting import redact as erase
    from crosspost.redacting import require_possible

    office = open_office(secrets=False)
    doing = office.doing(reason.strip())
    reach = require_possible(office.database, office.config, number, order, doing)
    with office.views() as views:
        found = views.announcement(number)
    say(t("Announcement {number}, revision {revision}", **found))
    say(f"  {found['title']}")
    for other in reach.withdrawals:
        say(t("Announcement {number} withdraws it and repeats its words; it is erased with it.",
              number=other))  # fmt: skip
    confirm(t("Erase its text and images for ever, in all its revisions?"), yes=yes, final=True)
    done = erase(office.database, office.config, number, order, doing)
    if done.order != order.strip():
        warn(t("It was erased before, by the order {order}; that stays.", order=done.order))
    files, left = _finish(office)
    files += done.files
    warn(t("Copies of the database that were made before still hold it: erase them too."))
    if done.elsewhere:
        warn(t("Copies on other platforms are not touched; have them taken down there:"))
        for link in done.elsewhere:
            warn(f"  {link}")
    for other in reach.corrections:
        _say_kept(other, order.strip())
    mine = [one for one in left if one.announcement in (number, *reach.withdrawals)]
    if mine:
        for one in mine:
            _say_left(office, one)
        raise typer.Exit(NEEDS_PERSON)
    say(t("Erased: announcement {number}, {files} files.", number=number, files=files))


def _finish(office: Office) -> tuple[int, tuple[Unfinished, ...]]:
    """The site is brought up to date, then it is seen what is left; and how many files went."""
    from crosspost.cli.output import warn
    from crosspost.erasures import finish
    from crosspost.errors import UserError
    from crosspost.ledger.sealing import seal_if_due
    from crosspost.showing.exhibit import show

    shown = None
    if office.config.site_folder is not None:
        try:
            seal_if_due(office.database, office.config.folder, now=office.now, last=None)
            shown = show(office.database, office.config, whole=True)
        except UserError as error:
            warn(str(error))
    done = finish(office.database, office.config, shown)
    return done.files, done.left


def _say_kept(number: int, order: str) -> None:
    from crosspost.cli.output import warn

    warn(
        t(
            "Announcement {number} corrects it and is NOT erased. Does it repeat what was to be "
            "erased (its title, its source), erase it too:",
            number=number,
        )
    )
    warn(f'  crosspost redact {number} --order "{order}" --reason "..."')


def _say_left(office: Office, left: Unfinished) -> None:
    from crosspost.cli.output import warn
    from crosspost.ledger.strongbox import Strongbox

    warn(
        t(
            "NOT ALL OF IT IS ERASED: announcement {number}. The text is gone from the database; "
            "this is left:",
            number=left.announcement,
        )
    )
    warn(f"  {left.reason}")
    warn(t("A daemon that may remove the rest does so within a minute; see: crosspost status"))
    if Strongbox(office.config.folder).is_founded():
        warn(t("Or do it at once, under the daemon's account: crosspost log seal"))
