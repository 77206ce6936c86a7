"""What is the webhook's own, beyond the contract."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from case_webhook import SECRET, FakeReceiver, WebhookCase
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from crosspost.adapters.webhook import WebhookSettings
from crosspost.errors import Misconfigured, UnknownOutcome
from crosspost.testing.case import Bench
from crosspost.testing.conformance import LINK, refused


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    with FakeReceiver() as platform:
        yield platform


@pytest.fixture
def bench(receiver: FakeReceiver, tmp_path: Path) -> Bench:
    return Bench(WebhookCase(), receiver, tmp_path)


def test_an_event_is_verified_by_the_library_of_the_specification(
    bench: Bench, receiver: FakeReceiver
) -> None:
    bench.send(bench.case.post("Halo 👋🏽", link=LINK, images=(bench.image(1, "Satu"),)))
    (seen,) = receiver.seen("publish")
    event = Webhook(SECRET).verify(seen.body, dict(seen.headers))
    assert event["type"] == "announcement.published"
    assert set(event) == {"type", "timestamp", "data"}
    assert set(event["data"]) == {
        *("code", "revision", "title", "html", "text", "summary", "source", "link", "lang"),
        *("urgency", "page", "images"),
    }
    (image,) = event["data"]["images"]
    assert set(image) == {
        *("alt", "mime", "sha256", "size", "width", "height", "filename", "content"),
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(seen.body.replace(b"Halo", b"Hoax"), dict(seen.headers))


def test_a_repeat_has_the_same_id_and_bytes_and_a_new_signature(
    bench: Bench, receiver: FakeReceiver
) -> None:
    outgoing, _ = bench.send(bench.case.post("Halo."))
    bench.now += timedelta(minutes=3)
    bench.open().publish(outgoing)
    first, second = receiver.seen("publish")
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_the_address_is_used_exactly_as_written(bench: Bench, receiver: FakeReceiver) -> None:
    bench.adapter.check()
    assert receiver.requests[0].path == "/hooks/office/"


def test_check_sends_a_ping_that_is_signed(bench: Bench, receiver: FakeReceiver) -> None:
    assert bench.adapter.check().name == "127.0.0.1"
    assert [seen.json["type"] for seen in receiver.requests] == ["crosspost.ping"]


@pytest.mark.parametrize("body", [b"", b"ok", b"{}", b"[1]", b'{"id": null, "url": 5}'])
def test_any_2xx_is_a_yes_and_without_a_name_the_event_id_is_it(
    bench: Bench, receiver: FakeReceiver, body: bytes
) -> None:
    receiver.fault("status_after:202", body=body)
    outgoing, receipt = bench.send(bench.case.post("Halo."))
    assert receipt.remote_id == outgoing.handle["id"]
    assert receipt.permalink == ""


def test_an_address_that_is_no_web_address_is_no_permalink(
    bench: Bench, receiver: FakeReceiver
) -> None:
    receiver.fault("status_after:200", body=b'{"id": 7, "url": "javascript:alert(1)"}')
    _, receipt = bench.send(bench.case.post("Halo."))
    assert (receipt.remote_id, receipt.permalink) == ("7", "")


def test_a_web_page_is_no_yes(bench: Bench, receiver: FakeReceiver) -> None:
    """A home page that takes POST, a parking page, a captive portal: all answer 200."""
    page = b" \n<!DOCTYPE html><title>Beranda</title>"
    receiver.fault("status_after:200", on="check", body=page)
    assert type(refused(bench, bench.adapter.check)) is Misconfigured
    receiver.fault("status_after:200", body=page)
    outgoing = bench.outgoing(bench.case.post("Halo."))
    assert type(refused(bench, lambda: bench.adapter.publish(outgoing))) is UnknownOutcome


def test_the_largest_event_is_below_two_and_a_half_megabytes(bench: Bench) -> None:
    can = bench.adapter.capabilities
    assert can.max_images * len(base64.b64encode(bytes(can.image_bytes))) < 2_200_000


def test_deleting_names_the_receivers_id(bench: Bench, receiver: FakeReceiver) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    bench.adapter.delete(receipt)
    (seen,) = receiver.seen("delete")
    assert seen.json["data"] == {"id": receipt.remote_id}


@pytest.mark.parametrize(
    "secret",
    ["plain words", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "MDEyMzQ1Njc4OWFiY2RlZg=="],
)
def test_a_secret_in_another_form_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        WebhookSettings.model_validate({"url": "https://a.example/", "secret": SecretStr(secret)})
    message = json.dumps([error["msg"] for error in caught.value.errors()])
    assert "openssl rand -base64 32" in message.replace("\\", "")
    assert secret == "whsec_" or secret not in message


@pytest.mark.parametrize("url", ["", "office.example/hook", "ftp://a/", "https://", "file:///etc"])
def test_an_address_that_cannot_be_a_hook_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="https://"):
        WebhookSettings.model_validate({"url": url, "secret": SecretStr(SECRET)})
