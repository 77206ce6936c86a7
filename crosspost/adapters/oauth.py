"""Logging in at a platform with OAuth 2.0, once for every adapter that does it that way.

An adapter says with an `OAuth` where its platform's two addresses are and how it deviates; the
grant itself (RFC 6749 section 4.1, with PKCE, RFC 7636) is here. It must not ask or show anything
(`cli/logins.py` walks a person through it), nor keep a token (`renewing.py` does).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from crosspost.adapters.base import Adapter, Answer, text_id
from crosspost.adapters.renewing import LoginSettings, RenewingAdapter
from crosspost.errors import AuthRevoked, Misconfigured, PlatformError
from crosspost.post import Account
from crosspost.tokens import Token
from crosspost.wording import t

#: Where a server without a redirect shows the code to copy (docs.joinmastodon.org, methods/apps).
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


#: What the token endpoint's `error` means (RFC 6749 section 5.2).
LOGIN_ERRORS: dict[str, type[PlatformError]] = {
    "invalid_grant": AuthRevoked,
    "access_denied": AuthRevoked,
    "invalid_client": Misconfigured,
    "unauthorized_client": Misconfigured,
    "invalid_scope": Misconfigured,
    "redirect_uri_mismatch": Misconfigured,
}


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
    registers: str = ""  # where every program registers itself as an application (Mastodon)


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


class OAuthSettings(LoginSettings):
    """`client_id` and `client_secret` are of the app that the office registered at the
    platform."""

    client_id: str = ""
    client_secret: SecretStr | None = None


def by_browser(kind: type[Adapter]) -> bool:
    """Whether accounts of this platform are connected with a browser: an adapter may speak for a
    platform of this family and only take a token that was copied."""
    return issubclass(kind, OAuthAdapter) and hasattr(kind, "oauth")


class OAuthAdapter(RenewingAdapter):
    """An adapter whose account is connected with `channels login`. Subclasses fill in `oauth`, and
    use `call_signed_in`."""

    oauth: ClassVar[OAuth]

    _app = ("", "")  # id and secret of the application that this login registered

    # --- logging in -------------------------------------------------------------------------------

    def begin(self, redirect: str, *, pasted: bool) -> Request:
        """A new walk; `pasted`: the answer does not come back to this program by itself."""
        if not self.oauth.registers:
            return Request(whole_address(redirect))
        where = OUT_OF_BAND if pasted else whole_address(redirect)
        self._app = self._registered(where)
        return Request(where)

    def _registered(self, redirect: str) -> tuple[str, str]:
        """Id and secret of an application made for this login."""
        form = {
            "client_name": "crosspost",
            "redirect_uris": redirect,
            "scopes": self.oauth.separator.join(self.scopes()),
            "website": self.about_us(),
        }
        answer = self.call("POST", self.oauth.registers, phase="login", data=form)
        with self.reading(answer, "login"):
            data = self.json_of(answer, "login")
            return text_id(data["client_id"]), text_id(data["client_secret"])

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

    def renew(self, token: Token) -> Token:
        """One call for another token (RFC 6749 section 6)."""
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh}
        return self.ask(form, before=token)

    def lasting(self, token: Token) -> Token:
        """What a first token is exchanged for where it lasts only an hour or two (Meta)."""
        return token

    def scopes(self) -> tuple[str, ...]:
        """The rights to ask for."""
        return self.oauth.scopes

    def client(self) -> tuple[str, str]:
        """Id and secret of the app; "" for no secret. Raises Misconfigured without an id."""
        if self.oauth.registers:
            return self._app
        if not self.settings.client_id:
            words = t(
                "Write client_id into [channels.{channel}]: the id of your app at {platform}.",
                channel=self.context.channel,
                platform=self.title,
            )
            raise self.error(Misconfigured, words, sent=False)
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
        kind = LOGIN_ERRORS.get(answer.word("error")) if phase == "login" else None
        if kind:
            return self.error(kind, self.excerpt(answer), status=answer.status)
        return super().error_from(answer, phase)
