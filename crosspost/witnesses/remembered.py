"""What the database remembers of the witnesses of this office: one row each.

It must not decide what follows (`standing.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from crosspost.config import Config
from crosspost.tables import OfficeState
from crosspost.witnesses.standing import Known, read_known

#: The time stamp authority stands among them, by a name that nobody gives a witness.
AUTHORITY = "timestamp authority/"


def recall(session: Session, name: str, vkey: str, now: datetime) -> Known:
    """What is known of the witness of this name and key."""
    row = session.get(OfficeState, f"witness/{name}")
    return read_known(row.value if row else "", vkey, now)


def remember(session: Session, name: str, known: Known) -> None:
    """Keep it."""
    session.merge(OfficeState(name=f"witness/{name}", value=known.json()))


def recall_all(session: Session, config: Config, now: datetime) -> Iterator[tuple[str, Known]]:
    """Every configured witness, by name."""
    for name, settings in config.witnesses.items():
        yield name, recall(session, name, settings.vkey, now)
