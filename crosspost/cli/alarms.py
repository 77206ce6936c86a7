"""Alarms: list them, say that they are read, try the ways by which they come."""

from __future__ import annotations

from typing import Annotated

import typer

from crosspost.cli.helping import Commands
from crosspost.cli.options import AsJson
from crosspost.wording import t

app = Commands(help="What needs a person, and who has been told.", no_args_is_help=True)


@app.command("list")
def list_(json: AsJson = False) -> None:
    """List what needs a person now, and whether anybody knows of it."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json, table
    from crosspost.lock import daemon_runs

    office = open_office(secrets=False)
    runs = daemon_runs(office.database)
    with office.views() as views:
        found = views.alarms(office.now, runs)
    if json:
        show_json(found)
        return
    rows = [
        (a["told"] or t("no"), a["read"] or t("no"), a["read_by"] or "", a["words"]) for a in found
    ]
    table([t("Told"), t("Read"), t("By"), t("What")], rows)


@app.command()
def read(
    reason: Annotated[str, typer.Option("--reason", help="A note for the record.")] = "",
) -> None:
    """Say that you have read the alarms: none of them is repeated. It goes on the record."""
    from crosspost import alarms, sightings
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.lock import daemon_runs

    office = open_office(secrets=False)
    runs = daemon_runs(office.database)
    with office.database.write() as session:
        seen = sightings.seen_in(session, office.config, office.now, runs)
        count = sightings.read(session, alarms.current(seen), office.doing(reason.strip()))
    say(t("Read: {count}. New trouble is told again.", count=count))


@app.command("test")
def try_out(json: AsJson = False) -> None:
    """Send a trial message by every way of [alarms]. Says whether it arrived."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json
    from crosspost.errors import UserError
    from crosspost.sightings import remember_ways
    from crosspost.watchman import send_test

    office = open_office()
    if not office.config.alarms.ways:
        raise UserError(
            t("Nobody is told: there is no [alarms.email] and no [alarms.webhook]."),
            hint=t("See how in config.example.toml."),
        )
    worked = send_test(office.config, office.now)
    with office.database.write() as session:
        remember_ways(session, worked, office.now)
    if json:
        show_json([{"way": way, "problem": problem or None} for way, problem in worked.items()])
    else:
        for way, problem in worked.items():
            say(f"{way}: {problem or t('delivered')}")
    if any(worked.values()):
        raise typer.Exit(1)
