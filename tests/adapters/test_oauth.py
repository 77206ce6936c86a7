"""Logging in with OAuth 2.0: the grant, renewing ahead of time, one at a time, and what goes wrong.

The platform here checks what a strict one checks (RFC 6749, RFC 7636): the code once, the redirect
address, the verifier against the challenge, and each refresh token only once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from crosspost.adapters.base import Context
from crosspost.adapters.oauth import OAuth, OAuthAdapter, OAuthSettings
from crosspost.errors import (
    AuthExpired,
    AuthRevoked,
    Misconfigured,
    PlatformError,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Account, Capabilities, Outgoing, Receipt
from crosspost.testing.loopback import Platform, Reply, Seen

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECRET = "client-secret-5d1c"


class Authority(Platform):
    """An authorisation server, and a resource that it guards."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, str] = {}  # the authorisation request of the code
        self.codes = {"code-1"}
        self.refreshes: set[str] = set()
        self.access = ""
        self.how = "S256"
        self.basic = False
        self.issued = 0
        self.lasts: dict[str, Any] = {"expires_in": 7200}

    def phase_of(self, seen: Seen) -> str:
        return "login" if seen.path == "/token" else "check"

    def answer(self, seen: Seen) -> Reply:
        if seen.path != "/token":
            good = seen.headers.get("authorization") == f"Bearer {self.access}"
            return Reply(200, {"name": "office"}) if good else Reply(401, {"error": "expired"})
        if not self._knows_client(seen):
            return Reply(401, {"error": "invalid_client"})
        form = seen.form
        if form["grant_type"] == "authorization_code":
            good = form["code"] in self.codes and form["redirect_uri"] == self.asked["redirect_uri"]
            self.codes.discard(form["code"])
            good = good and self._proves(form.get("code_verifier", ""))
        else:
            good = form["refresh_token"] in self.refreshes
            self.refreshes.discard(form["refresh_token"])
        return self.issue() if good else Reply(400, {"error": "invalid_grant"})

    def _knows_client(self, seen: Seen) -> bool:
        if self.basic:
            pair = base64.b64encode(f"app-1:{SECRET}".encode()).decode()
            return seen.headers.get("authorization") == f"Basic {pair}"
        return seen.form.get("client_id") == "app-1" and seen.form["client_secret"] == SECRET

    def _proves(self, verifier: str) -> bool:
        digest = hashlib.sha256(verifier.encode()).digest()
        url = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        wanted = {"S256": url, "hex": digest.hex(), "": None}[self.how]
        return self.asked.get("code_challenge") == wanted

    def issue(self) -> Reply:
        self.issued += 1
        self.access, refresh = f"access-{self.issued}", f"refresh-{self.issued}"
        self.refreshes.add(refresh)
        body = {"access_token": self.access, "refresh_token": refresh, "scope": "read write"}
        return Reply(200, {**body, **self.lasts})


class Office(OAuthAdapter):
    """The least that an adapter is."""

    platform = "office"
    title = "Office"
    Settings = OAuthSettings
    capabilities = Capabilities()
    oauth = OAuth("/authorize", "/token", ("read", "write"))

    def check(self) -> Account:
        data = self.call_signed_in("GET", "/me", phase="check").data
        return Account(data["name"], "", {}, ())

    def measure(self, text: str) -> int:
        return len(text)

    def publish(self, outgoing: Outgoing) -> Receipt:
        self.call_signed_in("GET", "/post", phase="publish")
        return Receipt("1", "", {})

    def error_of(self, answer: Any, phase: str) -> type[PlatformError] | None:
        return AuthExpired if answer.status == 401 else None


class Desk:
    """Programs of one office: what they keep is shared, like a database."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.kept: dict[str, str] = {}
        self.now = NOW
        self.taken = False

    def open(self, kind: type[OAuthAdapter] = Office, **settings: Any) -> Any:
        known = {
            "base_url": self.authority.url,
            "client_id": "app-1",
            "client_secret": SecretStr(SECRET),
        }
        context = Context(
            None,
            "web",
            lambda: dict(self.kept),
            lambda values: setattr(self, "kept", dict(values)),
            self.exclusive,
            lambda: self.now,
        )
        return kind(kind.Settings.model_validate({**known, **settings}), context)

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        alone, self.taken = not self.taken, True
        try:
            yield alone
        finally:
            self.taken = not alone

    def log_in(self, kind: type[OAuthAdapter] = Office) -> Any:
        adapter = self.open(kind)
        request = adapter.begin("http://127.0.0.1:8765", pasted=False)
        query = parse_qs(urlsplit(adapter.authorize_url(request)).query)
        self.authority.asked = {name: values[0] for name, values in query.items()}
        token = adapter.exchange("code-1", request)
        assert adapter.try_out(token).name == "office"
        adapter.keep(token)
        return adapter


@pytest.fixture
def authority() -> Iterator[Authority]:
    with Authority() as server:
        yield server


@pytest.fixture
def desk(authority: Authority) -> Desk:
    return Desk(authority)


def asked(authority: Authority) -> list[str]:
    return [seen.form["grant_type"] for seen in authority.requests if seen.path == "/token"]


# --- the grant --------------------------------------------------------------------------------


def test_a_person_says_yes_and_the_office_is_connected(desk: Desk, authority: Authority) -> None:
    desk.log_in()
    assert authority.asked["scope"] == "read write"
    assert authority.asked["client_id"] == "app-1"
    assert len(authority.asked["state"]) >= 20
    assert desk.open().check().name == "office"  # another program, from what is kept


def test_nothing_is_kept_before_the_account_is_known(desk: Desk, authority: Authority) -> None:
    adapter = desk.open()
    request = adapter.begin("http://127.0.0.1:8765", pasted=False)
    query = parse_qs(urlsplit(adapter.authorize_url(request)).query)
    authority.asked = {name: values[0] for name, values in query.items()}
    adapter.try_out(adapter.exchange("code-1", request))
    assert desk.kept == {}


@pytest.mark.parametrize("how", ["S256", "hex", ""])
def test_the_challenge_is_written_as_the_platform_wants_it(
    desk: Desk, authority: Authority, how: Any
) -> None:
    class Other(Office):
        oauth = replace(Office.oauth, pkce=how)

    authority.how = how
    desk.log_in(Other)


def test_a_platform_with_odd_names_is_spoken_to_in_them(desk: Desk, authority: Authority) -> None:
    class Odd(Office):
        oauth = replace(
            Office.oauth, client_id="client_key", separator=",", extra={"prompt": "consent"}
        )

    adapter = desk.open(Odd)
    request = adapter.begin("http://127.0.0.1:8765", pasted=False)
    query = parse_qs(urlsplit(adapter.authorize_url(request)).query)
    assert query["scope"] == ["read,write"]
    assert query["client_key"] == ["app-1"]
    assert query["prompt"] == ["consent"]
    assert "client_id" not in query


def test_the_clients_secret_goes_into_the_header_where_the_platform_wants_it(
    desk: Desk, authority: Authority
) -> None:
    class Basic(Office):
        oauth = replace(Office.oauth, basic=True)

    authority.basic = True
    desk.log_in(Basic)
    assert SECRET.encode() not in b"".join(seen.body for seen in authority.requests)


def test_a_code_is_good_for_one_login(desk: Desk) -> None:
    desk.log_in()
    with pytest.raises(AuthRevoked):
        desk.log_in()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        *((status, {"error": "invalid_client"}, Misconfigured) for status in (200, 400, 401)),
        *((status, {"error": "invalid_grant"}, AuthRevoked) for status in (200, 400, 401)),
        *((status, {"error": "access_denied"}, AuthRevoked) for status in (200, 400, 403)),
        (200, {"token": "x"}, Misconfigured),
        (200, [], Misconfigured),
        (200, {"access_token": None}, Misconfigured),
    ],
)
def test_a_no_is_a_no_whatever_its_status(
    desk: Desk, authority: Authority, status: int, body: Any, error: type[PlatformError]
) -> None:
    authority.issue = lambda: Reply(status, body)  # type: ignore[method-assign]
    with pytest.raises(error):
        desk.log_in()
    assert desk.kept == {}


def test_before_anybody_logged_in_it_says_what_to_type(desk: Desk) -> None:
    with pytest.raises(AuthRevoked, match="crosspost channels login web") as caught:
        desk.open().check()
    assert not caught.value.sent


def test_a_token_in_the_settings_needs_no_login(desk: Desk, authority: Authority) -> None:
    authority.access = "given"
    assert desk.open(access_token=SecretStr("given")).check().name == "office"


def test_what_was_kept_for_other_settings_is_not_used(desk: Desk) -> None:
    desk.log_in()
    with pytest.raises(AuthRevoked, match="login"):
        desk.open(client_id="app-2").check()


# --- renewing ---------------------------------------------------------------------------------


def test_it_is_renewed_ahead_of_its_end(desk: Desk, authority: Authority) -> None:
    adapter = desk.log_in()
    desk.now = NOW + HOUR
    adapter.renew_if_due()
    assert authority.issued == 1
    desk.now = NOW + timedelta(minutes=81)
    adapter.renew_if_due()
    assert authority.issued == 2
    assert desk.kept["refresh"] == "refresh-2"
    assert desk.open().check().name == "office"


def test_what_another_program_renewed_is_taken_over(desk: Desk, authority: Authority) -> None:
    first = desk.log_in()
    second = desk.open()
    second.check()
    desk.now = NOW + timedelta(minutes=90)
    first.renew_if_due()
    second.check()
    assert authority.issued == 2


def test_while_another_renews_the_old_one_serves_as_long_as_it_lasts(
    desk: Desk, authority: Authority
) -> None:
    adapter = desk.log_in()
    desk.now, desk.taken = NOW + timedelta(minutes=90), True
    assert adapter.check().name == "office"
    desk.now = NOW + 2 * HOUR
    with pytest.raises(RetryLater) as caught:
        adapter.check()
    assert caught.value.until == desk.now + timedelta(seconds=15)
    assert not caught.value.sent
    assert authority.issued == 1


@pytest.mark.parametrize("fault", ["reset_before", "status:503", "html", "refuse"])
def test_a_platform_in_trouble_does_not_end_a_login_that_still_lasts(
    desk: Desk, authority: Authority, fault: str
) -> None:
    adapter = desk.log_in()
    desk.now = NOW + timedelta(minutes=90)
    authority.fault(fault, on="login")
    token = adapter.renew_if_due()
    assert token.access == "access-1"
    assert desk.kept["access"] == "access-1"


def test_a_refused_renewal_says_to_log_in_again(desk: Desk, authority: Authority) -> None:
    adapter = desk.log_in()
    desk.now = NOW + 2 * HOUR
    authority.refreshes.clear()
    with pytest.raises(AuthRevoked, match="crosspost channels login web"):
        adapter.check()
    assert desk.kept["access"] == "access-1"  # nothing empty in its place


def test_one_that_cannot_be_renewed_serves_to_its_end_and_then_asks_for_a_person(
    desk: Desk, authority: Authority
) -> None:
    authority.lasts = {"expires_in": 7200, "refresh_token": ""}
    adapter = desk.log_in()
    desk.now = NOW + timedelta(minutes=119)
    assert adapter.check().name == "office"
    desk.now = NOW + 2 * HOUR
    with pytest.raises(AuthRevoked, match="login"):
        adapter.check()


def test_a_token_that_the_platform_took_back_is_renewed_once_and_the_call_repeated(
    desk: Desk, authority: Authority
) -> None:
    adapter = desk.log_in()
    authority.access = "another"
    assert adapter.check().name == "office"
    assert asked(authority) == ["authorization_code", "refresh_token"]


def test_a_platform_that_takes_no_token_at_all_is_not_asked_for_ever(
    desk: Desk, authority: Authority
) -> None:
    adapter = desk.log_in()
    authority.issue = lambda: Reply(200, {"access_token": "useless", "expires_in": 60})  # type: ignore[method-assign]
    authority.access = "another"
    with pytest.raises(AuthExpired):
        adapter.check()
    assert asked(authority).count("refresh_token") == 1


def test_publishing_is_never_repeated_and_never_renews(desk: Desk, authority: Authority) -> None:
    adapter = desk.log_in()
    authority.access = "another"
    with pytest.raises(AuthExpired):
        adapter.publish(None)
    assert len([s for s in authority.requests if s.path == "/post"]) == 1
    assert asked(authority) == ["authorization_code"]
    desk.now = NOW + 3 * HOUR
    with pytest.raises(AuthExpired) as caught:
        adapter.publish(None)
    assert not caught.value.sent


def test_an_unclear_publish_stays_unclear(desk: Desk, authority: Authority) -> None:
    adapter = desk.log_in()
    authority.fault("reset_after", on="check")
    with pytest.raises(UnknownOutcome):
        adapter.publish(None)


def test_no_secret_stands_in_a_message(desk: Desk, authority: Authority) -> None:
    adapter = desk.log_in()
    desk.now = NOW + 2 * HOUR
    words = f"{SECRET} access-1 refresh-1".encode()
    authority.fault("status:403", on="login", body=words)
    with pytest.raises(PlatformError) as caught:
        adapter.check()
    for secret in (SECRET, "access-1", "refresh-1"):
        assert secret not in f"{caught.value}{caught.value.__cause__}"
