"""A post as the title and description of a YouTube video.

Pure. It must not know calls. Facts: developers.google.com, YouTube Data API v3, "Videos", snippet.
"""

from __future__ import annotations

from crosspost.post import Post


def snippet_of(post: Post, category: str) -> dict[str, str]:
    """What stands under a video; `category` is a number of YouTube's list."""
    return {
        "title": shown(post.title),
        "description": shown(post.text),
        "categoryId": category,
        "defaultLanguage": post.lang,
    }


def shown(text: str) -> str:
    """`text` as YouTube can show it: its titles and descriptions know no angle brackets."""
    return text.translate({ord("<"): "‹", ord(">"): "›"})
