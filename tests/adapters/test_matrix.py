"""What is Matrix's own, beyond the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_matrix import TOKEN, USER, FakeMatrix, Formatted, MatrixCase, no
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crosspost.adapters.matrix import MatrixAdapter
from crosspost.errors import (
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Content, Post
from crosspost.rendering import render
from crosspost.rendering.matrix import edit_of, message_of
from crosspost.rendering.measure import utf8
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused


@pytest.fixture
def matrix() -> Iterator[FakeMatrix]:
    with FakeMatrix() as platform:
        yield platform


@pytest.fixture
def bench(matrix: FakeMatrix, tmp_path: Path) -> Bench:
    return Bench(MatrixCase(), matrix, tmp_path)


def rendered(body: str) -> Post:
    """A post of an announcement, as the office writes it."""
    content = Content(
        code="ab12cd34",
        revision=1,
        title="Jadwal & biaya",
        body=body,
        source="B-1/2026",
        link="https://kejari.example/?a=1&b=2",
        lang="id",
        urgency="normal",
    )
    (post,) = render(content, MatrixAdapter.capabilities, utf8)
    return post


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ["#humas:kejari.example", "abc", "!a b", "!a/b", "", "!"])
def test_only_an_internal_room_id_is_taken(matrix: FakeMatrix, room: str) -> None:
    options = {**MatrixCase().options(matrix), "room_id": room}
    with pytest.raises(ValidationError, match="begins with !"):
        MatrixAdapter.Settings.model_validate(options)


# --- what is sent -----------------------------------------------------------------------------


def test_a_message_is_put_under_its_key_with_our_mark_and_mentions_nobody(
    bench: Bench, matrix: FakeMatrix
) -> None:
    outgoing, receipt = bench.send(bench.case.post("Halo @room dan @humas:kejari.example"))
    (seen,) = matrix.seen("publish")
    key = outgoing.handle["key"]
    assert seen.method == "PUT"
    assert seen.path.endswith(f"/send/m.room.message/{key}")
    assert seen.json["crosspost.part"] == key
    assert seen.json["m.mentions"] == {}
    assert receipt.permalink == (
        "https://matrix.to/#/%21abcDEF123%3Akejari.example/%24event0?via=kejari.example"
    )


def test_the_formatted_text_says_the_same_with_its_marks_lines_and_links(
    bench: Bench, matrix: FakeMatrix
) -> None:
    post = rendered("**Tebal** dan `kode`\n\n- satu\n  - dua\n\n> kutipan\n\n[situs](https://a.id)")
    bench.send(post)
    (seen,) = matrix.seen("publish")
    html = seen.json["formatted_body"]
    assert Formatted(html).text == seen.json["body"]
    assert Formatted(html).links == ["https://a.id", "https://kejari.example/?a=1&b=2"]
    for tag in ("<b>Tebal</b>", "<code>kode</code>", "<blockquote>kutipan</blockquote>"):
        assert tag in html
    assert "&nbsp;" not in html
    assert "\n" not in html


@given(st.text(st.characters(exclude_categories=["C"], include_characters="\n")))
def test_whatever_the_text_its_html_says_the_same(text: str) -> None:
    post = MatrixCase().post(text)
    content = message_of(post)
    # at the start of a line, where HTML has them for spaces, no-break spaces come back as such
    plain = re.sub("(?m)^ *\u00a0*", lambda found: " " * len(found[0]), text)
    assert content["body"] == plain
    if "\u00a0" not in text:
        assert Formatted(content["formatted_body"]).text == text


@given(st.sampled_from(['"', "&", "<", "\n", "a", "é", "👋", "\\", " "]), st.integers(1, 5))
def test_no_event_is_ever_too_large(sign: str, width: int) -> None:
    text = (sign * width * 8000).encode()[:8000].decode("utf-8", "ignore")
    edit = edit_of("$" + "e" * 43, MatrixCase().post(text))
    assert len(json.dumps(edit, ensure_ascii=False).encode()) < 64_000


def test_an_image_is_an_event_with_the_text_as_its_caption(
    bench: Bench, matrix: FakeMatrix
) -> None:
    image = bench.image(7, "Loket")
    bench.send(bench.case.post("Foto kegiatan.", images=(image,)))
    (upload,) = matrix.seen("prepare")
    assert upload.headers["content-type"] == "image/jpeg"
    assert upload.query == {"filename": image.filename}
    (seen,) = matrix.seen("publish")
    assert seen.json["msgtype"] == "m.image"
    assert seen.json["filename"] == image.filename
    assert seen.json["info"] == {"mimetype": "image/jpeg", "w": 64, "h": 48, "size": image.size}


def test_an_edit_keeps_the_image_and_names_the_event(bench: Bench, matrix: FakeMatrix) -> None:
    images = (bench.image(7, "Loket"),)
    _, receipt = bench.send(bench.case.post("Salah", images=images))
    bench.adapter.edit(
        receipt, bench.prepare(bench.outgoing(bench.case.post("Betul", images=images)))
    )
    (post,) = matrix.posts
    assert (post.text, len(post.images)) == ("Betul", 1)


def test_a_post_can_be_edited_twice_with_one_handle(bench: Bench, matrix: FakeMatrix) -> None:
    outgoing, receipt = bench.send(bench.case.post("Satu"))
    for text in ("Dua", "Tiga"):
        bench.adapter.edit(receipt, replace(outgoing, post=bench.case.post(text)))
    assert bench.texts() == ["Tiga"]


# --- evidence ---------------------------------------------------------------------------------


def test_a_post_is_found_though_the_token_is_anothers_now(bench: Bench, matrix: FakeMatrix) -> None:
    outgoing, receipt = bench.send(bench.case.post("Sekali saja."))
    matrix.user = "@other:kejari.example"
    assert bench.open().find(outgoing) == receipt  # type: ignore[attr-defined]


def test_our_mark_in_somebody_elses_message_is_no_evidence(
    bench: Bench, matrix: FakeMatrix
) -> None:
    matrix.filters = False
    outgoing, _ = bench.send(bench.case.post("Diteruskan."))
    matrix.events[0]["sender"] = "@warga:kejari.example"
    assert bench.adapter.find(outgoing) is None


def test_the_same_words_of_a_minute_ago_are_not_this_post(bench: Bench) -> None:
    bench.send(bench.case.post("Besok libur."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Besok libur.")))
    assert bench.adapter.find(outgoing) is None


def test_without_a_known_sender_the_look_up_asks_who_we_are(bench: Bench) -> None:
    outgoing, receipt = bench.send(bench.case.post("Halo."))
    assert bench.open().find(replace(outgoing, prepared={})) == receipt


def test_the_room_is_read_page_by_page_and_no_further_back_than_needed(
    bench: Bench, matrix: FakeMatrix
) -> None:
    matrix.page_size = 3
    outgoing, receipt = bench.send(bench.case.post("Yang pertama."))
    for number in range(7):
        bench.send(bench.case.post(f"Nomor {number}"))
    assert bench.adapter.find(outgoing) == receipt
    assert len(matrix.seen("find")) == 3
    missing = bench.prepare(bench.outgoing(bench.case.post("Tidak ada.")))
    later = replace(missing, begun=bench.now + timedelta(hours=1))
    bench.now += timedelta(hours=1)
    asked = len(matrix.seen("find"))
    assert bench.adapter.find(later) is None
    assert len(matrix.seen("find")) == asked + 1


def test_more_messages_than_can_be_read_are_no_evidence_of_absence(
    bench: Bench, matrix: FakeMatrix
) -> None:
    matrix.page_size = 1
    for number in range(25):
        bench.send(bench.case.post(f"Nomor {number}"))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Yang dicari.")))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


def test_the_transaction_id_is_a_second_belt(bench: Bench, matrix: FakeMatrix) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.")))
    matrix.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    bench.adapter.publish(outgoing)
    assert bench.texts() == ["Sekali saja."]


# --- check ------------------------------------------------------------------------------------


def leave(matrix: FakeMatrix) -> None:
    matrix.state[f"m.room.member/{USER}"] = {"membership": "leave"}


def encrypt(matrix: FakeMatrix) -> None:
    matrix.state["m.room.encryption"] = {"algorithm": "m.megolm.v1.aes-sha2"}


def demote(matrix: FakeMatrix) -> None:
    matrix.state["m.room.power_levels"]["users"] = {}


def raise_the_default(matrix: FakeMatrix) -> None:
    matrix.state["m.room.power_levels"] = {"events_default": "50"}


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (leave, PermissionDenied, "not in the room"),
        (encrypt, Misconfigured, "encrypted"),
        (demote, PermissionDenied, "may not write"),
        (raise_the_default, PermissionDenied, "may not write"),
    ],
)
def test_check_says_why_nothing_could_be_posted(
    bench: Bench,
    matrix: FakeMatrix,
    trouble: Callable[[FakeMatrix], None],
    kind: type[PlatformError],
    words: str,
) -> None:
    trouble(matrix)
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, kind)
    assert words in str(error)


def test_who_made_a_room_may_write_in_it_where_the_version_gives_that(
    bench: Bench, matrix: FakeMatrix
) -> None:
    demote(matrix)
    create: dict[str, Any] = {"sender": USER, "content": {"room_version": "12"}}
    matrix.state["m.room.create"] = create
    assert bench.adapter.check().name == USER
    create["sender"] = "@admin:kejari.example"
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)
    create["content"]["additional_creators"] = [USER]
    assert bench.adapter.check().name == USER


def test_a_server_that_does_not_know_state_is_no_proof_that_a_room_is_open(
    bench: Bench, matrix: FakeMatrix
) -> None:
    matrix.unknown_state = "M_UNRECOGNIZED"
    assert isinstance(refused(bench, bench.adapter.check), Misconfigured)


def test_check_shows_the_room_and_warns_of_what_readers_or_images_will_miss(
    bench: Bench, matrix: FakeMatrix
) -> None:
    account = bench.adapter.check()
    assert account.facts == {"room": "Pengumuman Kejari"}
    assert account.warnings == ()
    matrix.state["m.room.join_rules"] = {"join_rule": "invite"}
    matrix.upload_limit = 1_000_000
    private, small = bench.adapter.check().warnings
    assert "not public" in private
    assert "1000000" in small


# --- delete -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "gone"), [("M_NOT_FOUND", True), ("M_UNRECOGNIZED", False)])
def test_only_a_server_that_knows_no_such_event_says_that_it_is_gone(
    bench: Bench, matrix: FakeMatrix, code: str, gone: bool
) -> None:
    _, receipt = bench.send(bench.case.post("Dihapus."))
    matrix.fault("status:404", on="delete", body=json.dumps(no(code)).encode())
    if gone:
        bench.adapter.delete(receipt)
    else:
        assert isinstance(refused(bench, lambda: bench.adapter.delete(receipt)), Misconfigured)


# --- errors -----------------------------------------------------------------------------------


def test_a_limit_is_waited_for_as_long_as_an_older_server_says_in_the_body(
    bench: Bench, matrix: FakeMatrix
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    body = json.dumps(no("M_LIMIT_EXCEEDED", "Too Many Requests", retry_after_ms=90_000))
    matrix.fault("status:429", body=body.encode())
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RateLimited)
    assert error.until == bench.now + timedelta(seconds=90)


def test_the_token_is_sent_in_a_header_and_never_in_an_address(
    bench: Bench, matrix: FakeMatrix
) -> None:
    bench.adapter.check()
    bench.send(bench.case.post("Halo.", images=(bench.image(1, "a"),)))
    assert all(TOKEN not in seen.path + str(seen.query) for seen in matrix.requests)
    assert {seen.headers["authorization"] for seen in matrix.requests} == {f"Bearer {TOKEN}"}
