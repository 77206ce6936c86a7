"""What a post looks like on its platform: the few things by which people know where they are.

Drawn by ourselves; it must not copy a logo, an icon or a typeface of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """`frame` is the kind of page that it stands on (its CSS class), `light` and `dark` are the
    colour of links and names on either ground, each with a contrast of at least 4.5 to it."""

    frame: str  # timeline, feed, chat, photo, video, page or mail
    light: str = "#0b4f9e"
    dark: str = "#8cc2ff"


LOOKS = {
    "mastodon": Look("timeline", "#563acc", "#a99bff"),
    "bluesky": Look("timeline", "#0058c7", "#6cb6ff"),
    "x": Look("timeline", "#0f5f9e", "#6bbcf7"),
    "threads": Look("timeline", "#3a3a3a", "#d6d6d6"),
    "facebook": Look("feed", "#0a5bd0", "#7db3ff"),
    "linkedin": Look("feed", "#0a58a8", "#79b8f5"),
    "telegram": Look("chat", "#1768a8", "#79c0f7"),
    "discord": Look("chat", "#3c47c4", "#a5b0ff"),
    "slack": Look("chat", "#135c9e", "#7fc0ee"),
    "matrix": Look("chat", "#0a6650", "#5fd3b2"),
    "whatsapp": Look("chat", "#0b6b4b", "#5fd6a2"),
    "instagram": Look("photo", "#a3216b", "#ff9acb"),
    "tiktok": Look("video", "#8f1238", "#ff8fab"),
    "youtube": Look("video", "#0b57d0", "#8ab4f8"),
    "site": Look("page"),
    "wordpress": Look("page"),
    "webhook": Look("page"),
    "email": Look("mail"),
}


def look_of(platform: str) -> Look:
    """The look of a platform; an outsider's is a plain timeline."""
    return LOOKS.get(platform, Look("timeline"))
