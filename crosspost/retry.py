"""What to do after an attempt: try again at a time, give up, look for evidence, ask a person.

Pure: what was seen and the time go in, a decision comes out. It must not touch databases, networks
or clocks.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

#: A platform that says "come back in a month" is not believed beyond this.
LONGEST_WAIT = timedelta(hours=24)


def retry_time(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the headers of an answer say to come back (aware), None when they do not.

    Knows Retry-After (RFC 9110 section 10.2.3: seconds or HTTP date), and the reset headers of
    `platforms.md` section 17.2: unix seconds, ISO 8601 times, seconds from now. Never before `now`,
    never more than `LONGEST_WAIT` after it.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    for name in ("retry-after", "x-ratelimit-reset-after"):
        if name in lower:
            return _clamp(_moment(lower[name], now), now)
    for name in ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"):
        if name in lower and _exhausted(lower):
            return _clamp(_moment(lower[name], now), now)
    return None


def _exhausted(headers: Mapping[str, str]) -> bool:
    """A reset time counts only when nothing remains; a server that does not say counts as empty."""
    names = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
    values = [headers[name].strip() for name in names if name in headers]
    return not values or values[0] in ("0", "0.0")


def _moment(value: str, now: datetime) -> datetime | None:
    try:
        number = float(value)
    except ValueError:
        return _date(value)
    if number > 1e12:
        number /= 1000  # milliseconds
    try:
        if number > 1e8:
            return datetime.fromtimestamp(number, UTC)
        return now + timedelta(seconds=number)
    except (OverflowError, ValueError, OSError):
        return None


def _date(value: str) -> datetime | None:
    for parse in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = parse(value.strip())
        except (ValueError, TypeError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _clamp(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is None:
        return None
    return min(max(moment, now), now + LONGEST_WAIT)
