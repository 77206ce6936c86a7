"""Has the head of the ledger stamped by an authority outside, and keeps the stamps.

A stamp is kept only when it holds (`kept.py` says where). It must not wait long: the answer is
bounded in size and time. When to ask, says `due`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from crosspost import __version__
from crosspost.adapters import transport
from crosspost.config import Config
from crosspost.database import Database
from crosspost.durable import make_durable, write_durably
from crosspost.errors import Undecided, UserError
from crosspost.foreign import of_system
from crosspost.ledger.evidence import Sealed
from crosspost.ledger.strongbox import Strongbox, read_file
from crosspost.timestamps.kept import FOLDER, STAMPED, TOKEN
from crosspost.timestamps.tokens import QUERY_TYPE, Stamp, query, read_roots, verify
from crosspost.witnesses.remembered import AUTHORITY, recall, remember
from crosspost.witnesses.standing import Known, failed, wait, worked
from crosspost.wording import t

#: Seconds to connect, and between two pieces of an answer.
PATIENCE = (10.0, 30.0)


def how_it_stands(session: Session, config: Config, now: datetime) -> Known:
    """What is known of the authority in the settings."""
    return recall(session, AUTHORITY, config.ledger.timestamp_url or "", now)


def due(known: Known, size: int, every: timedelta, now: datetime) -> bool:
    """Whether a head of `size` entries is to be stamped now."""
    if known.failures and known.asked_at is not None:
        return not timedelta() <= now - known.asked_at < wait(known.failures)
    if known.worked_at is None:
        return True
    return size > known.size and not timedelta() <= now - known.worked_at < every


def stamp(database: Database, config: Config, sealed: Sealed, now: Callable[[], datetime]) -> Stamp:
    """Have the head of `sealed` stamped as the office signed it, without cosignatures, and keep
    that. Raises Undecided when the
    authority gives no stamp, Refuted when it does not hold, UserError when the disk refuses."""
    with database.read() as session:
        known = how_it_stands(session, config, now())
    try:
        found = _stamp(config, sealed)
    except UserError as error:
        with database.write() as session:
            remember(session, AUTHORITY, failed(known, error.problems[0], now()))
        raise
    with database.write() as session:
        remember(session, AUTHORITY, worked(known, sealed.head.size, found.at, now()))
    return found


def _stamp(config: Config, sealed: Sealed) -> Stamp:
    settings = config.ledger
    note = Strongbox(config.folder).head_note()
    if not sealed.note.startswith(note):
        raise Undecided(t("The head has grown meanwhile."), hint=t("It is asked again by itself."))
    if settings.timestamp_url is None or settings.timestamp_root is None:
        raise Undecided(
            t("No time stamp authority is configured."),
            hint=t("See [ledger] in config.example.toml."),
        )
    roots = read_roots(read_file(config.folder / settings.timestamp_root))
    asked = query(note)
    token = _ask(settings.timestamp_url, asked.as_bytes())
    found = verify(token, note, roots, asked)
    _keep(config.folder, sealed.head.size, note, token)
    return found


def _ask(url: str, body: bytes) -> bytes:
    session = transport.new_session(f"crosspost/{__version__}")
    try:
        headers = {"Content-Type": QUERY_TYPE, "Accept": "application/timestamp-reply"}
        answer = transport.send(session, "POST", url, PATIENCE, headers, {"data": body})
    except (transport.NotSent, transport.Broken) as error:
        raise _no(str(error)) from error
    finally:
        session.close()
    if answer.status != 200:
        raise _no(t("it answers with HTTP status {status}", status=answer.status))
    return answer.body


def _no(reason: str) -> Undecided:
    return Undecided(
        t("The time stamp authority gave no stamp: {reason}.", reason=reason.rstrip(".")),
        hint=t("It is asked again by itself."),
    )


def _keep(folder: Path, size: int, note: bytes, token: bytes) -> None:
    """A token never stands beside a checkpoint that it is not of: after an exchange of the key
    there may be another one of this size."""
    place = folder / FOLDER
    try:
        place.mkdir(exist_ok=True)
        checkpoint = place / f"{size}{STAMPED}"
        if not checkpoint.exists() or checkpoint.read_bytes() != note:
            (place / f"{size}{TOKEN}").unlink(missing_ok=True)
        for name, data in ((f"{size}{STAMPED}", note), (f"{size}{TOKEN}", token)):
            new = place / f"{name}.new"
            write_durably(new, data)
            new.replace(place / name)
        make_durable(place)
        make_durable(folder)
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=place, reason=of_system(error))
        ) from error
