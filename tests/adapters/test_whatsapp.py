"""What is WhatsApp's own, beyond the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_whatsapp import JUDGE, PHONE, RECIPIENT, TOKEN, FakeWhatsApp, WhatsAppCase
from graph_platform import no
from pydantic import SecretStr, ValidationError

from crosspost.adapters.whatsapp import TEMPLATE_ROOM, WhatsAppSettings
from crosspost.errors import (
    AuthRevoked,
    PartialSuccess,
    PlatformError,
    RateLimited,
    RejectedContent,
    UnknownOutcome,
)
from crosspost.founding import logs_in
from crosspost.rendering.whatsapp import one_line
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform, Reply, Seen

LIST = (RECIPIENT, "+6281234567891", "+6281234567892")
LINK = "https://kejari.example/p/ab12cd34/"


class ListCase(WhatsAppCase):
    def options(self, platform: Platform) -> dict[str, Any]:
        return super().options(platform) | {"recipients": list(LIST)}


class TemplateCase(WhatsAppCase):
    image = False

    def options(self, platform: Platform) -> dict[str, Any]:
        about = {"template": "pengumuman", "template_image": self.image}
        return super().options(platform) | about


class PictureCase(TemplateCase):
    image = True


@pytest.fixture
def whatsapp() -> Iterator[FakeWhatsApp]:
    with FakeWhatsApp() as platform:
        yield platform


@pytest.fixture
def bench(whatsapp: FakeWhatsApp, tmp_path: Path) -> Bench:
    return Bench(ListCase(), whatsapp, tmp_path)


def publishing(bench: Bench) -> PlatformError:
    """What an attempt to publish ends with."""
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    return refused(bench, lambda: bench.adapter.publish(outgoing))


# --- the list ---------------------------------------------------------------------------------


def test_everybody_on_the_list_gets_it(bench: Bench, whatsapp: FakeWhatsApp) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    assert [message["to"] for message in whatsapp.messages] == list(LIST)
    assert receipt.remote_id == whatsapp.messages[0]["id"]
    assert receipt.extra == {"recipients": "3"}


def test_who_cannot_be_reached_is_told_and_the_others_have_it(
    bench: Bench, whatsapp: FakeWhatsApp
) -> None:
    whatsapp.refusing[LIST[1]] = Reply(400, no(131026, "Message undeliverable"))
    error = publishing(bench)
    assert isinstance(error, PartialSuccess)
    assert "2 of 3" in error.message
    assert "+62…7891: Message undeliverable [131026]" in error.message
    assert LIST[1] not in str(error)
    assert [message["to"] for message in whatsapp.messages] == [LIST[0], LIST[2]]


def test_if_nobody_can_be_reached_it_is_a_clear_no(bench: Bench, whatsapp: FakeWhatsApp) -> None:
    for to in LIST:
        whatsapp.refusing[to] = Reply(400, no(131047, "Re-engagement message"))
    assert type(publishing(bench)) is RejectedContent
    for to in LIST:
        whatsapp.refusing[to] = Reply(400, no(131056, "Pair rate limit hit"))
    assert type(publishing(bench)) is RateLimited


def test_a_no_to_the_office_before_anybody_has_it_is_tried_again_as_a_whole(
    bench: Bench, whatsapp: FakeWhatsApp
) -> None:
    whatsapp.refusing[LIST[0]] = Reply(400, no(130429, "Rate limit hit"))
    assert type(publishing(bench)) is RateLimited
    assert whatsapp.messages == []


@pytest.mark.parametrize(
    "reply",
    [Reply(400, no(130429, "Rate limit hit")), Reply(500, no(2, "Service unavailable"))],
)
def test_what_goes_wrong_after_somebody_has_it_is_for_a_person(
    bench: Bench, whatsapp: FakeWhatsApp, reply: Reply
) -> None:
    whatsapp.refusing[LIST[1]] = reply
    error = publishing(bench)
    assert isinstance(error, PartialSuccess)
    assert "1 of 3" in error.message
    assert [message["to"] for message in whatsapp.messages] == [LIST[0]]


def test_a_first_message_that_is_unclear_is_in_doubt(bench: Bench, whatsapp: FakeWhatsApp) -> None:
    whatsapp.fault("reset_after")
    assert isinstance(publishing(bench), UnknownOutcome)
    assert len(whatsapp.messages) == 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (["0812 3456 7890"], "with its country"),
        (["+62 812", "humas@kejari.go.id"], "with its country"),
        (["+62 812-3456-7890", "+6281234567890"], "twice"),
        ([], "recipients"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(numbers: list[str], words: str) -> None:
    options = {"access_token": SecretStr("x"), "phone_number_id": PHONE, "recipients": numbers}
    with pytest.raises(ValidationError, match=words):
        WhatsAppSettings.model_validate(options)


def test_a_list_may_be_written_as_one_text_as_people_type_it() -> None:
    options = {"access_token": SecretStr("x"), "phone_number_id": int(PHONE)}
    typed = options | {"recipients": "+62 812 3456 7890, +62 812 3456 7891,"}
    assert WhatsAppSettings.model_validate(typed).recipients == LIST[:2]


def test_its_token_is_copied_and_no_browser_is_walked_through() -> None:
    assert not logs_in("whatsapp")
    assert logs_in("facebook")


# --- templates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("Judul\n\nIsi  dua\tspasi", "Judul • Isi dua spasi"),
        (" a \r\n b ", "a • b"),
        ("biasa saja", "biasa saja"),
    ],
)
def test_a_text_is_written_as_a_parameter_may_be(text: str, parameter: str) -> None:
    assert one_line(text) == parameter


def test_a_template_gets_the_text_in_its_place(whatsapp: FakeWhatsApp, tmp_path: Path) -> None:
    bench = Bench(TemplateCase(), whatsapp, tmp_path)
    assert bench.adapter.capabilities.max_images == 0
    assert bench.adapter.check().warnings == ()
    bench.send(bench.case.post("Judul\n\nIsi.", link=LINK))
    (message,) = whatsapp.messages
    assert message["template"]["name"] == "pengumuman"
    assert message["template"]["language"]["code"] == "id"
    assert whatsapp.posts[0].text == f"Judul • Isi. • {LINK}"


def test_a_template_with_an_image_begins_with_it(whatsapp: FakeWhatsApp, tmp_path: Path) -> None:
    bench = Bench(PictureCase(), whatsapp, tmp_path)
    can = bench.adapter.capabilities
    assert (can.max_images, can.needs_media, can.limit(1)) == (1, True, TEMPLATE_ROOM)
    image = bench.image(1, "Satu")
    bench.send(bench.case.post("Halo.", images=(image,)))
    assert whatsapp.posts[0].images == (("", image.sha256),)


def test_without_a_template_the_check_says_who_is_reached(bench: Bench) -> None:
    account = bench.adapter.check()
    assert account.name == "Kejari Contoh (+62 274 1234)"
    assert account.facts == {"recipients": "3", "quality": "GREEN"}
    (warning,) = account.warnings
    assert "24 hours" in warning


# --- the rest ---------------------------------------------------------------------------------


def test_an_image_is_uploaded_once_for_everybody(bench: Bench, whatsapp: FakeWhatsApp) -> None:
    post = bench.case.post("Foto.", images=(bench.image(1, "Satu"),))
    outgoing = bench.prepare(bench.outgoing(post))
    bench.now += timedelta(days=20)
    assert bench.prepare(outgoing).prepared == outgoing.prepared
    bench.adapter.publish(outgoing)
    assert len(whatsapp.media) == 1
    bench.now += timedelta(days=10)
    assert bench.prepare(outgoing).prepared != outgoing.prepared


def test_the_details_of_an_error_are_shown(bench: Bench, whatsapp: FakeWhatsApp) -> None:
    more = {"error_data": {"details": "Template name (x) does not exist in id"}}
    whatsapp.refusing[LIST[0]] = Reply(404, no(132001, "(#132001) Template", **more))
    assert "does not exist in id [132001]" in publishing(bench).message
    whatsapp.refusing[LIST[0]] = Reply(401, no(190, "expired"))
    error = publishing(bench)
    assert isinstance(error, AuthRevoked)
    assert TOKEN not in str(error)


def test_the_judge_sees_what_is_wrong_with_a_message() -> None:
    good = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": RECIPIENT}
    good |= {"type": "text", "text": {"body": "x"}}
    seen = Seen("POST", f"/v26.0/{PHONE}/messages", {}, {}, b"")
    assert JUDGE.of_request(seen, good) == ""
    assert JUDGE.of_request(seen, good | {"teks": 1}) == "no such field: teks"
    assert JUDGE.of_request(seen, {k: v for k, v in good.items() if k != "to"})
    assert JUDGE.of_request(replace(seen, path="/v26.0/x/messages"), good)
