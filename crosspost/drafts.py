"""A draft and what becomes of it on each channel: checked, its images taken in, rendered.

Nothing is queued here, and no table is touched; `editorial.py` has what this room composed stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crosspost import checks
from crosspost.adapters import open_adapter
from crosspost.checks import Earlier, Finding, Level, Picture, Subject
from crosspost.config import Config
from crosspost.errors import ContentError
from crosspost.post import Capabilities, Content, Image, Post, Video
from crosspost.rendering import render
from crosspost.rendering.entities import urls
from crosspost.times import Moment
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.resizing import Fitter

#: Letters of a code: no vowels, so that no word arises, and nothing that looks like another.
CODE_LETTERS = "23456789bcdfghjkmnpqrstvwxyz"
CODE_LENGTH = 7


@dataclass(frozen=True)
class Draft:
    """What an author brings: the words, image files with their alt texts, where to and when."""

    title: str
    body: str
    source: str
    link: str
    lang: str
    urgency: str
    images: tuple[tuple[Path, str], ...]
    channels: tuple[str, ...]
    due: Moment
    videos: tuple[tuple[Path, str], ...] = ()
    tags: tuple[str, ...] = ()  # words, without #
    texts: Mapping[str, str] = field(default_factory=dict)  # channel -> its own text, Markdown
    at_once: bool = False  # it has no time or urgency of its own to be chosen: an amendment


@dataclass(frozen=True)
class Kept:
    """What was taken in for an earlier revision and stays."""

    images: tuple[Image, ...] = ()
    videos: tuple[Video, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """A draft as it will go out: its images as taken in, and its posts by channel."""

    content: Content
    posts: dict[str, tuple[Post, ...]]
    warnings: tuple[str, ...]


def compose(
    config: Config,
    draft: Draft,
    *,
    revision: int = 1,
    kept: Kept = Kept(),
    earlier: Sequence[Earlier] = (),
) -> Rendered:
    """Check a draft and render it for each of its channels; nothing is queued.

    `kept` is what was taken in for an earlier revision and stays; `earlier` what the office said
    lately. Raises ContentError with every problem of every channel at once, NotFound for an
    unknown channel.
    """
    found = inspect(config, draft, kept=kept, earlier=earlier)
    problems = [f.sentence for f in found if f.level is Level.BLOCK]
    if problems:
        raise ContentError(*problems, hint=t("Nothing was queued."))
    images, videos = _taken_in(config, draft, kept)
    content = Content(
        code=new_code(),
        revision=revision,
        title=draft.title.strip(),
        body=draft.body,
        source=draft.source.strip(),
        link=draft.link,
        lang=draft.lang,
        urgency=draft.urgency,
        images=images,
        videos=videos,
        tags=draft.tags,
        texts=draft.texts,
    )
    posts: dict[str, tuple[Post, ...]] = {}
    advice: list[str] = []
    fitter = _fitter(config, images, draft.channels)
    for channel in draft.channels:
        try:
            posts[channel] = render_for(config, channel, content, draft.channels, fitter)
        except ContentError as error:
            problems += error.problems
            advice.append(error.hint)
    if problems:
        said = [*dict.fromkeys(filter(None, advice)), t("Nothing was queued.")]
        raise ContentError(*problems, hint=" ".join(said))
    warnings = [f.sentence for f in found if f.level is Level.WARN]
    warnings += _without_video(content, posts)
    return Rendered(content, posts, tuple(warnings))


def _without_video(content: Content, posts: dict[str, tuple[Post, ...]]) -> list[str]:
    """Said of the channels where the announcement's video is not shown."""
    without = [name for name, parts in posts.items() if not any(part.videos for part in parts)]
    if not content.videos or not without:
        return []
    return [t("The video is not shown on: {names}.", names=", ".join(without))]


def inspect(
    config: Config,
    draft: Draft,
    *,
    kept: Kept = Kept(),
    earlier: Sequence[Earlier] = (),
    try_images: bool = False,
) -> list[Finding]:
    """What the checks find in a draft; arguments as in `compose`.

    `try_images`: also say which image files cannot be taken in; nothing is kept of them.
    """
    subject = Subject(
        due=draft.due.utc.astimezone(ZoneInfo(config.office.zone)),
        title=draft.title,
        body=draft.body,
        source=draft.source,
        link=draft.link,
        lang=draft.lang,
        urgent=draft.urgency == "urgent",
        at_once=draft.at_once,
        tags=draft.tags,
        texts=draft.texts,
        pictures=_pictures(config, draft, kept, try_images=try_images),
        quiet=checks.hours(config.checks.quiet_hours),
        own_domains=_own_domains(config),
        own_phones=frozenset(config.checks.own_phones),
        earlier=tuple(earlier),
        dead=_dead(config, draft),
    )
    return checks.check(subject, config.checks)


def _dead(config: Config, draft: Draft) -> tuple[tuple[str, str], ...]:
    """The addresses of a draft that lead nowhere, if the office wants to know."""
    if config.checks.link_dead is Level.OFF:
        return ()
    from crosspost.adapters.probing import dead

    texts = (draft.link, draft.source, draft.body, *draft.texts.values())
    return tuple(dead([text[start:end] for text in texts for start, end in urls(text)]))


def _pictures(config: Config, draft: Draft, kept: Kept, *, try_images: bool) -> tuple[Picture, ...]:
    pictures = [
        Picture(t("image {number}", number=number), image.alt)
        for number, image in enumerate(kept.images, 1)
    ]
    pictures += [
        Picture(t("video {number}", number=number), video.alt, moving=True)
        for number, video in enumerate(kept.videos, 1)
    ]
    look = config.checks.photo_location is not Level.OFF
    if draft.images:
        from crosspost import media

        for path, alt in draft.images:
            located = look and media.names_its_place(path)
            problem = _problem(media.take_in, path) if try_images else ""
            pictures.append(Picture(str(path), alt, located, problem))
    if draft.videos:
        from crosspost import video

        for path, alt in draft.videos:
            located = look and video.names_its_place(path)
            problem = _problem(video.take_in, path) if try_images else ""
            pictures.append(Picture(str(path), alt, located, problem, moving=True))
    return tuple(pictures)


def _problem(take_in: Callable[[Path, str, Path], object], path: Path) -> str:
    """Why a file cannot be taken in, tried in a folder that is gone afterwards."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        try:
            take_in(path, "-", Path(folder))
        except ContentError as error:
            return " ".join([*error.problems, error.hint]).strip()
    return ""


#: Under a country's code these stand for everybody, as in go.id.
_SECOND_LEVELS = ("ac", "co", "com", "desa", "edu", "go", "gov", "mil", "my", "net", "or", "org")


def _own_domains(config: Config) -> frozenset[str]:
    """`own_domains`, the host of the site, and what stands above it: for info.dinas.go.id also
    dinas.go.id, but not go.id."""
    own = {domain.lower().lstrip("@.") for domain in config.checks.own_domains}
    if config.site:
        labels = (urlsplit(config.site.url).hostname or "").split(".")
        for start in range(len(labels) - 1):
            if len(labels) - start > 2 or labels[start] not in _SECOND_LEVELS:
                own.add(".".join(labels[start:]))
    return frozenset(own)


def _taken_in(
    config: Config, draft: Draft, kept: Kept
) -> tuple[tuple[Image, ...], tuple[Video, ...]]:
    """What stays of the earlier revision, and after it the draft's own files, stored."""
    images, videos = list(kept.images), list(kept.videos)
    problems: list[str] = []
    if draft.images:
        from crosspost import media

        images += _each(media.take_in, draft.images, config.media, problems)
    if draft.videos:
        from crosspost import video

        videos += _each(video.take_in, draft.videos, config.media, problems)
    if problems:
        raise ContentError(*problems, hint=t("Nothing was queued."))
    return tuple(images), tuple(videos)


Taken = TypeVar("Taken")


def _each(
    take_in: Callable[[Path, str, Path], Taken],
    files: Sequence[tuple[Path, str]],
    media: Path,
    problems: list[str],
) -> list[Taken]:
    taken = []
    for path, alt in files:
        try:
            taken.append(take_in(path, alt, media))
        except ContentError as error:
            problems += error.problems
    return taken


def _fitter(config: Config, images: Sequence[Image], channels: Sequence[str]) -> Fitter | None:
    """The images as the channels need them; each image is decoded once."""
    if not images:
        return None
    from crosspost.resizing import Fitter

    fitter = Fitter(config.media)
    cans = [open_adapter(config, channel).capabilities for channel in channels]
    fitter.prepare(images, [can for can in cans if can.max_images])
    return fitter


def render_for(
    config: Config,
    channel: str,
    content: Content,
    channels: Sequence[str],
    fitter: Fitter | None = None,
) -> tuple[Post, ...]:
    """The posts of one channel. With the site among `channels`, its page is the link of all."""
    adapter = open_adapter(config, channel)
    can = adapter.capabilities
    content = replace(content, videos=_fitting(content.videos, can, channel))
    if content.images:
        from crosspost.resizing import Fitter

        fitter = fitter or Fitter(config.media)
        shown, rest = content.images[: can.max_images], content.images[can.max_images :]
        fitted = tuple(fitter.fit(image, can) for image in shown)
        content = replace(content, images=(*fitted, *rest))
    page = config.page(content.code) if config.site_channel in channels else ""
    return render(
        content,
        can,
        adapter.measure,
        page=page,
        channel=channel,
        style=config.style(channel),
        office=config.office.name,
    )


def _fitting(videos: Sequence[Video], can: Capabilities, channel: str) -> tuple[Video, ...]:
    """The videos that a channel takes, the first ones. Raises ContentError when one of them is
    not within its limits."""
    taken = tuple(videos[: can.max_videos])
    if not taken:
        return ()
    from crosspost import video

    problems = [problem for each in taken for problem in video.problems(each, can, channel)]
    if problems:
        raise ContentError(*problems)
    return taken


def new_code() -> str:
    """A fresh short code: 7 letters of 28, about 1.3e10 of them."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
