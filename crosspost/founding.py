"""Making a new office: `crosspost.toml`, `.env` and the queue database, all of them or none.

It must not ask anybody anything; the command line, or the demonstration, brings the answers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from pydantic import SecretStr

from crosspost.adapters import adapter_class
from crosspost.adapters.oauth import by_browser
from crosspost.config import CONFIG_NAME, Config, known_zone, load
from crosspost.database import Database
from crosspost.errors import Conflict, UserError
from crosspost.foreign import of_system
from crosspost.vault import new_key
from crosspost.wording import t


@dataclass(frozen=True)
class NewChannel:
    """A channel to be configured: its keys as strings; secrets apart, by key, "" when not known."""

    name: str
    platform: str
    keys: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def variable(self, key: str) -> str:
        """The name of a secret in `.env`: `MASTODON_MAIN_ACCESS_TOKEN`."""
        return f"{self.name}_{key}".upper().replace("-", "_")


def logs_in(platform: str) -> bool:
    """Whether its account is connected with `channels login` and a browser."""
    return by_browser(adapter_class(platform))


@dataclass(frozen=True)
class Answers:
    """What a new office needs to say about itself."""

    name: str
    zone: str
    language: str
    os_user: str
    person: str  # how that account is called on the record
    title: str = ""  # that person's office title
    site_url: str = ""  # "" for no pages of its own
    approvals: int = 1  # needed before anything is published
    channels: tuple[NewChannel, ...] = ()
    database: str = ""  # the address of a PostgreSQL with its password, "" for a file here


#: The line in `.env` that holds the address of a PostgreSQL.
DATABASE_VARIABLE = "CROSSPOST_DATABASE"
#: What people call Indonesia's zones.
CLOCKS = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}


def zone_called(words: str) -> str:
    """The IANA zone that a person means: its name, "WITA", or a city ("Makassar"). Raises
    ValueError with a sentence."""
    asked = words.strip()
    if asked.upper() in CLOCKS:
        return CLOCKS[asked.upper()]
    called = asked.replace(" ", "_").casefold()
    found = [name for name in available_timezones() if name.casefold() == called] or [
        name
        for name in available_timezones()
        if name.rpartition("/")[2].casefold() == called and "/" in name
    ]
    return known_zone(min(found, default=asked))


def wanted_keys(platform: str) -> tuple[list[str], list[str]]:
    """The keys that a channel of this platform must have: plain ones, and secret ones."""
    fields = adapter_class(platform).Settings.model_fields
    needed = [name for name, about in fields.items() if about.is_required()]
    secret = [name for name in needed if fields[name].annotation is SecretStr]
    return [name for name in needed if name not in secret], secret


def found(folder: Path, answers: Answers) -> Config:
    """Make the office in `folder`. Raises UserError with nothing left behind."""
    try:
        return _found(folder, answers)
    except OSError as error:
        path = error.filename or folder
        raise UserError(
            t("{path} cannot be written: {reason}.", path=path, reason=of_system(error)),
            hint=t("Go to a folder of your own, or name one: crosspost init my-office"),
        ) from error


def _found(folder: Path, answers: Answers) -> Config:
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    config_file, env_file = folder / CONFIG_NAME, folder / ".env"
    for path in (config_file, env_file, folder / "crosspost.db"):
        if path.exists():
            raise Conflict(
                t("{path} is there already; nothing was changed.", path=path),
                hint=t("For a new office, use a new folder. To upgrade: crosspost init --upgrade"),
            )
    made: list[Path] = []
    try:
        _write(env_file, environment_text(answers), 0o600, made)
        _write(config_file, config_text(answers), 0o644, made)
        config = load(config_file, secrets=False)
        made.append(folder / "crosspost.db")
        upgrade(config, fresh=True)
    except (UserError, OSError):
        for path in made:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise
    return config


def upgrade(config: Config, *, fresh: bool = False) -> None:
    """Make the tables of the queue database, or bring them up to date. `fresh`: raises Conflict
    when there are any."""
    from crosspost.migrations import upgrade as migrate

    database = Database(config.database_url)
    try:
        if fresh and database.schema() is not None:
            raise Conflict(
                t("There is an office in this database already: {where}.", where=database.where()),
                hint=t(
                    "For another machine of that office, copy its crosspost.toml and .env. "
                    "For a new office, make a database of its own: docs/ministry.md"
                ),
            )
        migrate(database)
        database.check_schema()
    finally:
        database.close()


def _write(path: Path, text: str, mode: int, made: list[Path]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    made.append(path)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def environment_text(answers: Answers) -> str:
    """`.env`: the office's key, and a line for every secret of its channels."""
    database = [
        "# The queue database, with its password.",
        f"{DATABASE_VARIABLE}={_quoted(answers.database)}",
        "",
    ]
    lines = [
        "# Secrets of this office. Keep this file to yourself (mode 0600) and out of backups",
        "# that others can read. crosspost.toml names these lines as env:NAME.",
        "",
        *(database if answers.database else []),
        "# Opens the sessions that crosspost keeps in its database.",
        f"CROSSPOST_SECRET_KEY={new_key()}",
    ]
    for channel in answers.channels:
        for key, value in channel.secrets.items():
            lines += ["", f"{channel.variable(key)}={_quoted(value)}"]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """A value as python-dotenv reads it back; single quotes keep `$` and `#` as they are."""
    if not value:
        return ""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def config_text(answers: Answers) -> str:
    """`crosspost.toml`, with the comments that an admin needs."""
    site = any(channel.platform == "site" for channel in answers.channels)
    sections = [
        "# Settings of this office. Every key is explained in config.example.toml.",
        _section("office", name=answers.name, zone=answers.zone, language=answers.language),
        _section("policy", approvals=answers.approvals),
        "# Who is who, by the account of this machine. As soon as there is a second one, nobody\n"
        "# approves what they wrote (docs/approvals.md).\n"
        + _section(
            f"people.{json.dumps(answers.person)}", os_user=answers.os_user, title=answers.title
        ),
    ]
    if site:
        sections.append(
            "# Your own pages: put this folder behind your web server.\n"
            + _section("site", url=answers.site_url, folder="public")
        )
    if answers.database:
        sections.append(_section("storage", database=f"env:{DATABASE_VARIABLE}"))
    for channel in answers.channels:
        secrets = {key: f"env:{channel.variable(key)}" for key in channel.secrets}
        keys = {"platform": channel.platform, **channel.keys, **secrets}
        sections.append(_section(f"channels.{channel.name}", **keys))
    return "\n\n".join(sections) + "\n"


def _section(heading: str, **keys: str | int) -> str:
    """A TOML table; a JSON string is a TOML basic string (TOML 1.0, section String)."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]
    return "\n".join([f"[{heading}]", *lines])
