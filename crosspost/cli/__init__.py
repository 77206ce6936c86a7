"""The command line: one file a subject, each importing its work inside the command's body.

It must not decide anything that another way in would have to decide again. `--help`, `--version`
and completion import none of the heavy libraries; a test reads `sys.modules` after each.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from crosspost import __version__
from crosspost.cli import (
    alarms,
    amendments,
    announcements,
    approvals,
    channels,
    checking,
    dispatching,
    fakes,
    keeping,
    office,
    proving,
    records,
    redaction,
    reporting,
    running,
    setup,
    stamping,
    verifying,
    witnesses,
    writing,
)
from crosspost.cli.helping import Commands
from crosspost.errors import CrosspostError, UserError

#: New objects before the garbage collector looks among them.
BETWEEN_COLLECTIONS = 200_000

app = Commands(
    name="crosspost",
    help="Queue an announcement once; publish it on time, once, to every channel, on the record.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
proving.register(records.log)
stamping.register(records.log)
records.log.add_typer(witnesses.app, name="witness")

with app.part("To begin with"):
    setup.register(app)
    app.add_typer(channels.app, name="channels")
with app.part("To write"):
    for subject in (writing, announcements, checking):
        subject.register(app)
with app.part("To approve"):
    approvals.register(app)
with app.part("To change what is not public yet"):
    dispatching.register(app)
with app.part("To set right what is public"):
    for subject in (amendments, redaction):
        subject.register(app)
    app.add_typer(fakes.app, name="fake")
with app.part("To publish"):
    for subject in (running, records):
        subject.register(app)
    app.add_typer(alarms.app, name="alarms")
with app.part("To keep and to prove"):
    for subject in (keeping, reporting, verifying):
        subject.register(app)
    app.add_typer(records.log, name="log")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crosspost {__version__}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="The office's crosspost.toml; by default the one in this folder, "
            "or the one that CROSSPOST_CONFIG names.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Options that stand before every command."""
    del version
    office.config_file = config


def main() -> None:
    """Run the command line; every error becomes a sentence, never a traceback."""
    _collect_seldom()
    try:
        sys.exit(app(standalone_mode=False))
    except UserError as error:
        _complain([*error.problems], error.hint)
        sys.exit(error.exit_code)
    except CrosspostError as error:
        _complain([str(error)], "")
        sys.exit(1)
    except typer.Abort:
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has gone; let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if hasattr(error, "format_message"):  # Typer's, of a command line that is wrong
            from crosspost.cli.usage import complain

            sys.exit(complain(error))
        if os.environ.get("CROSSPOST_DEBUG"):
            raise
        _fault(error)
        sys.exit(1)


def _collect_seldom() -> None:
    """Spare a command the search for cyclic garbage among libraries that are there to stay: some
    thirty passes while they are imported, and one over all of them at the end, together a fifth of
    its time. What runs for long may set it as it needs it."""
    gc.set_threshold(BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)


def _complain(problems: list[str], hint: str) -> None:
    for problem in problems:
        typer.echo(problem, err=True)
    if hint:
        typer.echo(hint, err=True)


def _fault(error: Exception) -> None:
    import traceback

    from crosspost.wording import t

    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__}, {Path(frame.filename).name}:{frame.lineno}"
    _complain(
        [t("Something went wrong inside crosspost ({where}).", where=where)],
        t("Please report it. To see all of it, run the command again with CROSSPOST_DEBUG=1."),
    )
