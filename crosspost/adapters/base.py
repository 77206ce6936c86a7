"""What adapters are built on: the contract, and the one place that speaks HTTP for them.

`HttpAdapter` alone owns session, timeouts, User-Agent, body cap, redaction and what a failed call
means. Whatever an adapter's author needs can be imported from here. It must not know a platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from crosspost import __version__
from crosspost.adapters.adapter import Adapter, Context, timed
from crosspost.adapters.answers import (
    BODY_CAP,
    Answer,
    Meaning,
    address,
    clock_lag,
    common_error,
    text_id,
    web_link,
)
from crosspost.adapters.settings import AdapterSettings, HttpSettings, written
from crosspost.errors import Misconfigured, PlatformError, RetryLater, UnknownOutcome
from crosspost.retry import retry_time
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.adapters.transport import Session

__all__ = [
    "BODY_CAP",
    "Adapter",
    "AdapterSettings",
    "Answer",
    "Context",
    "HttpAdapter",
    "HttpSettings",
    "Meaning",
    "address",
    "clock_lag",
    "text_id",
    "timed",
    "web_link",
    "written",
]


class HttpAdapter(Adapter):
    """An adapter of an HTTP API. Subclasses call `call` and say what an error means."""

    Settings: ClassVar[type[AdapterSettings]] = HttpSettings
    #: What error answers mean here: the first row that fits. Where none does, what HTTP means.
    meanings: ClassVar[tuple[Meaning, ...]] = ()

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

    def headers(self) -> dict[str, str]:
        """What every call under `base_url` carries: a credential, or what else the platform wants.
        An address that an answer named never sees it."""
        return {}

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
        """One HTTP call, with `headers()` when `path` is one under `base_url`. `phase` is check,
        prepare, publish, find, edit or delete; `body` is what `requests` takes (`json`, `data`,
        `files`, `params`).

        Raises PlatformError: RetryLater with `sent=False` when nothing left this machine;
        UnknownOutcome for everything unclear in the phase publish; else what `error_of` says.
        Redirects are never followed, and no call is ever repeated here.
        """
        from crosspost.adapters import transport

        if timeout is None:
            uploads = "files" in body or phase == "prepare"
            timeout = self.upload_timeout if uploads else self.call_timeout
        ours = self.headers() if "://" not in path else {}
        kind: type[PlatformError]
        try:
            answer = transport.send(
                self.session(),
                method,
                self.url(path),
                timeout,
                {**ours, **(headers or {})},
                body,
                may_send=self.context.may_send if phase == "publish" else None,
            )
        except transport.NotSent as failure:
            kind = Misconfigured if failure.misconfigured else RetryLater
            raise self.error(kind, str(failure), sent=False) from None
        except transport.Broken as failure:
            kind = UnknownOutcome if phase == "publish" else RetryLater
            raise self.error(kind, str(failure)) from None
        if answer.status in ok:
            return answer
        raise self.error_from(answer, phase)

    def json_of(self, answer: Answer, phase: str) -> dict[str, Any]:
        """The JSON object of a good answer. Anything else is unclear in the phase publish (it may
        well be out), and a sign of a wrong address elsewhere."""
        if isinstance(answer.data, dict):
            return answer.data
        kind = UnknownOutcome if phase == "publish" else Misconfigured
        words = t(
            "The answer is not what the platform sends: {excerpt}", excerpt=self.excerpt(answer)
        )
        raise self.error(kind, words, status=answer.status)

    def error_from(self, answer: Answer, phase: str) -> PlatformError:
        """The error that an answer means: the platform's own view first, then the common one."""
        kind = self.error_of(answer, phase) or common_error(answer, phase)
        if phase == "publish" and kind is RetryLater:
            kind = UnknownOutcome
        return self.error(
            kind,
            self.excerpt(answer),
            status=answer.status,
            until=self.until_of(answer) or retry_time(answer.headers, self.context.now()),
            code=self.code_of(answer),
        )

    def code_of(self, answer: Answer) -> str:  # noqa: ARG002
        """The platform's own name for an error, as `meanings` has it; "" where there is none."""
        return ""

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        """What this platform means by an error answer; None for what HTTP means by it."""
        about = (answer.status, self.code_of(answer), self.searched(answer), phase)
        return next((row.kind for row in self.meanings if row.fits(*about)), None)

    def searched(self, answer: Answer) -> str:
        """Where the words of a row of `meanings` are looked for."""
        return self.words_of(answer)

    def until_of(self, answer: Answer) -> datetime | None:  # noqa: ARG002
        """When this platform says to come back, if it says so in the body."""
        return None

    def after(self, seconds: object) -> datetime | None:
        """So many seconds from now; None for what is no number. For `until_of`."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
            return None
        return retry_time({"Retry-After": str(seconds)}, self.context.now())

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
            words = t(
                "The answer lacks what it should hold: {excerpt}", excerpt=self.excerpt(answer)
            )
            raise self.error(kind, words, status=answer.status) from error
