"""How it stands with the witnesses of this office: when one is asked again, when to say it.

Pure: what is known and the time go in. It must not ask anybody (`asking.py`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

#: A witness that does not answer is asked again after this, doubled each time, up to `LONGEST`.
SOON, LONGEST = timedelta(minutes=1), timedelta(hours=1)
#: A checkpoint that stays the same is cosigned anew after this long: it shows that nothing newer is
#: kept from the public, and that the witness still knows us.
AFRESH = timedelta(hours=6)
#: A witness that has not cosigned for so long is told to a person.
SILENT = timedelta(days=1)


@dataclass(frozen=True)
class Known:
    """What is known of a witness with this key. Times are aware; `size` is that of the last
    checkpoint it cosigned, `at` when it did by its own clock, `worked_at` by ours. `since`: when it
    was asked first. `problem`: what was wrong the last time, "" when nothing was; it has been so
    for `failures` times."""

    vkey: str
    since: datetime
    size: int = 0
    at: datetime | None = None
    worked_at: datetime | None = None
    asked_at: datetime | None = None
    failures: int = 0
    problem: str = ""

    def json(self) -> str:
        """As it is stored."""
        values = asdict(self)
        return json.dumps(
            {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}
        )

    @property
    def latest(self) -> datetime:
        """When it cosigned last, or since when it has not."""
        return self.worked_at or self.since


def read_known(value: str, vkey: str, now: datetime) -> Known:
    """What is stored ("": nothing) of the witness with this key; of another key it says nothing."""
    try:
        values = json.loads(value)
        times = {
            name: datetime.fromisoformat(values[name]) if values[name] else None
            for name in ("since", "at", "worked_at", "asked_at")
        }
        known = Known(**{**values, **times})
        return known if known.vkey == vkey else Known(vkey, now)
    except (ValueError, TypeError, KeyError):
        return Known(vkey, now)


def is_due(known: Known, now: datetime, *, cosigned: bool) -> bool:
    """Whether to ask it now; `cosigned`: the head as it stands has its cosignature already."""
    if known.failures and known.asked_at is not None:
        return not timedelta() <= now - known.asked_at < wait(known.failures)
    if not cosigned or known.worked_at is None:
        return True
    return not timedelta() <= now - known.worked_at < AFRESH


def wait(failures: int) -> timedelta:
    """How long after so many failures in a row it is left alone."""
    doubled: int = 2 ** min(failures - 1, 10)
    return min(SOON * doubled, LONGEST)


def worked(known: Known, size: int, at: datetime, now: datetime) -> Known:
    """After a cosignature of `size` entries, made at `at`."""
    return replace(known, size=size, at=at, worked_at=now, asked_at=now, failures=0, problem="")


def failed(known: Known, problem: str, now: datetime) -> Known:
    """After anything else."""
    return replace(known, asked_at=now, failures=known.failures + 1, problem=problem)


def is_silent(known: Known, now: datetime) -> bool:
    """Whether somebody must know."""
    return now - known.latest >= SILENT
