"""Connecting a channel's account: `channels login`.

Nothing is kept before the platform has said whose account it is, and nothing is posted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.foreign import of_system
from crosspost.wording import language, t

if TYPE_CHECKING:
    from crosspost.adapters import Adapter
    from crosspost.adapters.oauth import OAuthAdapter, Request
    from crosspost.cli.office import Office
    from crosspost.config import Channel, Config
    from crosspost.post import Account
    from crosspost.tokens import Token


def login(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    paste: Annotated[
        bool, typer.Option("--paste", help="The browser is on another computer: paste its answer.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="It is the right account.")] = False,
) -> None:
    """Connect a channel's account. Walks through the platform's way, checks, posts nothing.

    Secrets are typed unseen, or read from standard input, one a line; they go into .env, and what a
    platform gives in return is kept encrypted in the database.
    """
    from crosspost.adapters import adapter_class
    from crosspost.cli import office
    from crosspost.config import load
    from crosspost.connections import by_login

    plain = load(office.config_file, secrets=False)
    channel = _channel(plain, name)
    kind = adapter_class(channel.platform)
    about = t("How to get what is asked here: docs/channels/{platform}.md", platform=kind.platform)
    typer.echo(about)
    if by_login(channel):
        _by_browser(plain, channel, paste=paste, yes=yes)
    else:
        _by_secrets(plain, channel, yes=yes)


def _channel(config: Config, name: str) -> Channel:
    from crosspost.errors import NotFound

    if name not in config.channels:
        raise NotFound(
            t(
                'There is no channel "{name}". Configured are: {known}.',
                name=name,
                known=", ".join(config.channels) or t("none"),
            ),
            hint=t("Channels are the [channels.NAME] sections of {path}.", path=config.path),
        )
    return config.channels[name]


# --- platforms that give a secret to copy ---------------------------------------------------------


def _by_secrets(config: Config, channel: Channel, *, yes: bool) -> None:
    """Ask for the channel's secrets, see whether they work, then write them into `.env`."""
    from crosspost.cli.introducing import introduce, tried
    from crosspost.cli.output import confirm, say
    from crosspost.errors import Conflict

    wanted = _variables(channel)
    if not wanted:
        raise Conflict(
            t("{channel} needs no login.", channel=channel.name),
            hint=t("Does it work? crosspost channels check {channel}", channel=channel.name),
        )
    typed = _typed(wanted)
    office = _office(typed)
    account = _tried(office, channel.name)
    introduce(tried(channel.name, account))
    confirm(t("Is this the right account?"), yes=yes)
    _write_secrets(config.folder, typed)
    _record(office, channel.name, account)
    say(t("Connected. The secret is in .env; a running daemon sees it after a restart."))


def _variables(channel: Channel) -> dict[str, str]:
    """Config key -> name in `.env`, of every secret of the channel."""
    values = {key: str(value) for key, value in channel.options.items()}
    return {
        key: value.removeprefix("env:").strip()
        for key, value in values.items()
        if value.startswith("env:")
    }


def _typed(wanted: Mapping[str, str]) -> dict[str, str]:
    """Name -> value of each secret that was typed, or came by standard input. Raises UsageError
    when none did, or when the environment would hide it."""
    from crosspost.errors import UsageError

    hidden = [name for name in wanted.values() if name in os.environ]
    if hidden:
        raise UsageError(
            t("{name} is set in the environment, which wins over .env.", name=hidden[0]),
            hint=t("Change it there, or remove it there and try again."),
        )
    found = {name: _secret(key) for key, name in wanted.items()}
    typed = {name: value for name, value in found.items() if value}
    if not typed:
        raise UsageError(t("Nothing was typed, so nothing was changed."))
    return typed


def _secret(key: str) -> str:
    """One secret; "" to keep the one there is."""
    from crosspost.cli.output import answerable, ask

    if not answerable():
        return sys.stdin.readline().strip()
    words = t("not shown; empty: as it is")
    return ask(f"{key} ({words})", default="", hide_input=True, show_default=False)


def _write_secrets(folder: Path, typed: Mapping[str, str]) -> None:
    """Put them into `.env`, readable by this account alone."""
    from dotenv import set_key

    path = folder / ".env"
    try:
        path.touch(mode=0o600)
        for name, value in typed.items():
            set_key(path, name, value)
        path.chmod(0o600)
    except OSError as error:
        from crosspost.errors import ConfigError

        raise ConfigError(
            t("{path} cannot be written: {reason}.", path=path, reason=of_system(error)),
            hint=t("Run this as the account that the office's folder belongs to."),
        ) from error


# --- platforms that one logs in to with a browser -------------------------------------------------


def _by_browser(config: Config, channel: Channel, *, paste: bool, yes: bool) -> None:
    """The authorisation code grant: to the platform, back with a code, a token for it."""
    from crosspost.cli.introducing import introduce, naming, tried
    from crosspost.cli.output import confirm, say
    from crosspost.connections import open_channel

    _ensure_key(config)
    missing = {k: n for k, n in _variables(channel).items() if not _is_set(config, n)}
    typed = _typed(missing) if missing else {}
    office = _office(typed)
    adapter: Any = open_channel(office.config, office.database, channel.name)
    try:
        with naming(adapter):
            token = _token(adapter, paste=paste)
            account = adapter.try_out(token)
        introduce(tried(channel.name, account))
        _say_rights(office, token)
        confirm(t("Is this the right account?"), yes=yes)
        if typed:
            _write_secrets(config.folder, typed)
        adapter.keep(token)
    finally:
        adapter.close()
    _record(office, channel.name, account)
    say(t("Connected. What the platform gave is kept encrypted, and renewed by the daemon."))


def _token(adapter: OAuthAdapter, *, paste: bool) -> Token:
    from crosspost.cli.callback import code_in, is_loopback, listening
    from crosspost.cli.output import ask, say

    redirect = adapter.settings.redirect_url
    catches = is_loopback(redirect) and not paste
    request = adapter.begin(redirect, pasted=not catches)
    if catches:
        with listening(redirect) as callback:
            _say_where(adapter, request)
            say(t("Waiting for the browser. If it is on another computer: Ctrl-C, and --paste."))
            answer = callback.wait()
    else:
        _say_where(adapter, request)
        say(t("Then paste the code, or the address that the browser ends at, page or no page."))
        answer = ask(t("Code or address"))
    return adapter.exchange(code_in(answer, request.state), request)


def _say_where(adapter: OAuthAdapter, request: Request) -> None:
    from crosspost.cli.output import say

    say(t("Open this in a browser where you are logged in as the office, and allow it:"))
    say()
    say(adapter.authorize_url(request))
    say()


def _ensure_key(config: Config) -> None:
    """What a platform gives is kept encrypted; the key for that is made if there is none."""
    from crosspost.cli.output import say
    from crosspost.vault import new_key

    if not _is_set(config, "CROSSPOST_SECRET_KEY"):
        _write_secrets(config.folder, {"CROSSPOST_SECRET_KEY": new_key()})
        say(t("Made CROSSPOST_SECRET_KEY in .env; logins are kept encrypted with it."))


def _is_set(config: Config, name: str) -> bool:
    from dotenv import dotenv_values

    return bool(os.environ.get(name) or dotenv_values(config.folder / ".env").get(name))


# --- both -----------------------------------------------------------------------------------------


def _office(typed: Mapping[str, str]) -> Office:
    """The office as it will be with these secrets."""
    from crosspost.cli.office import open_office

    return open_office(typed=typed)


def _tried(office: Office, name: str) -> Account:
    """Whose account it is. Raises UserError when the platform does not say."""
    from crosspost.cli.introducing import naming
    from crosspost.connections import open_channel

    adapter: Adapter = open_channel(office.config, office.database, name)
    try:
        with naming(adapter):
            return adapter.check()
    finally:
        adapter.close()


def _say_rights(office: Office, token: Token) -> None:
    from crosspost.cli.output import say
    from crosspost.times import short

    if token.scopes:
        say("    " + t("may do: {scopes}", scopes=token.scopes))
    about, ends = office.config.office, token.login_ends()
    if ends is None:
        say("    " + t("ends: when it is revoked at the platform"))
    else:
        say(
            "    "
            + t(
                "a person must log in again before: {ends}",
                ends=short(ends, about.zone, language()),
            )
        )


def _record(office: Office, name: str, account: Account) -> None:
    from crosspost.connections import connected

    with office.database.write() as session:
        connected(session, name, account.name, office.doing())
