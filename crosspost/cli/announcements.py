"""Looking at announcements: list, show, preview."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.options import MOST, AsJson, Number, OnlyChannel
from crosspost.cli.telling import short_time
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (show, preview):
        app.command()(command)
    app.command("list")(list_)


def list_(
    status: Annotated[
        str | None, typer.Option(help="Only those with a delivery in this status, e.g. failed.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Only those for this channel.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=MOST, help="How many, the newest.")] = 20,
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
    """Show an announcement, its approvals, and where it is published."""
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
    """Show each channel's post, exactly as it is sent. With its length, as the channel counts."""
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
            "\n".join([*d["permalinks"], *([d["reason"]] if d["reason"] else [])]),
        )
        for d in found["deliveries"]
    ]
    table([t("Channel"), t("Status"), t("Time"), t("Where")], rows)


def _amends(found: dict[str, Any]) -> str:
    if found["amends"] is None:
        return ""
    reason = found["amend_reason"] or t("the reason is erased")
    said = {"number": found["amends"], "reason": reason}
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
