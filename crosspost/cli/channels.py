"""Channels: list them, check them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.helping import Commands
from crosspost.cli.logins import login
from crosspost.cli.options import AsJson
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office

app = Commands(help="The accounts that crosspost publishes to.", no_args_is_help=True)
app.command()(login)


@app.command("list")
def list_(json: AsJson = False) -> None:
    """List the configured channels and how they are."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json, table

    office = open_office(secrets=False)
    with office.views() as views:
        found = views.channels(office.now)
    if json:
        show_json(found)
        return
    rows = [
        (
            c["channel"],
            c["platform"],
            _condition(c),
            c["last_published"] or t("never"),
            "; ".join(quota["words"] for quota in c["quotas"]),
        )
        for c in found
    ]
    headings = [t("Channel"), t("Platform"), t("Condition"), t("Last published"), t("Quota")]
    table(headings, rows)


def _condition(channel: dict[str, Any]) -> str:
    if channel["held"]:
        return t("on hold: {reason}", reason=channel["hold_reason"])
    if channel["paused_until"]:
        return t(
            "paused until {until}: {reason}",
            until=channel["paused_until"],
            reason=channel["reason"],
        )
    if not channel["connected"]:
        return t(
            "nobody has logged in: crosspost channels login {channel}", channel=channel["channel"]
        )
    return t("ready")


@app.command()
def check(
    names: Annotated[
        list[str], typer.Argument(metavar="[NAME]...", help="Channels; by default all of them.")
    ] = [],
    json: AsJson = False,
) -> None:
    """Ask each platform whose account it is and whether it may post. Posts nothing."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json

    office = open_office()
    found = [ask_platform(office, name) for name in names or list(office.config.channels)]
    if json:
        show_json(found)
    else:
        for result in found:
            _print(result, _advised(office, result))
    if not all(result["ok"] for result in found):
        raise typer.Exit(1)


def ask_platform(office: Office, name: str) -> dict[str, Any]:
    """What `channels check` says of one channel; a channel that works is paused no more."""
    from crosspost.accounts import remember
    from crosspost.cli.introducing import address, tried
    from crosspost.connections import open_channel
    from crosspost.errors import PlatformError
    from crosspost.holds import unpause

    adapter = open_channel(office.config, office.database, name)
    try:
        account = adapter.check()
    except PlatformError as error:
        asked = address(adapter) or None
        failed = {"kind": error.kind, "error": str(error), "address": asked}
        return {"channel": name, "ok": False, **failed}
    finally:
        adapter.close()
    with office.database.write() as session:
        unpause(session, name)
        remember(session, name, account)
    return tried(name, account)


def _advised(office: Office, result: dict[str, Any]) -> str:
    """What a person does about it; "" where that is said already, or nothing helps but waiting."""
    from crosspost.connections import by_login
    from crosspost.stories import cure

    if result["ok"]:
        return ""
    channel = office.config.channels[result["channel"]]
    cured = cure(result["kind"], by_login=by_login(channel)).format(**result)
    return "" if f"crosspost channels login {channel.name}" in result["error"] else cured


def _print(result: dict[str, Any], advised: str) -> None:
    from crosspost.cli.introducing import introduce
    from crosspost.cli.output import say
    from crosspost.stories import outcome_word

    if result["ok"]:
        introduce(result)
        return
    say(t("{channel}: does NOT work: {error}", **result))
    say(f"    {outcome_word(result['kind'])}")
    if result["address"]:
        say("    " + t("Asked at: {address}", **result))
    if advised:
        say(f"    → {advised}")
