"""Telegram: what each refusal means, what a receipt holds, and that the token never shows."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_telegram import TOKEN, FakeTelegram, TelegramCase, no
from pydantic import SecretStr, ValidationError

from crosspost.adapters.telegram import TelegramSettings
from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    NotSupported,
    PartialSuccess,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Receipt
from crosspost.testing.case import STALLED, Bench

LINK = "https://kejari.example/p/ab12cd34/"


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram() as platform:
        yield platform


@pytest.fixture
def bench(telegram: FakeTelegram, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(TelegramCase(), telegram, tmp_path)
    yield bench
    bench.adapter.close()


def answered(bench: Bench, telegram: FakeTelegram, status: int, body: Any) -> PlatformError:
    """The error of a publish call that is answered so."""
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    telegram.fault(f"status:{status}", body=json.dumps(body).encode())
    with pytest.raises(PlatformError) as caught:
        bench.adapter.publish(outgoing)
    return caught.value


def album(bench: Bench, number: int) -> Any:
    images = tuple(bench.image(10 * n, f"Gambar {n}") for n in range(number))
    return bench.case.post("Foto kegiatan.", images=images)


# --- what a refusal means ---------------------------------------------------------------------

REFUSALS = [
    (401, "Unauthorized", AuthRevoked),
    (404, "Not Found", AuthRevoked),
    (403, "Forbidden: bot was kicked from the channel chat", PermissionDenied),
    (403, "Forbidden: bot is not a member of the channel chat", PermissionDenied),
    (403, "Forbidden: the group chat was deleted", TargetGone),
    (400, "Bad Request: chat not found", TargetGone),
    (400, "Bad Request: not enough rights to send photos to the chat", PermissionDenied),
    (400, "Bad Request: have no rights to send a message", PermissionDenied),
    (
        400,
        "Bad Request: need administrator rights in the channel chat",
        PermissionDenied,
    ),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN", PermissionDenied),
    (400, "Bad Request: CHAT_ADMIN_REQUIRED", PermissionDenied),
    (400, "Bad Request: can't parse entities: unsupported start tag", RejectedContent),
    (400, "Bad Request: message is too long", RejectedContent),
    (400, "Bad Request: message caption is too long", RejectedContent),
    (400, "Bad Request: message to be replied not found", RejectedContent),
    (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", MediaRejected),
    (400, "Bad Request: IMAGE_PROCESS_FAILED", MediaRejected),
    (400, "Bad Request: wrong file identifier/HTTP URL specified", MediaRejected),
    (
        400,
        'Bad Request: failed to send message #1 with the error message "PHOTO_INVALID_DIMENSIONS"',
        MediaRejected,
    ),
    (
        400,
        'Bad Request: failed to send message #2 with the error message "Message was not sent"',
        PartialSuccess,
    ),
    (413, "Request Entity Too Large", MediaRejected),
    (429, "Too Many Requests: retry after 31", RateLimited),
    (500, "Internal Server Error", UnknownOutcome),
    (502, "Bad Gateway: chat not found", UnknownOutcome),
]


@pytest.mark.parametrize("http", ["as it is", "as 200"])
@pytest.mark.parametrize(("code", "words", "expected"), REFUSALS, ids=[r[1] for r in REFUSALS])
def test_a_refusal_is_understood_by_its_words(
    bench: Bench,
    telegram: FakeTelegram,
    code: int,
    words: str,
    expected: type[PlatformError],
    http: str,
) -> None:
    error = answered(bench, telegram, 200 if http == "as 200" else code, no(code, words))
    assert type(error) is expected
    assert words.split(": ", 1)[-1][:20] in str(error)
    assert error.status == code


@pytest.mark.parametrize(
    "body",
    [
        no(429, "Too Many Requests: retry after 31", retry_after=31),
        no(429, "Too Many Requests: retry after 31"),
        no(
            400,
            'Bad Request: failed to send message #1 with the error message "Too Many Requests: '
            'retry after 31"',
        ),
    ],
    ids=["parameters", "words", "inside another"],
)
def test_how_long_to_wait_is_read_wherever_it_stands(
    bench: Bench, telegram: FakeTelegram, body: dict[str, Any]
) -> None:
    error = answered(bench, telegram, body["error_code"], body)
    assert type(error) is RateLimited
    assert error.until == bench.now + timedelta(seconds=31)


@pytest.mark.parametrize("seconds", [10**12, -5, "soon", [], {}, None, True])
def test_a_silly_waiting_time_does_no_harm(
    bench: Bench, telegram: FakeTelegram, seconds: Any
) -> None:
    body = {**no(429, "Too Many Requests"), "parameters": {"retry_after": seconds}}
    error = answered(bench, telegram, 429, body)
    assert error.until is None or bench.now <= error.until <= bench.now + timedelta(hours=24)


def test_a_chat_that_moved_is_named_by_its_new_number(bench: Bench, telegram: FakeTelegram) -> None:
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    error = answered(bench, telegram, 400, no(400, words, migrate_to_chat_id=-1009876543210))
    assert type(error) is Misconfigured
    assert "chat_id = -1009876543210" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"ok": False},
        {"ok": False, "error_code": 200, "description": "?"},
        {"ok": False, "error_code": "400"},
        {"ok": True},
        {"ok": "true", "result": {"message_id": 5}},
        {"ok": True, "result": True},
        {"ok": True, "result": []},
        {"ok": True, "result": {"message_id": 0}},
        {"ok": True, "result": {"message_id": -1}},
        {"ok": True, "result": {"message_id": "x"}},
        {"ok": True, "result": [{"message_id": 5}, {}]},
    ],
    ids=json.dumps,
)
def test_an_answer_that_is_neither_yes_nor_no_is_in_doubt(
    bench: Bench, telegram: FakeTelegram, body: dict[str, Any]
) -> None:
    assert type(answered(bench, telegram, 200, body)) is UnknownOutcome


# --- what is sent -----------------------------------------------------------------------------


def test_a_text_shows_the_card_of_its_own_link_and_of_no_other(
    bench: Bench, telegram: FakeTelegram
) -> None:
    bench.send(bench.case.post("Selengkapnya", link=LINK))
    bench.send(bench.case.post("Tautan lain https://example.org/"))
    first, second = (seen.json for seen in telegram.seen("publish"))
    assert first["link_preview_options"] == {"url": LINK}
    assert second["link_preview_options"] == {"is_disabled": True}
    assert first["parse_mode"] == "HTML"


@pytest.mark.parametrize("number", [1, 2, 10])
def test_a_post_with_images_is_one_call_with_its_text_under_them(
    bench: Bench, telegram: FakeTelegram, number: int
) -> None:
    bench.send(album(bench, number))
    (seen,) = telegram.seen("publish")
    assert seen.path.endswith("/sendPhoto" if number == 1 else "/sendMediaGroup")
    assert bench.texts() == ["Foto kegiatan."]


def test_a_video_goes_up_with_its_shape_and_the_text_below_it(
    bench: Bench, telegram: FakeTelegram
) -> None:
    film = bench.video("Petugas membuka loket")
    outgoing, receipt = bench.send(replace(bench.case.post("Loket dibuka."), videos=(film,)))
    (seen,) = telegram.seen("publish")
    assert seen.path.endswith("/sendVideo")
    fields = {name: part.text for name, part in seen.parts.items() if not part.filename}
    shape = {"width": "1280", "height": "720", "duration": "9", "supports_streaming": "true"}
    assert shape.items() <= fields.items()
    better = replace(outgoing, post=replace(outgoing.post, text="Loket 4 dibuka."))
    bench.adapter.edit(receipt, better)
    assert bench.texts() == ["Loket 4 dibuka."]


def test_a_video_of_which_nothing_is_known_goes_up_without_a_shape(
    bench: Bench, telegram: FakeTelegram
) -> None:
    film = replace(bench.video("Loket"), width=0, height=0, milliseconds=0)
    bench.send(replace(bench.case.post("Loket."), videos=(film,)))
    (seen,) = telegram.seen("publish")
    assert not {"width", "height", "duration"} & set(seen.parts)


def test_a_video_that_is_only_to_be_sent_later_is_in_doubt(
    bench: Bench, telegram: FakeTelegram
) -> None:
    telegram.fault(
        "status_after:200", body=json.dumps({"ok": True, "result": {"message_id": 0}}).encode()
    )
    post = replace(bench.case.post("Loket."), videos=(bench.video("Loket"),))
    with pytest.raises(UnknownOutcome):
        bench.send(post)


def test_an_album_is_named_by_its_first_message_and_remembers_all(bench: Bench) -> None:
    _, receipt = bench.send(album(bench, 3))
    assert receipt.remote_id == "41"
    assert receipt.extra["message_ids"] == "41,42,43"
    assert receipt.permalink == "https://t.me/kejari_contoh/41"


def test_deleting_an_album_takes_every_message_of_it_back(
    bench: Bench, telegram: FakeTelegram
) -> None:
    _, receipt = bench.send(album(bench, 3))
    telegram.messages.pop(42)
    bench.adapter.delete(receipt)
    assert telegram.posts == []


def test_what_is_too_old_to_be_deleted_says_so(bench: Bench, telegram: FakeTelegram) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    body = json.dumps(no(400, "Bad Request: message can't be deleted for everyone")).encode()
    telegram.fault("status:400", on="delete", body=body)
    with pytest.raises(NotSupported, match="can't be deleted"):
        bench.adapter.delete(receipt)


def test_a_caption_is_edited_as_one(bench: Bench, telegram: FakeTelegram) -> None:
    outgoing, receipt = bench.send(album(bench, 2))
    better = replace(outgoing, post=replace(outgoing.post, text="Foto kegiatan kemarin."))
    assert bench.adapter.edit(receipt, better) == receipt
    assert bench.adapter.edit(receipt, better) == receipt  # it is so already
    assert bench.texts() == ["Foto kegiatan kemarin."]


def test_a_post_is_deleted_where_it_was_sent_even_if_the_channel_is_another_now(
    bench: Bench, telegram: FakeTelegram
) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    settings = bench.adapter.settings.model_copy(update={"chat_id": "@another"})
    type(bench.adapter)(settings, bench.adapter.context).delete(receipt)
    assert telegram.seen("delete")[0].json["chat_id"] == "-1001234567890"


@pytest.mark.parametrize(
    ("chat", "permalink"),
    [
        ({"id": -1001234567890, "username": "kejari"}, "https://t.me/kejari/7"),
        ({"id": -1001234567890}, "https://t.me/c/1234567890/7"),
        ({"id": 55}, ""),
        ({}, ""),
        (None, ""),
        ("odd", ""),
    ],
)
def test_a_permalink_is_given_where_there_is_one(
    bench: Bench, telegram: FakeTelegram, chat: Any, permalink: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    body = json.dumps({"ok": True, "result": {"message_id": 7, "chat": chat}}).encode()
    telegram.fault("status_after:200", body=body)
    receipt = bench.adapter.publish(outgoing)
    assert (receipt.remote_id, receipt.permalink) == ("7", permalink)


# --- check ------------------------------------------------------------------------------------


def test_check_names_channel_and_bot(bench: Bench) -> None:
    account = bench.adapter.check()
    assert (account.name, account.url) == ("@kejari_contoh", "https://t.me/kejari_contoh")
    assert set(account.facts.values()) == {"@kejari_bot", "-1001234567890"}
    assert account.warnings == ()


@pytest.mark.parametrize(
    "member",
    [
        {"status": "administrator", "can_post_messages": False},
        {"status": "administrator"},
        {"status": "member"},
        {"status": "left"},
        {"status": "kicked"},
    ],
)
def test_a_bot_that_may_not_post_is_told_before_the_first_post(
    bench: Bench, telegram: FakeTelegram, member: dict[str, Any]
) -> None:
    telegram.member = member
    with pytest.raises(PermissionDenied, match="Post messages"):
        bench.adapter.check()


def test_check_warns_of_a_private_channel(bench: Bench, telegram: FakeTelegram) -> None:
    del telegram.chat["username"]
    number = str(telegram.chat["id"])
    settings = bench.adapter.settings.model_copy(update={"chat_id": number})
    account = type(bench.adapter)(settings, bench.adapter.context).check()
    assert account.name == "Kejari Contoh"
    assert "private" in account.warnings[0]


def test_check_warns_of_a_group(bench: Bench, telegram: FakeTelegram) -> None:
    telegram.chat["type"], telegram.member = "supergroup", {"status": "member"}
    assert "not a channel" in bench.adapter.check().warnings[0]


# --- the token --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Length ": "x"}, {"no colon": "\r\nbroken header line"}],
    ids=["good", "odd name", "no colon"],
)
def test_the_token_in_the_address_is_in_no_log_line(
    bench: Bench,
    telegram: FakeTelegram,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.adapter.call_timeout = (5.0, STALLED)  # a broken head does not say where the body ends
    telegram.fault("status:400", headers=headers, body=b"no")
    with pytest.raises(PlatformError) as caught:
        bench.adapter.publish(outgoing)
    assert TOKEN not in caplog.text
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_the_token_is_in_no_traceback_of_a_broken_connection(
    bench: Bench, telegram: FakeTelegram
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    telegram.fault("reset_before")
    with pytest.raises(PlatformError) as caught:
        bench.adapter.publish(outgoing)
    error: BaseException | None = caught.value
    while error is not None:  # also where Python would not print it
        assert TOKEN not in f"{error!r} {error.args}"
        error = error.__cause__


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "chat"),
    [
        ("@kominfo_contoh", "@kominfo_contoh"),
        (-1001234567890, "-1001234567890"),
        (" @abcd ", "@abcd"),
    ],
)
def test_a_chat_is_a_name_or_a_number(written: Any, chat: str) -> None:
    assert TelegramSettings(bot_token=SecretStr(TOKEN), chat_id=written).chat_id == chat


@pytest.mark.parametrize(
    "written",
    ["kominfo", "https://t.me/kominfo", "", "@", "@a b", None, 1.5, "-100x", "@né_contoh"],
)
def test_what_is_no_chat_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError, match="begins with -100"):
        TelegramSettings(bot_token=SecretStr(TOKEN), chat_id=written)


@pytest.mark.parametrize("token", ["", "bot123:abc", "123", "123:a b", "123:abc\n", "123:a/../b"])
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ValidationError, match="BotFather") as caught:
        TelegramSettings(bot_token=SecretStr(token), chat_id="@kominfo")
    assert not token or token not in str(caught.value)


def test_a_receipt_of_nothing_but_a_number_can_be_deleted(
    bench: Bench, telegram: FakeTelegram
) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    bench.adapter.delete(Receipt(receipt.remote_id))
    assert telegram.posts == []
