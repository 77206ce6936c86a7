"""Beginning: init, demo."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.config import Config
    from crosspost.founding import NewChannel


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    app.command()(init)
    app.command()(demo)


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The office's folder.")] = Path(),
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The office's name, as the public knows it.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Its time zone, e.g. Asia/Makassar.")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="id or en.")] = None,
    person: Annotated[
        str | None, typer.Option(metavar="NAME", help="Your name on the record.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Your office title.")] = None,
    site_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where the public will see the pages that crosspost makes."
        ),
    ] = None,
    channel: Annotated[
        list[str],
        typer.Option(
            "--channel", metavar="PLATFORM", help="A platform to publish to; may be repeated."
        ),
    ] = [],
    approvals: Annotated[
        int, typer.Option(min=0, max=1, help="0: nobody has to approve. Later up to 2.")
    ] = 1,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Keep the queue on a PostgreSQL: postgresql://ACCOUNT@SERVER/DATABASE. "
            "Its password is asked for.",
        ),
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring an existing queue database up to date.")
    ] = False,
) -> None:
    """Make a new office.

    Its crosspost.toml, .env (mode 0600) and queue database are made in FOLDER.

    Asks for what is not given. Secrets are never options, since others could see them in the list
    of processes: type them when asked, or write them into .env.
    """
    from crosspost.cli.output import say
    from crosspost.config import known_language, web_address
    from crosspost.founding import Answers, found, zone_called
    from crosspost.founding import upgrade as bring_up_to_date
    from crosspost.people import os_user
    from crosspost.wording import set_language

    if upgrade:
        bring_up_to_date(_existing(folder))
        say(t("The queue database is up to date."))
        return
    _refuse_existing(folder)
    address = _database_address(database)
    speaks = _asked(language, t("Language of the office (id, en)"), "id", known_language)
    set_language(os.environ.get("CROSSPOST_LANGUAGE") or speaks)
    answers = Answers(
        name=_asked(name, t("Name of the office"), None, _said),
        zone=_asked(zone, t("Time zone (a city, or WIB, WITA, WIT)"), "Asia/Jakarta", zone_called),
        language=speaks,
        os_user=os_user(),
        person=_asked(person, t("Your name on the record"), os_user(), _said),
        title=_asked(title, t("Your office title (may be empty)"), ""),
        site_url=_asked(
            site_url,
            t("Address of your own pages (empty: none)"),
            "",
            lambda url: web_address(url) if url else "",
        ),
        approvals=approvals,
        database=address,
    )
    channels = _channels(answers.site_url, channel)
    config = found(folder, answers.__class__(**{**vars(answers), "channels": channels}))
    _say_done(folder, config, channels)


def _database_address(given: str | None) -> str:
    """The address of the PostgreSQL with its password; "" when the queue is a file."""
    from crosspost.cli.output import ask, interactive
    from crosspost.errors import UsageError

    if not given:
        return ""
    from crosspost.database import Database

    opened = Database(given)  # raises DatabaseError when it is no address
    url = opened.engine.url.set(drivername="postgresql")
    opened.close()
    if not opened.on_server:
        raise UsageError(
            t("This is no PostgreSQL."), hint=t("A file needs no option: it is crosspost.db.")
        )
    if url.password is not None:
        raise UsageError(
            t("Others can see this password in the list of processes. Nothing was changed."),
            hint=t("Change it, then write the address without it: it is asked for."),
        )
    if interactive():
        question = t("Password of {account} (not shown; empty: none)", account=url.username or "")
        url = url.set(password=ask(question, default="", hide_input=True, show_default=False))
    if not url.password:
        url = url.set(password=None)
    return url.render_as_string(hide_password=False)


def _existing(folder: Path) -> Config:
    from crosspost.cli import office
    from crosspost.config import CONFIG_NAME, load

    return load(office.config_file or folder / CONFIG_NAME, secrets=False)


def _refuse_existing(folder: Path) -> None:
    """Before anything is asked: there is no office here yet."""
    from crosspost.config import CONFIG_NAME
    from crosspost.errors import Conflict

    if (folder / CONFIG_NAME).exists():
        raise Conflict(
            t("{path} is there already; nothing was changed.", path=folder / CONFIG_NAME),
            hint=t("For a new office, use a new folder. To upgrade: crosspost init --upgrade"),
        )


def _asked(
    given: str | None,
    question: str,
    default: str | None,
    understood: Callable[[str], str] = str,
) -> str:
    """What was given as an option; else what the admin answers; else the default; as `understood`
    (ValueError with a sentence: not at all). A person is asked again, and loses no other answer.

    Raises UsageError when there is neither an answer nor a default, or an option is no answer.
    """
    from crosspost.cli.output import ask, interactive, warn
    from crosspost.errors import UsageError

    hint = t("See: crosspost init --help")
    if given is None and not interactive():
        if default is None:
            raise UsageError(t("{question}: missing.", question=question), hint=hint)
        given = default
    while True:
        answer = given
        if answer is None:
            answer = ask(question, default=default, show_default=bool(default))
        try:
            return understood(answer)
        except ValueError as error:
            sentence = t("{question}: {reason}.", question=question, reason=error)
            if given is not None:
                raise UsageError(sentence, hint=hint) from error
            warn(f"  {error}.")


def _said(words: str) -> str:
    """Raises ValueError with a sentence when there is nothing in it."""
    if not words.strip():
        raise ValueError(t("write something"))
    return words.strip()


def _channels(site_url: str, platforms: list[str]) -> tuple[NewChannel, ...]:
    from crosspost.adapters import platforms as known_platforms
    from crosspost.cli.drafting import split
    from crosspost.founding import NewChannel

    others = sorted(set(known_platforms()) - {"site"})

    def known(words: str) -> str:
        wrong = [name for name in split(words) if name not in known_platforms()]
        if wrong:
            raise ValueError(t('there is no platform "{name}"', name=wrong[0]))
        return words

    question = t(
        "Where else to publish ({known}; commas between, empty: nowhere yet)",
        known=", ".join(others),
    )
    names = split(_asked(",".join(platforms) or None, question, "", known))
    site = [NewChannel("site", "site")] if site_url else []
    return (*site, *(_channel(name) for name in dict.fromkeys(names) if name != "site"))


def _channel(platform: str) -> NewChannel:
    """A channel of that platform, its needed keys asked for; secrets typed unseen."""
    from crosspost.cli.output import interactive, say
    from crosspost.founding import NewChannel, wanted_keys

    plain, secret = wanted_keys(platform)
    if not interactive():
        return NewChannel(
            platform, platform, dict.fromkeys(plain, "FILL-ME-IN"), dict.fromkeys(secret, "")
        )
    say(t("{platform}: how to get these is in docs/channels/{platform}.md", platform=platform))
    keys = {key: _asked(None, _question(platform, key), None, _fit(platform, key)) for key in plain}
    hidden = t("not shown; empty: later, into .env")
    secrets = {
        key: _asked_unseen(
            f"{_question(platform, key)} ({hidden})", _fit(platform, key, secret=True)
        )
        for key in secret
    }
    return NewChannel(platform, platform, keys, secrets)


def _question(platform: str, key: str) -> str:
    from crosspost.cli.questions import meaning

    words = meaning(platform, key)
    return f"  {key}, {words}" if words else f"  {key}"


def _asked_unseen(question: str, understood: Callable[[str], str]) -> str:
    from crosspost.cli.output import ask, warn

    while True:
        answer = ask(question, default="", hide_input=True, show_default=False)
        try:
            return understood(answer) if answer else ""
        except ValueError as error:
            warn(f"  {error}")


def _fit(platform: str, key: str, *, secret: bool = False) -> Callable[[str], str]:
    """Whether an answer is one for this key, as the adapter's settings see it."""
    from pydantic import SecretStr

    from crosspost.adapters import problems_of

    def fits(answer: str) -> str:
        found = problems_of(platform, {key: SecretStr(answer) if secret else answer})
        about = [problem for problem in found if problem.startswith(f"{key}: ")]
        if about:
            raise ValueError(about[0].removeprefix(f"{key}: ").rstrip("."))
        return answer

    return fits


def _say_done(folder: Path, config: Config, channels: tuple[NewChannel, ...]) -> None:
    from crosspost.cli.output import say
    from crosspost.founding import logs_in

    kept = t("the tables on the server") if "://" in config.storage.database else "crosspost.db"
    say(t("Made: {files}", files=f"{config.path.name}, .env, {kept}"))
    for channel in channels:
        for key in [k for k, value in channel.keys.items() if value == "FILL-ME-IN"]:
            say(
                t(
                    "Fill in {key} in section [channels.{name}] of crosspost.toml.",
                    key=key,
                    name=channel.name,
                )
            )
        for key in [k for k, value in channel.secrets.items() if not value]:
            say(t("Write the secret {name}=... into .env.", name=channel.variable(key)))
    if not channels:
        say(t("No channel is configured yet; config.example.toml shows how."))
    steps = [f"cd {folder}"] if folder != Path() else []
    steps += [f"crosspost channels login {c.name}" for c in channels if logs_in(c.platform)]
    steps += [
        "crosspost channels check",
        f'crosspost add "..." --at "{t("tomorrow 9:00")}"',
        *(["crosspost approve 1"] if config.policy.approvals else []),
        "crosspost daemon",
    ]
    say(t("Next:"))
    for step in steps:
        say(f"  {step}")


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for it.")] = Path(
        "crosspost-demo"
    ),
) -> None:
    """See it work, with no account and no settings.

    It makes an office with five announcements, and runs its daemon.
    """
    from crosspost.cli.demonstration import show

    show(folder)
