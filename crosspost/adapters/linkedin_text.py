r"""LinkedIn's "little" format of texts: what would be markup has a backslash before it.

Pure. It must not call anything. An unescaped sign silently ends a post there. Facts:
learn.microsoft.com, LinkedIn "little Text Format".
"""

from __future__ import annotations

import re

from crosspost.rendering import entities

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")
_HASHTAG = re.compile(r"\{hashtag\|\\?#\|([^}]*)\}")


def little(text: str) -> str:
    """`text` in the format that shows just it, hashtags as hashtags."""
    written, end = "", 0
    for (start, stop), tag in entities.hashtags(text):
        written += _escaped(text[end:start]) + r"{hashtag|\#|" + _escaped(tag) + "}"
        end = stop
    return written + _escaped(text[end:])


def plain(commentary: str) -> str:
    """What a reader sees of a text in the format."""
    return _ESCAPED.sub(r"\1", _HASHTAG.sub(r"#\1", commentary))


def _escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)
