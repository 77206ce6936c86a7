"""Known fakes, for everybody to look up: fake add, fake list, fake remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosspost.cli.helping import Commands
from crosspost.cli.options import MOST, AsJson, Yes
from crosspost.foreign import of_system
from crosspost.wording import t

app = Commands(help="Known fakes: what others spread in the office's name.", no_args_is_help=True)


@app.command()
def add(
    title: Annotated[str, typer.Option(help="What it is, in a few words.")],
    right: Annotated[
        str, typer.Option("--right", metavar="TEXT", help="What is right, for the public.")
    ],
    text: Annotated[str, typer.Option(help="Its words, exactly as they are spread.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="The same from a file, or - for standard input.")
    ] = None,
    link: Annotated[
        list[str], typer.Option(metavar="URL", help="Where it was seen; may be given often.")
    ] = [],
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Tell the public that something is a fake. Who pastes it into the check page hears so."""
    from crosspost import fakes
    from crosspost.cli.office import open_office
    from crosspost.cli.output import block, confirm, say, show_json
    from crosspost.errors import ContentError

    office = open_office(secrets=False)
    found = fakes.Found(title, right, _words(text, file), tuple(link))
    if problems := found.problems():
        raise ContentError(*problems, hint=t("Nothing was changed."))
    if not json:
        say(title)
        block(found.text)
        block(right)
    confirm(t("Tell the public that this is a fake?"), yes=yes)
    with office.database.write() as session:
        number = fakes.add(session, found, office.doing())
    if json:
        show_json({"fake": number})
        return
    say(t("Known as fake {number}. The site shows it in about a minute.", number=number))


def _words(text: str, file: Path | None) -> str:
    import sys

    from crosspost.errors import ContentError, UsageError

    if file is None:
        return text.strip()
    if text:
        raise UsageError(
            t("Give the text either as an argument or with --file, not both."),
            hint=t("Nothing was changed."),
        )
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig").strip()
    except OSError as error:
        raise ContentError(
            t("{path} cannot be read: {reason}.", path=file, reason=of_system(error))
        ) from error
    except UnicodeDecodeError as error:
        raise ContentError(
            t("{path} is not a UTF-8 text file.", path=file),
            hint=t("Save it as UTF-8 in your editor."),
        ) from error


@app.command("list")
def list_(json: AsJson = False) -> None:
    """List the known fakes, newest first."""
    from crosspost import fakes
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json, table

    office = open_office(secrets=False)
    with office.views() as views:
        known = fakes.listed(views.session)
        found = [
            {
                "number": fake.number,
                "added": views.time(fake.at),
                "by": fake.by,
                "title": fake.found.title,
                "right": fake.found.explanation,
                "text": fake.found.text,
                "links": list(fake.found.links),
            }
            for fake in known
        ]
    if json:
        show_json(found)
        return
    rows = [(f["number"], f["added"], f["by"], f["title"]) for f in found]
    table([t("No."), t("Time"), t("Who"), t("Title")], rows)


@app.command()
def remove(
    number: Annotated[int, typer.Argument(metavar="ID", min=1, max=MOST, help="Its number.")],
    reason: Annotated[str, typer.Option(help="Why it is none.")],
    yes: Yes = False,
) -> None:
    """Take a fake back that was none. From then on nobody is told so."""
    from crosspost import fakes
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say

    office = open_office(secrets=False)
    with office.database.read() as session:
        say(fakes.titled(session, number))
    confirm(t("Take fake {number} back?", number=number), yes=yes)
    with office.database.write() as session:
        fakes.remove(session, number, office.doing(reason))
    say(t("Taken back. The site no longer shows it in about a minute."))
