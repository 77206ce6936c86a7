"""Logging in at a platform with OAuth 2.0, once for every adapter that does it that way.

An adapter says with an `OAuth` where its platform's two addresses are and how it deviates; the
grant itself (RFC 6749 section 4.1, with PKCE, RFC 7636), keeping and renewing is here. It must not
ask or show anything: `cli/logins.py` walks a person through it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from threading import RLock
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from crosspost.adapters.base import (
    Adapter,
    AdapterSettings,
    Answer,
    Context,
    HttpAdapter,
    HttpSettings,
)
from crosspost.config import WebAddress
from crosspost.errors import AuthExpired, AuthRevoked, Misconfigured, PlatformError, RetryLater
from crosspost.post import Account
from crosspost.tokens import Token
from crosspost.wording import t

#: Where a browser comes back to; it must stand so in the platform's own settings of the app.
REDIRECT = "http://127.0.0.1:8765"
#: How long to leave a channel alone while another program renews its token.
ELSEWHERE = timedelta(seconds=15)


@dataclass(frozen=True)
class OAuth:
    """One platform's way of the authorisation code grant. Addresses may be paths under
    `base_url`."""

    authorize: str
    token: str
    scopes: tuple[str, ...]
    separator: str = " "  # between scopes; RFC 6749 has a space, some platforms a comma
    #: how the code challenge is written: RFC 7636, TikTok's hexadecimal digits, or not at all
    pkce: Literal["S256", "hex", ""] = "S256"
    client_id: str = "client_id"  # the parameter's name; TikTok calls it client_key
    basic: bool = False  # the client's secret goes into the header (RFC 6749 section 2.3.1)
    extra: Mapping[str, str] = field(default_factory=dict)  # more of the authorisation request


@dataclass(frozen=True)
class Request:
    """One walk to the platform and back: what must be the same on both ends of it."""

    redirect: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def challenge(self, how: str) -> dict[str, str]:
        """The parameters of PKCE in the authorisation request."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        written = {
            "S256": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "hex": digest.hex(),
        }.get(how)
        return {"code_challenge": written, "code_challenge_method": "S256"} if written else {}


def whole_address(redirect: str) -> str:
    """A redirect address as platforms compare it: by the letter, a bare host with its slash."""
    return redirect if urlsplit(redirect).path else f"{redirect}/"


class LoginSettings(HttpSettings):
    """`access_token` is for offices that were given a lasting token and need no login;
    `redirect_url` is where the browser comes back to."""

    access_token: SecretStr | None = None
    redirect_url: WebAddress = REDIRECT


class OAuthSettings(LoginSettings):
    """`client_id` and `client_secret` are of the app that the office registered at the
    platform."""

    client_id: str = ""
    client_secret: SecretStr | None = None


def by_browser(kind: type[Adapter]) -> bool:
    """Whether accounts of this platform are connected with a browser: an adapter may speak for a
    platform of this family and only take a token that was copied."""
    return issubclass(kind, OAuthAdapter) and hasattr(kind, "oauth")


class OAuthAdapter(HttpAdapter):
    """An adapter whose account is connected with `channels login`. Subclasses fill in `oauth`, use
    `call_signed_in`, and map the platform's "expired" to AuthExpired in `error_of`."""

    oauth: ClassVar[OAuth]

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
            raise AuthRevoked(
                t(
                    "Nobody has logged in to this channel yet: crosspost channels login {channel}",
                    channel=self.context.channel,
                ),
                platform=self.platform,
                sent=False,
            )
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
            raise AuthExpired(
                t("The login ran out before publishing began."), platform=self.platform, sent=False
            )
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
        raise RetryLater(
            t("Another program renews this channel's login just now."),
            platform=self.platform,
            sent=False,
            until=self.context.now() + ELSEWHERE,
        )

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

    def _over(self) -> AuthRevoked:
        return AuthRevoked(
            t(
                "The login has ended: crosspost channels login {channel}",
                channel=self.context.channel,
            ),
            platform=self.platform,
            sent=False,
        )

    def renew(self, token: Token) -> Token:
        """One call for another token (RFC 6749 section 6)."""
        return self.ask(
            {"grant_type": "refresh_token", "refresh_token": token.refresh}, before=token
        )

    def keep(self, token: Token) -> None:
        """From now on, also after a restart."""
        self._token = token
        if self.context.save:
            self.context.save(token.kept())

    # --- logging in -------------------------------------------------------------------------------

    def begin(self, redirect: str, *, pasted: bool) -> Request:  # noqa: ARG002
        """A new walk; `pasted`: the answer does not come back to this program by itself."""
        return Request(whole_address(redirect))

    def authorize_url(self, request: Request) -> str:
        """Where a person says yes, in a browser (RFC 6749 section 4.1.1)."""
        about = self.oauth
        client, _ = self.client()
        query = {
            "response_type": "code",
            about.client_id: client,
            "redirect_uri": request.redirect,
            "scope": about.separator.join(self.scopes()),
            "state": request.state,
            **request.challenge(about.pkce),
            **about.extra,
        }
        return f"{self.authorize_address()}?{urlencode(query)}"

    def authorize_address(self) -> str:
        """The address of the platform's question to the person."""
        return self.url(self.oauth.authorize)

    def token_address(self) -> str:
        """The address of the token endpoint."""
        return self.url(self.oauth.token)

    def exchange(self, code: str, request: Request) -> Token:
        """The lasting token for the code that the platform sent back. Raises PlatformError. It is
        not kept yet."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": request.redirect}
        if self.oauth.pkce:
            form["code_verifier"] = request.verifier
        return self.lasting(self.ask(form, before=None))

    def try_out(self, token: Token) -> Account:
        """Whose account a token is of, before it is kept. Raises PlatformError."""
        self._token = token
        return self.check()

    def lasting(self, token: Token) -> Token:
        """What a first token is exchanged for where it lasts only an hour or two (Meta)."""
        return token

    def scopes(self) -> tuple[str, ...]:
        """The rights to ask for."""
        return self.oauth.scopes

    def client(self) -> tuple[str, str]:
        """Id and secret of the app; "" for no secret. Raises Misconfigured without an id."""
        if not self.settings.client_id:
            raise Misconfigured(
                t(
                    "Write client_id into [channels.{channel}]: the id of your app at {platform}.",
                    channel=self.context.channel,
                    platform=self.title,
                ),
                platform=self.platform,
                sent=False,
            )
        secret = self.settings.client_secret
        return self.settings.client_id, secret.get_secret_value() if secret else ""

    def ask(self, form: dict[str, str], *, before: Token | None) -> Token:
        """One call to the token endpoint."""
        client, secret = self.client()
        headers: dict[str, str] = {}
        if self.oauth.basic and secret:
            pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            form = {
                **form,
                self.oauth.client_id: client,
                **({"client_secret": secret} if secret else {}),
            }
        answer = self.call("POST", self.token_address(), phase="login", headers=headers, data=form)
        return self.token_of(answer, before)

    def token_of(self, answer: Answer, before: Token | None = None) -> Token:
        """The token in an answer. Some platforms say no with a 200."""
        data = self.json_of(answer, "login")
        if "access_token" not in data and data.get("error"):
            raise self.error_from(answer, "login")
        with self.reading(answer, "login"):
            return Token.of_answer(data, self.of(), self.context.now(), before)

    def error_from(self, answer: Answer, phase: str) -> PlatformError:
        """`invalid_grant` at the token endpoint: the code or the refresh token is void (RFC 6749
        section 5.2), whatever its status."""
        data = answer.data
        if phase == "login" and isinstance(data, dict):
            name = data.get("error")
            if name in ("invalid_grant", "access_denied"):
                return AuthRevoked(
                    self.excerpt(answer), platform=self.platform, status=answer.status
                )
            if name in (
                "invalid_client",
                "unauthorized_client",
                "invalid_scope",
                "redirect_uri_mismatch",
            ):
                return Misconfigured(
                    self.excerpt(answer), platform=self.platform, status=answer.status
                )
        return super().error_from(answer, phase)

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        if self._token:
            yield from filter(None, (self._token.access, self._token.refresh))
