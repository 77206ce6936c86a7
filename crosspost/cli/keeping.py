"""Keeping the office safe: doctor, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.cli.options import NEEDS_PERSON, AsJson, Yes
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office
    from crosspost.database import Database
    from crosspost.doctor import Finding
    from crosspost.restoring import Questions
    from crosspost.tables import Delivery


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    app.command()(doctor)
    app.command()(backup)
    app.command()(restore)


def doctor(
    online: Annotated[
        bool, typer.Option("--online", help="Ask each platform too, as channels check does.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Look at all that publishing needs, and say what to do. Ends with 1 when something is bad.

    Ends with 3 when publishing works and something else needs a person. Posts nothing.
    """
    from datetime import UTC, datetime

    from crosspost.cli import office
    from crosspost.cli.output import say, show_json, table
    from crosspost.doctor import State, examine, topic

    found = examine(office.config_file, datetime.now(UTC))
    if online and all(one.state is not State.BAD for one in found if one.about == "settings"):
        found += _ask_platforms()
    if json:
        show_json([{**vars(one), "next": one.next or None} for one in found])
    else:
        states = {
            State.WELL: t("well"),
            State.NOTE: t("note"),
            State.PERSON: t("NEEDS YOU"),
            State.BAD: t("BAD"),
        }
        rows = [(states[one.state], topic(one.about), one.sentence, one.next) for one in found]
        table([t("How"), t("About"), t("What"), t("Next")], rows)
        if all(one.state is State.WELL for one in found):
            say(t("All is well."))
    seen = {one.state for one in found}
    if State.BAD in seen:
        raise typer.Exit(1)
    if State.PERSON in seen:
        raise typer.Exit(NEEDS_PERSON)


def _ask_platforms() -> list[Finding]:
    from crosspost.cli.channels import ask_platform
    from crosspost.cli.office import open_office
    from crosspost.doctor import bad, well

    office = open_office()
    found = []
    for name in office.config.channels:
        told = ask_platform(office, name)
        if told["ok"]:
            said = t("{channel}: works. Account: {account} {url}", **told).rstrip()
            found.append(well("online", said))
        else:
            said = t("{channel}: does NOT work: {error}", **told)
            found.append(bad("online", said, f"crosspost channels check {name}"))
    return found


def backup(
    file: Annotated[Path, typer.Argument(help="A new file for the copy.")], json: AsJson = False
) -> None:
    """Copy the queue database into FILE, while everything goes on."""
    from crosspost.backup import back_up
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json

    office = open_office(secrets=False)
    copy = back_up(office.database, file, office.doing())
    if json:
        show_json({"file": str(copy.path), "bytes": copy.size, "sha256": copy.sha256})
        return
    say(t("Backup: {path} ({size} bytes, SHA-256 {sha256})", **vars(copy)))
    say(t("Keep it where others cannot read it. Besides it, keep media/, .env and ledger.key."))
    say(t("Bring it back with: crosspost restore {path}", path=copy.path))


def restore(
    file: Annotated[
        Path | None,
        typer.Argument(help="A backup, to put in place; without it, confirm one that is."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")] = "",
    yes: Yes = False,
) -> None:
    """Put a backup in the place of the queue database. Then, without FILE, confirm it.

    Until it is confirmed nothing is published. Confirming shows what may be public although the
    backup does not know, and leaves that to you; nothing is sent again by itself.
    """
    if file is not None:
        _put_in_place(file, yes=yes)
    else:
        _confirm(reason.strip(), yes=yes)


def _put_in_place(file: Path, *, yes: bool) -> None:
    from contextlib import closing
    from datetime import UTC, datetime

    from crosspost.backup import put_in_place, require_placeable
    from crosspost.cli import office
    from crosspost.cli.output import confirm, say
    from crosspost.config import load
    from crosspost.database import Database

    config = load(office.config_file, secrets=False)
    database = Database(config.database_url)  # not opened: it may be damaged
    require_placeable(database, file)
    say(t("This copy becomes the queue database: {file}", file=file))
    say(t("The one that is there now is kept beside it, under another name."))
    confirm(t("Put it in place?"), yes=yes, final=True)
    aside = put_in_place(database, file, datetime.now(UTC))
    if aside is not None:
        say(t("The database until now: {path}", path=aside))
    with closing(database):
        database.check_schema()
        if aside is not None:
            with closing(Database(f"sqlite:///{aside}")) as before:
                _warn_of_erased(before, database)
    say(t("In place. Nothing is published before you confirm it: crosspost restore"))


def _warn_of_erased(before: Database, copy: Database) -> None:
    """What was erased by law since the copy was made has come back with it."""
    from crosspost.cli.output import warn
    from crosspost.errors import DatabaseError
    from crosspost.restoring import erased_since

    try:
        found = erased_since(before, copy)
    except DatabaseError:
        return  # it was damaged, which is why a copy takes its place
    for number, order in found:
        known = {"number": number, "order": order}
        warn(t("BACK IN THIS COPY: announcement {number}, erased by the order {order}.", **known))
        warn(t("Erase it again, under the same order, before you confirm:"))
        warn(f'  crosspost redact {number} --order "{order}" --reason "..."')


def _confirm(reason: str, *, yes: bool) -> None:
    from crosspost import restoring
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say
    from crosspost.people import require
    from crosspost.policy import Deed

    office = open_office(secrets=False)
    require(office.config, office.person, Deed.CONFIRM)
    with office.database.read() as session:
        found = restoring.restored(session, office.config.folder)
        if found is not None:
            say(found.words())
            _show(office, restoring.questions(session, office.now))
    if found is not None:
        confirm(t("Go on with this database?"), yes=yes, final=True)
    restoring.confirm(office.database, office.config.folder, office.doing(reason))
    say(t("Confirmed. What is to be decided by you: crosspost status"))
    _say_if_sealed_beyond(office)


def _show(office: Office, found: Questions) -> None:
    from crosspost.cli.output import say

    for heading, deliveries in (
        (t("May be public already; you say what you see, with crosspost resolve:"), found.ask),
        (t("Was being sent; it is looked for, and nobody sends it again meanwhile:"), found.look),
        (t("May have been approved and published; look before you approve it:"), found.held),
    ):
        if deliveries:
            say(heading)
            for delivery in deliveries:
                say(f"  {_line(office, delivery)}")
    if not (found.ask or found.look or found.held):
        say(t("Nothing was due since: nothing of it can be public."))


def _line(office: Office, delivery: Delivery) -> str:
    from crosspost.cli.telling import spoken_time

    with office.views() as views:
        about = views.heading(delivery)
    when = spoken_time(office, delivery.due_at)
    return f"#{about['number']} {delivery.channel}, {when}: {about['title']}"


def _say_if_sealed_beyond(office: Office) -> None:
    """Where the ledger has a key, what was signed and is gone stays a matter for the auditor."""
    from crosspost.cli.output import say
    from crosspost.ledger.strongbox import Strongbox

    if Strongbox(office.config.folder).is_founded():
        say(
            t(
                "The record is signed. If entries that were sealed are gone, the daemon refuses: "
                "look with crosspost log verify, and read docs/record.md before you go on."
            )
        )
