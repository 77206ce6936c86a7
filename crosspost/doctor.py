"""Is this office fit to publish? Everything is looked at, and each finding has its next step.

One trouble must not hide another, so nothing here stops at the first. It only reads: it must not
mend, lock or write, and speaks to no platform (`channels check` does).
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlmodel import Session, col, func, select

from crosspost import agenda, sightings
from crosspost.adapters import problems_of
from crosspost.config import Config, load
from crosspost.connections import unconnected
from crosspost.database import Database
from crosspost.erasures import unfinished
from crosspost.errors import ConfigError, UserError
from crosspost.ledger import book
from crosspost.ledger.checkpoint import read_checkpoint
from crosspost.ledger.growth import grown_from
from crosspost.ledger.strongbox import Strongbox
from crosspost.lock import daemon_runs
from crosspost.restoring import require_confirmed
from crosspost.soundness import require_sound
from crosspost.sqlite import network_share
from crosspost.tables import LedgerEntry
from crosspost.times import spoken
from crosspost.witnesses.concerns import examined
from crosspost.wording import t

#: Less free space than this is too little, or soon will be; in bytes.
LEAST_SPACE, LITTLE_SPACE = 100_000_000, 1_000_000_000
LEAST_FILES = 1_000
#: The record's newest entry may be so much later than now; clocks of two machines differ a little.
LEEWAY = timedelta(minutes=2)
#: No clock that is right shows a time before this release was made.
RELEASED = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
OLD_BACKUP = timedelta(days=7)


class State(StrEnum):
    """How a finding is meant."""

    WELL = "well"
    NOTE = "note"  # it works; somebody should know
    PERSON = "person"  # publishing works; something else needs a person
    BAD = "bad"  # publishing fails, or is not safe


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, how it is, a sentence, and what to do next ("": nothing)."""

    about: str
    state: State
    sentence: str
    next: str = ""


def topic(about: str) -> str:
    """What a finding is about, as an admin reads it."""
    return {
        "settings": t("settings"),
        "secrets": t("secrets"),
        "folders": t("folders"),
        "disk": t("disk"),
        "database": t("database"),
        "restore": t("older copy"),
        "record": t("record"),
        "erasure": t("erasure"),
        "witnesses": t("witnesses"),
        "clock": t("clock"),
        "channels": t("channels"),
        "daemon": t("daemon"),
        "alarms": t("alarms"),
        "backup": t("backup"),
        "online": t("platforms"),
    }[about]


def well(about: str, sentence: str) -> Finding:
    """Nothing to do."""
    return Finding(about, State.WELL, sentence)


def note(about: str, sentence: str, next_step: str = "") -> Finding:
    """Somebody should know."""
    return Finding(about, State.NOTE, sentence, next_step)


def bad(about: str, sentence: str, next_step: str) -> Finding:
    """Somebody must do something."""
    return Finding(about, State.BAD, sentence, next_step)


def examine(given: Path | None, now: datetime) -> list[Finding]:
    """Everything that can be looked at, in the order in which trouble is mended."""
    try:
        config = load(given, check_channel=problems_of)
        found = [well("settings", t("{path} is in order.", path=config.path.name))]
    except ConfigError as error:
        found = [bad("settings", problem, error.hint) for problem in error.problems]
        try:
            config = load(given, secrets=False)
        except ConfigError:
            return found
    found += [*secrets(config), *folders(config), *disk(config)]
    return found + _of_database(config, now)


def _of_database(config: Config, now: datetime) -> list[Finding]:
    try:
        database = Database(config.database_url)
        database.check_schema()
    except UserError as error:
        return [bad("database", " ".join(error.problems), error.hint)]
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: soundness(database),
        lambda: restores(database, config),
        lambda: record(database, config),
        lambda: erasure(database, config),
        lambda: witnesses(database, config, now),
        lambda: clock(database, config, now),
        lambda: channels(database, config, now),
        lambda: the_daemon(database, now),
        lambda: the_alarms(database, config),
        lambda: backups(database, config, now),
    ]
    found = []
    for check in checks:
        try:
            found += list(check())
        except UserError as error:
            found.append(bad("database", " ".join(error.problems), error.hint))
    database.close()
    return list(dict.fromkeys(found))  # what is wrong with the file is found by several


# --- files ----------------------------------------------------------------------------------------


def secrets(config: Config) -> Iterator[Finding]:
    """`.env` and the ledger's key are for one account only."""
    wide = [
        path
        for path in (config.folder / ".env", Strongbox(config.folder).key)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    for path in wide:
        said = t("Others on this machine may read {path}.", path=path.name)
        yield bad("secrets", said, f"chmod 600 {path}")
    if config.secret_key is None:
        said = t("There is no CROSSPOST_SECRET_KEY: sessions are kept only while the daemon runs.")
        yield note("secrets", said, t("crosspost init writes one into .env; see docs/operating.md"))
    elif not wide:
        yield well("secrets", t("Nobody else can read them."))


def folders(config: Config) -> Iterator[Finding]:
    """What must be written can be written by this account."""
    file = Database(config.database_url).file
    wanted = {config.folder, config.media, config.site_folder, file, file and file.parent}
    closed = sorted(
        path for path in wanted if path is not None and path.exists() and not _is_writable(path)
    )
    for path in closed:
        said = t("This account cannot write {path}.", path=path)
        yield bad("folders", said, t("Give the daemon's account the right to write it."))
    if not closed:
        yield well("folders", t("All can be written by this account."))
    if file is not None and (kind := network_share(file.absolute().parent)):
        said = t("The queue database is on a network share ({kind}).", kind=kind)
        step = t("Move it to a disk of this machine: two daemons could run on it.")
        yield bad("folders", said, step)


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0), effective_ids=True)


def disk(config: Config) -> Iterator[Finding]:
    """Room for what is to come."""
    free = shutil.disk_usage(config.folder).free
    files = os.statvfs(config.folder)
    said = t("{size} MB are free.", size=free // 1_000_000)
    step = t("Make room; when the disk is full nothing is sent.")
    if free < LEAST_SPACE:
        yield bad("disk", said, step)
    elif files.f_files and files.f_favail < LEAST_FILES:
        yield bad("disk", t("The disk has no room for more files."), step)
    elif free < LITTLE_SPACE:
        yield note("disk", said, step)
    else:
        yield well("disk", said)


# --- the database ---------------------------------------------------------------------------------


def soundness(database: Database) -> Iterator[Finding]:
    """The file is whole, indices included."""
    require_sound(database, thorough=True)
    yield well("database", t("It is whole, and of this version: {where}.", where=database.where()))


def restores(database: Database, config: Config) -> Iterator[Finding]:
    """It is the one that was here."""
    require_confirmed(database, config.folder)
    yield well("restore", t("It is no older copy."))


def record(database: Database, config: Config) -> Iterator[Finding]:
    """The ledger goes on from its signed head."""
    box = Strongbox(config.folder)
    if not box.is_founded():
        said = t("The record is not signed: nobody outside could prove it.")
        yield note("record", said, "crosspost log init")
        return
    try:
        head = read_checkpoint(box.head_note(), box.verifier())
        with database.read() as session:
            grown_from(head, book.raw_entries(session))
    except UserError as error:
        yield bad("record", " ".join(error.problems), error.hint)
        return
    yield well("record", t("{count} entries are signed, and none was changed.", count=head.size))


def erasure(database: Database, config: Config) -> Iterator[Finding]:
    """What was erased by law is gone from the disk too."""
    with database.read() as session:
        left = unfinished(session)
    for one in left:
        said = t(
            "Announcement {number} was erased ({order}), and not all of it is gone from {media} or "
            "{site}.",
            number=one.announcement,
            order=one.order,
            media=config.media,
            site=config.site_folder or t("the site"),
        )
        step = t("Let the daemon's account write there; then it does so within a minute.")
        yield Finding("erasure", State.PERSON, " ".join([said, one.reason]).rstrip(), step)


def witnesses(database: Database, config: Config, now: datetime) -> Iterator[Finding]:
    """Whether others remember the record too, and what they found."""
    with database.read() as session:
        for state, said, step in examined(session, config, now):
            yield Finding("witnesses", State(state), said, step)
    if Strongbox(config.folder).is_founded() and not config.witnesses:
        said = t("Nobody outside remembers the record: that the office has only one, rests on it.")
        yield well("witnesses", f"{said} {t('See docs/record.md, Witnesses.')}")


def clock(database: Database, config: Config, now: datetime) -> Iterator[Finding]:
    """The clock can be right, and the office's zone is known."""
    step = t("Set the clock of this machine, and let it be kept by NTP.")
    with database.read() as session:
        last = session.exec(select(func.max(LedgerEntry.at))).one()
    shown = now.astimezone(config.office.tz).isoformat(sep=" ", timespec="minutes")
    if now < RELEASED:
        yield bad("clock", t("It shows {time}, which is past.", time=shown), step)
    elif last is not None and now < last - LEEWAY:
        ahead = t("It shows {time}; the record has an entry that is later.", time=shown)
        yield bad("clock", ahead, step)
    else:
        yield well("clock", t("It shows {time} in {zone}.", time=shown, zone=config.office.zone))


# --- what goes on ---------------------------------------------------------------------------------


def channels(database: Database, config: Config, now: datetime) -> Iterator[Finding]:
    """Which of them publish."""
    if not config.channels:
        said = t("No channel is configured.")
        yield bad("channels", said, t("See how in config.example.toml."))
        return
    with database.read() as session:
        resting = [name for name in config.channels if not agenda.is_open(session, name, now)]
        unknown = unconnected(session, config)
    for name in unknown:
        said = t("nobody has logged in to {channel}", channel=name)
        yield bad("channels", f"{said}.", f"crosspost channels login {name}")
    for name in resting:
        said = t("{channel} is on hold or paused.", channel=name)
        yield note("channels", said, "crosspost channels list")
    if not resting and not unknown:
        said = t("{count} are configured, and none rests.", count=len(config.channels))
        yield well("channels", said)


def the_daemon(database: Database, now: datetime) -> Iterator[Finding]:
    """Whether one runs, and whether that matters now."""
    runs = daemon_runs(database)
    with database.read() as session:
        waits = agenda.next_wake(session, (), now)
    if runs:
        yield well("daemon", t("It runs."))
    elif runs is None:
        said = t("Whether one runs is not known here; look on the machine where it is installed.")
        yield note("daemon", said)
    elif waits is not None and waits <= now:
        said = t("None runs, and something should be sent now.")
        yield bad("daemon", said, "crosspost daemon")
    else:
        yield note("daemon", t("None runs, so nothing will be published."), "crosspost daemon")


def the_alarms(database: Database, config: Config) -> Iterator[Finding]:
    """Whether somebody hears of trouble, also when the daemon is dead."""
    if not config.alarms.ways:
        said = t("Nobody is told: there is no [alarms.email] and no [alarms.webhook].")
        yield note("alarms", said, t("See how in config.example.toml."))
        return
    with database.read() as session:
        broken = sightings.broken_ways(session, config)
    for way, problem in broken.items():
        said = t("The last one was not delivered by {way}: {problem}", way=way, problem=problem)
        yield bad("alarms", said, "crosspost alarms test")
    if not broken:
        yield well("alarms", t("They go out by {ways}.", ways=", ".join(config.alarms.ways)))
    if config.alarms.heartbeat_url is None:
        said = t("No monitor outside would notice that the daemon is dead.")
        yield note(
            "alarms", said, t("Set heartbeat_url, or let cron run: crosspost status --alarm")
        )


def backups(database: Database, config: Config, now: datetime) -> Iterator[Finding]:
    """When the last one was made, as the record knows."""
    if database.file is None:
        return
    with database.read() as session:
        last = _last_backup(session)
    step = f"crosspost backup {t('FILE')}"
    if last is None:
        yield note("backup", t("None is on record."), step)
    elif now - last > OLD_BACKUP:
        days = (now - last).days
        yield note("backup", t("The last one on record is {days} days old.", days=days), step)
    else:
        office = config.office
        shown = spoken(last, office.zone, office.language)
        yield well("backup", t("The last one is of {time}.", time=shown))


def _last_backup(session: Session) -> datetime | None:
    return session.exec(
        select(LedgerEntry.at)
        .where(LedgerEntry.kind == "backed_up")
        .order_by(col(LedgerEntry.id).desc())
        .limit(1)
    ).first()
