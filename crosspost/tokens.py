"""An account's access as a platform gave it: when it is renewed, and when a person must log in.

Pure. It must not renew, store or show anything; `adapters/oauth.py` and `vault.py` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Self

#: A token is renewed when this part of its life is left; Meta's must be a day old by then.
LAST_PART = 3
#: And no later than this before its end.
MARGIN = timedelta(minutes=5)
#: How long before its end a login that only a person can renew is spoken of.
NOTICE = timedelta(days=14)
#: Alarms about it: so many days before the end.
REMINDERS = (14, 7, 1)

_TIMES = ("obtained", "ends", "refresh_ends")


@dataclass(frozen=True)
class Token:
    """An access token with what renews it. Times are aware; None: no end is known.

    `of` names the settings that it was made with, so that no other account's is ever used;
    `scopes` are the rights that were given, `account` is the platform's id of what it speaks for.
    """

    access: str
    of: str
    obtained: datetime
    ends: datetime | None = None
    refresh: str = ""
    refresh_ends: datetime | None = None
    scopes: str = ""
    account: str = ""

    @classmethod
    def of_answer(
        cls, data: Mapping[str, Any], of: str, now: datetime, before: Self | None = None
    ) -> Self:
        """The answer of a token endpoint (RFC 6749 section 5.1). A refresh token that is not in it
        stays (section 6), and so does its end. Raises KeyError, TypeError or ValueError when it
        holds no access token."""
        access, refresh = data["access_token"], data.get("refresh_token")
        if not isinstance(access, str) or not access.strip():
            raise ValueError("no access token")
        same = before is not None and not refresh
        lasts = data.get("refresh_token_expires_in", data.get("refresh_expires_in"))
        until = _end(now, lasts)
        scopes = data.get("scope") or data.get("permissions")
        return cls(
            access=access,
            of=of,
            obtained=now,
            ends=_end(now, data.get("expires_in")),
            refresh=refresh if isinstance(refresh, str) else before.refresh if before else "",
            refresh_ends=until or (before.refresh_ends if same and before else None),
            scopes=_words(scopes) or (before.scopes if before else ""),
            account=before.account if before else "",
        )

    @classmethod
    def of_kept(cls, values: Mapping[str, str], of: str) -> Self | None:
        """The token among kept values; None when there is none, or one of other settings."""
        try:
            known = {
                field.name: values[field.name] for field in fields(cls) if field.name in values
            }
            times = {name: datetime.fromisoformat(known[name]) for name in _TIMES if name in known}
            token = cls(**{**known, **times})  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None
        return token if token.of == of else None

    def kept(self) -> dict[str, str]:
        """What `of_kept` reads, and `login_ends`; nothing empty in it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        ends = self.login_ends()
        values["login_ends"] = ends.isoformat() if ends else ""
        times = {name: values[name].isoformat() for name in _TIMES if values[name]}
        return {name: value for name, value in {**values, **times}.items() if value}

    def is_over(self, now: datetime) -> bool:
        """Whether the platform takes it no longer."""
        return self.ends is not None and self.ends <= now

    def renewal(self) -> datetime | None:
        """When to renew it; None: never."""
        if self.ends is None:
            return None
        return min(self.ends - (self.ends - self.obtained) / LAST_PART, self.ends - MARGIN)

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be renewed by now."""
        at = self.renewal()
        return at is not None and at <= now

    def login_ends(self) -> datetime | None:
        """When it can no longer be renewed, so that a person must log in again; None: no known
        end."""
        return self.refresh_ends if self.refresh else self.ends

    def speaking_for(self, account: str) -> Self:
        """The same, for this account of the platform."""
        return replace(self, account=account)


def _words(scopes: object) -> str:
    """Rights as one line; some platforms give a list."""
    return (
        " ".join(str(scope) for scope in scopes) if isinstance(scopes, list) else str(scopes or "")
    )


def _end(now: datetime, seconds: object) -> datetime | None:
    """`expires_in` as a moment; some platforms write the number as text, or 0 for no end."""
    if isinstance(seconds, bool) or not isinstance(seconds, str | int | float):
        return None
    try:
        return now + timedelta(seconds=float(seconds)) if float(seconds) > 0 else None
    except (ValueError, OverflowError):
        return None


def is_ending(login_ends: datetime | None, now: datetime, dues: Iterable[datetime] = ()) -> bool:
    """Whether a login's end is to be spoken of now: it is near, or something is to be published
    after it."""
    if login_ends is None:
        return False
    return login_ends - now <= NOTICE or any(due >= login_ends for due in dues)


def reminder(login_ends: datetime | None, now: datetime) -> int | None:
    """The last reminder whose day has come: 14, 7 or 1 (days before the end), 0 when it is over;
    None when none has."""
    if login_ends is None:
        return None
    if login_ends <= now:
        return 0
    passed = [days for days in REMINDERS if login_ends - now <= timedelta(days=days)]
    return min(passed) if passed else None
