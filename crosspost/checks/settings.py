"""`[checks]` of crosspost.toml: the level of each check, and what the office says of itself.

A field of type `Level` is a check's id; its default is the check's usual level. This room must not
know how anything is found.
"""

from __future__ import annotations

import re
from datetime import time
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crosspost.wording import t

#: Checks of what the rooms behind rely on: they always block, and have no line in the settings.
FIRM = (
    "text_empty",
    "title_long",
    "title_lines",
    "source_long",
    "link_invalid",
    "language_missing",
    "language_invalid",
    "control_characters",
    "alt_missing",
    "image_unusable",
)


class Level(StrEnum):
    """What a finding does."""

    BLOCK = "block"  # refused
    WARN = "warn"  # said, and let through
    OFF = "off"  # not looked for


Span = tuple[time, time]


def hours(text: str) -> Span | None:
    """`"22:00-05:00"` as two times of day; None for "". Raises ValueError for anything else."""
    if not text:
        return None
    match = re.fullmatch(r"(\d\d:\d\d) ?[-–] ?(\d\d:\d\d)", text)
    try:
        if match is not None:
            return time.fromisoformat(match[1]), time.fromisoformat(match[2])
    except ValueError:
        match = None
    raise ValueError(t('write hours like "22:00-05:00", or "" for none'))


def _hours(text: str) -> str:
    hours(text)
    return text


class Checks(BaseModel):
    """`[checks]`: ids with their levels, then the facts that checks compare with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_missing: Level = Level.WARN
    alt_file_name: Level = Level.BLOCK
    alt_long: Level = Level.WARN
    language_unknown: Level = Level.BLOCK
    capitals: Level = Level.WARN
    hashtag_unreadable: Level = Level.WARN
    link_shortened: Level = Level.WARN
    link_dead: Level = Level.OFF  # it needs the network, and takes its time
    domain_lookalike: Level = Level.BLOCK
    bidi_characters: Level = Level.BLOCK
    zero_width: Level = Level.WARN
    date_weekday: Level = Level.WARN
    date_past: Level = Level.WARN
    personal_id: Level = Level.BLOCK
    personal_phone: Level = Level.WARN
    personal_email: Level = Level.WARN
    personal_account: Level = Level.WARN
    photo_location: Level = Level.WARN
    repeated: Level = Level.WARN
    quiet_time: Level = Level.WARN
    mention_everyone: Level = Level.BLOCK
    mention_name: Level = Level.WARN

    quiet_hours: Annotated[str, AfterValidator(_hours)] = "22:00-05:00"  # by the office's clock
    repeat_days: int = Field(default=30, ge=0, le=3650)  # how far back `repeated` looks
    own_domains: tuple[str, ...] = ()  # e-mail addresses there are the office's own
    own_phones: tuple[str, ...] = ()  # mobile numbers that are the office's own

    def level(self, check: str) -> Level:
        """The level of the check with this id."""
        return Level.BLOCK if check in FIRM else Level(getattr(self, check))
