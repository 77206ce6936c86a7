"""Running crosspost and looking how it goes: daemon, status."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.options import NEEDS_PERSON, AsJson, Reason
from crosspost.cli.telling import spoken_time
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (daemon, status, hold, resume):
        app.command()(command)


def daemon(
    once: Annotated[
        bool, typer.Option("--once", help="Publish what is due now, then end.")
    ] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="Lines for people, or JSON.")
    ] = LogFormat.TEXT,
) -> None:
    """Publish approved announcements at their time, until stopped."""
    from crosspost.adapters import problems_of
    from crosspost.cli import office as office_room
    from crosspost.config import load
    from crosspost.daemon import Daemon
    from crosspost.logs import set_up
    from crosspost.watchman import last_words

    config = load(office_room.config_file, check_channel=problems_of)
    set_up(log_format.value, config.office.tz)
    with last_words(config, lambda: datetime.now(UTC)):
        office = office_room.open_office()
        runner = Daemon(office.database, office.config)
        runner.stop_on_signals()
        if once:
            runner.run_once()
        else:
            runner.run()


def status(
    alarm: Annotated[
        bool, typer.Option("--alarm", help="Send the alarms that are due too; for cron.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Is all well? Ends with 3 when something needs a person that nobody has read."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json
    from crosspost.lock import daemon_runs

    office = open_office(secrets=alarm)
    runs = daemon_runs(office.database)
    if alarm:
        from crosspost.watchman import Watchman

        Watchman(office.database, office.config, lambda: office.now).look(daemon=runs)
    with office.views() as views:
        found = views.status(office.now, runs)
    if json:
        show_json(found)
    else:
        _print(office, found)
    waiting = [one for one in found["needs_person"] if not one["read"] or one["status"] == "review"]
    waiting += [one for one in found["witnesses"] if not one["read"]]
    urgent = (found["overdue"], found["restored"], found["broken_alarms"], found["emergencies"])
    if waiting or any(urgent) or found["unfinished_erasures"]:
        raise typer.Exit(NEEDS_PERSON)


Held = Annotated[
    str | None, typer.Argument(metavar="[CHANNEL]", help="Only this channel; else all of them.")
]


def hold(channel: Held = None, reason: Reason = "") -> None:
    """Stop all publishing at once, or one channel's, until resume."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.errors import UsageError
    from crosspost.holds import hold as put_on_hold
    from crosspost.people import require
    from crosspost.policy import Deed

    office = open_office(secrets=False)
    if not reason.strip():
        raise UsageError(
            t("Say why."), hint=t('For example: crosspost hold --reason "Wrong figures"')
        )
    _require_channel(office, channel)
    require(office.config, office.person, Deed.HOLD)
    with office.database.write() as session:
        put_on_hold(session, channel, office.doing(reason.strip()))
    said = {"channel": channel or t("any channel")}
    say(t("On hold: nothing more is sent to {channel}.", **said))
    say(t("Only a post whose sending has begun still goes out: crosspost list"))
    say(t("Go on with: crosspost resume {channel}", channel=channel or "").rstrip())


def resume(channel: Held = None, reason: Reason = "") -> None:
    """Let publishing go on after hold."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.holds import resume as let_go_on
    from crosspost.people import require
    from crosspost.policy import Deed

    office = open_office(secrets=False)
    _require_channel(office, channel)
    require(office.config, office.person, Deed.RESUME)
    with office.database.write() as session:
        let_go_on(session, channel, office.doing(reason.strip()))
    say(t("It goes on. What has become too late meanwhile is missed: crosspost status"))


def _require_channel(office: Office, channel: str | None) -> None:
    from crosspost.errors import NotFound

    configured = office.config.channels
    if channel is not None and channel not in configured:
        known = ", ".join(configured)
        raise NotFound(
            t(
                'There is no channel "{name}". Configured are: {known}.',
                name=channel,
                known=known,
            ),
            hint=t("Nothing was changed."),
        )


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
    if found["restored"]:
        say(t("RESTORED: {found}", found=found["restored"]))
        say(t("         Nothing is published before you confirm it: crosspost restore"))
    for way, problem in found["broken_alarms"].items():
        say(t("ALARMS:  not delivered by {way}: {problem}", way=way, problem=problem))
        say(t("         Mend it, then: crosspost alarms test"))
    if found["overdue"]:
        say(t("OVERDUE: something should be sent now, and no daemon runs."))
    elif found["next"]:
        when = spoken_time(office, datetime.fromisoformat(found["next"]))
        say(t("Next:    {when}", when=when))
    counts = [f"{status_word(Status(s))} {n}" for s, n in found["deliveries"].items() if n]
    say(t("Queue:   {counts}", counts=", ".join(counts) or t("empty")))
    for channel in found["paused_channels"]:
        if channel["held"]:
            say(t("ON HOLD: {channel}: {hold_reason}", **channel))
            continue
        say(t("Paused:  {channel}: {reason}", **channel))
        say(t("         Look with: crosspost channels check {channel}", **channel))
    for emergency in found["emergencies"]:
        say(t("EMERGENCY: {by} published announcement {announcement} alone, {at}.", **emergency))
        say(t("         A second person: crosspost countersign {announcement}", **emergency))
    _print_erasures(found)
    _print_witnesses(found)
    for ending in found["ending_logins"]:
        say(t("Login:   {sentence}", sentence=_sentence(office, ending)))
    for delivery in found["needs_person"]:
        words = status_word(Status(delivery["status"]))
        say(
            t(
                "NEEDS YOU: announcement {announcement} on {channel}: {words}. {reason}",
                **{**delivery, "words": words, "reason": delivery["reason"] or ""},
            )
        )
        say(t("         The story: crosspost why {announcement}", **delivery))


def _print_erasures(found: dict[str, Any]) -> None:
    from crosspost.cli.output import say

    for one in found["unfinished_erasures"]:
        said = t("ERASURE: not all of announcement {announcement} is gone ({order}).", **one)
        say(" ".join([said, one["reason"] or ""]).rstrip())
        say(t("         The daemon goes on with it. Does it stay: crosspost doctor"))


def _print_witnesses(found: dict[str, Any]) -> None:
    from crosspost.cli.output import say

    for concern in found["witnesses"]:
        say(t("Record:  {sentence}", sentence=concern["words"]))


def _sentence(office: Office, ending: dict[str, Any]) -> str:
    from crosspost.logins import Ending

    late = datetime.fromisoformat(ending["late"]) if ending["late"] else None
    known = Ending(ending["channel"], datetime.fromisoformat(ending["ends"]), late)
    return known.sentence(lambda when: spoken_time(office, when))
