"""What is checked: an announcement with all that is known around it, frozen.

Whoever calls looks things up (files, database, clock) and puts them in here, so that checks stay
pure. This room must not look anything up itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crosspost.checks.settings import Span
from crosspost.wording import t


@dataclass(frozen=True)
class Picture:
    """An image or a video as its author brings it."""

    name: str  # of its file, or what it is called in a sentence
    alt: str
    located: bool = False  # the file's metadata say where the photo was taken
    problem: str = ""  # why it cannot be taken in, in words
    moving: bool = False  # a video


@dataclass(frozen=True)
class Earlier:
    """An announcement that is queued or published already."""

    number: int
    title: str
    body: str


@dataclass(frozen=True)
class Subject:
    """An announcement to be checked. `due` is aware, on the office's own clock."""

    due: datetime
    title: str = ""
    body: str = ""
    source: str = ""
    link: str = ""
    lang: str = ""
    urgent: bool = False
    at_once: bool = False  # its time cannot be chosen
    tags: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)  # channel -> its own text
    pictures: tuple[Picture, ...] = ()
    quiet: Span | None = None
    own_domains: frozenset[str] = frozenset()
    own_phones: frozenset[str] = frozenset()
    earlier: tuple[Earlier, ...] = ()
    dead: tuple[tuple[str, str], ...] = ()  # addresses in it that lead nowhere, and why

    def words(self) -> Iterator[tuple[str, str]]:
        """What people will read, each with the name of where it stands."""
        yield t("title"), self.title
        yield t("text"), self.body
        for channel, text in self.texts.items():
            yield t("text for {channel}", channel=channel), text
        if self.tags:
            yield t("hashtags"), " ".join(self.tags)
        stills = [picture for picture in self.pictures if not picture.moving]
        for number, picture in enumerate(stills, 1):
            yield t("description of image {number}", number=number), picture.alt
        for picture in self.pictures:
            if picture.moving:
                yield t("description of the video"), picture.alt

    def fields(self) -> Iterator[tuple[str, str]]:
        """The same, with the source and the link."""
        yield from self.words()
        yield t("source"), self.source
        yield t("link"), self.link
