"""The sections of `crosspost.toml` as frozen settings, each key with what it may be.

Secrets live here as `SecretStr` only. This room must not read a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

from crosspost.checks.settings import Checks
from crosspost.policy import Person, Policy
from crosspost.style import Style
from crosspost.wording import LANGUAGES, OFFICE_LANGUAGE, t


def known_zone(name: str) -> str:
    """An IANA zone. Raises ValueError with a sentence."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            t('"{zone}" is no time zone; write one like "Asia/Jakarta"', zone=name)
        ) from error
    return name


def known_language(code: str) -> str:
    """A language that crosspost speaks. Raises ValueError with a sentence."""
    if code not in LANGUAGES:
        raise ValueError(t("write one of {languages}", languages=", ".join(LANGUAGES)))
    return code


def web_address(url: str) -> str:
    """An address of the web, without a slash at its end. Raises ValueError with a sentence."""
    if not url.startswith(("https://", "http://")) or "://" not in url or not url.split("://")[1]:
        raise ValueError(t("write a web address that begins with https://"))
    return url.rstrip("/")


def verification_key(key: str) -> str:
    """One line NAME+ID+KEY. Raises ValueError with a sentence."""
    if not re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", key, re.ASCII):
        raise ValueError(t("write a verification key: one line NAME+ID+KEY"))
    return key


WebAddress = Annotated[str, AfterValidator(web_address)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Office(_Section):
    """`[office]`: who speaks."""

    name: str = Field(min_length=1)  # as the public knows it
    zone: Annotated[str, AfterValidator(known_zone)] = "Asia/Jakarta"  # IANA name
    #: Of announcements and messages.
    language: Annotated[str, AfterValidator(known_language)] = OFFICE_LANGUAGE
    signature: str = Field(default="", max_length=300)  # the last line of every post

    @property
    def tz(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.zone)


class Publishing(_Section):
    """`[publishing]`: at what pace."""

    spacing_seconds: int = Field(default=10, ge=0, le=3600)

    @property
    def spacing(self) -> timedelta:
        """The least distance on one channel after a delivery of a backlog."""
        return timedelta(seconds=self.spacing_seconds)


class Storage(_Section):
    """`[storage]`: where things lie; relative paths start from the folder of `crosspost.toml`."""

    # a file, or a postgresql:// URL (then from .env: "env:NAME")
    database: str = Field(default="crosspost.db", repr=False)
    lease_seconds: float = Field(default=30, ge=2)  # PostgreSQL: so soon a dead daemon is replaced
    media: Path = Path("media")  # images, by digest


class SiteAccount(_Section):
    """One of `[[site.accounts]]`: an official account, for the page that lists them."""

    name: str = Field(min_length=1)
    url: WebAddress | None = None
    platform: str = ""


class SiteSettings(_Section):
    """`[site]`: the office's own pages."""

    url: WebAddress  # where the public sees `folder`
    folder: Path = Path("public")
    names: bool = False  # True: approvers are named, not only their titles
    entries: bool = False  # True: every entry of the ledger is published, not only hashes
    accounts: tuple[SiteAccount, ...] = ()  # official accounts besides those of the channels


class Alarms(_Section):
    """`[alarms]`: who is told when something needs a person. The keys of `email` and `webhook` are
    those of such a channel, checked by its adapter; none of them is published on."""

    repeat_hours: int = Field(default=24, ge=1)  # unread ones are told again
    heartbeat_url: SecretStr | None = None  # called while all is well, for an outside monitor
    email: Mapping[str, Any] | None = None
    webhook: Mapping[str, Any] | None = None

    @field_validator("heartbeat_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith("env:"):
            web_address(url.get_secret_value())
        return url

    @property
    def ways(self) -> dict[str, Mapping[str, Any]]:
        """The configured ways, by the name of their adapter."""
        both = {"email": self.email, "webhook": self.webhook}
        return {name: options for name, options in both.items() if options is not None}


class LedgerSettings(_Section):
    """`[ledger]`: time stamps of the record by an authority outside (RFC 3161)."""

    timestamp_url: WebAddress | None = None  # where the authority is asked; None: no time stamps
    timestamp_root: Path | None = None  # its root certificate, PEM; relative to `crosspost.toml`
    timestamp_hours: int = Field(default=24, ge=1)  # so often, if there is something new


#: A verification key, NAME+ID+KEY (C2SP signed-note); what kind, its reader says.
VerificationKey = Annotated[str, AfterValidator(verification_key)]


class WitnessSettings(_Section):
    """`[witnesses.NAME]`: somebody else who cosigns the checkpoints of this office."""

    url: WebAddress  # `/add-checkpoint` comes after it
    vkey: VerificationKey


class Neighbour(_Section):
    """`[neighbours.NAME]`: another office, whose checkpoints this one cosigns."""

    vkeys: tuple[VerificationKey, ...] = Field(min_length=1)  # of its ledger, also its old ones


class Channel(_Section):
    """`[channels.NAME]`: one account on a platform; `options` are checked by its adapter."""

    name: str
    platform: str
    options: Mapping[str, Any]
    style: Style = Style()  # how its posts look


class Config(_Section):
    """All settings. Paths are absolute; secrets among the channels' options are `SecretStr`."""

    path: Path
    office: Office
    policy: Policy = Policy()
    publishing: Publishing = Publishing()
    storage: Storage = Storage()
    checks: Checks = Checks()
    templates: Mapping[str, str] = {}  # class of announcement -> template, for all channels
    site: SiteSettings | None = None
    people: Mapping[str, Person] = {}
    alarms: Alarms = Alarms()
    channels: Mapping[str, Channel] = {}
    ledger: LedgerSettings = LedgerSettings()
    witnesses: Mapping[str, WitnessSettings] = {}
    neighbours: Mapping[str, Neighbour] = {}
    secret_key: SecretStr | None = None  # CROSSPOST_SECRET_KEY: opens sessions kept in the database

    @property
    def folder(self) -> Path:
        """The folder that holds `crosspost.toml`."""
        return self.path.parent

    @property
    def media(self) -> Path:
        """The folder of image files, named by digest."""
        return self.folder / self.storage.media

    @property
    def database_url(self) -> str:
        """The queue database as SQLAlchemy wants it."""
        where = self.storage.database
        return where if "://" in where else f"sqlite:///{self.folder / where}"

    @property
    def site_folder(self) -> Path | None:
        """Where the pages are written; None without a `[site]`."""
        return self.folder / self.site.folder if self.site else None

    @property
    def site_channel(self) -> str | None:
        """The channel that makes the office's own pages, if there is one."""
        names = (name for name, channel in self.channels.items() if channel.platform == "site")
        return next(names, None)

    def style(self, channel: str) -> Style:
        """How the posts of a channel look, with what is said for all of them."""
        return self.channels[channel].style.over(self.templates, self.office.signature)

    def page(self, code: str) -> str:
        """The address of the page of the revision with this code; needs a `[site]`."""
        assert self.site is not None  # noqa: S101 - checked by `load`: a site channel needs [site]
        return f"{self.site.url}/p/{code}/"
