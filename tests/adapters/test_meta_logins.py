"""Logging in at Facebook, Instagram and Threads: an hour's token becomes one that lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from case_facebook import PAGE
from pydantic import SecretStr

from crosspost.adapters import adapter_class
from crosspost.adapters.base import Context
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.config import Config, Office, SiteSettings
from crosspost.errors import AuthRevoked, Misconfigured
from crosspost.testing.loopback import Platform, Reply, Seen

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
REDIRECT = "https://office.example/back"
APP, SECRET = "700100200", "meta-app-secret-1f"
PERMISSIONS = "instagram_business_basic,instagram_business_content_publish"


class Meta(Platform):
    """The login addresses of all three, as Meta documents them."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[dict[str, Any]] = [
            {"id": "1", "name": "Another", "access_token": "page-other"},
            {"id": PAGE, "name": "Kejari", "access_token": "page-token"},
        ]
        self.wrapped = False

    def phase_of(self, seen: Seen) -> str:
        return "login"

    def answer(self, seen: Seen) -> Reply:
        sent = dict(seen.query) if seen.method == "GET" else seen.form
        match seen.method, seen.path.rsplit("/", 1)[1], sent.get("grant_type"):
            case "GET", "access_token", "fb_exchange_token":
                good = self.app(sent) and sent["fb_exchange_token"] == "short"
                return self.token("person", 5_184_000) if good else self.no()
            case "GET", "access_token", None:
                good = self.app(sent) and self.code(sent)
                return self.token("short", 3600) if good else self.no()
            case "POST", "access_token", "authorization_code":
                good = self.app(sent) and self.code(sent)
                return self.first() if good else self.no()
            case "GET", "access_token", "ig_exchange_token" | "th_exchange_token":
                good = sent["client_secret"] == SECRET and sent["access_token"] == "short"
                return self.token("long-1", 5_184_000) if good else self.no()
            case "GET", "refresh_access_token", "ig_refresh_token" | "th_refresh_token":
                good = sent["access_token"] == "long-1"
                return self.token("long-2", 5_184_000) if good else self.no()
            case "GET", "accounts", None:
                good = seen.headers.get("authorization") == "Bearer person"
                return Reply(200, {"data": self.pages}) if good else self.no()
        return Reply(404, {"error": {"message": "unknown path", "code": 1}})

    def app(self, sent: dict[str, str]) -> bool:
        return (sent["client_id"], sent["client_secret"]) == (APP, SECRET)

    def code(self, sent: dict[str, str]) -> bool:
        return (sent["code"], sent["redirect_uri"]) == ("code-1", REDIRECT)

    def token(self, name: str, seconds: int) -> Reply:
        body = {"access_token": name, "token_type": "bearer", "expires_in": seconds}
        return Reply(200, body)

    def first(self) -> Reply:
        body = {"access_token": "short", "user_id": 17, "permissions": PERMISSIONS}
        return Reply(200, {"data": [body]} if self.wrapped else body)

    def no(self) -> Reply:
        words = "Invalid verification code format."
        return Reply(400, {"error": {"message": words, "type": "OAuthException", "code": 190}})


@pytest.fixture
def meta():
    with Meta() as server:
        yield server


class Clock:
    now = NOW


def opened(meta: Meta, platform: str, kept: dict[str, str], **settings: Any) -> OAuthAdapter:
    kind = adapter_class(platform)
    known: dict[str, Any] = {"base_url": meta.url, "app_id": APP, "app_secret": SecretStr(SECRET)}
    match platform:
        case "facebook":
            known["page_id"] = PAGE
        case "instagram":
            known |= {"account_id": "17841400000000001", "login_url": meta.url}
    config = Config(
        path="/nowhere/crosspost.toml",
        office=Office(name="Office"),
        site=SiteSettings(url="https://office.example"),
    )
    context = Context(
        config,
        "web",
        lambda: dict(kept),
        lambda values: kept.update(values),
        None,
        lambda: Clock.now,
    )
    adapter = kind(kind.Settings.model_validate({**known, **settings}), context)
    assert isinstance(adapter, OAuthAdapter)
    return adapter


@pytest.fixture(autouse=True)
def _clock():
    Clock.now = NOW


def test_facebook_gives_the_pages_own_token_which_does_not_end(meta: Meta) -> None:
    adapter = opened(meta, "facebook", {})
    request = adapter.begin(REDIRECT, pasted=True)
    assert adapter.authorize_url(request).startswith("https://www.facebook.com/v26.0/dialog/oauth?")
    token = adapter.exchange("code-1", request)
    assert (token.access, token.ends) == ("page-token", None)


def test_a_person_without_the_page_is_told_which_pages_there_are(meta: Meta) -> None:
    meta.pages = meta.pages[:1]
    adapter = opened(meta, "facebook", {})
    with pytest.raises(Misconfigured, match=r"Another \(1\)") as caught:
        adapter.exchange("code-1", adapter.begin(REDIRECT, pasted=True))
    assert "page-other" not in str(caught.value)


@pytest.mark.parametrize("platform", ["instagram", "threads"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_hour_becomes_sixty_days_and_they_renew_themselves(
    meta: Meta, platform: str, wrapped: bool
) -> None:
    meta.wrapped = wrapped and platform == "instagram"
    kept: dict[str, str] = {}
    adapter = opened(meta, platform, kept)
    token = adapter.exchange("code-1", adapter.begin(REDIRECT, pasted=True))
    assert (token.access, token.ends) == ("long-1", NOW + 60 * DAY)
    assert token.scopes == PERMISSIONS
    adapter.keep(token)
    Clock.now = NOW + 39 * DAY
    assert adapter.renew_if_due() == token
    Clock.now = NOW + 41 * DAY
    renewed = opened(meta, platform, kept).renew_if_due()
    assert renewed is not None
    assert (renewed.access, renewed.ends) == ("long-2", Clock.now + 60 * DAY)
    assert kept["access"] == "long-2"


@pytest.mark.parametrize("platform", ["instagram", "threads"])
def test_what_has_ended_needs_a_person(meta: Meta, platform: str) -> None:
    adapter = opened(meta, platform, {})
    adapter.keep(adapter.exchange("code-1", adapter.begin(REDIRECT, pasted=True)))
    Clock.now = NOW + 61 * DAY
    with pytest.raises(AuthRevoked, match="crosspost channels login web"):
        adapter.renew_if_due()


@pytest.mark.parametrize("platform", ["facebook", "instagram", "threads"])
def test_a_wrong_code_is_refused_in_metas_words(meta: Meta, platform: str) -> None:
    adapter = opened(meta, platform, {})
    with pytest.raises(AuthRevoked, match="Invalid verification code") as caught:
        adapter.exchange("code-2", adapter.begin(REDIRECT, pasted=True))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("platform", ["facebook", "instagram", "threads"])
def test_without_an_app_it_says_which_keys_to_write(meta: Meta, platform: str) -> None:
    adapter = opened(meta, platform, {}, app_secret=None)
    with pytest.raises(Misconfigured, match="app_id and app_secret"):
        adapter.authorize_url(adapter.begin(REDIRECT, pasted=True))
