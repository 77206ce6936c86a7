"""The office: its channels and people, how all is, and what needs a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, func, select

from crosspost import agenda, alarms, allowance, connections, logins, queue, sightings
from crosspost.config import Channel
from crosspost.emergencies import unreviewed
from crosspost.erasures import unfinished
from crosspost.errors import UserError
from crosspost.lifecycle import GIVEN_UP, NEEDS_PERSON, Status
from crosspost.restoring import restored
from crosspost.tables import AlarmState, ChannelState, Delivery, Part
from crosspost.views.shown import Json, Shown
from crosspost.witnesses.concerns import concerns


class OfficeViews(Shown):
    """The views of how the office is."""

    def channels(self, now: datetime) -> list[Json]:
        """Every configured channel and what is known of it."""
        states = {s.channel: s for s in self.session.exec(select(ChannelState))}
        unconnected = connections.unconnected(self.session, self.config)
        every = states.get(agenda.EVERYTHING) or ChannelState(channel=agenda.EVERYTHING)
        return [
            {
                "channel": channel.name,
                "platform": channel.platform,
                "held": bool(state and state.held) or every.held,
                "hold_reason": (state.hold_reason if state and state.held else "")
                or every.hold_reason
                or None,
                "paused_until": self.time(pause.paused_until if pause else None),
                "reason": (pause.reason or None) if pause else None,
                "last_published": self.time(self._last_published(channel.name)),
                "login_ends": self.time(state.login_ends if state else None),
                "connected": channel.name not in unconnected,
                "quotas": self._quotas(channel, now),
            }
            for channel in self.config.channels.values()
            for state in [states.get(channel.name)]
            for pause in [state if state and _still(state.paused_until, now) else None]
        ]

    def _quotas(self, channel: Channel, now: datetime) -> list[Json]:
        return [
            {
                "unit": standing.quota.unit,
                "used": str(standing.used),
                "limit": str(standing.quota.limit),
                "words": standing.quota.words(standing.used),
            }
            for standing in allowance.standings(self.session, channel, now)
        ]

    def _last_published(self, channel: str) -> datetime | None:
        query = select(Part.published_at).where(
            Part.channel == channel, col(Part.published_at).is_not(None)
        )
        return self.session.exec(
            query.order_by(col(Part.published_at).desc()).limit(1)
        ).one_or_none()

    def people(self, you: str) -> list[Json]:
        """Everybody of `[people]`; `you` is who asks."""
        return [
            {
                "name": name,
                "title": person.title,
                "roles": [role.value for role in person.roles],
                "os_user": person.os_user,
                "keys": len(person.ssh_keys),
                "you": name == you,
            }
            for name, person in self.config.people.items()
        ]

    def status(self, now: datetime, daemon: bool | None) -> Json:
        """The office at a glance: what runs, what waits, what needs a person."""
        counts = Counter(self.session.exec(select(Delivery.status)))
        waiting = select(Delivery).where(
            col(Delivery.status).in_(list(NEEDS_PERSON)), Delivery.outcome != GIVEN_UP
        )
        remembered = sightings.remembered(self.session)
        people = [
            {
                "announcement": number,
                **self.delivery(delivery),
                "read": _is_read(remembered, delivery, number),
            }
            for delivery in self.session.exec(waiting.order_by(col(Delivery.id)))
            for number in [queue.announcement_of(self.session, delivery)]
        ]
        channels = self.channels(now)
        paused = [c for c in channels if c["held"] or c["paused_until"]]
        wake = self._next(channels, now)
        return {
            "office": self.config.office.name,
            "now": self.time(now),
            "daemon_runs": daemon,
            "next": self.time(wake),
            "overdue": daemon is False and wake is not None and wake <= now,
            "deliveries": {status.value: counts.get(status, 0) for status in Status},
            "needs_person": people,
            "paused_channels": paused,
            "emergencies": [
                {
                    "announcement": one.announcement,
                    "revision": one.revision,
                    "by": one.by,
                    "at": self.time(one.at),
                }
                for one in unreviewed(self.session)
            ],
            "unfinished_erasures": [
                {
                    "announcement": one.announcement,
                    "order": one.order,
                    "begun": self.time(one.begun),
                    "reason": one.reason or None,
                }
                for one in unfinished(self.session)
            ],
            "restored": self._restored(),
            "witnesses": [
                {"words": words, "read": _was_read(remembered, key)}
                for key, words in concerns(self.session, self.config, now).items()
            ],
            "broken_alarms": sightings.broken_ways(self.session, self.config),
            "ending_logins": [
                {
                    "channel": ending.channel,
                    "ends": self.time(ending.ends),
                    "late": self.time(ending.late),
                }
                for ending in logins.endings(self.session, now)
            ],
        }

    def _next(self, channels: Sequence[Json], now: datetime) -> datetime | None:
        """When something is to be done next; what a person holds back does not count."""
        held = [channel["channel"] for channel in channels if channel["held"]]
        if not held:
            return agenda.next_wake(self.session, (), now)
        begins = func.coalesce(col(Delivery.not_before), col(Delivery.due_at))
        first = self.session.exec(
            select(begins)
            .where(Delivery.status == Status.SCHEDULED, col(Delivery.channel).not_in(held))
            .order_by(begins)
            .limit(1)
        ).one_or_none()
        return max(first, now) if first else None

    def _restored(self) -> str | None:
        try:
            found = restored(self.session, self.config.folder)
        except UserError as error:
            return error.problems[0]
        return found.words() if found else None

    def alarms(self, now: datetime, daemon: bool | None) -> list[Json]:
        """What needs a person now, and what became of telling them."""
        remembered = sightings.remembered(self.session)
        found = alarms.current(sightings.seen_in(self.session, self.config, now, daemon))
        return [
            {
                "key": alarm.key,
                "words": alarm.words,
                "told": self.time(row.told_at if row else None),
                "read": self.time(row.read_at if row else None),
                "read_by": (row.read_by if row else None) or None,
            }
            for alarm in found
            for row in [remembered.get(alarm.key)]
        ]


def _is_read(remembered: Mapping[str, AlarmState], delivery: Delivery, number: int) -> bool:
    return _was_read(remembered, alarms.key_of(sightings.trouble_of(delivery, number)))


def _was_read(remembered: Mapping[str, AlarmState], key: str) -> bool:
    row = remembered.get(key)
    return row is not None and row.read_at is not None


def _still(until: datetime | None, now: datetime) -> bool:
    """Whether a pause until then lasts."""
    return until is not None and until > now
