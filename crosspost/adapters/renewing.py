"""Calls with an access token that runs out: kept between runs, renewed ahead of its end, once.

It must not know how a first token is got (`oauth.py` does), and never renews it while a post is
being published: the caller prepares again.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import timedelta
from threading import RLock
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from crosspost.adapters.base import AdapterSettings, Answer, Context, HttpAdapter, HttpSettings
from crosspost.config import WebAddress
from crosspost.errors import AuthExpired, AuthRevoked, PlatformError, RetryLater
from crosspost.tokens import Token
from crosspost.wording import t

#: Where a browser comes back to; it must stand so in the platform's own settings of the app.
REDIRECT = "http://127.0.0.1:8765"
#: How long to leave a channel alone while another program renews its token.
ELSEWHERE = timedelta(seconds=15)


class LoginSettings(HttpSettings):
    """`access_token` is for offices that were given a lasting token and need no login;
    `redirect_url` is where the browser comes back to."""

    access_token: SecretStr | None = None
    redirect_url: WebAddress = REDIRECT


class RenewingAdapter(HttpAdapter):
    """An adapter whose token is kept and renewed. Subclasses use `call_signed_in`, and say with
    AuthExpired in `meanings` which answer means that the token has run out."""

    #: Endings of the platform's hosts that may see the token, besides the one of `base_url`.
    token_hosts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: AdapterSettings, context: Context) -> None:
        self._token: Token | None = None
        self._refused = ""  # the last access token that the platform did not take
        self._renewing = RLock()  # publishing and looking up may be at work at once
        super().__init__(settings, context)

    # --- calls ------------------------------------------------------------------------------------

    def call_signed_in(
        self,
        method: str,
        path: str,
        *,
        phase: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """`call` as the account. Where the access token has run out it is renewed, and the call
        repeated, once; but never in the phase publish: the caller prepares again."""
        token = self.access_token(phase)
        try:
            return self._call_with(token, method, path, phase=phase, headers=headers, **more)
        except AuthExpired:
            self._refused = token
            if phase == "publish" or not self._can_renew():
                raise
            again = self.access_token(phase)
            return self._call_with(again, method, path, phase=phase, headers=headers, **more)

    def _call_with(
        self, token: str, method: str, path: str, *, headers: Mapping[str, str] | None, **more: Any
    ) -> Answer:
        return self.call(method, path, headers={**self.signed(token), **(headers or {})}, **more)

    def signed_there(self, where: str, phase: str) -> dict[str, str]:
        """The headers of a call to an address that an answer named: with the token if the address
        is the platform's own; elsewhere the address itself is the permission."""
        there, ours = urlsplit(where), urlsplit(self.settings.base_url)
        known = there.scheme == "https" and (there.hostname or "").endswith(self.token_hosts)
        if known or (there.scheme, there.netloc) == (ours.scheme, ours.netloc):
            return self.signed(self.access_token(phase))
        return {}

    def signed(self, token: str) -> dict[str, str]:
        """The headers of a call with this token (RFC 6750 section 2.1)."""
        return {"Authorization": f"Bearer {token}"}

    def access_token(self, phase: str) -> str:
        """The token to call with, renewed where that is due, except in the phase publish.

        Raises AuthRevoked when nobody has logged in, AuthExpired in the phase publish when it is
        over, RetryLater while another program renews it, or what the platform says to renewing.
        """
        with self._renewing:
            token = self._current(phase)
            if token is None:
                return self._given()
            return token.access

    def _given(self) -> str:
        """The token of the settings, for offices that were given a lasting one."""
        given = self.settings.access_token
        if given is None:
            words = t(
                "Nobody has logged in to this channel yet: crosspost channels login {channel}",
                channel=self.context.channel,
            )
            raise self.error(AuthRevoked, words, sent=False)
        return str(given.get_secret_value())

    def _current(self, phase: str) -> Token | None:
        """The kept token, usable; None when there is none."""
        token = self._token
        if token is None or self._worn(token):
            token = self._token = self._load()
        if token is None or not self._worn(token):
            return token
        if phase != "publish":
            token = self._token = self._renewed(token)
        elif token.is_over(self.context.now()) or token.access == self._refused:
            words = t("The login ran out before publishing began.")
            raise self.error(AuthExpired, words, sent=False)
        return token

    def _worn(self, token: Token) -> bool:
        return token.is_due(self.context.now()) or token.access == self._refused

    def _load(self) -> Token | None:
        """What was kept, perhaps by another process, if it is of these settings."""
        values = self.context.load() if self.context.load else {}
        return Token.of_kept(values, self.of())

    def of(self) -> str:
        """What a kept token must have been made with to be this channel's. A token in the settings
        is named by its digest: one that came of renewing it is kept under that name."""
        given = self.settings.access_token
        digest = hashlib.sha256(given.get_secret_value().encode()).hexdigest()[:16] if given else ""
        return " ".join(filter(None, (self.settings.base_url, self.identity(), digest)))

    def identity(self) -> str:
        """What in the settings says whose login it is."""
        return str(getattr(self.settings, "client_id", ""))

    # --- renewing ---------------------------------------------------------------------------------

    def renew_if_due(self) -> Token | None:
        """The kept token, renewed ahead of its end where that is due; None when there is none.
        For the daemon, between posts. Raises PlatformError."""
        with self._renewing:
            return self._current("check")

    def _can_renew(self) -> bool:
        token = self._token
        return token is not None and self.is_renewable(token)

    def is_renewable(self, token: Token) -> bool:
        """Whether the platform gives another token for this one without a person."""
        return bool(token.refresh)

    def _renewed(self, token: Token) -> Token:
        """Another token for this one. While another program renews it, this one as long as it
        lasts."""
        usable = not token.is_over(self.context.now()) and token.access != self._refused
        if not self.is_renewable(token):
            if usable:
                return token
            raise self._over()
        with self.context.exclusive() if self.context.exclusive else nullcontext(True) as alone:
            kept = self._load()
            if kept is not None and not self._worn(kept):
                return kept  # somebody else was faster
            if alone:
                return self._ask_for_another(token if kept is None else kept, usable=usable)
        if usable:
            return token
        words = t("Another program renews this channel's login just now.")
        raise self.error(RetryLater, words, sent=False, until=self.context.now() + ELSEWHERE)

    def _ask_for_another(self, token: Token, *, usable: bool) -> Token:
        self._token = token  # so that no message shows it
        try:
            fresh = self.renew(token)
        except (AuthExpired, AuthRevoked) as error:
            raise self._over() from error
        except PlatformError:
            if usable:
                return token  # it lasts a while yet: next time
            raise
        self.keep(fresh)
        return fresh

    def _over(self) -> PlatformError:
        words = t(
            "The login has ended: crosspost channels login {channel}", channel=self.context.channel
        )
        return self.error(AuthRevoked, words, sent=False)

    @abstractmethod
    def renew(self, token: Token) -> Token:
        """One call for another token. Raises PlatformError."""

    def keep(self, token: Token) -> None:
        """From now on, also after a restart."""
        self._token = token
        if self.context.save:
            self.context.save(token.kept())

    # --- errors -----------------------------------------------------------------------------------

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        """What has run out can be renewed, or is over."""
        kind = super().error_of(answer, phase)
        return AuthRevoked if kind is AuthExpired and not self._can_renew() else kind

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        if self._token:
            yield from filter(None, (self._token.access, self._token.refresh))
