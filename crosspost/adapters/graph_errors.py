"""What Meta's errors mean, on all of its platforms: by code and subcode, whatever the status.

Pure. It must not know a platform. Facts: developers.facebook.com, "Graph API: handle errors",
Instagram Platform "Error codes".
"""

from __future__ import annotations

from typing import Any

from crosspost.adapters.base import Answer
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    MediaUnreachable,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    VersionRetired,
)

#: What `error.code` means where the subcode says nothing. 1 and 2 are "it may have happened".
CODES: dict[int, type[PlatformError]] = {
    1: RetryLater,
    2: RetryLater,
    3: PermissionDenied,
    4: RateLimited,
    9: QuotaExhausted,
    10: PermissionDenied,
    17: RateLimited,
    32: RateLimited,
    100: RejectedContent,
    102: AuthRevoked,
    190: AuthRevoked,
    341: RateLimited,
    368: AccountRestricted,
    506: DuplicateDetected,
    613: RateLimited,
    2635: VersionRetired,
}
#: What `error.error_subcode` means, whatever the code.
SUBCODES: dict[int, type[PlatformError]] = {
    1346003: RejectedContent,
    1363047: RetryLater,
    1366046: MediaRejected,
    1366051: DuplicateDetected,  # the photos are in a post already
    1390008: RateLimited,
    1404006: AccountRestricted,
    1404078: PermissionDenied,  # Page Publishing Authorization
    1404102: RejectedContent,
    1404112: AccountRestricted,
    1609005: MediaUnreachable,  # our page, for the link card
    1609010: RetryLater,
    2207001: RetryLater,
    2207003: RetryLater,
    2207004: MediaRejected,
    2207005: MediaRejected,
    2207008: MediaProcessing,
    2207009: MediaRejected,
    2207020: MediaExpired,
    2207023: MediaRejected,
    2207026: MediaRejected,
    2207027: MediaProcessing,
    2207032: RetryLater,
    2207042: QuotaExhausted,
    2207050: AccountRestricted,
    2207051: AccountRestricted,
    2207052: MediaUnreachable,
    2207053: MediaExpired,
    2207057: MediaRejected,
    4279013: AccountRestricted,
    4854002: AccountRestricted,
}
#: With code 100: no such object, or none that this token may see.
NO_OBJECT = 33


def meaning(answer: Answer, phase: str) -> type[PlatformError] | None:
    """What an error answer means; None when there is no code in it. A code that says "perhaps" is
    unclear when publishing."""
    error = error_in(answer)
    code, subcode = number(error.get("code")), number(error.get("error_subcode"))
    if not code:
        return None
    if code == 100 and subcode == NO_OBJECT:
        return RejectedContent if phase == "publish" else TargetGone
    kind = SUBCODES.get(subcode) or CODES.get(code) or _by_range(code)
    if error.get("is_transient") is True and kind in (None, RejectedContent):
        kind = RetryLater
    if kind is None:
        return RetryLater if answer.status >= 500 else RejectedContent
    if kind is DuplicateDetected and phase != "publish":
        return RejectedContent
    if kind is RejectedContent and phase in ("check", "find"):
        return Misconfigured
    return kind


def error_in(answer: Answer) -> dict[str, Any]:
    """The `error` of an answer; empty when it has none."""
    error = answer.at("error")
    return error if isinstance(error, dict) else {}


def number(value: Any) -> int:
    """A code, which sometimes comes as text; 0 for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _by_range(code: int) -> type[PlatformError] | None:
    if 200 <= code <= 299:
        return PermissionDenied
    return RateLimited if 80000 <= code <= 80014 else None
