"""An answer of a platform, and how values are picked out of it; what an error answer means.

Pure. It must not call anything, nor know a platform: each adapter has its own table of meanings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any

from crosspost.errors import (
    AuthRevoked,
    BillingExhausted,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)

#: The names, and places in lists, that lead to a value in JSON.
Path = tuple[str | int, ...]
#: No answer that we read is larger than this many bytes.
BODY_CAP = 2_000_000


def at(value: Any, *path: str | int) -> Any:
    """What lies in a piece of JSON at the end of these names (and places in lists); None where
    there is no such thing."""
    for step in path:
        inside = isinstance(value, dict if isinstance(step, str) else list)
        try:
            value = value[step] if inside else None
        except (KeyError, IndexError):
            return None
    return value


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

    def at(self, *path: str | int) -> Any:
        """What lies in the JSON at the end of a path, as `at` gives it."""
        return at(self.data, *path)

    def list_at(self, *path: str | int) -> list[Any]:
        """The list that lies there. Raises TypeError for anything else (`HttpAdapter.reading`)."""
        value = self.at(*path)
        if not isinstance(value, list):
            raise TypeError("not a list")
        return value

    def word(self, *path: str | int) -> str:
        """The text that lies there; "" for anything else."""
        value = self.at(*path)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Meaning:
    """One row of an adapter's table: an error answer that fits all that the row names is `kind`.

    A row that names no status is about answers below 500 only: above, it may have happened whatever
    the platform calls it.
    """

    kind: type[PlatformError]
    status: int | tuple[int, ...] = ()
    #: The platform's own names of the error, between spaces, as `code_of` gives them; one that ends
    #: with "*": any that begins so.
    code: str = ""
    #: A regular expression for something in the platform's words, in any case of letters.
    words: str = ""
    #: The phases in which it means that, between spaces.
    phases: str = ""

    def fits(self, status: int, code: str, words: str, phase: str) -> bool:
        """Whether the row is about such an answer."""
        statuses = self.status if isinstance(self.status, tuple) else (self.status,)
        return (
            (status in statuses if statuses else status < 500)
            and (not self.code or (code != "" and self._names(code)))
            and (not self.words or re.search(self.words, words, re.I) is not None)
            and (not self.phases or phase in self.phases.split())
        )

    def _names(self, code: str) -> bool:
        return any(fnmatchcase(code, name) for name in self.code.split())


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


def words_in(value: object, depth: int = 20) -> Iterator[str]:
    """The words that lie in a piece of an error, at most so deep: texts, and what is called
    `message`."""
    if isinstance(value, str):
        yield value
    inner: list[object] = value if isinstance(value, list) else []
    if isinstance(value, dict):
        deeper = [each for each in value.values() if isinstance(each, dict | list)]
        inner = [value.get("message"), *deeper]
    for each in inner if depth else ():
        yield from words_in(each, depth - 1)


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


def address(value: object) -> str:
    """An address that something can be sent to. Raises ValueError for anything else
    (`HttpAdapter.reading`)."""
    link = web_link(value)
    if not link:
        raise ValueError("not an address")
    return link
