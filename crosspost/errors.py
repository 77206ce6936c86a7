"""Every error of crosspost, in one tree. No error here knows the command line, or holds a secret.

CrosspostError
├── UserError              a person can mend it; carries all its problems at once; exit code 1
│   ├── ConfigError        crosspost.toml or .env
│   ├── ContentError       the announcement, its images, its fit on a channel
│   ├── TimeError          a time that is not understood, past, or never happens
│   ├── NotFound           no such announcement, channel, delivery
│   ├── Conflict           not possible as things stand (already published, changed meanwhile)
│   ├── DatabaseError      missing, busy, read-only, full, damaged
│   │   ├── SchemaError    made by another version of crosspost
│   │   └── RestoreUnconfirmed  an older copy, and nobody has confirmed it yet
│   ├── DaemonRunning      a second daemon on one database
│   ├── Refuted            the ledger, or a proof, is not as it was signed
│   ├── Undecided          cannot be verified: something is missing or unreadable; exit code 2
│   ├── ForkProven         two signed checkpoints that no one ledger can have; exit code 3
│   └── UsageError         the command itself is wrong; exit code 2
└── PlatformError          what one platform did to one call; `platforms.md` section 19
    ├── RetryLater         nothing was created; try again
    ├── RateLimited        the same, not before a time, for the whole channel
    ├── QuotaExhausted     a daily or rolling quota is used up
    ├── BillingExhausted   needs money or a plan
    ├── MediaProcessing    not ready yet; poll
    ├── MediaRejected      this file will never be taken
    ├── MediaUnreachable   the platform could not fetch our URL
    ├── MediaExpired       prepare again, then publish
    ├── RejectedContent    this text will never be taken
    ├── DuplicateDetected  the platform says that it is there already: look it up
    ├── AuthExpired        refresh once and repeat
    ├── AuthRevoked        a person must connect the account again
    ├── PermissionDenied   a right or a membership is missing
    ├── AccountRestricted  suspended, limited, under review
    ├── TargetGone         the channel, room or hook is no more
    ├── VersionRetired     the API version has ended
    ├── NotSupported       the platform cannot do it, known before any call
    ├── PartialSuccess     part of it exists; continue, never restart
    ├── UnknownOutcome     it may be out: only evidence settles it
    └── Misconfigured      wrong address, HTML instead of JSON, TLS name mismatch
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar


class CrosspostError(Exception):
    """Anything that crosspost raises on purpose."""


class UserError(CrosspostError):
    """Something that a person can mend, said so that they can.

    `problems` are whole sentences, all of them at once; `hint` says what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: str, hint: str = "") -> None:
        super().__init__(*problems)
        self.problems = problems
        self.hint = hint

    def __str__(self) -> str:
        return "\n".join([*self.problems, self.hint]).rstrip()


class ConfigError(UserError):
    """`crosspost.toml` or `.env` cannot be used as it is."""


class ContentError(UserError):
    """The announcement cannot go out as it is."""


class TimeError(UserError):
    """A time that is not understood, has passed, or does not exist on that day."""


class NotFound(UserError):
    """There is no such announcement, channel or delivery."""


class Conflict(UserError):
    """Not possible as things stand, for example because it is published already."""


class DatabaseError(UserError):
    """The queue database is missing, busy, read-only, full or damaged."""


class SchemaError(DatabaseError):
    """The queue database was made by an older or newer crosspost."""


class RestoreUnconfirmed(DatabaseError):
    """The queue database is an older copy; nothing is sent before a person confirms it."""


class DaemonRunning(UserError):
    """Another daemon holds this database."""


class Refuted(UserError):
    """What was shown is not what was signed: the ledger or a proof was changed."""


class Undecided(UserError):
    """Neither verified nor refuted: a key, a file or a signature is missing or unreadable."""

    exit_code: ClassVar[int] = 2


class ForkProven(UserError):
    """One key signed two histories. The two checkpoints are the evidence."""

    exit_code: ClassVar[int] = 3


class UsageError(UserError):
    """The command line itself is wrong."""

    exit_code: ClassVar[int] = 2


class PlatformError(CrosspostError):
    """What a platform, or the way to it, did to one call.

    `kind` is the class of `platforms.md` section 19, as it is stored and shown. `message` keeps the
    platform's own words (redacted, at most a few hundred characters), `status` the HTTP status,
    `until` an aware time before which nothing more should be sent. `sent` is False only when it is
    certain that not one byte of the request left this machine. `code` is the platform's own name
    for it, "" when it has none; for its adapter alone.
    """

    kind: ClassVar[str] = "platform_error"

    def __init__(
        self,
        message: str,
        *,
        platform: str = "",
        status: int | None = None,
        until: datetime | None = None,
        sent: bool = True,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.platform = platform
        self.status = status
        self.until = until
        self.sent = sent

    def __str__(self) -> str:
        about = ", ".join(str(part) for part in (self.platform, self.status) if part)
        return f"{self.message} ({about})" if about else self.message


class RetryLater(PlatformError):
    """Transient, and certainly nothing was created."""

    kind = "retry_later"


class RateLimited(PlatformError):
    """Refused before processing, for now; `until` says till when, for the whole channel."""

    kind = "rate_limited"


class QuotaExhausted(PlatformError):
    """A daily or rolling publishing quota is used up; `until` says when it is renewed."""

    kind = "quota_exhausted"


class BillingExhausted(PlatformError):
    """The account needs money or another plan."""

    kind = "billing_exhausted"


class MediaProcessing(PlatformError):
    """The platform is still working on an upload: poll again.

    `prepared` is what `prepare` has got so far (JSON values), so that nothing is uploaded twice.
    """

    kind = "media_processing"

    def __init__(
        self, message: str, *, prepared: Mapping[str, Any] | None = None, **about: Any
    ) -> None:
        super().__init__(message, **about)
        self.prepared = dict(prepared or {})


class MediaRejected(PlatformError):
    """This file will never be accepted as it is."""

    kind = "media_rejected"


class MediaUnreachable(PlatformError):
    """The platform could not fetch a media URL of ours."""

    kind = "media_unreachable"


class MediaExpired(PlatformError):
    """An upload is gone: prepare again, then publish."""

    kind = "media_expired"


class RejectedContent(PlatformError):
    """Refused for what it says or how it is formed; never retried unchanged."""

    kind = "rejected_content"


class DuplicateDetected(PlatformError):
    """The platform says that it has this post already: evidence to look up, not a failure."""

    kind = "duplicate_detected"


class AuthExpired(PlatformError):
    """The access token ran out: refresh it once and repeat the step."""

    kind = "auth_expired"


class AuthRevoked(PlatformError):
    """The credential is no longer valid: a person must connect the account again."""

    kind = "auth_revoked"


class PermissionDenied(PlatformError):
    """A scope, role or membership is missing; the credential itself is fine."""

    kind = "permission_denied"


class AccountRestricted(PlatformError):
    """The account is suspended, limited or under review."""

    kind = "account_restricted"


class TargetGone(PlatformError):
    """The channel, room, hook or site that we post to is no more."""

    kind = "target_gone"


class VersionRetired(PlatformError):
    """The API version that we speak has ended."""

    kind = "version_retired"


class NotSupported(PlatformError):
    """The platform has no such thing; known before any call."""

    kind = "not_supported"


class PartialSuccess(PlatformError):
    """Some of it exists: continue from what is stored, never restart."""

    kind = "partial_success"


class UnknownOutcome(PlatformError):
    """It may be public. Nobody sends it again before there is evidence."""

    kind = "unknown_outcome"


class Misconfigured(PlatformError):
    """A wrong address, a web page where an API should be, a certificate for another name."""

    kind = "misconfigured"


def platform_errors() -> Iterator[type[PlatformError]]:
    """Every class of `PlatformError` that has a kind of its own."""
    waiting = list(PlatformError.__subclasses__())
    while waiting:
        error = waiting.pop(0)
        waiting.extend(error.__subclasses__())
        yield error
