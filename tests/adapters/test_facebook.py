"""What is Facebook's own, and the Graph API's, beyond the contract."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_facebook import PAGE, TOKEN, FacebookCase, FakeFacebook
from graph_platform import no
from pydantic import SecretStr

from crosspost.adapters.facebook import FacebookAdapter
from crosspost.errors import (
    AuthRevoked,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.testing.case import Bench, Case
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform
from crosspost.tokens import Token

LINK = "https://kejari.example/p/ab12cd34/"


@pytest.fixture
def facebook() -> Iterator[FakeFacebook]:
    with FakeFacebook() as platform:
        yield platform


@pytest.fixture
def bench(facebook: FakeFacebook, tmp_path: Path) -> Bench:
    return Bench(FacebookCase(), facebook, tmp_path)


def fail(platform: Platform, status: int, body: Any, on: str = "publish", **headers: str) -> None:
    platform.fault(f"status:{status}", on=on, body=json.dumps(body).encode(), headers=headers)


# --- the account ------------------------------------------------------------------------------


def test_the_check_names_the_page_and_when_the_token_ends(bench: Bench) -> None:
    account = bench.adapter.check()
    assert account.name == "Kejari Contoh"
    assert account.url == f"https://www.facebook.com/{PAGE}"
    assert account.facts == {"token ends": "2030-12-20"}
    assert account.warnings == ()


def test_a_persons_token_is_told_from_the_pages(bench: Bench, facebook: FakeFacebook) -> None:
    facebook.whose = "9999"
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, Misconfigured)
    assert "Kejari Contoh" in str(error)


def test_a_missing_permission_is_named(bench: Bench, facebook: FakeFacebook) -> None:
    facebook.scopes = ("pages_read_engagement",)
    (warning,) = bench.adapter.check().warnings
    assert "pages_manage_posts" in warning


def test_a_token_that_may_not_be_asked_about_is_no_fault(
    bench: Bench, facebook: FakeFacebook
) -> None:
    fail(facebook, 403, no(100, "You must provide an app access token"), on="address")
    account = bench.adapter.check()
    assert account.facts == {}
    assert account.warnings == ()


# --- the post ---------------------------------------------------------------------------------


def test_the_link_makes_the_card_and_photos_push_it_out(
    bench: Bench, facebook: FakeFacebook
) -> None:
    bench.send(bench.case.post("Dengan kartu.", link=LINK))
    bench.send(bench.case.post("Dengan foto.", link=LINK, images=(bench.image(1, "Satu"),)))
    assert [post.link for post in facebook.posts] == [LINK, ""]
    assert LINK in facebook.posts[1].text


def test_photos_are_uploaded_once_unless_facebook_has_forgotten_them(
    bench: Bench, facebook: FakeFacebook
) -> None:
    post = bench.case.post("Foto.", images=(bench.image(1, "Satu"), bench.image(2, "Dua")))
    outgoing = bench.prepare(bench.outgoing(post))
    assert bench.prepare(outgoing).prepared == outgoing.prepared
    first, second = outgoing.prepared["media"]  # type: ignore[misc]
    del facebook.photos[first]
    again = bench.prepare(outgoing).prepared["media"]
    assert again == [again[0], second]  # type: ignore[index]
    assert again[0] != first  # type: ignore[index]


def test_the_yes_counts_even_if_the_address_is_not_told(
    bench: Bench, facebook: FakeFacebook
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    fail(facebook, 500, no(2, "later"), on="address")
    receipt = bench.adapter.publish(outgoing)
    assert receipt.remote_id == facebook.posts[0].remote_id
    assert receipt.permalink == ""


def test_a_yes_with_an_error_inside_is_what_the_error_says(
    bench: Bench, facebook: FakeFacebook
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    fail(facebook, 200, no(190, "Error validating access token"))
    assert type(refused(bench, lambda: bench.adapter.publish(outgoing))) is AuthRevoked
    fail(facebook, 200, no(2, "Please retry"))
    assert type(refused(bench, lambda: bench.adapter.publish(outgoing))) is UnknownOutcome


def test_an_older_post_with_the_same_text_is_not_taken_for_this_one(bench: Bench) -> None:
    bench.send(bench.case.post("Kantor tutup."))
    bench.now += timedelta(minutes=10)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Kantor tutup.")))
    assert bench.adapter.find(outgoing) is None


def test_more_posts_than_can_be_read_are_no_evidence(
    bench: Bench, facebook: FakeFacebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FacebookAdapter, "page_size", 1)
    monkeypatch.setattr(FacebookAdapter, "pages", 2)
    outgoing, receipt = bench.send(bench.case.post("Yang dicari."))
    bench.send(bench.case.post("Lain."))
    assert bench.adapter.find(outgoing) == receipt
    bench.send(bench.case.post("Lain lagi."))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


# --- deleting and editing ---------------------------------------------------------------------


def test_gone_and_hidden_are_told_apart_when_deleting(bench: Bench, facebook: FakeFacebook) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    fail(facebook, 400, no(100, "does not exist, or missing permissions", 33), on="delete")
    assert isinstance(refused(bench, lambda: bench.adapter.delete(receipt)), TargetGone)
    assert facebook.posts
    bench.adapter.delete(receipt)
    bench.adapter.delete(receipt)
    facebook.revoked = True
    assert isinstance(refused(bench, lambda: bench.adapter.delete(receipt)), AuthRevoked)


def test_an_edit_that_was_not_done_is_no_success(bench: Bench, facebook: FakeFacebook) -> None:
    _, receipt = bench.send(bench.case.post("Salah."))
    outgoing = bench.outgoing(bench.case.post("Betul."))
    fail(facebook, 200, {"success": False}, on="edit")
    assert isinstance(refused(bench, lambda: bench.adapter.edit(receipt, outgoing)), Misconfigured)


# --- what the Graph API has of its own --------------------------------------------------------


def test_the_time_to_come_back_stands_in_the_business_limits_in_minutes(
    bench: Bench, facebook: FakeFacebook
) -> None:
    usage = {"123": [{"type": "pages", "estimated_time_to_regain_access": 19}], "9": [{}]}
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    fail(facebook, 400, no(80001, "too many"), **{"X-Business-Use-Case-Usage": "{broken"})
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RateLimited)
    assert error.until is None
    del usage["9"]
    fail(facebook, 400, no(32, "page"), **{"X-Business-Use-Case-Usage": json.dumps(usage)})
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert error.until == bench.now + timedelta(minutes=19)


@pytest.mark.parametrize("code", ["190", 190])
def test_a_code_may_come_as_text(bench: Bench, facebook: FakeFacebook, code: object) -> None:
    fail(facebook, 400, {"error": {"code": code, "message": "x"}}, on="check")
    assert isinstance(refused(bench, bench.adapter.check), AuthRevoked)


def test_metas_own_words_and_codes_are_shown(bench: Bench, facebook: FakeFacebook) -> None:
    more = {"error_user_msg": "Halaman ini perlu otorisasi."}
    fail(facebook, 403, no(200, "(#200)", 1404078, **more), on="check")
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, PermissionDenied)
    assert error.message == "Halaman ini perlu otorisasi. [200/1404078]"


def test_the_proof_of_the_app_goes_with_every_call_if_the_app_demands_it(
    facebook: FakeFacebook, tmp_path: Path
) -> None:
    class Proving(FacebookCase):
        def options(self, platform: Platform) -> dict[str, Any]:
            return super().options(platform) | {"app_secret": SecretStr("of the app")}

    case: Case = Proving()
    bench = Bench(case, facebook, tmp_path)
    bench.send(case.post("Halo.", images=(bench.image(1, "Satu"),)))
    proof = hmac.new(b"of the app", TOKEN.encode(), hashlib.sha256).hexdigest()
    assert {facebook.fields(seen)["appsecret_proof"] for seen in facebook.requests} == {proof}


# --- tokens -----------------------------------------------------------------------------------


def kept(bench: Bench, token: str) -> dict[str, str]:
    return Token(token, bench.adapter.of(), bench.now).kept()


def test_a_renewed_token_wins_and_a_new_one_in_the_settings_wins_over_it(
    bench: Bench, facebook: FakeFacebook
) -> None:
    facebook.token = "renewed"
    assert isinstance(refused(bench, bench.adapter.check), AuthRevoked)
    bench.vault = kept(bench, "renewed")
    assert bench.adapter.check().name
    bench.vault["of"] = "an earlier token of the settings"
    bench.adapter = bench.open()
    assert isinstance(refused(bench, bench.adapter.check), AuthRevoked)


def test_a_renewed_token_is_in_no_message(bench: Bench, facebook: FakeFacebook) -> None:
    bench.vault = kept(bench, "renewed-token-of-now")
    facebook.token = "renewed-token-of-now"
    fail(facebook, 400, no(190, "Bad token renewed-token-of-now"), on="check")
    assert "renewed-token-of-now" not in str(refused(bench, bench.adapter.check))
