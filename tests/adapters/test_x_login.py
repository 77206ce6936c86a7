"""Logging in to X, and what its posts cost."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from crosspost.adapters.base import Context
from crosspost.adapters.x import XAdapter, XSettings
from crosspost.post import Post
from crosspost.testing.loopback import Platform, Reply, Seen

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


class FakeX(Platform):
    """Its token endpoint and who one is; refresh tokens are good for once."""

    def __init__(self) -> None:
        super().__init__()
        self.refresh, self.access = "refresh-0", ""

    def phase_of(self, seen: Seen) -> str:
        return "login" if seen.path == "/2/oauth2/token" else "check"

    def answer(self, seen: Seen) -> Reply:
        if seen.path != "/2/oauth2/token":
            good = seen.headers["authorization"] == f"Bearer {self.access}"
            me = {"data": {"id": "7", "username": "kejari"}}
            return Reply(200, me) if good else Reply(401, {"title": "Unauthorized", "status": 401})
        pair = base64.b64encode(b"app:app-secret").decode()
        form = seen.form
        good = seen.headers["authorization"] == f"Basic {pair}" and (
            form.get("code") == "code-1" and form.get("code_verifier")
            if form["grant_type"] == "authorization_code"
            else form["refresh_token"] == self.refresh
        )
        if not good:
            return Reply(400, {"error": "invalid_request", "error_description": "no"})
        number = int(self.refresh[-1]) + 1
        self.refresh, self.access = f"refresh-{number}", f"access-{number}"
        body = {"access_token": self.access, "refresh_token": self.refresh, "expires_in": 7200}
        return Reply(200, body | {"scope": "tweet.read tweet.write"})


@pytest.fixture
def x():
    with FakeX() as server:
        yield server


def test_a_login_is_renewed_with_a_refresh_token_that_changes_each_time(x: FakeX) -> None:
    kept: dict[str, str] = {}
    clock = [NOW]
    settings = XSettings(base_url=x.url, client_id="app", client_secret=SecretStr("app-secret"))
    context = Context(None, "x", lambda: dict(kept), kept.update, None, lambda: clock[0])
    adapter = XAdapter(settings, context)
    request = adapter.begin(settings.redirect_url, pasted=False)
    query = parse_qs(urlsplit(adapter.authorize_url(request)).query)
    assert query["redirect_uri"] == ["http://127.0.0.1:8765/"]
    assert "offline.access" in query["scope"][0]
    token = adapter.exchange("code-1", request)
    assert adapter.try_out(token).name == "@kejari"
    adapter.keep(token)
    for hours in range(2, 10, 2):
        clock[0] = NOW + timedelta(hours=hours)
        assert XAdapter(settings, context).check().name == "@kejari"
    assert kept["refresh"] == x.refresh == "refresh-5"


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("Kantor tutup hari Jumat.", "0.015"),
        ("Selengkapnya: https://kejari.example/p/a/", "0.20"),
        ("Lihat kejari.go.id hari ini", "0.20"),
        ("Pukul 08.00 sampai 11.00", "0.015"),
    ],
)
def test_a_post_with_an_address_is_the_dear_kind(text: str, price: str) -> None:
    assert XAdapter.cost(Post(text, "id"), {}) == Decimal(price)


def test_prices_come_from_the_settings() -> None:
    options = {"price_of_post": 0.02, "price_of_link": 0.3}
    assert XAdapter.cost(Post("Halo", "id"), options) == Decimal("0.02")
    assert XAdapter.cost(Post("https://a.example", "id"), options) == Decimal("0.3")
