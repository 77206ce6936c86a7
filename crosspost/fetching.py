"""The pages of an office from its web server, for whoever verifies them.

Only reads, and only what it is told to; it must not interpret what it gets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests

from crosspost import __version__
from crosspost.errors import Undecided
from crosspost.wording import t

#: Seconds to connect, and between two pieces of an answer.
TIMEOUT = (10, 30)
MOST_BYTES = 50_000_000
GONE = (404, 410)


@dataclass
class WebSource:
    """A site at `base`, an address that ends with a slash."""

    base: str
    session: requests.Session = field(default_factory=requests.Session)

    def read(self, path: str) -> bytes | None:
        """A file; None when the server says that it is not there. Raises Undecided."""
        url = self.where(path)
        headers = {"User-Agent": f"crosspost/{__version__} verify", "Cache-Control": "no-cache"}
        try:
            with self.session.get(url, headers=headers, timeout=TIMEOUT, stream=True) as answer:
                if answer.status_code in GONE:
                    return None
                if answer.status_code != requests.codes.ok:
                    raise _cannot(url, f"HTTP {answer.status_code}")
                return _body(url, answer)
        except (requests.RequestException, ValueError) as error:
            raise _cannot(url, _reason(error)) from error

    def names(self) -> list[str] | None:
        """A web server does not tell."""
        return None

    def where(self, path: str) -> str:
        """The address of a file."""
        return urljoin(self.base, path)


def _body(url: str, answer: requests.Response) -> bytes:
    found = bytearray()
    for piece in answer.iter_content(1 << 16):
        found += piece
        if len(found) > MOST_BYTES:
            raise _cannot(url, t("too large"))
    return bytes(found)


def _reason(error: Exception) -> str:
    """Why there was no answer. The order matters: one kind is another too (requests.exceptions)."""
    known: tuple[tuple[type[Exception], str], ...] = (
        (requests.Timeout, t("there was no answer in time")),
        (requests.exceptions.SSLError, t("its certificate does not hold")),
        (requests.ConnectionError, t("nobody answers there, or the connection broke off")),
        (requests.exceptions.ChunkedEncodingError, t("the connection broke off")),
        (requests.TooManyRedirects, t("it leads in a circle")),
        (ValueError, t("this is no address that can be asked")),
    )
    return next((words for kind, words in known if isinstance(error, kind)), type(error).__name__)


def _cannot(url: str, reason: str) -> Undecided:
    return Undecided(
        t("{path} cannot be read: {reason}.", path=url, reason=reason),
        hint=t("Try again later, or from another network."),
    )
