"""What each platform can carry, as a table for people, from the adapters' own `Capabilities`.

    python tests/pure/matrix.py

writes it into `docs/capabilities.md`, between its two marks. It must not know a platform: what is
not in the code does not stand in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from crosspost.adapters import BUILT_IN, Adapter, adapter_class
from crosspost.adapters.oauth import by_browser
from crosspost.post import Capabilities, CardMaker, Markup, Reconcile

PAGE = Path(__file__).parents[2] / "docs" / "capabilities.md"
BEGIN = "<!-- made by tests/pure/matrix.py: do not write here -->"
END = "<!-- until here -->"
NO, YES = "no", "yes"

CARDS = {
    CardMaker.SERVER: "from the page",
    CardMaker.CLIENT: "from the announcement",
    CardMaker.NONE: NO,
}
DOUBT = {
    Reconcile.IDEMPOTENCY_KEY: "is sent again under the same key",
    Reconcile.CHOSEN_ID: "is looked for by the name that we chose",
    Reconcile.TWO_PHASE: "the platform is asked about its state",
    Reconcile.LOOKUP: "is looked for among our own posts",
    Reconcile.NONE: "**a person decides**",
}


def _text(kind: type[Adapter], can: Capabilities) -> str:
    """How long a text may be."""
    if can.markup is Markup.DOCUMENT:
        return "the whole announcement"
    parts = [f"{can.max_length:,} {can.unit}" if can.max_length else "no limit"]
    if "max_characters" in kind.Settings.model_fields:
        parts.append("more by `max_characters`")
    if can.max_caption is not None:
        parts.append(f"{can.max_caption:,} with an image")
    if can.max_bytes is not None:
        parts.append(f"{can.max_bytes:,} bytes")
    if can.max_title is not None:
        parts.append(f"title {can.max_title:,}")
    return ", ".join(parts)


def _alt(kind: type[Adapter], can: Capabilities) -> str:
    if not can.max_images and not can.max_videos:
        return "–"
    return f"{can.max_alt:,}" if can.max_alt is not None else "in the text"


def _images(kind: type[Adapter], can: Capabilities) -> str:
    if not can.max_images:
        return NO
    needed = " (needed)" if can.needs_media and not can.max_videos else ""
    return f"{can.max_images}, {can.image_bytes / 1_000_000:.3g} MB{needed}"


def _videos(kind: type[Adapter], can: Capabilities) -> str:
    if not can.max_videos:
        return NO
    needed = " (needed)" if can.needs_media and not can.max_images else ""
    length = timedelta(seconds=can.video_seconds)
    return f"{can.max_videos}, {can.video_bytes / 1_000_000:,g} MB, {length}{needed}"


def _doubt(kind: type[Adapter], can: Capabilities) -> str:
    window = f" for {can.key_window / timedelta(hours=1):g} h" if can.key_window else ""
    settled = can.reconcile in (Reconcile.CHOSEN_ID, Reconcile.TWO_PHASE, Reconcile.LOOKUP)
    wait = f", {can.settle.total_seconds():g} s" if settled else ""
    return f"{DOUBT[can.reconcile]}{window}{wait}"


def _delete(kind: type[Adapter], can: Capabilities) -> str:
    if "deletes" in kind.Settings.model_fields:
        return "by `deletes`"
    return YES if can.delete else NO


def _access(kind: type[Adapter], can: Capabilities) -> str:
    return "`channels login`" if by_browser(kind) else "a secret, or none"


Cell = Callable[[type[Adapter], Capabilities], str]
COLUMNS: dict[str, Cell] = {
    "text": _text,
    "images": _images,
    "video": _videos,
    "description of each": _alt,
    "link card": lambda _, can: CARDS[can.card],
    "thread": lambda _, can: YES if can.threads else NO,
    "edit": lambda _, can: YES if can.edit else NO,
    "delete": _delete,
    "when the outcome is unclear, a post": _doubt,
    "access": _access,
}


def row(kind: type[Adapter]) -> str:
    """One platform's line."""
    cells = [cell(kind, kind.capabilities) for cell in COLUMNS.values()]
    return f"| [{kind.title}](channels/{kind.platform}.md) | {' | '.join(cells)} |"


def table() -> str:
    """All of it, in the order of the registry."""
    head = f"| | {' | '.join(COLUMNS)} |"
    rule = "|---" * (len(COLUMNS) + 1) + "|"
    return "\n".join([head, rule, *(row(adapter_class(platform)) for platform in BUILT_IN)])


def page(text: str) -> str:
    """`text` of the page with the table of now."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{PAGE} has lost its marks")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
