"""What an adapter declares of a platform's answers is how they are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_reading_answers import ANY_JSON

from crosspost.adapters import transport
from crosspost.adapters.answers import Answer, Meaning, words_in
from crosspost.adapters.base import Context, HttpAdapter, HttpSettings
from crosspost.errors import (
    Misconfigured,
    PlatformError,
    QuotaExhausted,
    RateLimited,
    TargetGone,
    UnknownOutcome,
)
from crosspost.quotas import Quota

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


class DeclaredAdapter(HttpAdapter):
    platform = "declared"
    title = "Declared"
    yes_at, code_at, shows_code = ("fine",), ("error", "name"), True
    words_at, more_words_at = (("error", "text"), ("text",)), (("error", "details"),)
    wait_at, wait_unit = ("error", "ms"), 0.001
    meanings = (Meaning(QuotaExhausted, code="full"), Meaning(RateLimited, code="fast"))
    so_already = (Meaning(TargetGone, 404, code="gone", phases="delete"),)
    renewed: ClassVar = {QuotaExhausted: Quota(None, "day")}

    check = measure = publish = None  # type: ignore[assignment]


@pytest.fixture
def adapter() -> DeclaredAdapter:
    settings = HttpSettings(base_url="https://platform.example")
    return DeclaredAdapter(settings, Context(now=lambda: NOW))


def say(monkeypatch: pytest.MonkeyPatch, body: object, status: int = 200, **headers: str) -> None:
    said = Answer(status, headers, json.dumps(body).encode())
    monkeypatch.setattr(transport, "send", lambda *_, **__: said)


def no(name: object, **more: object) -> dict[str, object]:
    return {"fine": False, "error": {"name": name, "text": "No.", **more}}


def refusal(adapter: DeclaredAdapter, phase: str = "check") -> PlatformError:
    with pytest.raises(PlatformError) as refused:
        adapter.call("GET", "/it", phase=phase)
    return refused.value


def test_a_no_with_a_good_status_is_a_no(
    adapter: DeclaredAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, {"fine": True})
    assert adapter.call("GET", "/it", phase="check").status == 200
    for body in ({"fine": False}, {"fine": "true"}, {"fine": 1}, {}, [], None):
        say(monkeypatch, body)
        assert type(refusal(adapter)) is Misconfigured
        assert type(refusal(adapter, "publish")) is UnknownOutcome


def test_an_address_that_an_answer_named_says_yes_by_its_status(
    adapter: DeclaredAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, "stored")
    assert adapter.call("PUT", "https://store.example/1", phase="prepare").status == 200


def test_what_is_gone_already_is_no_error_by_the_platforms_own_word_only(
    adapter: DeclaredAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, no("gone"), 404)
    assert adapter.call("DELETE", "/it", phase="delete").status == 404
    assert type(refusal(adapter, "publish")) is Misconfigured
    say(monkeypatch, "no such page", 404)
    assert type(refusal(adapter, "delete")) is Misconfigured


def test_the_words_are_told_with_name_and_details_each_once(
    adapter: DeclaredAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = {"title": {"_errors": [{"code": "x", "message": "Too long."}, "Too long."]}}
    say(monkeypatch, no("full", details=details))
    error = refusal(adapter)
    assert (error.message, error.code) == ("No. [full]: Too long.", "full")


@pytest.mark.parametrize(
    ("name", "wait", "headers", "until"),
    [
        ("fast", 1500, {}, NOW + timedelta(seconds=1.5)),
        ("fast", None, {}, None),
        ("fast", "soon", {}, None),
        ("full", None, {}, datetime(2026, 11, 26, tzinfo=UTC)),
        ("full", None, {"Retry-After": "60"}, NOW + timedelta(minutes=1)),  # its word is first
        ("full", 2000, {"Retry-After": "60"}, NOW + timedelta(seconds=2)),
    ],
)
def test_when_to_come_back_is_the_bodys_word_then_the_headers_then_the_quotas(
    adapter: DeclaredAdapter,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wait: object,
    headers: dict[str, str],
    until: datetime | None,
) -> None:
    say(monkeypatch, no(name, ms=wait), 429, **headers)
    assert refusal(adapter).until == until


@given(ANY_JSON)
def test_no_piece_of_json_breaks_the_search_for_words(data: object) -> None:
    assert all(isinstance(word, str) for word in words_in(data))


def test_words_that_lie_too_deep_are_left_alone() -> None:
    deep: object = "word"
    for _ in range(5000):
        deep = [deep]
    assert list(words_in(deep)) == []


@given(st.integers() | st.booleans() | st.text(max_size=3) | st.none())
def test_only_a_name_of_the_declared_kind_is_one(name: object) -> None:
    settings = HttpSettings(base_url="https://platform.example")
    said = Answer(400, {}, json.dumps(no(name)).encode())
    code = DeclaredAdapter(settings, Context()).code_of(said)
    assert code == (name if isinstance(name, str) else "")
