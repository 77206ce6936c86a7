"""Every platform that is connected in a browser: its token endpoint answers by OAuth, not as the
platform's own API does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import CASES

from crosspost.adapters import transport
from crosspost.adapters.answers import Answer
from crosspost.adapters.oauth import OAuthAdapter, by_browser
from crosspost.errors import AuthRevoked
from crosspost.testing.case import Bench

FORM = {"grant_type": "authorization_code", "code": "c"}
BY_BROWSER = [name for name, case in CASES.items() if by_browser(case().adapter_class)]


@pytest.fixture(params=BY_BROWSER)
def adapter(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> OAuthAdapter:
    case = CASES[request.param]()
    adapter = Bench(case, case.start(), tmp_path).adapter
    assert isinstance(adapter, OAuthAdapter)
    monkeypatch.setattr(adapter, "client", lambda: ("our-app", "its-secret"))
    return adapter


def answers(monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, object]) -> None:
    said = Answer(status, {}, json.dumps(body).encode())
    monkeypatch.setattr(transport, "send", lambda *_, **__: said)


def test_the_token_of_an_answer_is_taken(
    adapter: OAuthAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, 200, {"access_token": "fresh", "token_type": "bearer", "expires_in": 3600})
    assert adapter.ask(FORM, before=None).access == "fresh"


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_void_code_is_a_login_that_has_ended(
    adapter: OAuthAdapter, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answers(monkeypatch, status, {"error": "invalid_grant", "error_description": "no such code"})
    with pytest.raises(AuthRevoked):
        adapter.ask(FORM, before=None)
