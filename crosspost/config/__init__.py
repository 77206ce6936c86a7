"""`crosspost.toml` and `.env` as frozen settings; every problem found is reported at once.

This room must not know any platform: a channel's own keys are checked by its adapter, through
the `check_channel` that the caller passes in. Secrets live here as `SecretStr` only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from crosspost.config.problems import (
    CheckChannel,
    alarm_problems,
    channel_problems,
    cross_problems,
    sentence,
)
from crosspost.config.secrets import (
    Unseen,
    read_environment,
    resolve,
    resolve_alarms,
    resolve_database,
)
from crosspost.config.settings import (
    Alarms,
    Channel,
    Config,
    LedgerSettings,
    Neighbour,
    Office,
    Publishing,
    SiteAccount,
    SiteSettings,
    Storage,
    WebAddress,
    WitnessSettings,
    known_language,
    known_zone,
    web_address,
)
from crosspost.errors import ConfigError
from crosspost.foreign import of_system, of_toml
from crosspost.policy import Person, Policy
from crosspost.style import Style
from crosspost.wording import set_language, t

__all__ = [
    "CONFIG_NAME",
    "Alarms",
    "Channel",
    "CheckChannel",
    "Config",
    "LedgerSettings",
    "Neighbour",
    "Office",
    "Person",
    "Policy",
    "Publishing",
    "SiteAccount",
    "SiteSettings",
    "Storage",
    "Unseen",
    "WebAddress",
    "WitnessSettings",
    "find_config",
    "known_language",
    "known_zone",
    "load",
    "sentence",
    "web_address",
]

CONFIG_NAME = "crosspost.toml"
CHANNEL_NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"


def find_config(given: Path | None = None) -> Path:
    """The configuration file: given, or named by `CROSSPOST_CONFIG`, or in this folder.

    Raises ConfigError when there is none.
    """
    path = given or Path(os.environ.get("CROSSPOST_CONFIG", CONFIG_NAME))
    try:
        there = path.is_file()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not there:
        raise ConfigError(
            t("There is no {path} here.", path=path),
            hint=t(
                "Go to the folder of your office, or name the file with --config, "
                "or make a new office with: crosspost init"
            ),
        )
    return path.absolute()


def load(
    given: Path | None = None,
    *,
    check_channel: CheckChannel | None = None,
    secrets: bool = True,
    typed: Mapping[str, str] | None = None,
    unseen: bool = False,
) -> Config:
    """Read the configuration, and speak the office's language from now on.

    `secrets=False` is for commands that publish nothing: values `"env:NAME"` are left as they are
    and channels are not checked. `typed` are values that would stand in `.env` (a login that is
    being tried out). `unseen` is for people who write and approve: where only the daemon's account
    may read `.env`, its secrets are `Unseen`. Raises ConfigError with every problem found.
    """
    _speak(None)
    path = find_config(given)
    table = _read_toml(path)
    _speak(_language_of(table))
    environment = read_environment(path.parent, unseen=unseen) if secrets else {}
    environment.update(typed or {})
    problems = _no_such_keys(table)
    channels = _channels(table.pop("channels", {}), environment, problems, secrets=secrets)
    resolve_database(table, path.parent, problems)
    if secrets:
        resolve_alarms(table.get("alarms"), environment, problems)
    config = _validate({**table, "path": path, "channels": channels}, problems)
    key = environment.get("CROSSPOST_SECRET_KEY")
    if config is not None:
        if key:
            config = config.model_copy(update={"secret_key": SecretStr(key)})
        _speak(config.office.language)
        problems += cross_problems(config)
    if check_channel and secrets:
        problems += channel_problems(channels, check_channel)
        if config is not None:
            problems += alarm_problems(config.alarms, check_channel)
    if problems or config is None:
        raise ConfigError(
            *problems, hint=t("Correct {path}, then try again. Nothing was changed.", path=path)
        )
    return config


def _speak(language: object) -> None:
    """`language` from now on, or CROSSPOST_LANGUAGE, which wins; what is no text changes nothing.

    Before anything else is read, so that problems of the configuration are told in it too.
    """
    chosen = os.environ.get("CROSSPOST_LANGUAGE") or language
    if isinstance(chosen, str):
        set_language(chosen)


def _language_of(table: Mapping[str, Any]) -> object:
    office = table.get("office")
    return office.get("language") if isinstance(office, dict) else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            t("{path} is not well-formed TOML: {reason}.", path=path, reason=of_toml(str(error))),
            hint=t("Look at that line; a text needs quotation marks on both sides."),
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            t("{path} is not a UTF-8 text file.", path=path),
            hint=t("Save it as UTF-8 in your editor."),
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ConfigError:
    """Also where a folder on the way is closed, so that nobody knows whether the file is there."""
    if not isinstance(error, PermissionError):
        return ConfigError(
            t("{path} cannot be read: {reason}.", path=path, reason=of_system(error))
        )
    closed = next((one for one in reversed(path.absolute().parents) if not _may_enter(one)), None)
    reason = t("you may not enter {folder}", folder=closed) if closed else t("you may not open it")
    return ConfigError(
        t("{path} cannot be read: {reason}.", path=path, reason=reason),
        hint=t(
            "Ask whoever runs the daemon to let this account in, "
            "or run this as an account that may."
        ),
    )


def _may_enter(folder: Path) -> bool:
    return os.access(folder, os.X_OK)


def _no_such_keys(table: dict[str, Any]) -> list[str]:
    """Takes out what `Config` has besides the sections of the file: none of it is written there."""
    names = [name for name in ("path", "secret_key") if name in table]
    for name in names:
        del table[name]
    return [t("{where}: there is no such key.", where=name) for name in names]


def _channels(
    table: Any, environment: Mapping[str, str], problems: list[str], *, secrets: bool
) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    if not isinstance(table, dict):
        problems.append(t("[channels] must be a table: write [channels.NAME] for each channel."))
        return channels
    for name, options in table.items():
        where = f"channels.{name}"
        if not re.fullmatch(CHANNEL_NAME, name):
            problems.append(
                t("[{where}]: a channel's name is made of a-z, 0-9 and hyphens.", where=where)
            )
        if not isinstance(options, dict) or not isinstance(options.get("platform"), str):
            problems.append(t('[{where}] needs a line like platform = "mastodon".', where=where))
            continue
        rest = {key: value for key, value in options.items() if key != "platform"}
        if secrets:
            rest = {
                key: resolve(value, environment, f"{where}.{key}", problems)
                for key, value in rest.items()
            }
        style = _style(rest, where, problems)
        channels[name] = Channel(name=name, platform=options["platform"], options=rest, style=style)
    return channels


def _style(options: dict[str, Any], where: str, problems: list[str]) -> Style:
    """Takes the keys that say how posts look out of a channel's options."""
    words = {name: options.pop(name) for name in Style.model_fields if name in options}
    try:
        return Style.model_validate(words)
    except ValidationError as error:
        problems += [sentence(found, where) for found in error.errors()]
        return Style()


def _validate(table: dict[str, Any], problems: list[str]) -> Config | None:
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        problems += [sentence(found, "") for found in error.errors()]
        return None
