"""An announcement that is there, changed: its fields, in the admin's editor if need be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.drafting import Fields


def as_fields(old: dict[str, Any], now: datetime) -> Fields:
    """A shown announcement as the fields of a draft; its time only where it lies ahead."""
    from crosspost.cli.drafting import Fields

    waiting = [d for d in old["deliveries"] if d["status"] in ("held", "scheduled")]
    first = min(waiting or old["deliveries"], key=lambda delivery: str(delivery["due"]))
    return Fields(
        body=old["body"],
        title=old["title"],
        source=old["source"],
        link=old["link"],
        lang=old["lang"],
        at=first["due"] if datetime.fromisoformat(first["due"]) > now else None,
        to=[d["channel"] for d in old["deliveries"] if d["status"] != "cancelled"] or None,
        urgent=old["urgency"] == "urgent",
        tags=old["tags"] or None,
        texts=old["texts"] or None,
    )


def warn_of_old_texts(texts: dict[str, str]) -> None:
    """An edit of the text leaves those that single channels have of their own."""
    from crosspost.cli.output import warn

    if texts:
        kept = t("The text for {names} stays as it was.", names=", ".join(texts))
        warn(t("Note: {warning}", warning=kept))


@contextmanager
def keeping(typed: str | None, number: int) -> Iterator[None]:
    """What was typed in the editor is not lost when it is refused, or the admin says no."""
    from crosspost.cli.output import warn
    from crosspost.errors import CrosspostError

    try:
        yield
    except (CrosspostError, typer.Exit):
        path = Path(f"edit-{number}.md")
        if typed is not None and not path.exists():
            path.write_text(typed, encoding="utf-8")
            warn(t("What you typed is kept in {path}.", path=path))
            warn(t("Go on with: crosspost edit {number} --file {path}", number=number, path=path))
        raise


def in_editor(old: dict[str, Any], now: datetime) -> str:
    """The announcement in the admin's editor ($VISUAL, $EDITOR, nano or vi); what was saved."""
    import os
    import shlex
    import shutil
    import subprocess
    import tempfile

    from crosspost.cli.drafting import as_markdown
    from crosspost.cli.output import interactive
    from crosspost.errors import UsageError

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("nano") or "vi"
    if not interactive():
        raise UsageError(
            t("Say what to change: a text, --file, --title, --at, ..."),
            hint=t("All options: crosspost edit --help"),
        )
    fields = as_fields(old, now)
    names = ("title", "source", "link", "lang", "at", "to", "urgent", "tags", "texts")
    before = as_markdown({name: getattr(fields, name) for name in names}, old["body"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"announcement-{old['number']}.md"
        path.write_text(before, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603 - theirs
        except (OSError, subprocess.CalledProcessError) as error:
            raise UsageError(
                t("The editor {editor} did not work; nothing was changed.", editor=editor),
                hint=t("Name another one in EDITOR, or use --file."),
            ) from error
        after = path.read_text(encoding="utf-8")
    if after == before:
        raise UsageError(t("Nothing was changed."))
    return after
