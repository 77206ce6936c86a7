"""Running crosspost and looking how it goes: daemon, status."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.announcements import AsJson, spoken_time
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office

#: `status` ends with this when something needs a person, for monitors.
NEEDS_PERSON = 3


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    app.command()(daemon)
    app.command()(status)


def daemon(
    once: Annotated[
        bool, typer.Option("--once", help="Publish what is due now, then end.")
    ] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="Lines for people, or JSON.")
    ] = LogFormat.TEXT,
) -> None:
    """Publish approved announcements at their time, until stopped."""
    from crosspost.cli.office import open_office
    from crosspost.daemon import Daemon
    from crosspost.logs import set_up

    office = open_office()
    set_up(log_format.value, office.config.office.tz)
    runner = Daemon(office.database, office.config)
    runner.stop_on_signals()
    if once:
        runner.run_once()
    else:
        runner.run()


def status(json: AsJson = False) -> None:
    """Is all well? Ends with 3 when something needs a person."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json
    from crosspost.lock import daemon_runs

    office = open_office(secrets=False)
    with office.views() as views:
        found = views.status(office.now, daemon_runs(office.database))
    if json:
        show_json(found)
    else:
        _print(office, found)
    if found["needs_person"]:
        raise typer.Exit(NEEDS_PERSON)


def _print(office: Office, found: dict[str, Any]) -> None:
    from crosspost.cli.output import say
    from crosspost.lifecycle import Status, status_word

    say(found["office"])
    runs = {
        True: t("runs"),
        False: t("does NOT run: nothing is published. Start it with: crosspost daemon"),
        None: t("not known; look on the machine where it is installed"),
    }
    say(t("Daemon:  {runs}", runs=runs[found["daemon_runs"]]))
    if found["next"]:
        when = spoken_time(office, datetime.fromisoformat(found["next"]))
        say(t("Next:    {when}", when=when))
    counts = [f"{status_word(Status(s))} {n}" for s, n in found["deliveries"].items() if n]
    say(t("Queue:   {counts}", counts=", ".join(counts) or t("empty")))
    for channel in found["paused_channels"]:
        say(t("Paused:  {channel}: {reason}", **channel))
        say(t("         Look with: crosspost channels check {channel}", **channel))
    for delivery in found["needs_person"]:
        words = status_word(Status(delivery["status"]))
        say(
            t(
                "NEEDS YOU: announcement {announcement} on {channel}: {words}. {reason}",
                **{**delivery, "words": words, "reason": delivery["reason"] or ""},
            )
        )
        say(t("         The story: crosspost why {announcement}", **delivery))
