"""How `preview` shows posts in a terminal: the exact text, its length and limit, images, card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crosspost.cli.output import block, say
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.config import Config

BAR = 30


def measured(config: Config, post: dict[str, Any]) -> dict[str, Any]:
    """A stored post with `length`, `limit` (null: none) and `unit` as its platform counts."""
    from crosspost.adapters import open_adapter
    from crosspost.rendering import visible

    adapter = open_adapter(config, post["channel"])
    can = adapter.capabilities
    return {
        **post,
        "length": adapter.measure(visible(post["text"], can.markup)),
        "limit": can.limit(len(post["images"]) + len(post["videos"])),
        "unit": can.unit,
    }


def show_posts(posts: Sequence[dict[str, Any]]) -> None:
    """Each post under a line with its channel and length."""
    for post in posts:
        say(f"── {post['channel']} " + "─" * max(4, 60 - len(post["channel"])))
        say("   " + _length(post))
        say()
        block(post["text"])
        say()
        for number, image in enumerate(post["images"], 1):
            say(t("   Image {n}: {alt}", n=number, alt=image["alt"]))
        for number, video in enumerate(post["videos"], 1):
            say(t("   Video {n}: {alt}", n=number, alt=video["alt"]))
        if post.get("card"):
            say(t("   Link card: {title} ({url})", **post["card"]))
        if post["link"]:
            say(t("   Link: {link}", link=post["link"]))
        say()


def _length(post: dict[str, Any]) -> str:
    from crosspost.post import unit_word

    post = {**post, "unit": unit_word(post["unit"])}
    if post["limit"] is None:
        return t("{length} {unit}, no limit", **post)
    filled = min(BAR, round(BAR * post["length"] / post["limit"]))
    bar = "█" * filled + "░" * (BAR - filled)
    return t("{bar} {length} of {limit} {unit}", bar=bar, **post)
