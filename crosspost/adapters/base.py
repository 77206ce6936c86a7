"""What every adapter is, and the one place that speaks HTTP for them.

An adapter knows one platform's wire format and rules and nothing else: it parses no settings, opens
no session, never sleeps, retries or prints. `HttpAdapter` alone owns session, timeouts, User-Agent,
body cap, redaction and what a failed call means.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from crosspost import __version__
from crosspost.config import Config, WebAddress
from crosspost.errors import (
    AuthRevoked,
    BillingExhausted,
    MediaRejected,
    Misconfigured,
    NotSupported,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Account, Capabilities, Image, Outgoing, Post, Receipt, Video
from crosspost.quotas import Quota
from crosspost.retry import retry_time
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.adapters.transport import Session

#: A list may be written as one text, its parts between commas, as people type it.
LISTS = (tuple[str, ...],)
Vault = Callable[[], "dict[str, str]"]


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


@dataclass(frozen=True)
class Context:
    """What an adapter gets from outside besides its settings.

    `load` and `save` keep a small dictionary of secrets for the channel (a session), encrypted in
    the database by the caller; without them it lives as long as the adapter. Around a renewal
    stands `exclusive()`, which says whether this program alone renews now. `now` is the clock.
    `may_send` is asked in the last moment before the first byte of a publish call.
    """

    config: Config | None = None
    channel: str = ""
    load: Callable[[], dict[str, str]] | None = None
    save: Callable[[dict[str, str]], None] | None = None
    exclusive: Callable[[], AbstractContextManager[bool]] | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    may_send: Callable[[], bool] = field(default=lambda: True)


#: So many characters of a platform's words are kept.
EXCERPT = 300
MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.S | re.I)


class Adapter(ABC):
    """One platform. Subclasses fill in the class attributes, in this order."""

    #: The name in `platform = "..."`.
    platform: ClassVar[str]
    #: What people call it.
    title: ClassVar[str]
    #: The config keys.
    Settings: ClassVar[type[AdapterSettings]] = AdapterSettings
    #: How much may be published in a time, as the platform's documents say.
    quotas: ClassVar[tuple[Quota, ...]] = ()
    #: What it can carry. An instance may have narrower ones, by its settings.
    capabilities: Capabilities

    def __init__(self, settings: AdapterSettings, context: Context) -> None:
        self.settings: Any = settings
        self.context = context
        self.setup()

    def setup(self) -> None:  # noqa: B027 - most have nothing to do
        """Called once, for what follows from the settings. No network."""

    def close(self) -> None:  # noqa: B027 - most have nothing open
        """Give back what is held open."""

    @abstractmethod
    def check(self) -> Account:
        """Whose account this is and what it may do, without posting. Raises PlatformError."""

    @abstractmethod
    def measure(self, text: str) -> int:
        """The length of `text` (what a reader sees, without the markup's tags) as the platform
        counts it, in `capabilities.unit`."""

    @classmethod
    def cost(cls, post: Post, options: Mapping[str, Any]) -> Decimal:  # noqa: ARG003
        """What publishing this costs, in the unit of the platform's quota in money; `options` are
        the channel's keys as they stand in the configuration."""
        return Decimal(0)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:  # noqa: ARG002
        """The idempotency handle of a new part, stored before anything is sent.

        `key` is unique to the part; `now` is aware. Whatever a later look-up or a repeat needs.
        """
        return {}

    def needs_preparing(self, post: Post) -> bool:  # noqa: ARG002
        """Whether `prepare` has anything to do for this post. If not, it may be left out."""
        return type(self).prepare is not Adapter.prepare

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:  # noqa: ARG002
        """Uploads and tokens: all that may be repeated. The result (JSON values) is stored."""
        return {}

    @abstractmethod
    def publish(self, outgoing: Outgoing) -> Receipt:
        """The one public call. Raises UnknownOutcome, or the PlatformError that says why it surely
        did nothing."""

    def find(self, outgoing: Outgoing) -> Receipt | None:  # noqa: ARG002
        """The receipt of a post that may be out; None when the platform clearly has none.

        Only for adapters whose `capabilities.reconcile` is a look-up or a chosen id. Raises
        PlatformError when the platform does not answer clearly: that is no evidence.
        """
        raise NotSupported(t("{platform} cannot be asked what was posted", platform=self.title))

    def delete(self, receipt: Receipt) -> None:  # noqa: ARG002
        """Take a post back. One that is gone already is no error."""
        raise NotSupported(t("{platform} cannot delete a post", platform=self.title))

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:  # noqa: ARG002
        """Put another text into a published post."""
        raise NotSupported(t("{platform} cannot edit a post", platform=self.title))

    # --- what subclasses use ---------------------------------------------------------------------

    def bytes_of(self, image: Image | Video) -> bytes:
        """The bytes of an image or video. Raises RetryLater when the disk does not give them."""
        return self.piece_of(image, 0, -1)

    def piece_of(self, file: Image | Video, start: int, size: int) -> bytes:
        """At most `size` bytes of a file, from `start` on; -1: to its end. Raises RetryLater."""
        try:
            with file.path.open("rb") as opened:
                opened.seek(start)
                return opened.read(size)
        except OSError as error:
            raise RetryLater(
                t(
                    "The file {name} cannot be read: {reason}.",
                    name=file.filename,
                    reason=error.strerror,
                ),
                platform=self.platform,
                sent=False,
            ) from error

    def said(self, words: str) -> str:
        """A platform's words, on one line, short, without secrets and markup."""
        clean = self.redact(words)[:20_000]  # first, lest a cut leaves half of one
        plain = MARKUP.sub(" ", clean)
        line = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
        short = line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"
        return self.redact(short)

    def secrets(self) -> Iterator[str]:
        """Every secret that might turn up in a message; subclasses add tokens got at run time."""
        for name in type(self.settings).model_fields:
            value = getattr(self.settings, name)
            if isinstance(value, SecretStr):
                yield value.get_secret_value()

    def redact(self, text: str) -> str:
        """`text` without any secret of this channel, also where it stands in an address."""
        for secret in self.secrets():
            for form in {secret, quote(secret), quote(secret, safe="")} - {""}:
                text = text.replace(form, "[secret]")
        return text


#: No answer that we read is larger than this many bytes.
BODY_CAP = 2_000_000


@dataclass(frozen=True)
class Answer:
    """An answer of a platform, read whole: status, headers, and at most `BODY_CAP` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, broken bytes replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def data(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class HttpAdapter(Adapter):
    """An adapter of an HTTP API. Subclasses call `call` and say what an error means."""

    Settings: ClassVar[type[AdapterSettings]] = HttpSettings

    #: How long we wait, in seconds: to connect, and between bytes of the answer.
    call_timeout: tuple[float, float] = (10.0, 30.0)
    upload_timeout: tuple[float, float] = (10.0, 180.0)

    _session: Session | None = None

    def session(self) -> Session:
        """The one session of this channel, made at first use; proxies are read from the
        environment once, and no retry of any call is made below us."""
        if self._session is None:
            from crosspost.adapters.transport import new_session

            self._session = new_session(f"crosspost/{__version__} (+{self.about_us()})")
        return self._session

    def about_us(self) -> str:
        """An address by which the platform's operator learns who calls."""
        config = self.context.config
        return config.site.url if config and config.site else "https://crosspost.invalid/"

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def url(self, path: str) -> str:
        """The address of `path` under the channel's `base_url`; a whole address stays."""
        return path if "://" in path else f"{self.settings.base_url}{path}"

    def call(
        self,
        method: str,
        path: str,
        *,
        phase: str,
        ok: tuple[int, ...] = (200, 201, 202, 204),
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float] | None = None,
        **body: Any,
    ) -> Answer:
        """One HTTP call. `phase` is check, prepare, publish, find, edit or delete; `body` is what
        `requests` takes (`json`, `data`, `files`, `params`).

        Raises PlatformError: RetryLater with `sent=False` when nothing left this machine;
        UnknownOutcome for everything unclear in the phase publish; else what `error_of` says.
        Redirects are never followed, and no call is ever repeated here.
        """
        from crosspost.adapters import transport

        if timeout is None:
            uploads = "files" in body or phase == "prepare"
            timeout = self.upload_timeout if uploads else self.call_timeout
        kind: type[PlatformError]
        try:
            answer = transport.send(
                self.session(),
                method,
                self.url(path),
                timeout,
                headers or {},
                body,
                may_send=self.context.may_send if phase == "publish" else None,
            )
        except transport.NotSent as failure:
            kind = Misconfigured if failure.misconfigured else RetryLater
            raise kind(str(failure), platform=self.platform, sent=False) from None
        except transport.Broken as failure:
            kind = UnknownOutcome if phase == "publish" else RetryLater
            raise kind(str(failure), platform=self.platform) from None
        if answer.status in ok:
            return answer
        raise self.error_from(answer, phase)

    def json_of(self, answer: Answer, phase: str) -> dict[str, Any]:
        """The JSON object of a good answer. Anything else is unclear in the phase publish (it may
        well be out), and a sign of a wrong address elsewhere."""
        if isinstance(answer.data, dict):
            return answer.data
        kind = UnknownOutcome if phase == "publish" else Misconfigured
        raise kind(
            t("The answer is not what the platform sends: {excerpt}", excerpt=self.excerpt(answer)),
            platform=self.platform,
            status=answer.status,
        )

    def error_from(self, answer: Answer, phase: str) -> PlatformError:
        """The error that an answer means: the platform's own view first, then the common one."""
        kind = self.error_of(answer, phase) or common_error(answer, phase)
        if phase == "publish" and kind is RetryLater:
            kind = UnknownOutcome
        until = retry_time(answer.headers, self.context.now())
        return kind(
            self.excerpt(answer),
            platform=self.platform,
            status=answer.status,
            until=self.until_of(answer) or until,
            code=self.code_of(answer),
        )

    def code_of(self, answer: Answer) -> str:  # noqa: ARG002
        """The platform's own name for an error; "" where the adapter has no use for it."""
        return ""

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:  # noqa: ARG002
        """What this platform means by an error answer; None for what HTTP means by it."""
        return None

    def until_of(self, answer: Answer) -> datetime | None:  # noqa: ARG002
        """When this platform says to come back, if it says so in the body."""
        return None

    def words_of(self, answer: Answer) -> str:
        """The platform's own words in an error answer."""
        data = answer.data
        if isinstance(data, dict):
            for key in ("message", "error_description", "error", "description", "detail"):
                if isinstance(data.get(key), str):
                    return str(data[key])
        return answer.text

    def excerpt(self, answer: Answer) -> str:
        """The platform's words, as `said` gives them."""
        said = self.said(self.words_of(answer))
        return said or t("HTTP status {status}, no reason given", status=answer.status)

    @contextmanager
    def reading(self, answer: Answer, phase: str) -> Iterator[None]:
        """Around code that picks values out of a good answer: a missing or odd one becomes what
        `json_of` would raise, never a traceback."""
        try:
            yield
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            kind = UnknownOutcome if phase == "publish" else Misconfigured
            raise kind(
                t("The answer lacks what it should hold: {excerpt}", excerpt=self.excerpt(answer)),
                platform=self.platform,
                status=answer.status,
            ) from error


def common_error(answer: Answer, phase: str) -> type[PlatformError]:
    """What an HTTP status means where a platform has no view of its own (RFC 9110 section 15)."""
    status = answer.status
    if phase == "publish" and (status < 400 or status == 408 or status >= 500):
        return UnknownOutcome
    if status == 429:
        return RateLimited
    if status >= 500 or status in (408, 423, 425):
        return RetryLater
    if status == 401:
        return AuthRevoked
    if status == 402:
        return BillingExhausted
    if status == 403:
        return PermissionDenied
    if status == 410:
        return TargetGone
    if status == 413:
        return MediaRejected
    if status < 400 or status in (404, 405, 407):
        return Misconfigured
    return RejectedContent


def text_id(value: object) -> str:
    """A platform's id as text, whether it came as text or as a number. Raises TypeError or
    ValueError for what is none, so that `HttpAdapter.reading` makes it a PlatformError."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("not an id")
    if not str(value).strip():
        raise ValueError("an empty id")
    return str(value)


def clock_lag(answer: Answer, now: datetime) -> timedelta:
    """How far the clock of the server that answers is behind ours, at least zero."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, TypeError):
        return timedelta(0)
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    return max(now - theirs, timedelta(0))


def web_link(value: object) -> str:
    """An address that people can open; "" for anything else that stands in its place."""
    good = isinstance(value, str) and value.startswith(("https://", "http://"))
    return value.strip() if isinstance(value, str) and good else ""
