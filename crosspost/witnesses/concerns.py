"""What about witnesses needs a person, in words, for alarms, `status` and `doctor`.

Looks at what is remembered and at names of files, without any cryptography. It must not ask a
witness.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crosspost.config import Config
from crosspost.times import spoken
from crosspost.witnesses.places import CONFLICTS, FOLDER, forks
from crosspost.witnesses.remembered import recall, recall_all
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


def _unstamped(session: Session, config: Config, now: datetime) -> dict[str, str]:
    """A time stamp authority that gives none."""
    if config.ledger.timestamp_url is None:
        return {}
    known = recall(session, "timestamp authority", config.ledger.timestamp_url, now)
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
