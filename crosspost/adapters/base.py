"""What adapters are built on: the contract, and the one place that speaks HTTP for them.

`HttpAdapter` alone owns session, timeouts, User-Agent, body cap, redaction and what a failed call
means. Whatever an adapter's author needs can be imported from here. It must not know a platform.
"""

from __future__ import annotations

import json
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
    Path,
    address,
    at,
    clock_lag,
    common_error,
    text_id,
    web_link,
    words_in,
)
from crosspost.adapters.settings import AdapterSettings, HttpSettings, written
from crosspost.errors import Misconfigured, PlatformError, RetryLater, UnknownOutcome
from crosspost.post import Image, Video
from crosspost.quotas import Quota
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
    "Path",
    "address",
    "at",
    "clock_lag",
    "text_id",
    "timed",
    "web_link",
    "written",
]

#: Where most platforms have the words of an error.
USUAL_WORDS: tuple[Path, ...] = (
    ("message",),
    ("error_description",),
    ("error",),
    ("description",),
    ("detail",),
)


class HttpAdapter(Adapter):
    """An adapter of an HTTP API. Subclasses call `call` and say what an error means."""

    Settings: ClassVar[type[AdapterSettings]] = HttpSettings
    #: The setting that is the credential, where every call carries that as RFC 6750 says; else "".
    bearer: ClassVar[str] = ""
    #: What error answers mean here: the first row that fits. Where none does, what HTTP means.
    meanings: ClassVar[tuple[Meaning, ...]] = ()
    #: Where an answer says yes with `true`, if its status says nothing.
    yes_at: ClassVar[Path] = ()
    #: Error answers that are none, since it is so already, or there is no such thing: `call` gives
    #: them back.
    so_already: ClassVar[tuple[Meaning, ...]] = ()
    #: Where in an error answer stand the platform's own name of it, as `meanings` has it; its words
    #: (the first place that has some) and more of them; how long to wait, in seconds.
    code_at: ClassVar[Path] = ()
    code_type: ClassVar[type[str | int]] = str
    words_at: ClassVar[tuple[Path, ...]] = USUAL_WORDS
    more_words_at: ClassVar[tuple[Path, ...]] = ()
    wait_at: ClassVar[Path] = ()
    wait_unit: ClassVar[float] = 1  # of what stands there, in seconds
    #: Whether the words say so little that the name is told with them.
    shows_code: ClassVar[bool] = False
    #: When comes back what is used up, where an answer does not say so.
    renewed: ClassVar[Mapping[type[PlatformError], Quota]] = {}

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
        if not self.bearer:
            return {}
        return {"Authorization": f"Bearer {getattr(self.settings, self.bearer).get_secret_value()}"}

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
        good = answer.status in ok and ("://" in path or self.says_yes(answer))
        if good or self._first(self.so_already, answer, phase):
            return answer
        raise self.error_from(answer, phase)

    def says_yes(self, answer: Answer) -> bool:
        """Whether an answer with a good status is a yes: some platforms say no with any."""
        return not self.yes_at or answer.at(*self.yes_at) is True

    def form_file(self, file: Image | Video) -> tuple[str, bytes, str]:
        """A file as a part of a form, for `files` of `call`. Raises RetryLater as `bytes_of`."""
        return file.filename, self.bytes_of(file), file.mime

    def form(self, fields: Mapping[str, Any], files: Mapping[str, Image | Video]) -> dict[str, Any]:
        """The body of a call as a form; of the fields, whatever is no text is written as JSON."""
        written = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        return {"data": written, "files": {k: self.form_file(v) for k, v in files.items()}}

    def json_of(self, answer: Answer, phase: str, *id_at: str | int) -> dict[str, Any]:
        """The JSON object of a good answer, in which an id lies at the end of `id_at`. Anything
        else is unclear in the phase publish (it may well be out), and a sign of a wrong address
        elsewhere."""
        if isinstance(answer.data, dict):
            if id_at:
                self.id_in(answer, phase, *id_at)
            return answer.data
        kind = UnknownOutcome if phase == "publish" else Misconfigured
        words = t(
            "The answer is not what the platform sends: {excerpt}", excerpt=self.excerpt(answer)
        )
        raise self.error(kind, words, status=answer.status)

    def error_from(self, answer: Answer, phase: str) -> PlatformError:
        """The error that an answer means: the platform's own view first, then the common one."""
        kind = self.error_of(answer, phase) or common_error(answer, phase)
        now, renewed = self.context.now(), self.renewed.get(kind)
        until = self.until_of(answer) or retry_time(answer.headers, now)
        if phase == "publish" and kind is RetryLater:
            kind = UnknownOutcome
        return self.error(
            kind,
            self.excerpt(answer),
            status=answer.status,
            until=until or (renewed.ends(now) if renewed else None),
            code=self.code_of(answer),
        )

    def code_of(self, answer: Answer) -> str:
        """The platform's own name or number of an error; "" where there is none."""
        code = answer.at(*self.code_at) if self.code_at else None
        return str(code) if isinstance(code, self.code_type) else ""

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        """What this platform means by an error answer; None for what HTTP means by it."""
        found = self._first(self.meanings, answer, phase)
        return found.kind if found else None

    def _first(self, rows: tuple[Meaning, ...], answer: Answer, phase: str) -> Meaning | None:
        if not rows:
            return None
        about = (answer.status, self.code_of(answer), self.searched(answer), phase)
        return next((row for row in rows if row.fits(*about)), None)

    def searched(self, answer: Answer) -> str:
        """Where the words of a row of `meanings` are looked for."""
        return self.words_of(answer)

    def until_of(self, answer: Answer) -> datetime | None:
        """When this platform says to come back, if it says so in the body."""
        wait = answer.at(*self.wait_at) if self.wait_at else None
        return self.after(wait * self.wait_unit if isinstance(wait, int | float) else wait)

    def after(self, seconds: object) -> datetime | None:
        """So many seconds from now; None for what is no number. For `until_of`."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
            return None
        return retry_time({"Retry-After": str(seconds)}, self.context.now())

    def words_of(self, answer: Answer) -> str:
        """The platform's own words in an error answer."""
        texts = (answer.at(*place) for place in self.words_at)
        words = next((text for text in texts if isinstance(text, str)), None)
        if words is None:
            words = answer.text
        elif self.shows_code:
            words = f"{words} [{self.code_of(answer)}]"
        more = (text for place in self.more_words_at for text in words_in(answer.at(*place)))
        return ": ".join(dict.fromkeys([words, *more]))

    def excerpt(self, answer: Answer) -> str:
        """The platform's words, as `said` gives them."""
        said = self.said(self.words_of(answer))
        return said or t("HTTP status {status}, no reason given", status=answer.status)

    def id_in(self, answer: Answer, phase: str, *path: str | int) -> str:
        """The id that lies at the end of `path` in a good answer; raises as `reading` says."""
        self.json_of(answer, phase)
        with self.reading(answer, phase):
            return text_id(answer.at(*path))

    def address_in(self, answer: Answer, phase: str, *path: str | int) -> str:
        """The address that lies there, for another call; raises as `reading` says."""
        with self.reading(answer, phase):
            return address(answer.at(*path))

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
