"""`crosspost.toml` and `.env` as frozen settings; every problem found is reported at once.

This room must not know any platform: a channel's own keys are checked by its adapter, through
the `check_channel` that the caller passes in. Secrets live here as `SecretStr` only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from crosspost.checks.settings import Checks
from crosspost.errors import ConfigError
from crosspost.foreign import of_toml
from crosspost.policy import Person, Policy
from crosspost.policy import problems as problems_of_people
from crosspost.style import Style
from crosspost.wording import LANGUAGES, set_language, t

CONFIG_NAME = "crosspost.toml"
CHANNEL_NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"

#: Given a platform and a channel's options: sentences about what is wrong with them.
CheckChannel = Callable[[str, Mapping[str, Any]], list[str]]


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
    language: Annotated[str, AfterValidator(known_language)] = "id"  # of announcements and messages
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


def find_config(given: Path | None = None) -> Path:
    """The configuration file: given, or named by `CROSSPOST_CONFIG`, or in this folder.

    Raises ConfigError when there is none.
    """
    path = given or Path(os.environ.get("CROSSPOST_CONFIG", CONFIG_NAME))
    if not path.is_file():
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
    environment = _environment(path.parent, unseen=unseen) if secrets else {}
    environment.update(typed or {})
    problems = _no_such_keys(table)
    channels = _channels(table.pop("channels", {}), environment, problems, secrets=secrets)
    _resolve_database(table, path.parent, problems)
    if secrets:
        _resolve_alarms(table.get("alarms"), environment, problems)
    config = _validate({**table, "path": path, "channels": channels}, problems)
    key = environment.get("CROSSPOST_SECRET_KEY")
    if config is not None:
        if key:
            config = config.model_copy(update={"secret_key": SecretStr(key)})
        _speak(config.office.language)
        problems += _cross_problems(config)
    if check_channel and secrets:
        problems += _channel_problems(channels, check_channel)
        if config is not None:
            problems += _alarm_problems(config.alarms, check_channel)
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
        raise ConfigError(
            t("{path} cannot be read: {reason}.", path=path, reason=error.strerror)
        ) from error


def _no_such_keys(table: dict[str, Any]) -> list[str]:
    """Takes out what `Config` has besides the sections of the file: none of it is written there."""
    names = [name for name in ("path", "secret_key") if name in table]
    for name in names:
        del table[name]
    return [t("{where}: there is no such key.", where=name) for name in names]


class Unseen(SecretStr):
    """A secret that this account may not read. Posts are written and approved without it."""


class _Unread(dict[str, str]):
    """The real environment, where `.env` may not be read."""


def _environment(folder: Path, *, unseen: bool = False) -> dict[str, str]:
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
            t("{path} cannot be read: {reason}.", path=path, reason=error.strerror),
            hint=t("It belongs to the account that runs the daemon; run this as that account."),
        ) from error
    except UnicodeDecodeError:
        # `from None`: the error keeps the bytes of the file, and so its secrets
        raise ConfigError(
            t("{path} is not a UTF-8 text file.", path=path),
            hint=t("Save it as UTF-8 in your editor."),
        ) from None
    return {**values, **os.environ}


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
                key: _resolve(value, environment, f"{where}.{key}", problems)
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


def _resolve(value: Any, environment: Mapping[str, str], where: str, problems: list[str]) -> Any:
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


def _resolve_database(table: dict[str, Any], folder: Path, problems: list[str]) -> None:
    storage = table.get("storage")
    if not isinstance(storage, dict) or not isinstance(storage.get("database"), str):
        return
    where = storage["database"]
    if re.search(r"://[^/@]*:[^/@]*@", where):
        reason = t('no secret may stand in this file: put it into .env and write "env:NAME" here')
        problems.append(t("{where}: {reason}.", where="storage.database", reason=reason))
    if where.startswith("env:"):
        found = _resolve(where, _environment(folder), "storage.database", problems)
        table["storage"] = {**storage, "database": found.get_secret_value()}


def _resolve_alarms(table: Any, environment: Mapping[str, str], problems: list[str]) -> None:
    """The secrets in `[alarms]` and its two sub-tables, put in their places."""
    if not isinstance(table, dict):
        return
    for name, value in table.items():
        where = f"alarms.{name}"
        if isinstance(value, dict):
            table[name] = {
                key: _resolve(option, environment, f"{where}.{key}", problems)
                for key, option in value.items()
            }
        else:
            table[name] = _resolve(value, environment, where, problems)


def _validate(table: dict[str, Any], problems: list[str]) -> Config | None:
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        problems += [sentence(found, "") for found in error.errors()]
        return None


def sentence(found: Mapping[str, Any], prefix: str) -> str:
    """One problem that pydantic found, as `where: what is wrong`, never with the value itself."""
    where = ".".join([*([prefix] if prefix else []), *(str(part) for part in found["loc"])])
    if found["type"] == "extra_forbidden":
        return t("{where}: there is no such key.", where=where)
    if found["type"] == "missing":
        return t("{where}: this key is needed.", where=where)
    reason = str(found["msg"]).removeprefix("Value error, ")
    return t("{where}: {reason}.", where=where, reason=reason.rstrip("."))


def _cross_problems(config: Config) -> list[str]:
    problems = problems_of_people(config.policy, config.people)
    problems += _template_problems("templates", config.templates)
    for channel in config.channels.values():
        where = f"channels.{channel.name}.templates"
        problems += _template_problems(where, channel.style.templates)
    if (config.ledger.timestamp_url is None) != (config.ledger.timestamp_root is None):
        problems.append(
            t("[ledger]: timestamp_url and timestamp_root belong together: write both, or none.")
        )
    sites = [c.name for c in config.channels.values() if c.platform == "site"]
    if len(sites) > 1:
        problems.append(
            t("There can be one site channel, and here are {names}.", names=", ".join(sites))
        )
    if sites and config.site is None:
        problems.append(
            t(
                "[channels.{name}] makes pages, so a section [site] with url is needed.",
                name=sites[0],
            )
        )
    return problems


def _template_problems(where: str, written: Mapping[str, str]) -> list[str]:
    if not written:
        return []
    from crosspost.rendering import templates

    known = ", ".join(templates.CLASSES)
    unknown = [name for name in written if name not in templates.CLASSES]
    tried = {name: templates.problem(text) for name, text in written.items()}
    return [
        *(
            t("{where}: there is no class {name}; there are {known}.", where=where, name=name,
              known=known)
            for name in unknown
        ),
        *(
            t("{where}: {reason}.", where=f"{where}.{name}", reason=reason)
            for name, reason in tried.items()
            if reason
        ),
    ]  # fmt: skip


def _channel_problems(channels: Mapping[str, Channel], check: CheckChannel) -> list[str]:
    return [
        f"channels.{channel.name}.{problem}"
        for channel in channels.values()
        for problem in check(channel.platform, channel.options)
    ]


def _alarm_problems(alarms: Alarms, check: CheckChannel) -> list[str]:
    return [
        f"alarms.{name}.{problem}"
        for name, options in alarms.ways.items()
        for problem in check(name, options)
    ]
