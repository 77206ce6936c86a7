"""Writing announcements and looking at them: add, edit, list, show, preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.wording import language, t

if TYPE_CHECKING:
    from crosspost.cli.drafting import Fields
    from crosspost.cli.office import Office
    from crosspost.drafts import Draft, Rendered
    from crosspost.editorial import Added

Number = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="The announcement's number.")
]
Text = Annotated[
    str | None, typer.Argument(metavar="[TEXT]", help="The text, or - for standard input.")
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help="Markdown with front matter (title, at, ...).")
]
Title = Annotated[str | None, typer.Option(help="One line; a headline.")]
Source = Annotated[
    str | None, typer.Option(help="Why it can be believed: document number, official address.")
]
Link = Annotated[str | None, typer.Option(help="An address that belongs to it.")]
Lang = Annotated[str | None, typer.Option(help="Language of the text: id, en, jv, ...")]
Image = Annotated[list[Path], typer.Option("--image", help="An image file; may be repeated.")]
Alt = Annotated[
    list[str], typer.Option("--alt", help="What the image shows, for those who cannot see it.")
]
Video = Annotated[list[Path], typer.Option("--video", help="A video file (MP4).")]
VideoAlt = Annotated[
    list[str],
    typer.Option("--video-alt", help="What is seen and said in the video, for those who cannot."),
]
Tag = Annotated[
    list[str], typer.Option("--tag", help='A hashtag, as words: "layanan publik"; by commas.')
]
TextFor = Annotated[
    list[str],
    typer.Option("--text-for", metavar="CHANNEL=TEXT", help="Another text on that channel."),
]
At = Annotated[
    str | None,
    typer.Option(help='When: "2026-12-01 09:00", "besok jam 9", "2 jam lagi", "next Monday 9:00".'),
]
To = Annotated[
    list[str], typer.Option("--to", help="Channels, by name or commas; by default all of them.")
]
Urgent = Annotated[
    bool | None,
    typer.Option(
        "--urgent/--normal", help="Urgent ones go before others, and may go out a day late."
    ),
]
AsDraft = Annotated[
    bool, typer.Option("--draft", help="Not for approval yet; hand it in with submit.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
OnlyChannel = Annotated[list[str], typer.Option("--channel", help="Only this channel.")]


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (add, edit, show, preview):
        app.command()(command)
    app.command("list")(list_)


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
        typed = _in_editor(old)
    with _keeping(typed, number):
        if typed is not None:
            given = from_markdown(typed, Path.cwd(), t("the text from the editor"))
        given = gather(text, file, given, read_input=False)
        brought = draft_of(office, given, _as_fields(old))
        if given.body is not None and given.texts is None:
            _warn_of_old_texts(old["texts"])
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


def list_(
    status: Annotated[
        str | None, typer.Option(help="Only those with a delivery in this status, e.g. failed.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Only those for this channel.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 20,
    json: AsJson = False,
) -> None:
    """List announcements, newest last."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json, table
    from crosspost.cli.output import status as coloured

    office = open_office(secrets=False)
    wanted = _status(status)
    with office.views() as views:
        found = views.announcements(status=wanted, channel=channel, last=last)
    if json:
        show_json(found)
        return
    if not found:
        say(t("There is no such announcement yet. Queue one with: crosspost add"))
        return
    rows = [
        (
            item["number"],
            short_time(office, item["due"]),
            item["title"],
            coloured(_standing(item), _worst(item["channels"].values())),
            ", ".join(item["channels"]),
        )
        for item in found
    ]
    table([t("No."), t("Time"), t("Title"), t("Status"), t("Channels")], rows)


def show(
    number: Number,
    history: Annotated[
        bool, typer.Option("--history", help="Every revision, what it changed, and every act.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show an announcement: words, images, approvals, and where it is published."""
    from crosspost.cli.histories import show_history
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json

    office = open_office(secrets=False)
    with office.views() as views:
        found = views.announcement(number)
        revisions = views.history(number) if history else []
        acts = views.entries(announcement=number) if history else []
    if json:
        show_json({**found, "history": revisions, "acts": acts} if history else found)
        return
    _show(office, found)
    if history:
        show_history(office, revisions, acts)


def preview(
    number: Number,
    channel: OnlyChannel = [],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page, to be opened in a browser.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show each channel's post exactly as it is approved and sent, with its length."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json
    from crosspost.cli.previews import doubts, show_posts, write_page
    from crosspost.preview import as_json, shown

    office = open_office(unseen=True)
    with office.views() as views:
        found = views.announcement(number)
        posts = views.posts(number, channel)
    channels = shown(office.config, found, posts)
    if json:
        show_json(as_json(channels, posts))
    elif html is not None:
        write_page(office, html, found, channels, doubts(office, found))
    else:
        show_posts(channels, doubts(office, found))


# --- from options to a draft ----------------------------------------------------------------------


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


def _as_fields(old: dict[str, Any]) -> Fields:
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
        at=first["due"],
        to=[d["channel"] for d in old["deliveries"] if d["status"] != "cancelled"] or None,
        urgent=old["urgency"] == "urgent",
        tags=old["tags"] or None,
        texts=old["texts"] or None,
    )


def _warn_of_old_texts(texts: dict[str, str]) -> None:
    """An edit of the text leaves those that single channels have of their own."""
    from crosspost.cli.output import warn

    if texts:
        kept = t("The text for {names} stays as it was.", names=", ".join(texts))
        warn(t("Note: {warning}", warning=kept))


@contextmanager
def _keeping(typed: str | None, number: int) -> Iterator[None]:
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


def _in_editor(old: dict[str, Any]) -> str:
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
    fields = _as_fields(old)
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


# --- printing -------------------------------------------------------------------------------------


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


def spoken_time(office: Office, moment: datetime) -> str:
    """A time with weekday, zone and offset, in the office's zone and language."""
    from crosspost.times import spoken

    return spoken(moment, office.config.office.zone, language())


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


def warn_of_logins(office: Office) -> None:
    """Say which logins end soon, or before something is to go out."""
    from crosspost.cli.output import warn
    from crosspost.logins import endings

    with office.database.read() as session:
        for ending in endings(session, office.now):
            warn(ending.sentence(lambda when: spoken_time(office, when)))


def warn_without_daemon(office: Office) -> None:
    """Say so when nothing would be published because no daemon runs."""
    from crosspost.cli.output import warn
    from crosspost.lock import daemon_runs

    if daemon_runs(office.database) is False:
        warn(t("No daemon is running, so nothing is published. Start it with: crosspost daemon"))


def _show(office: Office, found: dict[str, Any]) -> None:
    from crosspost.acts import act_word
    from crosspost.cli.output import block, say, table
    from crosspost.cli.output import status as coloured
    from crosspost.lifecycle import Status, status_word
    from crosspost.offers import stage_word

    say(t("Announcement {number}, revision {revision}", **found))
    say(f"  {found['title']}" if found["title"] else "")
    block(found["body"])
    say()
    facts = [
        (t("Source"), found["source"]),
        (t("Link"), found["link"]),
        (t("Page"), found["page"]),
        (t("Language"), found["lang"]),
        (t("Hashtags"), ", ".join(found["tags"])),
        *((t("For {channel}", channel=name), text) for name, text in found["texts"].items()),
        (t("Urgency"), t("urgent") if found["urgency"] == "urgent" else ""),
        (t("Author"), f"{found['author']}, {short_time(office, found['created'])}"),
        (t("Amends"), _amends(found)),
        (t("Amended"), _amended(found)),
        (t("Stage"), stage_word(found["stage"]) if found["stage"] != "submitted" else ""),
        *((t("Approved"), _approval(office, a)) for a in found["approvals"]),
        *(
            (t("Image {n}", n=n), f"{image['alt']} ({image['width']} × {image['height']})")
            for n, image in enumerate(found["images"], 1)
        ),
        *((t("Video {n}", n=n), v["alt"]) for n, v in enumerate(found["videos"], 1)),
    ]
    for name, value in facts:
        if value:
            say(f"{name + ':':<12}{value}")
    say()
    rows = [
        (
            d["channel"] + (f" ({act_word(d['act'])})" if d["act"] != "publish" else ""),
            coloured(status_word(Status(d["status"])), d["status"]),
            short_time(office, d["published"] or d["due"]),
            "\n".join(d["permalinks"]) or d["reason"] or "",
        )
        for d in found["deliveries"]
    ]
    table([t("Channel"), t("Status"), t("Time"), t("Where")], rows)


def _amends(found: dict[str, Any]) -> str:
    if found["amends"] is None:
        return ""
    said = {"number": found["amends"], "reason": found["amend_reason"]}
    if found["amend"] == "corrected":
        return t("corrects announcement {number}: {reason}", **said)
    return t("withdraws announcement {number}: {reason}", **said)


def _amended(found: dict[str, Any]) -> str:
    if found["amended_by"] is None:
        return ""
    if found["amended"] == "corrected":
        return t("corrected by announcement {number}", number=found["amended_by"])
    return t("withdrawn by announcement {number}", number=found["amended_by"])


def _approval(office: Office, approval: dict[str, Any]) -> str:
    """One approval in a line: who, when, and what is special about it."""
    notes = [
        t("signed") if approval["signed"] else "",
        t("void") if approval["void"] else "",
        t("EMERGENCY, alone") if approval["emergency"] else "",
        _review(approval),
    ]
    told = ", ".join(note for note in notes if note)
    who = f"{approval['by']}, {short_time(office, approval['at'])}"
    return f"{who} ({told})" if told else who


def _review(approval: dict[str, Any]) -> str:
    """What the second person said to an emergency; "" while nobody has."""
    name = approval["reviewed_by"]
    if not name:
        return ""
    if approval["objected"]:
        return t("{name} OBJECTS", name=name)
    return t("{name} stands by it too", name=name)


def _standing(item: dict[str, Any]) -> str:
    """The statuses of an announcement in a few words; what is no draft any more needs no stage."""
    from crosspost.offers import stage_word
    from crosspost.views import status_words

    waits = "held" in item["channels"].values()
    if waits and item["stage"] != "submitted":
        return stage_word(item["stage"])
    return status_words(item["channels"])


def short_time(office: Office, moment: str | None) -> str:
    from crosspost.times import short

    if moment is None:
        return ""
    config = office.config
    return short(datetime.fromisoformat(moment), config.office.zone, language())


def _status(word: str | None) -> Any:
    from crosspost.errors import UsageError
    from crosspost.lifecycle import Status, status_word

    if word is None:
        return None
    try:
        return Status(word)
    except ValueError as error:
        raise UsageError(
            t(
                'There is no status "{word}"; there are {known}.',
                word=word,
                known=", ".join(f"{each.value} ({status_word(each)})" for each in Status),
            )
        ) from error


def _worst(statuses: Any) -> str:
    order = ("review", "failed", "missed", "unconfirmed", "held", "scheduled", "published")
    return next((status for status in order if status in statuses), "")
