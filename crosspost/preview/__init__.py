"""What a preview shows of each channel: the stored posts as they are, how long they are, and what
is wrong or worth knowing.

Nothing is rendered anew: what is shown is what is stored, approved and sent. It must not print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crosspost import mediafiles
from crosspost.adapters import open_adapter
from crosspost.config import Config
from crosspost.post import Capabilities, CardMaker, Image, Markup, Post, Video, from_json
from crosspost.rendering import counted, document, visible
from crosspost.rendering.spans import text_of
from crosspost.wording import t

#: What `preview --json` adds to a post; what is approved and sent is all but these.
ADDED = ("channel", "part", "length", "limit", "unit", "problems", "notes")

Json = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """The posts of one channel, in order, with what stands beside them."""

    channel: str
    platform: str
    can: Capabilities
    posts: tuple[Post, ...]
    lengths: tuple[int, ...]
    limits: tuple[int | None, ...]
    problems: tuple[tuple[str, ...], ...]  # of each post
    notes: tuple[str, ...]  # of the channel


def shown(config: Config, announcement: Mapping[str, Any], stored: Sequence[Json]) -> list[Shown]:
    """What to show of the `stored` posts (as `Views.posts` gives them) of an announcement."""
    channels = dict.fromkeys(post["channel"] for post in stored)
    return [
        _shown(config, announcement, channel, [p for p in stored if p["channel"] == channel])
        for channel in channels
    ]


def as_json(found: Sequence[Shown], stored: Sequence[Json]) -> list[Json]:
    """The `stored` posts, each with what was found about it."""
    beside = {
        (one.channel, number): {
            "length": one.lengths[number],
            "limit": one.limits[number],
            "unit": one.can.unit,
            "problems": list(one.problems[number]),
            "notes": list(one.notes),
        }
        for one in found
        for number in range(len(one.posts))
    }
    return [{**post, **beside[post["channel"], post["part"] - 1]} for post in stored]


def _shown(
    config: Config, announcement: Mapping[str, Any], channel: str, stored: Sequence[Json]
) -> Shown:
    adapter = open_adapter(config, channel)
    can = adapter.capabilities
    posts = tuple(from_json(post, config.media) for post in stored)
    lengths = tuple(adapter.measure(counted(post.text, can.markup)) for post in posts)
    limits = tuple(can.limit(len(post.images) + len(post.videos)) for post in posts)
    measured = zip(posts, lengths, limits, strict=True)
    return Shown(
        channel=channel,
        platform=config.channels[channel].platform,
        can=can,
        posts=posts,
        lengths=lengths,
        limits=limits,
        problems=tuple(tuple(_problems(*one)) for one in measured),
        notes=tuple(_notes(announcement, channel, can, posts)),
    )


def _problems(post: Post, length: int, limit: int | None) -> list[str]:
    found = []
    if limit is not None and length > limit:
        found.append(t("It is longer than this channel takes now. Edit the announcement anew."))
    files: list[Image | Video] = [*post.images, *post.videos]
    found += [
        t("The file {name} is missing or was changed.", name=file.filename)
        for file in files
        if not mediafiles.intact(file)
    ]
    return found


def _notes(
    announcement: Mapping[str, Any], channel: str, can: Capabilities, posts: Sequence[Post]
) -> list[str]:
    """What of the announcement this channel does not show, so that nobody is surprised."""
    notes = []
    own = announcement["texts"].get(channel)
    if own is not None:
        notes.append(t("This channel has a text of its own."))
    if _is_shortened(announcement["body"] if own is None else own, can.markup, posts):
        notes.append(t("The text is shortened; the link leads to all of it."))
    images = sum(len(post.images) for post in posts)
    if images < len(announcement["images"]):
        count = len(announcement["images"])
        notes.append(t("{shown} of {count} images are shown here.", shown=images, count=count))
    if announcement["videos"] and not any(post.videos for post in posts):
        notes.append(t("The video is not shown here."))
    if can.card is CardMaker.SERVER and posts[-1].link and not posts[-1].images:
        notes.append(t("The platform makes the link card itself, from the page."))
    return notes


def _is_shortened(body: str, markup: Markup, posts: Sequence[Post]) -> bool:
    if markup is Markup.DOCUMENT:
        return False
    whole = "".join(text_of(document.spans(document.parse(body), markup)).split())
    said = "".join(_without_number(visible(post.text, markup), posts) for post in posts)
    return whole not in "".join(said.split())


def _without_number(text: str, posts: Sequence[Post]) -> str:
    return text.rpartition("\n\n(")[0] if len(posts) > 1 else text
