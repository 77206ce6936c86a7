"""The config keys of a channel: what every adapter's have in common, and how one is written.

It must not know a platform.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, field_validator

from crosspost.config import WebAddress
from crosspost.wording import t

#: A list may be written as one text, its parts between commas, as people type it.
LISTS = (tuple[str, ...],)


class AdapterSettings(BaseModel):
    """The config keys of one channel. Secrets are `SecretStr`; one in the file is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _secrets_come_from_outside(cls, value: Any, info: Any) -> Any:
        wants_secret = cls.model_fields[info.field_name].annotation in (SecretStr, SecretStr | None)
        if wants_secret and isinstance(value, str):
            raise ValueError(
                t('no secret may stand in this file: put it into .env and write "env:NAME" here')
            )
        if not wants_secret and isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, str) and cls.model_fields[info.field_name].annotation in LISTS:
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


class HttpSettings(AdapterSettings):
    """Keys that every adapter with an address has."""

    base_url: WebAddress


def written(pattern: str, advice: Callable[[], str]) -> BeforeValidator:
    """For `Annotated`: a key whose whole text fits the regular expression `pattern`, white space
    around it left out; a number counts as its digits. `advice` says how to write it."""

    def read(value: object) -> object:
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
        else:
            text = str(value).strip() if isinstance(value, str | int) else ""
        if not re.fullmatch(pattern, text):
            raise ValueError(advice())
        return value if isinstance(value, SecretStr) else text

    return BeforeValidator(read)
