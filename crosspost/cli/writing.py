"""Writing announcements: add, edit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crosspost.cli.options import (
    Alt,
    AsDraft,
    At,
    File,
    Image,
    Lang,
    Link,
    Number,
    Source,
    Tag,
    Text,
    TextFor,
    Title,
    To,
    Urgent,
    Video,
    VideoAlt,
    Yes,
)
from crosspost.cli.telling import spoken_time, warn_of_logins, warn_without_daemon
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.drafting import Fields
    from crosspost.cli.office import Office
    from crosspost.drafts import Draft, Rendered
    from crosspost.editorial import Added


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (add, edit):
        app.command()(command)


def add(
    text: Text = None,
    file: File = None,
    title: Title = None,
    source: Source = None,
    link: Link = None,
    lang: Lang = None,
    image: Image = [],
    alt: Alt = [],
    video: Video = [],
    video_alt: VideoAlt = [],
    tag: Tag = [],
    text_for: TextFor = [],
    at: At = None,
    to: To = [],
    urgent: Urgent = None,
    draft: AsDraft = False,
    yes: Yes = False,
) -> None:
    """Queue an announcement. It waits for approval, then goes out at its time."""
    from crosspost.cli.drafting import Fields, gather
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.editorial import add as queue_it

    office = open_office(unseen=True)
    given = _options(title, source, link, lang, image, alt, at, to, urgent)
    given = given.over(_more(video, video_alt, tag, text_for))
    brought = draft_of(office, gather(text, file, given), Fields(at="now"))
    added = queue_it(
        office.database,
        office.config,
        brought,
        office.doing(),
        as_draft=draft,
        sure=_asking(office, brought, t("Queue it?"), yes=yes),
    )
    say(t("Queued as announcement {number}.", number=added.announcement))
    _say_added(office, added, as_draft=draft)


def edit(
    number: Number,
    text: Text = None,
    file: File = None,
    title: Title = None,
    source: Source = None,
    link: Link = None,
    lang: Lang = None,
    image: Image = [],
    alt: Alt = [],
    video: Video = [],
    video_alt: VideoAlt = [],
    tag: Tag = [],
    text_for: TextFor = [],
    at: At = None,
    to: To = [],
    urgent: Urgent = None,
    draft: AsDraft = False,
    yes: Yes = False,
) -> None:
    """Change what is not sent yet. It becomes a new revision and needs a new approval.

    Without options, an editor opens. Images and videos stay unless --image and --video
    name new ones.
    """
    from crosspost.cli.drafting import from_markdown, gather
    from crosspost.cli.editing import as_fields, in_editor, keeping, warn_of_old_texts
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.editorial import edit as make_revision
    from crosspost.editorial import require_editable

    office = open_office(unseen=True)
    with office.views() as views:
        old = views.announcement(number)
    given = _options(title, source, link, lang, image, alt, at, to, urgent)
    given = given.over(_more(video, video_alt, tag, text_for))
    require_editable(office.database, number, old["revision"])
    typed = None
    if text is None and file is None and not any(v is not None for v in vars(given).values()):
        typed = in_editor(old, office.now)
    with keeping(typed, number):
        if typed is not None:
            given = from_markdown(typed, Path.cwd(), t("the text from the editor"))
        given = gather(text, file, given, read_input=False)
        brought = draft_of(office, given, as_fields(old, office.now))
        if given.body is not None and given.texts is None:
            warn_of_old_texts(old["texts"])
        question = t("Make it revision {n}?", n=old["revision"] + 1)
        added = make_revision(
            office.database,
            office.config,
            number,
            brought,
            office.doing(),
            base=old["revision"],
            as_draft=draft,
            keep_images=given.images is None,
            keep_videos=given.videos is None,
            sure=_asking(office, brought, question, yes=yes),
        )
    say(t("Announcement {number} is revision {n} now.", number=number, n=added.revision))
    _say_added(office, added, as_draft=draft)


def _options(
    title: str | None,
    source: str | None,
    link: str | None,
    lang: str | None,
    image: list[Path],
    alt: list[str],
    at: str | None,
    to: list[str],
    urgent: bool | None,
) -> Fields:
    from crosspost.cli.drafting import Fields, pair, split

    names = [name for item in to for name in split(item)]
    return Fields(
        title=title,
        source=source,
        link=link,
        lang=lang,
        at=at,
        to=names or None,
        urgent=urgent,
        images=pair(image, alt),
    )


def _more(video: list[Path], alts: list[str], tag: list[str], text_for: list[str]) -> Fields:
    from crosspost.cli.drafting import Fields, pair, split, texts_for

    return Fields(
        videos=pair(video, alts, "--video", "--video-alt"),
        tags=[name for item in tag for name in split(item)] or None,
        texts=texts_for(text_for),
    )


def draft_of(office: Office, given: Fields, otherwise: Fields) -> Draft:
    """The draft that `given` describes, with `otherwise` for the rest. Raises UserError."""
    from crosspost.drafts import Draft
    from crosspost.times import understand

    chosen = given.over(otherwise)
    config = office.config
    return Draft(
        title=chosen.title or "",
        body=chosen.body or "",
        source=chosen.source or "",
        link=chosen.link or "",
        lang=chosen.lang or config.office.language,
        urgency="urgent" if chosen.urgent else "normal",
        images=tuple(given.images or ()),
        videos=tuple(given.videos or ()),
        tags=tuple(word.strip().removeprefix("#") for word in chosen.tags or ()),
        texts=_texts(office, chosen.texts or {}),
        channels=_channels(office, chosen.to),
        due=understand(chosen.at or "now", config.office.zone, office.now),
    )


def _texts(office: Office, texts: dict[str, str]) -> dict[str, str]:
    """Texts for channels that there are. Raises NotFound."""
    if texts:
        _channels(office, list(texts))
    return texts


def _channels(office: Office, names: list[str] | None) -> tuple[str, ...]:
    from crosspost.errors import ConfigError, NotFound

    configured = list(office.config.channels)
    if not configured:
        raise ConfigError(
            t("No channel is configured, so nothing can be published."),
            hint=t("Add a section [channels.NAME] to {path}.", path=office.config.path),
        )
    unknown = [name for name in names or () if name not in configured]
    if unknown:
        raise NotFound(
            t(
                'There is no channel "{name}". Configured are: {known}.',
                name=", ".join(unknown),
                known=", ".join(configured),
            ),
            hint=t("Nothing was queued."),
        )
    return tuple(dict.fromkeys(names or configured))


def _asking(
    office: Office, draft: Draft, question: str, *, yes: bool
) -> Callable[[Rendered], None]:
    """What is done once a draft has turned out well: say time, channels and doubts, and ask."""

    def ask(rendered: Rendered) -> None:
        from crosspost.cli.output import confirm, say, warn

        say(t("Time:     {when}", when=spoken_time(office, draft.due.utc)))
        say(t("Channels: {names}", names=", ".join(draft.channels)))
        for warning in rendered.warnings:
            warn(t("Note: {warning}", warning=warning))
        confirm(question, yes=yes)

    return ask


def _say_added(office: Office, added: Added, *, as_draft: bool) -> None:
    from crosspost.cli.output import say

    if as_draft:
        number = added.announcement
        say(t("It is a draft. Hand it in for approval: crosspost submit {number}", number=number))
    elif not added.approved:
        say(
            t(
                "It waits for approval. Look: crosspost preview {number}   "
                "Approve: crosspost approve {number}",
                number=added.announcement,
            )
        )
    warn_of_logins(office)
    warn_without_daemon(office)
