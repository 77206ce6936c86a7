"""What an export holds besides entries: reasons, texts, posts, and the files that these name.

Each is bound by a salted digest in an entry, so it is believed once it has that digest. What was
approved must be there, unless an order of law on record erased it. Pure: lines and entries go in as
streams, both in the order of the entries. It must not read a file by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crosspost.errors import Refuted
from crosspost.ledger.hashing import salted_digest
from crosspost.wording import t

Json = dict[str, Any]
#: The entries that bind a text, and those that bind the posts made of it.
TEXT_KINDS, POST_KINDS = ("added", "edited"), ("queued",)
#: Most entries are about something else, and there may be a million.
_OURS = re.compile(rb'"note":|"kind":"(?:added|edited|queued|approved|redacted)"')


@dataclass(frozen=True)
class Told:
    """How much of it there is, and what is not: announcements that were erased by law, files that
    the export says are lost."""

    texts: int
    posts: int
    media: int
    erased: int
    missing: int


def lines_in(path: Path) -> Iterator[Json]:
    """The lines of a file of this export. Raises Refuted for one that is no line of ours."""
    with path.open("rb") as lines:
        for line in lines:
            try:
                values = json.loads(line)
                good = isinstance(values, dict) and isinstance(values["index"], int)
            except (ValueError, RecursionError, KeyError):
                good = False
            if not good:
                raise Refuted(t("{path} holds what crosspost did not write.", path=path))
            yield values


@dataclass
class _Lines:
    """A stream of lines, each of which belongs to one entry."""

    lines: Iterator[Json]
    count: int = 0
    next: Json | None = None

    def __post_init__(self) -> None:
        self.next = next(self.lines, None)

    def of(self, index: int) -> Json | None:
        """The line of this entry, if there is one; called for each entry once, in their order."""
        if self.next is None or self.next["index"] != index:
            return None
        found, self.next = self.next, next(self.lines, None)
        self.count += "erased" not in found
        return found


@dataclass
class Contents:
    """All of it, held against the entries one after the other. Raises Refuted."""

    words: Iterator[Json]
    texts: Iterator[Json]
    posts: Iterator[Json]
    _named: set[str] = field(default_factory=set)  # digests of files
    _untold: set[tuple[int, int]] = field(default_factory=set)  # texts that are not here
    _whose: dict[int, int] = field(default_factory=dict)  # delivery -> announcement
    _unsaid: dict[int, int] = field(default_factory=dict)  # without posts here; whose they are
    _wanted: set[int] = field(default_factory=set)  # announcements of which something is not here
    _erased: dict[int, set[str]] = field(default_factory=dict)  # said to be, by which orders
    _orders: dict[int, set[str]] = field(default_factory=dict)  # on record

    def __post_init__(self) -> None:
        self._words, self._texts, self._posts = map(_Lines, (self.words, self.texts, self.posts))

    def take(self, index: int, entry: bytes) -> None:
        """The next entry, as it is hashed."""
        if not _OURS.search(entry):
            return
        try:
            values = json.loads(entry)
            self._take(index, values["kind"], values)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise _not_recorded(index) from error

    def _take(self, index: int, kind: str, values: Json) -> None:
        if (word := self._words.of(index)) is not None:
            _require(word, word["note"], values["note"], index)
        if kind in TEXT_KINDS and not self._told(self._texts.of(index), "content", index, values):
            self._untold.add((values["announcement"], values["revision"]))
        if kind in POST_KINDS:
            self._take_posts(index, values)
        if kind == "approved":
            if (values["announcement"], values["revision"]) in self._untold:
                self._wanted.add(values["announcement"])
            if (whose := self._unsaid.get(values["delivery"])) is not None:
                self._wanted.add(whose)
        if kind == "redacted":
            order = values["data"]["order"]
            self._orders.setdefault(values["announcement"], set()).add(order)

    def _take_posts(self, index: int, values: Json) -> None:
        """What a delivery takes down are the posts of the one that it amends."""
        delivery, about = values["delivery"], values["data"]
        self._whose[delivery] = whose = values["announcement"]
        if about.get("act") == "delete":
            whose = self._whose.get(about["amends"], whose)
        posts = self._posts.of(index)
        if not self._told(posts, "posts", index, {**values, "announcement": whose}):
            self._unsaid[delivery] = whose

    def _told(self, line: Json | None, key: str, index: int, values: Json) -> bool:
        """Whether the content of this entry is here; if so, it is the one that was recorded."""
        if line is None:
            return False
        if "erased" in line:
            self._erased.setdefault(values["announcement"], set()).add(line["erased"])
            return False
        _require(line, line[key], values["digest"], index)
        shown = [line[key]] if key == "content" else line[key]
        self._named.update(digest for one in shown for digest in files_of(one))
        return True

    def end(self, media: Collection[str], missing: Collection[str]) -> Told:
        """After the last entry: nothing is left over, and nothing is lacking. `media` are the files
        that are here, `missing` those that the export says are lost."""
        if any(lines.next is not None for lines in (self._words, self._texts, self._posts)):
            raise Refuted(t("The export holds words that belong to no entry."))
        for number, orders in self._erased.items():
            if not orders <= self._orders.get(number, set()):
                raise Refuted(
                    t(
                        "That announcement {number} was erased by law is not on record.",
                        number=number,
                    )
                )
        if lacking := sorted(self._wanted - set(self._orders)):
            raise Refuted(
                t("What was approved of announcement {number} is not there.", number=lacking[0])
            )
        if strange := sorted(set(media) - self._named):
            raise Refuted(t("No text of the export shows the file {name}.", name=strange[0]))
        if self._named - set(media) != set(missing):
            raise Refuted(t("Files that were approved are not there."))
        return Told(
            self._texts.count, self._posts.count, len(media), len(self._erased), len(missing)
        )


def files_of(shown: Json) -> Iterable[str]:
    """The digests of the images and videos that a text or a post names."""
    card = shown.get("card") or {}
    files = [*shown.get("images", []), *shown.get("videos", []), card.get("image")]
    return [file["sha256"] for file in files if file]


def _require(line: Json, content: Any, digest: str, index: int) -> None:
    if salted_digest(bytes.fromhex(line["salt"]), content) != digest:
        raise _not_recorded(index)


def _not_recorded(index: int) -> Refuted:
    return Refuted(t("The words of entry {index} are not those recorded.", index=index))
