"""A post as the content of a WhatsApp message: a text, an image with a caption, or the office's
template with the text in its place.

Pure. It must not know recipients or calls. Facts: developers.facebook.com, WhatsApp Cloud API,
"Messages"; facebook/openapi v23.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from crosspost.post import Post

#: What may not stand in a parameter of a template: ends of lines, tabs, more than four spaces.
_LINES, _SPACES = re.compile(r"\s*[\r\n]+\s*"), re.compile(r"[ \t]{2,}|\t")


def content_of(
    post: Post, images: Sequence[str], template: str = "", language: str = ""
) -> dict[str, Any]:
    """The fields of a message; `images` is the name of the upload, `template` that of the office's
    template in `language`, if there is one."""
    if template:
        body = {"type": "body", "parameters": [{"type": "text", "text": one_line(post.text)}]}
        pictures = [{"type": "image", "image": {"id": name}} for name in images]
        header = [{"type": "header", "parameters": pictures}] if pictures else []
        about = {"language": {"policy": "deterministic", "code": language}}
        filled = {"name": template, **about, "components": [*header, body]}
        return {"type": "template", "template": filled}
    if images:
        return {"type": "image", "image": {"id": images[0], "caption": post.text}}
    return {"type": "text", "text": {"body": post.text, "preview_url": True}}


def one_line(text: str) -> str:
    """`text` as a parameter of a template may be."""
    return _SPACES.sub(" ", _LINES.sub(" • ", text.strip()))
