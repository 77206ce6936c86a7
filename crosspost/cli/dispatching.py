"""Deciding about what is queued: reschedule, cancel, retry, resolve."""

from __future__ import annotations

from typing import Annotated

import typer

from crosspost.cli.options import Number, OnlyChannel, Reason, Yes
from crosspost.cli.telling import spoken_time, warn_without_daemon
from crosspost.wording import t


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (reschedule, cancel, retry, resolve):
        app.command()(command)


def reschedule(
    number: Number,
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="TIME", help='The new time: "2026-12-01 09:00", "besok jam 9".'
        ),
    ],
    channel: OnlyChannel = [],
    yes: Yes = False,
) -> None:
    """Give another time to what is not sent yet. It needs a new approval for that time."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say
    from crosspost.dispatch import NOT_SENT, possible
    from crosspost.dispatch import reschedule as move_it
    from crosspost.policy import Deed
    from crosspost.times import understand

    office = open_office(secrets=False)
    due = understand(at, office.config.office.zone, office.now)
    on = possible(
        office.database, office.config, number, office.doing(), Deed.PLAN, NOT_SENT, channel
    )
    say(t("Time:     {when}", when=spoken_time(office, due.utc)))
    say(t("Channels: {names}", names=", ".join(on)))
    confirm(t("Give it this time?"), yes=yes)
    moved = move_it(office.database, office.config, number, due, office.doing(), channels=channel)
    say(t("Rescheduled on: {names}", names=", ".join(moved.channels)))
    if not moved.approved:
        say(t("It waits for approval of that time: crosspost approve {number}", number=number))
    warn_without_daemon(office)


def cancel(
    number: Number,
    channel: OnlyChannel = [],
    reason: Reason = "",
    yes: Yes = False,
) -> None:
    """Take back what is not sent yet."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say
    from crosspost.dispatch import NOT_SENT, possible
    from crosspost.dispatch import cancel as take_back
    from crosspost.policy import Deed

    office = open_office(secrets=False)
    on = possible(
        office.database, office.config, number, office.doing(), Deed.PLAN, NOT_SENT, channel
    )
    say(t("Channels: {names}", names=", ".join(on)))
    confirm(t("Cancel announcement {number}?", number=number), yes=yes)
    taken = take_back(
        office.database, office.config, number, office.doing(reason), channels=channel
    )
    say(t("Cancelled on: {names}", names=", ".join(taken)))
    with office.views() as views:
        found = views.announcement(number)["deliveries"]
    for delivery in found:
        if delivery["channel"] in taken and delivery["outcome"] == "partly_public":
            say(t("On {channel} it cannot be taken back: {reason}", **delivery))


def retry(
    number: Number,
    channel: OnlyChannel = [],
    reason: Reason = "",
    yes: Yes = False,
) -> None:
    """Let what failed or was missed go out now after all."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say
    from crosspost.dispatch import OVER, possible
    from crosspost.dispatch import retry as let_go
    from crosspost.policy import Deed

    office = open_office(secrets=False)
    on = possible(office.database, office.config, number, office.doing(), Deed.RUN, OVER, channel)
    say(t("Channels: {names}", names=", ".join(on)))
    confirm(t("Send announcement {number} now?", number=number), yes=yes)
    again = let_go(office.database, office.config, number, office.doing(reason), channels=channel)
    say(t("Goes out now on: {names}", names=", ".join(again)))
    warn_without_daemon(office)


def resolve(
    number: Number,
    channel: Annotated[
        str, typer.Option("--channel", metavar="CHANNEL", help="The channel you looked at.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="What you saw; it goes on the record.")],
    published: Annotated[
        str | None, typer.Option("--published", metavar="URL", help="It is public, here.")
    ] = None,
    not_published: Annotated[
        bool, typer.Option("--not-published", help="It is not there; send it again.")
    ] = False,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="It is not there; leave it so.")
    ] = False,
) -> None:
    """Say whether a post is public, where only a person can tell."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.dispatch import Finding, resolve
    from crosspost.errors import UsageError

    office = open_office(secrets=False)
    if [published is not None, not_published, give_up].count(True) != 1:
        raise UsageError(
            t("Say exactly one: --published URL, --not-published or --give-up."),
            hint=t("Look at the channel first: is the post there?"),
        )
    finding = (
        Finding.PUBLISHED
        if published is not None
        else Finding.ABSENT
        if not_published
        else Finding.GIVEN_UP
    )
    resolve(
        office.database,
        office.config,
        number,
        channel,
        finding,
        office.doing(reason),
        permalink=published or "",
    )
    say(t("Recorded. Its story: crosspost why {number}", number=number))
