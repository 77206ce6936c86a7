"""The AT Protocol as an account speaks it: sessions kept and renewed, and what errors mean.

It must not log in where a kept session can be refreshed (logins are limited), nor know what a post
is; `bluesky.py` does. What a token says of itself is not verified here: that is the server's
business. Facts: atproto.com/specs, and the reference server (bluesky-social/atproto).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, ClassVar, Self

from crosspost import errors
from crosspost.adapters.base import Answer, HttpAdapter, Meaning, text_id
from crosspost.wording import t

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
#: What the server calls an access token that it takes no more; with HTTP status 400.
STALE = ("ExpiredToken", "InvalidToken")
TID_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
NOT_FOUND = "RecordNotFound"
EVERY_STATUS = tuple(range(100, 600))
#: An access token that ends sooner is refreshed first: longer than preparing a post may take.
MARGIN = timedelta(minutes=15)


def tid(now: datetime) -> str:
    """A record key after atproto.com/specs/tid: microseconds since 1970 and ten bits more, in 13
    digits. What is finer than a millisecond is random, so that no two parts get the same."""
    micros = int(now.timestamp() * 1000) * 1000 + secrets.randbelow(1000)
    number = micros << 10 | secrets.randbits(10)
    return "".join(TID_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


@dataclass(frozen=True)
class Session:
    """Who is signed in, with both tokens. `of` names the settings that it was made with, so that no
    other account's is ever used."""

    did: str
    handle: str
    access: str
    refresh: str
    of: str

    @classmethod
    def of_kept(cls, values: Mapping[str, str], of: str) -> Self | None:
        """The session among kept values; None when there is none, or one of other settings."""
        try:
            session = cls(**values)
        except TypeError:
            return None
        return session if session.of == of else None

    @property
    def ends(self) -> datetime | None:
        """When the access token ends, if it says so."""
        try:
            return datetime.fromtimestamp(_claims(self.access)["exp"], UTC)
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            return None

    @property
    def is_main_password(self) -> bool:
        """Whether it was made with the account's own password instead of an app password."""
        return _claims(self.access).get("scope") == "com.atproto.access"


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself (RFC 7519); nothing for a token of another kind."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


class AtProtocolAdapter(HttpAdapter):
    """Calls to a server of the AT Protocol as one account; its settings have `identifier` and
    `app_password`."""

    meanings: ClassVar[tuple[Meaning, ...]] = (
        Meaning(errors.AuthExpired, code="ExpiredToken InvalidToken"),
        Meaning(errors.AccountRestricted, code="AccountTakedown RepoTakendown"),
        Meaning(errors.AccountRestricted, code="AccountSuspended RepoSuspended"),
        Meaning(errors.AccountRestricted, code="AccountDeactivated RepoDeactivated"),
        Meaning(errors.RateLimited, code="RateLimitExceeded"),
        Meaning(errors.MediaExpired, code="BlobNotFound"),
        Meaning(errors.MediaRejected, code="InvalidMimeType"),
        Meaning(errors.DuplicateDetected, code="InvalidSwap"),
        Meaning(errors.Misconfigured, code="MethodNotImplemented"),
        Meaning(errors.Misconfigured, 501, code="MethodNotImplemented"),
        # where the name of the error says nothing
        Meaning(errors.AuthRevoked, 400, phases="login check"),
        Meaning(errors.MediaRejected, 400, phases="prepare"),
    )

    def setup(self) -> None:
        self._of = f"{self.settings.identifier} {self.settings.base_url}"
        self.session_now: Session | None = None
        self._refused = ""  # the last access token that the server did not take
        self._renewing = Lock()  # publishing and looking up may be at work at once

    # --- calls and sessions -----------------------------------------------------------------------

    def call_as(self, method: str, name: str, *, phase: str, **more: Any) -> Answer:
        """One call as the account. Where the access token has run out it is renewed, and the call
        repeated, once; but never in the phase publish: the caller prepares again."""
        session = self.session_now if phase == "publish" else self.signed_in()
        if session is None:
            words = t("Not signed in when publishing began.")
            raise self.error(errors.AuthExpired, words, sent=False)
        answer = self._xrpc(method, name, session.access, phase=phase, **more)
        if self.code_of(answer) in STALE:
            self._refused = session.access
            if phase != "publish":
                renewed = self.signed_in()
                answer = self._xrpc(method, name, renewed.access, phase=phase, **more)
        absent = phase == "find" and self.code_of(answer) == NOT_FOUND
        if answer.status == 200 or absent:
            return answer
        raise self.error_from(answer, phase)

    def _xrpc(self, method: str, name: str, token: str, **more: Any) -> Answer:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {})}
        headers |= more.pop("headers", {})
        return self.call(method, f"/xrpc/{name}", ok=EVERY_STATUS, headers=headers, **more)

    def signed_in(self) -> Session:
        """A session with an access token that still lasts: ours, the kept one, or a renewed one."""
        with self._renewing:
            session = self.session_now
            if session is None or self._worn(session):
                session = self._load() or session
            if session is None or self._worn(session):
                session = self._refreshed(session) or self._login()
            self.session_now = session
            return session

    def _worn(self, session: Session) -> bool:
        end = session.ends
        soon = end is not None and end - self.context.now() < MARGIN
        return soon or session.access == self._refused

    def _load(self) -> Session | None:
        """What was kept, perhaps by another process, if it is of the account in the settings."""
        values = self.context.load() if self.context.load else {}
        return Session.of_kept(values, self._of)

    def _refreshed(self, session: Session | None) -> Session | None:
        """The session renewed; None when the server refuses to, so that a login is needed."""
        if session is None:
            return None
        answer = self._xrpc(
            "POST", "com.atproto.server.refreshSession", session.refresh, phase="login"
        )
        if answer.status == 200:
            return self._keep(answer)
        error = self.error_from(answer, "login")
        if not isinstance(error, errors.AuthExpired | errors.AuthRevoked):
            raise error
        kept = self._load()  # did somebody else renew it just now?
        return None if kept is None or self._worn(kept) or kept == session else kept

    def _login(self) -> Session:
        password = self.settings.app_password.get_secret_value()
        body = {"identifier": self.settings.identifier, "password": password}
        answer = self._xrpc(
            "POST", "com.atproto.server.createSession", "", phase="login", json=body
        )
        if answer.status != 200:
            raise self.error_from(answer, "login")
        return self._keep(answer)

    def _keep(self, answer: Answer) -> Session:
        with self.reading(answer, "login"):
            data = self.json_of(answer, "login")
            session = Session(
                did=text_id(data["did"]),
                handle=text_id(data["handle"]),
                access=text_id(data["accessJwt"]),
                refresh=text_id(data["refreshJwt"]),
                of=self._of,
            )
        self.session_now = session
        if self.context.save:
            self.context.save(asdict(session))
        return session

    # --- errors -----------------------------------------------------------------------------------

    def code_of(self, answer: Answer) -> str:
        return answer.word("error") if answer.status >= 400 else ""

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        if self.session_now:
            yield from (self.session_now.access, self.session_now.refresh)

    def redact(self, text: str) -> str:
        return JWT.sub("[secret]", super().redact(text))
