"""What is X's own, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from case_x import TOKEN, USER, FakeX, XCase, no
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, ResourceEndpoint
from pydantic import SecretStr, ValidationError

from crosspost.adapters.x import XSettings
from crosspost.errors import (
    DuplicateDetected,
    MediaProcessing,
    MediaRejected,
    PermissionDenied,
    RateLimited,
    UnknownOutcome,
)
from crosspost.post import Post
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform, Seen


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX() as platform:
        yield platform


@pytest.fixture
def bench(x: FakeX, tmp_path: Path) -> Bench:
    return Bench(XCase(), x, tmp_path)


def fail(platform: Platform, status: int, body: Any, on: str = "publish", **headers: str) -> None:
    platform.fault(f"status:{status}", on=on, body=json.dumps(body).encode(), headers=headers)


# --- OAuth 1.0a -------------------------------------------------------------------------------

OLD = {
    "api_key": "key-of-the-app-1234567890",
    "api_secret": "secret of the app",
    "access_token": f"{USER}-of-the-account",
    "access_token_secret": "secret of the account",
}


class Register(RequestValidator):  # type: ignore[misc]
    """Who knows the secrets, for the library's own judge of signatures."""

    enforce_ssl = False
    client_key_length = token_key_length = nonce_length = (1, 100)
    safe_characters = property(lambda _: {chr(n) for n in range(33, 127)})
    dummy_client = dummy_access_token = "nobody"

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == OLD["api_key"]

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == OLD["access_token"]

    def validate_timestamp_and_nonce(self, *_: Any, **__: Any) -> bool:
        return True

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return OLD["api_secret"]

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return OLD["access_token_secret"]


class SignedX(FakeX):
    """X, for an app that signs its calls."""

    def authorized(self, seen: Seen) -> bool:
        query = "&".join(f"{n}={v}" for n, v in seen.query.items())
        where = f"{self.url}{seen.path}" + (f"?{query}" if query else "")
        judge = ResourceEndpoint(Register())
        good, _ = judge.validate_protected_resource_request(
            where, seen.method, None, dict(seen.headers)
        )
        return bool(good) and 'HMAC-SHA1"' in seen.headers["authorization"]


class SignedCase(XCase):
    SECRETS = tuple(OLD.values())

    def options(self, platform: Platform) -> dict[str, Any]:
        secrets = {name: SecretStr(value) for name, value in OLD.items()}
        return {"base_url": platform.url} | secrets


def test_signed_calls_are_accepted_by_a_judge_of_signatures(tmp_path: Path) -> None:
    assert SIGNATURE_HMAC_SHA1 == "HMAC-SHA1"
    with SignedX() as x:
        bench = Bench(SignedCase(), x, tmp_path)
        bench.adapter.check()
        outgoing, receipt = bench.send(
            bench.case.post("Tertanda.", images=(bench.image(1, "Satu"),))
        )
        assert bench.adapter.find(outgoing) == receipt
        bench.adapter.delete(receipt)
        assert x.posts == []
        for secret in ("api_secret", "access_token_secret"):
            assert OLD[secret] not in unquote(repr(x.requests))


@pytest.mark.parametrize("missing", ["api_key", "api_secret", "access_token_secret"])
def test_half_of_the_secrets_of_oauth_1_is_refused(missing: str) -> None:
    options = {name: SecretStr(value) for name, value in OLD.items() if name != missing}
    with pytest.raises(ValidationError, match="or none of them"):
        XSettings.model_validate(options)


# --- text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Jadwal ada di kejari-contoh.go.id mulai besok",
        "A & B <c> https://kejari.go.id/?a=1&b=2",
        "Dua https://a.go.id/x dan https://b.go.id/y",
    ],
)
def test_what_x_makes_of_a_text_is_known_again(bench: Bench, x: FakeX, text: str) -> None:
    outgoing, receipt = bench.send(bench.case.post(text, images=(bench.image(1, "Satu"),)))
    (tweet,) = x.tweets.values()
    assert tweet["shown"]["text"] != text
    assert bench.adapter.find(outgoing) == receipt


def test_a_long_post_of_premium_has_its_text_elsewhere(x: FakeX, tmp_path: Path) -> None:
    class Premium(XCase):
        def options(self, platform: Platform) -> dict[str, Any]:
            return super().options(platform) | {"max_characters": 4000}

    x.limit = 4000
    bench = Bench(Premium(), x, tmp_path)
    text = "Panjang. " * 60
    outgoing, receipt = bench.send(bench.case.post(text))
    shown = next(iter(x.tweets.values()))["shown"]
    shown["note_tweet"] = {"text": shown["text"], "entities": {}}
    shown["text"] = shown["text"][:277] + "..."
    assert bench.adapter.find(outgoing) == receipt
    assert "note_tweet" in x.seen("find")[0].query["tweet.fields"]


# --- money ------------------------------------------------------------------------------------


def test_a_look_up_reads_no_further_back_than_the_attempt(bench: Bench, x: FakeX) -> None:
    bench.send(bench.case.post("Lama."))
    next(iter(x.tweets.values()))["shown"]["created_at"] = "2026-01-01T00:00:00.000Z"
    outgoing, _ = bench.send(bench.case.post("Baru."))
    bench.adapter.find(outgoing)
    (seen,) = x.seen("find")
    start = datetime.fromisoformat(seen.query["start_time"])
    assert timedelta(0) <= datetime.now(UTC) - start < timedelta(minutes=15)


def test_who_we_are_is_asked_once(bench: Bench, x: FakeX) -> None:
    outgoing, _ = bench.send(bench.case.post("Satu."))
    bench.adapter.find(outgoing)
    bench.adapter.find(outgoing)
    assert len(x.seen("check")) == 1


def test_images_are_uploaded_once_while_x_remembers_them(bench: Bench, x: FakeX) -> None:
    post = bench.case.post("Foto.", images=(bench.image(1, "Satu"),))
    outgoing = bench.prepare(bench.outgoing(post))
    bench.now += timedelta(hours=20)
    assert bench.prepare(outgoing).prepared == outgoing.prepared
    bench.now += timedelta(hours=4)
    assert bench.prepare(outgoing).prepared != outgoing.prepared
    assert len(x.media) == 2


# --- videos -----------------------------------------------------------------------------------


def film_of(bench: Bench) -> Post:
    return replace(bench.case.post("Loket."), videos=(bench.video("Petugas membuka loket"),))


def test_a_video_goes_up_in_pieces_and_waits_until_x_is_done(
    bench: Bench, x: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosspost.adapters.x_api.PIECE", 40_000)
    x.slow_videos = 3
    outgoing, _ = bench.send(film_of(bench))
    (video,) = x.videos.values()
    assert len(video["pieces"]) == 3
    assert video["asked"] == 4, "what is being worked on is asked about, and not sent again"
    bench.now += timedelta(hours=20)
    assert bench.prepare(outgoing).prepared == outgoing.prepared
    assert video["asked"] == 4, "what is ready is not asked about again"


def test_a_video_that_x_cannot_show_is_the_videos_fault(bench: Bench, x: FakeX) -> None:
    x.bad_videos = True
    error = refused(bench, lambda: bench.send(film_of(bench)))
    assert isinstance(error, MediaRejected)
    assert "InvalidMedia" in str(error)


def test_a_video_that_x_has_forgotten_is_sent_again(bench: Bench, x: FakeX) -> None:
    outgoing = bench.outgoing(film_of(bench))
    wait = refused(bench, lambda: bench.adapter.prepare(outgoing))
    assert isinstance(wait, MediaProcessing)
    x.videos.clear()
    bench.prepare(replace(outgoing, prepared=wait.prepared))
    assert len(x.videos) == 1


def test_a_video_can_be_signed_by_oauth_1(tmp_path: Path) -> None:
    with SignedX() as x:
        bench = Bench(SignedCase(), x, tmp_path)
        bench.send(film_of(bench))
        assert [digest for _, digest in x.posts[0].images] == [bench.video("-").sha256]


# --- errors -----------------------------------------------------------------------------------


def test_the_platforms_more_special_errors_are_understood(tmp_path: Path) -> None:
    for (phase, status), (body, headers, expected) in XCase.more_bodies.items():
        with FakeX() as x:
            bench = Bench(XCase(), x, tmp_path)
            outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
            fail(x, status, body, phase, **headers)
            assert (
                type(refused(bench, lambda o=outgoing, b=bench: b.adapter.publish(o))) is expected
            )  # type: ignore[misc]


def test_a_duplicate_is_evidence_that_is_looked_up(bench: Bench, x: FakeX) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.")))
    x.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    again = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(again, DuplicateDetected)
    found = bench.adapter.find(outgoing)
    assert found is not None
    assert found.remote_id == x.posts[0].remote_id
    assert len(x.posts) == 1


def test_a_yes_with_only_errors_inside_is_in_doubt(bench: Bench, x: FakeX) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    fail(x, 200, {"errors": [{"message": "something", "title": "x"}]})
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)


def test_the_limit_of_the_day_is_told_from_that_of_the_quarter_hour(bench: Bench, x: FakeX) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    soon, late = (str(int((bench.now + timedelta(hours=h)).timestamp())) for h in (1, 9))
    limits = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": soon}
    fail(x, 429, no(429, "Too Many Requests"), **limits)
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RateLimited)
    assert error.until == datetime.fromtimestamp(int(soon), UTC)
    day = {"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": late}
    fail(x, 429, no(429, "Too Many Requests"), **limits, **day)
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert error.until == datetime.fromtimestamp(int(late), UTC)


def test_a_404_that_is_not_x_speaking_of_the_post_is_no_deletion(bench: Bench, x: FakeX) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    fail(x, 404, no(404, "no such page"), on="delete")
    refused(bench, lambda: bench.adapter.delete(receipt))
    fail(x, 403, no(403, "You are not permitted to perform this action."), on="delete")
    assert isinstance(refused(bench, lambda: bench.adapter.delete(receipt)), PermissionDenied)
    assert TOKEN not in repr(receipt)
