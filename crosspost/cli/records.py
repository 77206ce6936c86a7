"""Looking into the record: log list, why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.helping import Commands
from crosspost.cli.options import MOST, AsJson, Number, OnlyChannel
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office

log = Commands(help="The record of every act.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    app.command()(why)


@log.command("list")
def list_(
    announcement: Annotated[
        int | None,
        typer.Option("--announcement", metavar="ID", min=1, max=MOST, help="Only of this one."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only of this kind, like published (docs/record.md).")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Only on this channel.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only by this person or daemon.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help='Only from then on, like "2026-11-23" or "2026-11-23 09:00".'
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only before then.")] = None,
    last: Annotated[int, typer.Option(min=1, max=MOST, help="How many, the newest.")] = 50,
    json: AsJson = False,
) -> None:
    """List the acts on record, newest last."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json, table
    from crosspost.ledger.book import Wanted
    from crosspost.stories import sentence

    office = open_office(secrets=False)
    wanted = Wanted(kind, by, channel, _moment(office, since), _moment(office, until))
    with office.views() as views:
        found = views.entries(announcement=announcement, last=last, wanted=wanted)
    if json:
        show_json(found)
        return
    rows = [
        (
            record["index"],
            _time(office, entry["at"]),
            entry["by"],
            _subject(entry),
            sentence(entry, office.config.office.tz)
            + (f' "{record["note"]}"' if record["note"] else ""),
        )
        for record in found
        for entry in [record["entry"]]
    ]
    table([t("No."), t("Time"), t("Who"), t("About"), t("What")], rows)


def _moment(office: Office, said: str | None) -> datetime | None:
    """A day or a time by the office's clock, unless it says another."""
    from crosspost.errors import UsageError

    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said.strip())
    except ValueError as error:
        raise UsageError(
            t('"{when}" is no day and no time.', when=said),
            hint=t("Write it like 2026-11-23, or 2026-11-23 09:00."),
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=office.config.office.tz)


def why(number: Number, channel: OnlyChannel = [], json: AsJson = False) -> None:
    """Tell the story of each delivery, and what to do next."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json
    from crosspost.errors import NotFound
    from crosspost.lock import daemon_runs
    from crosspost.stories import advice, story

    office = open_office(secrets=False)
    runs = daemon_runs(office.database)
    with office.views() as views:
        found = views.announcement(number)
        entries = views.entries(announcement=number)
    known = [delivery["channel"] for delivery in found["deliveries"]]
    if set(channel) - set(known):
        raise NotFound(
            t("Announcement {number} does not go to {names}.", number=number, names=channel[0]),
            hint=t("It goes to: {names}.", names=", ".join(known)),
        )
    stories = [
        {
            "channel": delivery["channel"],
            "status": delivery["status"],
            "reason": delivery["reason"],
            "story": [
                {"at": at, "by": by, "what": what}
                for at, by, what in story(delivery, entries, office.config.office.tz)
            ],
            "next": advice(
                delivery,
                number=number,
                daemon_runs=runs,
                by_login=_by_login(office, delivery["channel"]),
            ),
        }
        for delivery in found["deliveries"]
        if not channel or delivery["channel"] in channel
    ]
    if json:
        show_json(stories)
        return
    for told in stories:
        _tell(office, number, told)


def _by_login(office: Office, channel: str) -> bool:
    from crosspost.connections import by_login

    return channel in office.config.channels and by_login(office.config.channels[channel])


def _tell(office: Office, number: int, told: dict[str, Any]) -> None:
    from crosspost.cli.output import block, say
    from crosspost.lifecycle import Status, status_word

    words = status_word(Status(told["status"]))
    say(
        t(
            "Announcement {number} on {channel}: {words}",
            number=number,
            channel=told["channel"],
            words=words,
        )
    )
    for act in told["story"]:
        say(f"  {_time(office, act['at'])}  {act['by']}: {act['what']}")
    if told["reason"]:
        block(t("Last reason: {reason}", reason=told["reason"]))
    block(f"→ {told['next']}")
    say()


def _subject(entry: dict[str, Any]) -> str:
    parts = [f"#{entry['announcement']}" if "announcement" in entry else "", entry.get("channel")]
    return " ".join(part for part in parts if part)


def _time(office: Office, at: str) -> str:
    """A time of the record, to the second, in the office's zone."""
    moment = datetime.fromisoformat(at).astimezone(office.config.office.tz)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
