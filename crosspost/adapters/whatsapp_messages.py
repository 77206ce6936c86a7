"""What stands in a WhatsApp message, and how much of a number may stand anywhere else.

Pure. It must not call anything; the adapter does. Facts: developers.facebook.com, WhatsApp Cloud
API, "Messages"; facebook/openapi v23.0.
"""

from __future__ import annotations

import re
from typing import Any

from crosspost.adapters.uploads import media_of
from crosspost.post import Outgoing

#: What may not stand in a parameter of a template: ends of lines, tabs, more than four spaces.
LINES, SPACES = re.compile(r"\s*[\r\n]+\s*"), re.compile(r"[ \t]{2,}|\t")


def content_of(outgoing: Outgoing, settings: Any) -> dict[str, Any]:
    text, image = outgoing.post.text, next(iter(media_of(outgoing)), "")
    if settings.template:
        return {"type": "template", "template": _template(text, image, settings)}
    if image:
        return {"type": "image", "image": {"id": image, "caption": text}}
    return {"type": "text", "text": {"body": text, "preview_url": True}}


def _template(text: str, image: str, settings: Any) -> dict[str, Any]:
    """The office's template with the text in its place."""
    body = {"type": "body", "parameters": [{"type": "text", "text": one_line(text)}]}
    picture = [{"type": "image", "image": {"id": image}}]
    header = [{"type": "header", "parameters": picture}] if image else []
    return {
        "name": settings.template,
        "language": {"policy": "deterministic", "code": settings.template_language},
        "components": [*header, body],
    }


def one_line(text: str) -> str:
    """`text` as a parameter of a template may be."""
    return SPACES.sub(" ", LINES.sub(" • ", text.strip()))


def masked(telephone: str) -> str:
    """Enough of a number for the office to know it, and for nobody else."""
    return f"{telephone[:3]}…{telephone[-4:]}"
