"""Arguments and options that several commands share, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: A command ends with this when something needs a person, for monitors.
NEEDS_PERSON = 3
#: No number of anything is above this: what a database and a machine can count with.
MOST = 2**31 - 1

Number = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=MOST, help="The announcement's number.")
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
Link = Annotated[str | None, typer.Option(metavar="URL", help="An address that belongs to it.")]
Lang = Annotated[
    str | None, typer.Option(metavar="CODE", help="Language of the text: id, en, jv, ...")
]
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
    typer.Option(
        metavar="TIME",
        help='When: "2026-12-01 09:00", "besok jam 9", "2 jam lagi", "next Monday 9:00".',
    ),
]
To = Annotated[
    list[str],
    typer.Option(
        "--to", metavar="CHANNEL", help="Channels, by name or commas; by default all of them."
    ),
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
OnlyChannel = Annotated[
    list[str], typer.Option("--channel", metavar="CHANNEL", help="Only this channel.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")]
