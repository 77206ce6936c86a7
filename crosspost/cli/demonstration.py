"""`crosspost demo`: an office in a fresh folder, and a real daemon at work before your eyes.

Everything it does is the real path: the office is made as `init` makes it, announcements are queued
and approved as `add` and `approve` do, and the daemon is another process of this very program.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosspost.cli.output import COLOURS, say
from crosspost.errors import Conflict, CrosspostError
from crosspost.foreign import of_system
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office
    from crosspost.drafts import Draft

SITE_URL = "http://localhost:8000"
#: Seconds until the demonstration gives up on the daemon.
PATIENCE = 60.0
ENDED = ("published", "failed", "missed", "cancelled", "review")


def show(folder: Path) -> None:
    """Run it in `folder`, which must be new or empty. Raises UserError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            t("{folder} is there already and not empty; nothing was changed.", folder=folder),
            hint=t("Name a new folder: crosspost demo my-demo"),
        )
    office = _make_office(folder)
    say(t("An office is made in {folder}/ with the channel site.", folder=folder))
    numbers = _queue(office, folder)
    say(t("{n} announcements are queued and approved. The daemon starts.", n=len(numbers)))
    say()
    with _daemon(folder) as runs:
        items = _watch(office, runs)
    _print_end(office, folder, items)


def _make_office(folder: Path) -> Office:
    from crosspost.cli.office import Office
    from crosspost.config import load
    from crosspost.database import Database
    from crosspost.founding import Answers, NewChannel, found
    from crosspost.people import current_person, os_user

    answers = Answers(
        name="Dinas Kominfo Kabupaten Contoh",
        zone="Asia/Jakarta",
        language="id",
        os_user=os_user(),
        person=os_user(),
        title="Pranata Humas",
        site_url=SITE_URL,
        channels=(NewChannel("site", "site"),),
    )
    try:
        found(folder, answers)
    except OSError as error:
        raise Conflict(
            t("{path} cannot be written: {reason}.", path=folder, reason=of_system(error)),
            hint=t("Go to a folder of your own, or name one: crosspost demo my-demo"),
        ) from error
    config = load(folder / "crosspost.toml")
    return Office(config, Database(config.database_url), current_person(config), datetime.now(UTC))


def _queue(office: Office, folder: Path) -> list[int]:
    """Queue and approve what is to be seen. The first was queued ten minutes ago, for a time that
    has passed meanwhile, as if the daemon had been off."""
    from dataclasses import replace

    from crosspost.approvals import approve
    from crosspost.editorial import add

    numbers = []
    earlier = replace(office, now=office.now - timedelta(minutes=10))
    for at_desk, draft in zip([earlier, *[office] * 4], _drafts(office, folder), strict=True):
        added = add(office.database, office.config, draft, at_desk.doing())
        approve(office.database, office.config, added.announcement, at_desk.doing())
        numbers.append(added.announcement)
    return numbers


def _drafts(office: Office, folder: Path) -> Iterator[Draft]:
    from crosspost.cli.demo_texts import ANNOUNCEMENTS, draw_poster
    from crosspost.drafts import Draft
    from crosspost.times import moment_of

    poster = folder / "poster.png"
    draw_poster(poster)
    for item in ANNOUNCEMENTS:
        due = office.now + timedelta(seconds=item.seconds)
        yield Draft(
            title=item.title,
            body=item.body,
            source=item.source,
            link=item.link,
            lang=item.lang,
            urgency="normal",
            images=((poster, item.alt),) if item.alt else (),
            channels=("site",),
            due=moment_of(due, office.config.office.zone),
        )


@contextmanager
def _daemon(folder: Path) -> Iterator[Callable[[], bool]]:
    """A daemon of this program in the demonstration's folder, its log in `daemon.log`."""
    with (folder / "daemon.log").open("w") as log:
        command = [sys.executable, "-m", "crosspost", "--config", "crosspost.toml", "daemon"]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # noqa: S603
        try:
            yield lambda: process.poll() is None
            if process.poll() is not None:
                raise CrosspostError(
                    t("The daemon ended too early; see {path}.", path=folder / "daemon.log")
                )
        finally:
            process.terminate()
            process.wait()


def _items(office: Office) -> list[dict[str, Any]]:
    with office.views() as views:
        return [views.announcement(item["number"]) for item in views.announcements()]


def _watch(office: Office, runs: Callable[[], bool]) -> list[dict[str, Any]]:
    """Show the queue until all is out: a live table in a terminal, lines in a pipe."""
    end = time.monotonic() + PATIENCE

    def done(items: list[dict[str, Any]]) -> bool:
        ended = all(d["status"] in ENDED for item in items for d in item["deliveries"])
        return ended or not runs() or time.monotonic() > end

    if sys.stdout.isatty():
        from rich.live import Live

        with Live(refresh_per_second=8) as live:
            while True:
                items = _items(office)
                live.update(_table(items))
                if done(items):
                    return items
                time.sleep(0.2)
    from crosspost.lifecycle import Status, status_word

    told: set[int] = set()
    while True:
        items = _items(office)
        for item in items:
            [delivery] = item["deliveries"]
            if delivery["status"] in ENDED and item["number"] not in told:
                told.add(item["number"])
                word = status_word(Status(delivery["status"]))
                say(f"{_clock(delivery['published'])}  {word}  {item['title']}")
        if done(items):
            return items
        time.sleep(0.2)


def _table(items: list[dict[str, Any]]) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from crosspost.lifecycle import Status, status_word

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in (t("No."), t("Planned"), t("Title"), t("Status"), t("Published")):
        drawn.add_column(heading)
    for item in items:
        [delivery] = item["deliveries"]
        status = delivery["status"]
        drawn.add_row(
            str(item["number"]),
            _clock(delivery["due"]),
            item["title"],
            Text(status_word(Status(status)), style=COLOURS[status]),
            _clock(delivery["published"]),
        )
    return drawn


def _clock(moment: str | None) -> str:
    return datetime.fromisoformat(moment).strftime("%H:%M:%S") if moment else ""


def _print_end(office: Office, folder: Path, items: list[dict[str, Any]]) -> None:
    if not all(d["status"] == "published" for item in items for d in item["deliveries"]):
        raise CrosspostError(
            t("Not all of it was published; see {path}.", path=folder / "daemon.log")
        )
    pages = office.config.site_folder
    say()
    say(t("All of it is published:"))
    for item in items:
        [delivery] = item["deliveries"]
        say(f"  {_clock(delivery['published'])}  {delivery['permalinks'][0]}  {item['title']}")
    say()
    say(t("The pages lie in {folder}. To look at them:", folder=pages))
    say(f"  {sys.executable} -m http.server 8000 --bind 127.0.0.1 --directory {pages}")
    say(t("  and open {url} in a browser.", url=SITE_URL))
    say()
    say(t("What to try next, in {folder}/:", folder=folder))
    program = _program()
    for line in (
        "list",
        "why 1",
        'add "Kantor tutup hari Jumat." --title "Pengumuman" --at "2 menit lagi"',
        "approve 6",
        "daemon",
    ):
        say(f"  {program} {line}")
    say(t("Your own office: {command}", command=f"{program} init my-office"))


def _program() -> str:
    """How this program is typed here: by its name where the shell finds it, else with its path."""
    if shutil.which("crosspost"):
        return "crosspost"
    return str(Path(sys.executable).with_name("crosspost"))
