"""Alarms: what needs a person, and whether that person is to be told now.

Pure: what was seen and the time go in; keys of alarms and words come out. It must not send anything
(`watchman.py`), nor decide what happens to a delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crosspost.lifecycle import Status, status_word
from crosspost.wording import t

#: Between two messages at least, so that many alarms become one.
FOLD = timedelta(minutes=10)
#: An alarm that could not be delivered is tried again after this long.
AGAIN = timedelta(minutes=10)
#: When one alarm is repeated, every other joins it that was told at least this share of the time
#: ago, so that in the long run there is one message a day.
JOIN = 0.5
#: Trouble that is over for this long is forgotten; when it comes back sooner it is the same alarm.
FORGET = timedelta(hours=1)
#: A pause of a channel that is shorter needs nobody.
LONG_PAUSE = timedelta(minutes=5)
#: An erasure that somebody else's account finishes is finished sooner (the daemon looks each
#: minute).
LONG_ERASURE = timedelta(minutes=5)
#: So many lines has one message at most.
MOST_LINES = 20


@dataclass(frozen=True)
class Alarm:
    """One thing that needs a person. `key` stays the same while it is the same trouble; `words` are
    one line with announcement, channel, reason and next step."""

    key: str
    words: str


@dataclass(frozen=True)
class Trouble:
    """A delivery that needs a person, as the queue knows it."""

    delivery: int
    announcement: int
    channel: str
    status: Status
    outcome: str
    reason: str
    attempts: int
    not_after: datetime


@dataclass(frozen=True)
class Leftover:
    """What was erased by law, and is not gone from the disk."""

    announcement: int
    order: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class Seen:
    """What was seen of the office at one time. `daemon` is None when it cannot be known."""

    now: datetime
    troubles: Sequence[Trouble] = ()
    more: int = 0  # further ones that were not read
    paused: Mapping[str, tuple[datetime, str]] | None = None  # channel -> until, reason
    next: datetime | None = None  # when something is to be done
    daemon: bool | None = None
    erasures: Sequence[Leftover] = ()
    others: Mapping[str, str] | None = None  # key -> words: restored, ledger, logins


def current(seen: Seen) -> list[Alarm]:
    """What needs a person now, the most general first."""
    found = [Alarm(key, words) for key, words in (seen.others or {}).items()]
    if seen.daemon is False and seen.next is not None:
        found.append(Alarm("daemon", _no_daemon(seen)))
    found += [
        Alarm(f"paused/{channel}", _paused(channel, reason))
        for channel, (until, reason) in (seen.paused or {}).items()
        if until - seen.now >= LONG_PAUSE
    ]
    found += [
        Alarm(f"erasure/{left.announcement}", _leftover(left))
        for left in seen.erasures
        if seen.now - left.since >= LONG_ERASURE
    ]
    found += [Alarm(key_of(trouble), _trouble(trouble)) for trouble in seen.troubles]
    if seen.more:
        words = t("{count} more announcements need you: crosspost status", count=seen.more)
        found.append(Alarm("more", words))
    return found


def _no_daemon(seen: Seen) -> str:
    if seen.next is not None and seen.next <= seen.now:
        return t("Something should be sent now, and no daemon runs: crosspost daemon")
    return t("No daemon runs, and announcements wait for it: crosspost daemon")


def _paused(channel: str, reason: str) -> str:
    return t(
        "{channel} is paused: {reason} Look: crosspost channels check {channel}",
        channel=channel,
        reason=_sentence(reason),
    )


def _leftover(left: Leftover) -> str:
    said = t(
        "#{number}: not all of it is erased ({order}).", number=left.announcement, order=left.order
    )
    return " ".join([said, _sentence(left.reason), t("Look: crosspost doctor")])


def key_of(trouble: Trouble) -> str:
    """The key of a delivery's alarm: another one after a retry that failed again."""
    when = f"{trouble.attempts}/{trouble.not_after:%Y%m%dT%H%M%S}"
    return f"{trouble.status}/{trouble.delivery}/{when}"


def _trouble(trouble: Trouble) -> str:
    said = status_word(trouble.status)
    if trouble.outcome in ("not_as_approved", "internal_error"):
        said = t("stopped") if trouble.status is Status.HELD else t("a fault in crosspost")
    return t(
        "#{number} {channel}: {status}. {reason} Look: crosspost why {number}",
        number=trouble.announcement,
        channel=trouble.channel,
        status=said,
        reason=_sentence(trouble.reason),
    )


def _sentence(reason: str) -> str:
    line = " ".join(reason.split())
    line = line if len(line) <= 200 else line[:199] + "…"
    return line if not line or line[-1] in ".!?…" else f"{line}."


@dataclass(frozen=True)
class Known:
    """What is remembered of an alarm. Times are aware, None when it has not happened."""

    key: str
    seen_at: datetime
    tried_at: datetime | None = None
    told_at: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """What to do now: the keys to tell, in one message, and the keys to forget."""

    tell: tuple[str, ...]
    forget: tuple[str, ...]


def plan(keys: Sequence[str], known: Sequence[Known], now: datetime, repeat: timedelta) -> Plan:
    """Which of the alarms `keys`, which are there now, are told now; which of those `known` are
    forgotten. Unread ones are repeated after `repeat`; read ones are not."""
    memory = {one.key: one for one in known}
    forget = tuple(k for k, one in memory.items() if k not in keys and now - one.seen_at >= FORGET)
    last = max((one.tried_at for one in known if one.tried_at), default=None)
    if last is not None and now - last < FOLD:
        return Plan((), forget)
    unread = [k for k in keys if k not in memory or memory[k].read_at is None]
    if not any(_is_due(memory.get(k), now, repeat) for k in unread):
        return Plan((), forget)
    return Plan(tuple(k for k in unread if _is_due(memory.get(k), now, repeat * JOIN)), forget)


def _is_due(known: Known | None, now: datetime, repeat: timedelta) -> bool:
    if known is None or known.tried_at is None:
        return True
    if known.told_at is None or known.told_at < known.tried_at:
        return now - known.tried_at >= AGAIN
    return now - known.told_at >= repeat


@dataclass(frozen=True)
class Message:
    """What is told, in the admin's language: a subject, and one line for each alarm."""

    subject: str
    lines: tuple[str, ...]
    closing: str

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([*self.lines, "", self.closing])


def message(office: str, alarms: Sequence[Alarm]) -> Message:
    """One message for all of them, however many."""
    lines = [alarm.words for alarm in alarms[:MOST_LINES]]
    if len(alarms) > MOST_LINES:
        left = len(alarms) - MOST_LINES
        lines.append(t("and {count} more: crosspost alarms list", count=left))
    subject = t("crosspost, {office}: {count} need you", office=office, count=len(alarms))
    closing = t("Repeated every day until somebody says: crosspost alarms read")
    return Message(subject, tuple(lines), closing)
