"""What of an office needs a person now, as the database has it; and what is remembered of alarms.

It reads deliveries, channels and logins, and keeps the rows of alarms. It must not decide what is
told (`alarms.py`) or tell it (`watchman.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from crosspost import agenda, logins
from crosspost.alarms import Alarm, Known, Leftover, Seen, Trouble
from crosspost.config import Config
from crosspost.emergencies import unreviewed
from crosspost.erasures import unfinished
from crosspost.ledger import book
from crosspost.lifecycle import GIVEN_UP, Status
from crosspost.queue import Doing
from crosspost.restoring import restored
from crosspost.tables import AlarmState, ChannelState, Delivery, OfficeState, Revision, table
from crosspost.times import spoken
from crosspost.witnesses.concerns import concerns
from crosspost.wording import t

#: What failed or was missed longer ago is no alarm any more.
RECENT = timedelta(days=90)
#: So many deliveries are read at most; more are told as a number.
MOST = 200
#: The name of the fact, in `office_state`, how the ways worked last.
WAYS = "alarm_ways"


def seen_in(session: Session, config: Config, now: datetime, daemon: bool | None) -> Seen:
    """What of the office may need a person now."""
    troubles = list(session.exec(_troubles(now).limit(MOST + 1)))
    others = {}
    if found := restored(session, config.folder):
        words = t("Nothing is published before somebody confirms it: crosspost restore")
        others["restored"] = f"{found.words()} {words}"
    for alone in unreviewed(session):
        key = f"emergency/{alone.announcement}/{alone.revision}/{alone.at:%Y%m%dT%H%M%S}"
        words = t("EMERGENCY: {by} published announcement {announcement} alone.", **vars(alone))
        again = t(
            "A second person must look at it: crosspost countersign {number}",
            number=alone.announcement,
        )
        others[key] = f"{words} {again}"
    if doubted := session.get(OfficeState, agenda.CLOCK):
        words = t("Nothing is sent before somebody has looked at the clock: crosspost resume")
        others["clock"] = f"{json.loads(doubted.value)} {words}"
    for ending in logins.endings(session, now):
        key = f"login/{ending.channel}/{ending.ends:%Y%m%d}"
        others[key] = ending.sentence(lambda at: spoken(at, *_office(config)))
    others |= concerns(session, config, now)
    return Seen(
        now,
        troubles=[trouble_of(*row) for row in troubles[:MOST]],
        more=max(len(troubles) - MOST, 0),
        paused=_paused(session, config, now),
        next=agenda.next_wake(session, (), now),
        daemon=daemon,
        erasures=[
            Leftover(one.announcement, one.order, one.reason, one.begun)
            for one in unfinished(session)
        ],
        others=others,
    )


def _office(config: Config) -> tuple[str, str]:
    return config.office.zone, config.office.language


def _troubles(now: datetime) -> Any:
    ended = and_(
        col(Delivery.status).in_([Status.FAILED, Status.MISSED]),
        col(Delivery.not_after) >= now - RECENT,
        col(Delivery.outcome) != GIVEN_UP,
    )
    status, outcome = col(Delivery.status), col(Delivery.outcome)
    stopped = and_(status == Status.HELD, outcome == "not_as_approved")
    fault = and_(status == Status.SCHEDULED, outcome == "internal_error")
    return (
        select(Delivery, col(Revision.announcement_id))
        .join(Revision, col(Revision.id) == col(Delivery.revision_id))
        .where(or_(status == Status.REVIEW, ended, stopped, fault))
        .order_by(col(Delivery.id).desc())
    )


def trouble_of(row: Delivery, announcement: int) -> Trouble:
    """What alarms know of a delivery."""
    return Trouble(
        row.id or 0,
        announcement,
        row.channel,
        row.status,
        row.outcome,
        row.reason,
        row.attempts,
        row.not_after,
    )


def _paused(session: Session, config: Config, now: datetime) -> dict[str, tuple[datetime, str]]:
    """Channels that the platform, or trouble with it, pauses; what a person holds is known."""
    states = session.exec(select(ChannelState).where(col(ChannelState.paused_until) > now))
    return {
        state.channel: (state.paused_until, state.reason)
        for state in states
        if state.paused_until and not state.held and state.channel in config.channels
    }


# --- what is remembered ---------------------------------------------------------------------------


def known_in(session: Session) -> list[Known]:
    """Every alarm that is remembered."""
    return [
        Known(row.key, row.seen_at, row.tried_at, row.told_at, row.read_at)
        for row in session.exec(select(AlarmState))
    ]


def noted(
    session: Session, alarm: Alarm, known: Known | None, now: datetime, *, trying: bool
) -> bool:
    """Write it down; False when another daemon has it in hand since it was read."""
    tried = {"tried_at": now} if trying else {}
    if known is None:
        row = AlarmState(key=alarm.key, words=alarm.words, since=now, seen_at=now)
        row.tried_at = tried.get("tried_at")
        session.add(row)
        session.flush()
        return True
    before = col(AlarmState.tried_at)
    same = before.is_(None) if known.tried_at is None else before == known.tried_at
    found = session.execute(
        update(table(AlarmState))
        .where(col(AlarmState.key) == alarm.key, same)
        .values(words=alarm.words, seen_at=now, **tried)
    )
    return bool(found.rowcount == 1)  # type: ignore[attr-defined]


def remembered(session: Session) -> dict[str, AlarmState]:
    """Every alarm that is remembered, by its key."""
    return {row.key: row for row in session.exec(select(AlarmState))}


def read(session: Session, found: Sequence[Alarm], doing: Doing) -> int:
    """A person has read these alarms, which are there now: none is repeated. How many were new."""
    rows = remembered(session)
    count = 0
    for alarm in found:
        row = rows.get(alarm.key) or AlarmState(
            key=alarm.key, words=alarm.words, since=doing.at, seen_at=doing.at
        )
        if row.read_at is None:
            row.read_at, row.read_by = doing.at, doing.by
            session.add(row)
            count += 1
    session.flush()
    if count:
        data = {"count": count}
        act = book.Act("alarms_read", doing.by, doing.at, data=data, note=doing.note)
        book.append(session, act)
    return count


def remember_ways(session: Session, worked: Mapping[str, str], now: datetime) -> None:
    """How each way worked: "" or what is wrong."""
    value = {
        way: {"at": book.stamp(now), "problem": problem} for way, problem in sorted(worked.items())
    }
    session.merge(OfficeState(name=WAYS, value=json.dumps(value)))


def broken_ways(session: Session, config: Config) -> dict[str, str]:
    """The ways of `[alarms]` that did not work when they were used last, and why."""
    row = session.get(OfficeState, WAYS)
    known: dict[str, dict[str, str]] = json.loads(row.value) if row else {}
    return {
        way: about["problem"]
        for way, about in known.items()
        if about["problem"] and way in config.alarms.ways
    }
