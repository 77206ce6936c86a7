"""What to do after an attempt: try again at a time, give up, look for evidence, ask a person.

Pure: what was seen and the time go in, a decision comes out. It must not touch databases, networks
or clocks.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crosspost.errors import (
    AccountRestricted,
    AuthExpired,
    AuthRevoked,
    BillingExhausted,
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    Misconfigured,
    NotSupported,
    PartialSuccess,
    PermissionDenied,
    PlatformError,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    TargetGone,
    UnknownOutcome,
    VersionRetired,
)
from crosspost.post import Reconcile

#: A platform that says "come back in a month" is not believed beyond this.
LONGEST_WAIT = timedelta(hours=24)


def retry_time(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the headers of an answer say to come back (aware), None when they do not.

    Knows Retry-After (RFC 9110 section 10.2.3: seconds or HTTP date), and the reset headers of
    `platforms.md` section 17.2: unix seconds, ISO 8601 times, seconds from now. Never before `now`,
    never more than `LONGEST_WAIT` after it.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    names = ["retry-after", "x-ratelimit-reset-after"]
    if _exhausted(lower):
        names += ["x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"]
    for name in names:
        moment = _moment(lower[name], now) if name in lower else None
        if moment is not None:
            return min(max(moment, now), now + LONGEST_WAIT)
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


@dataclass(frozen=True)
class Postpone:
    """It surely did not happen: try again at `at`. `pause` stops the whole channel until then;
    `sick`: it counts for the channel's breaker."""

    at: datetime
    pause: bool = False
    sick: bool = False


@dataclass(frozen=True)
class GiveUp:
    """It surely did not happen and never will, unchanged."""


@dataclass(frozen=True)
class Doubt:
    """It may have happened: look for evidence from `at` on. `pause_until`: the platform's own time,
    before which nothing is sent there; `sick` as in `Postpone`."""

    at: datetime
    pause_until: datetime | None = None
    sick: bool = False


@dataclass(frozen=True)
class Confirm:
    """There is evidence that it is public."""


@dataclass(frozen=True)
class Disprove:
    """There is evidence that it is not public: it may be sent again."""


@dataclass(frozen=True)
class Repeat:
    """Send the very same bytes again under the same key; the platform sees that it is one post."""


@dataclass(frozen=True)
class LookAgain:
    """No evidence yet; look again at `at`. `pause` stops the whole channel until then."""

    at: datetime
    pause: bool = False


@dataclass(frozen=True)
class Ask:
    """No evidence can be had: a person decides."""


AfterFailure = Postpone | GiveUp | Doubt
AfterLook = Confirm | Disprove | Repeat | LookAgain | Ask

#: The first wait after a failure, doubled at each further one up to the longest; full jitter.
FIRST_WAIT = timedelta(seconds=15)
LONGEST_BACKOFF = timedelta(minutes=15)
#: How long a channel rests when only a person can mend it; then it is tried again.
REST = timedelta(minutes=15)
#: Two look-ups in a row must clearly find nothing before absence counts.
CLEAN_LOOKS = 2
LOOK_GAP = timedelta(seconds=30)
#: Between repeats under the same key.
REPEAT_GAP = timedelta(minutes=2)
#: After this long without evidence a person is asked.
LONGEST_DOUBT = timedelta(hours=6)

#: The whole channel is affected, not only this post.
CHANNEL_WIDE: tuple[type[PlatformError], ...] = (
    RateLimited,
    QuotaExhausted,
    BillingExhausted,
    AuthRevoked,
    PermissionDenied,
    AccountRestricted,
    TargetGone,
    VersionRetired,
    Misconfigured,
)
#: This post will never be taken as it is.
FINAL: tuple[type[PlatformError], ...] = (RejectedContent, MediaRejected, NotSupported)
#: Something of it is public, or may be.
DOUBTFUL: tuple[type[PlatformError], ...] = (UnknownOutcome, DuplicateDetected, PartialSuccess)
#: These say nothing about the health of a platform.
NO_SICKNESS: tuple[type[PlatformError], ...] = (
    AuthExpired,
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    PartialSuccess,
)


def after_failure(
    error: Exception,
    *,
    publishing: bool,
    attempt: int,
    now: datetime,
    jitter: float,
    settle: timedelta,
    before: str = "",
) -> AfterFailure:
    """What to do after a failed attempt.

    `publishing`: the publish call had begun. `attempt` counts from 1, `jitter` is in [0, 1],
    `before` is the kind of the outcome before this one. An error that is no PlatformError is a
    fault of ours: in doubt once the call had begun. A time that the platform names is a floor for
    the whole channel, whatever the error.
    """
    known = isinstance(error, PlatformError)
    sent = error.sent if isinstance(error, PlatformError) else True
    until = error.until if isinstance(error, PlatformError) else None
    sick = not isinstance(error, NO_SICKNESS)
    if publishing and sent and (not known or isinstance(error, DOUBTFUL)):
        return Doubt(max(now + settle, until or now), until, sick)
    if isinstance(error, FINAL):
        return GiveUp()
    if isinstance(error, CHANNEL_WIDE) or _refreshed_in_vain(error, before):
        least = REST if until is None and not isinstance(error, RateLimited) else None
        return Postpone(_wait(now, attempt, jitter, until, least), pause=True)
    at = _wait(now, attempt, jitter, until, None)
    return Postpone(at, pause=sick and until is not None, sick=sick and until is None)


def _refreshed_in_vain(error: Exception, before: str) -> bool:
    """An expired token is renewed once, by the next attempt; expired again, it is a person's."""
    return isinstance(error, AuthExpired) and before == AuthExpired.kind


def _wait(
    now: datetime, attempt: int, jitter: float, until: datetime | None, least: timedelta | None
) -> datetime:
    """Exponential backoff with full jitter, never before `until`, never less than `least`."""
    top = min(FIRST_WAIT * int(2 ** min(attempt - 1, 16)), LONGEST_BACKOFF)
    wait = max(top * jitter, timedelta(seconds=1))
    return max(now + wait, until or now, now + (least or timedelta()))


@dataclass(frozen=True)
class Look:
    """What one look at an unconfirmed post told: `found`, `clear` (the platform answered), and how
    many clean looks there are now, this one included. `doubted` is since when it is in doubt: no
    publish call was under way after it. `until`: the platform's own time to come back."""

    found: bool
    clear: bool
    clean_looks: int
    doubted: datetime
    until: datetime | None = None


def before_look(
    kind: Reconcile, *, begun: datetime, now: datetime, key_window: timedelta | None
) -> Repeat | Ask | None:
    """What is decided about an unconfirmed post without asking the platform; None: ask it.

    `begun` is when the first publish call with this key began.
    """
    if kind is Reconcile.NONE:
        return Ask()
    if kind is Reconcile.IDEMPOTENCY_KEY:
        forgotten = key_window is not None and now - begun >= key_window
        return Ask() if forgotten else Repeat()
    return None


def after_repeat(error: Exception, *, now: datetime, doubted: datetime) -> LookAgain | Ask:
    """What a failed repeat means: nothing new about the first call, so it is repeated again later,
    never before the platform's own time, or a person is asked."""
    if isinstance(error, FINAL) or now - doubted >= LONGEST_DOUBT:
        return Ask()
    until = error.until if isinstance(error, PlatformError) else None
    return LookAgain(max(now + REPEAT_GAP, until or now), pause=until is not None)


def after_look(look: Look, *, now: datetime, settle: timedelta) -> AfterLook:
    """What a look at an unconfirmed post means. Absence counts only after `settle` and after
    `CLEAN_LOOKS` clear answers in a row."""
    if look.found:
        return Confirm()
    if look.clear and look.clean_looks >= CLEAN_LOOKS and now - look.doubted >= settle:
        return Disprove()
    if now - look.doubted >= LONGEST_DOUBT:
        return Ask()
    at = max(now + LOOK_GAP, look.doubted + settle, look.until or now)
    return LookAgain(at, pause=look.until is not None)
