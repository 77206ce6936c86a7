"""How `preview` shows posts in a terminal: the exact text, its length and limit, images, card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosspost.cli.output import block, say, warn
from crosspost.foreign import of_system
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office
    from crosspost.post import Post
    from crosspost.preview import Shown

BAR = 30


def doubts(office: Office, announcement: dict[str, Any]) -> list[str]:
    """What the checks warn of in an announcement as it is stored."""
    from crosspost.checks import Level
    from crosspost.drafts import Draft, Kept, inspect
    from crosspost.precedents import earlier
    from crosspost.revisions import current_revision, images_of, videos_of
    from crosspost.times import moment_of

    config = office.config
    due = min(delivery["due"] for delivery in announcement["deliveries"])
    draft = Draft(
        title=announcement["title"],
        body=announcement["body"],
        source=announcement["source"],
        link=announcement["link"],
        lang=announcement["lang"],
        urgency=announcement["urgency"],
        images=(),
        channels=tuple(delivery["channel"] for delivery in announcement["deliveries"]),
        due=moment_of(datetime.fromisoformat(due), config.office.zone),
        tags=tuple(announcement["tags"]),
        texts=announcement["texts"],
    )
    number = announcement["number"]
    with office.database.read() as session:
        revision = current_revision(session, number)
        images = tuple(images_of(session, config, revision))
        videos = tuple(videos_of(session, config, revision))
        said = earlier(session, config.checks, draft.due.utc, but=number)
    found = inspect(config, draft, kept=Kept(images, videos), earlier=said)
    return [finding.sentence for finding in found if finding.level is not Level.OFF]


def show_posts(channels: Sequence[Shown], warnings: Sequence[str]) -> None:
    """Each post under a line with its channel and length; what is wrong after it."""
    for shown in channels:
        count = len(shown.posts)
        for number, post in enumerate(shown.posts):
            part = t(" part {n} of {count}", n=number + 1, count=count) if count > 1 else ""
            name = f"── {shown.channel}{part} "
            say(name + "─" * max(4, 64 - len(name)))
            say("   " + _length(shown, number))
            say()
            block(post.text)
            say()
            _beside(post)
            for problem in shown.problems[number]:
                warn(f"   {problem}")
        for note in shown.notes:
            say(f"   {note}")
        say()
    for warning in warnings:
        warn(t("Note: {warning}", warning=warning))


def _beside(post: Post) -> None:
    if post.title:
        say(t("   Title: {title}", title=post.title))
    for number, image in enumerate(post.images, 1):
        say(t("   Image {n}: {alt}", n=number, alt=image.alt))
    for number, video in enumerate(post.videos, 1):
        say(t("   Video {n}: {alt}", n=number, alt=video.alt))
    if post.card:
        say(t("   Link card: {title} ({url})", title=post.card.title, url=post.card.url))
    if post.link:
        say(t("   Link: {link}", link=post.link))


def _length(shown: Shown, number: int) -> str:
    from crosspost.post import unit_word

    length, limit = shown.lengths[number], shown.limits[number]
    unit = unit_word(shown.can.unit)
    if limit is None:
        return t("{length} {unit}, no limit", length=length, unit=unit)
    filled = min(BAR, round(BAR * length / limit))
    bar = "█" * filled + "░" * (BAR - filled)
    return t("{bar} {length} of {limit} {unit}", bar=bar, length=length, limit=limit, unit=unit)


def write_page(
    office: Office,
    file: Path,
    announcement: dict[str, Any],
    channels: Sequence[Shown],
    warnings: Sequence[str],
) -> None:
    """The preview as a page in `file`. Raises UsageError when it cannot be written."""
    from datetime import datetime

    from crosspost.errors import UsageError
    from crosspost.preview.page import Head, page
    from crosspost.times import spoken

    office_ = office.config.office
    due = min(delivery["due"] for delivery in announcement["deliveries"])
    head = Head(
        number=announcement["number"],
        revision=announcement["revision"],
        title=announcement["title"],
        office=office_.name,
        due=spoken(datetime.fromisoformat(due), office_.zone, office_.language),
        approved=", ".join(approval["by"] for approval in announcement["approvals"]),
    )
    try:
        file.write_text(page(head, channels, warnings), encoding="utf-8")
    except OSError as error:
        reason = of_system(error)
        raise UsageError(
            t("{path} cannot be written: {reason}.", path=file, reason=reason),
            hint=t("Name a file in a folder of yours."),
        ) from error
    say(t("The preview is in {path}: open it in a browser.", path=file))
