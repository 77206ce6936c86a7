"""Is what a platform shows the text that we sent? Platforms change spaces and the form of letters,
and some show HTML.

Pure. It must not know a platform.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from unicodedata import normalize
from urllib.parse import unquote


def bare(text: str) -> str:
    """`text` without white space, letters composed: what is left the same by every platform."""
    return "".join(normalize("NFC", text).split())


def skeleton(text: str) -> str:
    """Letters, digits and signs only: for servers that change quotes and markup of a text too."""
    return re.sub(r"[\s\u200b*_`\"'“”‘’]+", "", normalize("NFKC", unquote(text)))


def moment(value: object) -> datetime:
    """A platform's ISO 8601 time, aware. Raises TypeError or ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError("not a time")
    time = datetime.fromisoformat(value)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def unix_moment(seconds: float) -> datetime:
    """A time in seconds since 1970, aware. Raises TypeError or ValueError for what is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not a time") from error


class Shown(HTMLParser):
    """What a reader sees of HTML: its text, and where its links go. A link to the web reads as its
    address, since some servers shorten what they show; mentions and hashtags read as they stand."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.text = ""
        self.links: set[str] = set()
        self._in_link = False
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and not re.search(r"mention|hashtag|tag", values.get("class", "")):
            self._in_link = True
            self.links.add(values.get("href", ""))
            self.text += values.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        self._in_link = self._in_link and tag != "a"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_link else data
