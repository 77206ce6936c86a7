"""Secrets: `.env` and the environment, and the values of the configuration that name them.

They are never put into `os.environ`, so that child processes do not inherit them, and never into a
sentence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from crosspost.errors import ConfigError
from crosspost.foreign import of_system
from crosspost.wording import t


class Unseen(SecretStr):
    """A secret that this account may not read. Posts are written and approved without it."""


class _Unread(dict[str, str]):
    """The real environment, where `.env` may not be read."""


def read_environment(folder: Path, *, unseen: bool = False) -> dict[str, str]:
    """`.env` beside the configuration, then the real environment, which wins.

    Read into a dictionary, never into `os.environ`, so that child processes do not inherit secrets.
    """
    from dotenv import dotenv_values

    path = folder / ".env"
    try:
        values = {k: v for k, v in dotenv_values(path).items() if v is not None}
    except OSError as error:
        if unseen and isinstance(error, PermissionError):
            return _Unread(os.environ)
        raise ConfigError(
            t("{path} cannot be read: {reason}.", path=path, reason=of_system(error)),
            hint=t("It belongs to the account that runs the daemon; run this as that account."),
        ) from error
    except UnicodeDecodeError:
        # `from None`: the error keeps the bytes of the file, and so its secrets
        raise ConfigError(
            t("{path} is not a UTF-8 text file.", path=path),
            hint=t("Save it as UTF-8 in your editor."),
        ) from None
    return {**values, **os.environ}


def resolve(value: Any, environment: Mapping[str, str], where: str, problems: list[str]) -> Any:
    """A value `"env:NAME"` becomes the secret that it names; any other stays as it is."""
    if not isinstance(value, str) or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:").strip()
    if environment.get(name):
        return SecretStr(environment[name])
    if isinstance(environment, _Unread):
        return Unseen("unseen")
    problems.append(
        t("{where}: {name} is not set. Write a line {name}=... into .env.", where=where, name=name)
    )
    return SecretStr("missing")


def resolve_database(table: dict[str, Any], folder: Path, problems: list[str]) -> None:
    storage = table.get("storage")
    if not isinstance(storage, dict) or not isinstance(storage.get("database"), str):
        return
    where = storage["database"]
    if re.search(r"://[^/@]*:[^/@]*@", where):
        reason = t('no secret may stand in this file: put it into .env and write "env:NAME" here')
        problems.append(t("{where}: {reason}.", where="storage.database", reason=reason))
    if where.startswith("env:"):
        found = resolve(where, read_environment(folder), "storage.database", problems)
        table["storage"] = {**storage, "database": found.get_secret_value()}


def resolve_alarms(table: Any, environment: Mapping[str, str], problems: list[str]) -> None:
    """The secrets in `[alarms]` and its two sub-tables, put in their places."""
    if not isinstance(table, dict):
        return
    for name, value in table.items():
        where = f"alarms.{name}"
        if isinstance(value, dict):
            table[name] = {
                key: resolve(option, environment, f"{where}.{key}", problems)
                for key, option in value.items()
            }
        else:
            table[name] = resolve(value, environment, where, problems)
