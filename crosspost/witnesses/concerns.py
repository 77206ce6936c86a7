"""What about witnesses needs a person, in words, for alarms, `status` and `doctor`.

Looks at what is remembered and at names of files, without any cryptography. It must not ask a
witness.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec

from sqlmodel import Session

from crosspost.config import Config
from crosspost.times import spoken
from crosspost.witnesses.places import CONFLICTS, FOLDER, forks
from crosspost.witnesses.remembered import AUTHORITY, recall, recall_all
from crosspost.witnesses.standing import Known, is_silent
from crosspost.wording import t


def concerns(session: Session, config: Config, now: datetime) -> dict[str, str]:
    """Key of an alarm -> its words. A witness that was never asked is not known to be silent."""
    found = {
        f"witness/{name}": _silent(name, known, config)
        for name, known in recall_all(session, config, now)
        if is_silent(known, now)
    }
    found |= _unstamped(session, config, now)
    origins = [key.partition("+")[0] for one in config.neighbours.values() for key in one.vkeys]
    for fork in forks(config.folder / FOLDER, origins):
        words = t("FORK: the ledger {origin} was signed with two histories.", origin=fork.origin)
        step = t("Tell its office, and look: crosspost log witness list")
        found[f"fork/{fork.origin}"] = f"{words} {step}"
    for path in sorted((config.folder / CONFLICTS).glob("*.checkpoint")):
        words = t("A witness has a checkpoint that contradicted our head: {file}.", file=path.name)
        step = t("Look: docs/record.md; when it is settled, move the file away.")
        found[f"conflict/{path.stem}"] = f"{words} {step}"
    return found


def examined(session: Session, config: Config, now: datetime) -> Iterator[tuple[str, str, str]]:
    """For `doctor`: "bad", "note" or "well", a sentence, and the next step."""
    found = concerns(session, config, now)
    for words in found.values():
        yield "bad", words, "crosspost log witness list"
    for name, known in recall_all(session, config, now):
        if f"witness/{name}" not in found:
            unasked = t("The witness {name} was not asked yet.", name=name)
            told = t("{name} cosigned {size} entries.", name=name, size=known.size)
            yield _how(known, unasked, told, "crosspost log witness ask")
    if config.ledger.timestamp_url is None:
        return
    if find_spec("rfc3161_client") is None:
        missing = t("Time stamps need a library that is not installed.")
        yield "bad", missing, t("Install it: pip install 'crosspost[timestamps]'")
    elif "timestamp" not in found:
        known = recall(session, AUTHORITY, config.ledger.timestamp_url, now)
        unasked = t("The time stamp authority was not asked yet.")
        told = t("{count} entries were stamped.", count=known.size)
        yield _how(known, unasked, told, "crosspost log timestamp")


def _how(known: Known, unasked: str, told: str, step: str) -> tuple[str, str, str]:
    if known.problem or known.at is None:
        return "note", known.problem or unasked, step
    return "well", told, ""


def _unstamped(session: Session, config: Config, now: datetime) -> dict[str, str]:
    """A time stamp authority that gives none."""
    if config.ledger.timestamp_url is None:
        return {}
    known = recall(session, AUTHORITY, config.ledger.timestamp_url, now)
    if not known.failures or not is_silent(known, now):
        return {}
    when = spoken(known.latest, config.office.zone, config.office.language)
    words = t("There was no time stamp of the record since {when}.", when=when)
    return {"timestamp": f"{words} {known.problem} {t('Look: crosspost log timestamp')}"}


def _silent(name: str, known: Known, config: Config) -> str:
    when = spoken(known.latest, config.office.zone, config.office.language)
    words = t("The witness {name} has not cosigned the record since {when}.", name=name, when=when)
    step = t("Look: crosspost log witness list")
    return " ".join(part for part in (words, known.problem, step) if part)
