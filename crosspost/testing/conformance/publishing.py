"""What arrives: texts, links, images, videos, threads; and what is prepared before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crosspost.errors import (
    MediaRejected,
    RejectedContent,
    UnknownOutcome,
)
from crosspost.testing.case import Bench, stored
from crosspost.testing.conformance.suite import (
    LINK,
    TEXTS,
    UNCLEAR,
    needs,
    refused,
)

# --- publish --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_as_it_was_sent(bench: Bench, text: str) -> None:
    _, receipt = bench.send(bench.case.post(text))
    assert bench.texts() == [bench.case.as_shown(text)]
    assert receipt.remote_id == bench.platform.posts[0].remote_id


def test_a_receipt_can_be_stored_and_points_to_the_post(bench: Bench) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    assert receipt.remote_id
    assert isinstance(receipt.remote_id, str)
    assert stored(receipt.extra) == dict(receipt.extra)
    assert receipt.permalink.startswith(("https://", "http://")) is bench.case.has_permalink


def test_a_link_is_shown(bench: Bench) -> None:
    bench.send(bench.case.post("Selengkapnya:", link=LINK))
    assert LINK in bench.platform.posts[0].text
    assert bench.platform.posts[0].link == (LINK if bench.case.shows_link else "")


@needs("limit")
def test_the_longest_text_is_taken_and_a_longer_one_refused(bench: Bench) -> None:
    limit = bench.adapter.capabilities.max_length or 0
    longest = bench.case.unit_text * limit
    assert bench.adapter.measure(longest) == limit
    bench.send(bench.case.post(longest))
    assert bench.texts() == [longest]
    longer = bench.case.post(longest + bench.case.unit_text)
    assert isinstance(refused(bench, lambda: bench.send(longer)), RejectedContent)


def test_nothing_measures_nothing(bench: Bench) -> None:
    assert bench.adapter.measure("") == 0


@needs("images")
@pytest.mark.parametrize("count", [1, 2, None], ids=["one", "two", "as many as it takes"])
def test_images_arrive_intact_and_in_order_with_their_alt_texts(
    bench: Bench, count: int | None
) -> None:
    can = bench.adapter.capabilities
    number = min(count or can.max_images, can.max_images)
    images = tuple(bench.image(20 * i, f'Gambar {i} “<&>" 👋🏽') for i in range(number))
    bench.send(bench.case.post("Dengan gambar.", images=images))
    (post,) = bench.platform.posts
    assert post.text == "Dengan gambar."
    alts = [image.alt if can.max_alt is not None else "" for image in images]
    assert list(post.images) == list(zip(alts, [image.sha256 for image in images], strict=True))


@needs("images")
def test_one_image_may_be_there_twice(bench: Bench) -> None:
    twice = (bench.image(9, "Pertama"), bench.image(9, "Kedua"))
    images = twice[: bench.adapter.capabilities.max_images]
    bench.send(bench.case.post("Dua kali.", images=images))
    assert [digest for _, digest in bench.platform.posts[0].images] == [i.sha256 for i in images]


@needs("images")
def test_an_image_that_cannot_be_read_stops_it_before_anything_is_public(bench: Bench) -> None:
    gone = replace(bench.image(9, "Hilang"), path=bench.folder / "gone")
    error = refused(bench, lambda: bench.send(bench.case.post("Teks.", images=(gone,))))
    assert error.sent is False
    assert not bench.platform.posts


@needs("videos")
def test_a_video_arrives_intact(bench: Bench) -> None:
    film = bench.video("Petugas melayani warga")
    bench.send(replace(bench.case.post("Dengan video."), images=(), videos=(film,)))
    (post,) = bench.platform.posts
    assert post.text == "Dengan video."
    assert [digest for _, digest in post.images] == [film.sha256]


@needs("videos")
def test_a_video_that_cannot_be_read_stops_it_before_anything_is_public(bench: Bench) -> None:
    gone = replace(bench.video("Hilang"), path=bench.folder / "gone")
    post = replace(bench.case.post("Teks."), images=(), videos=(gone,))
    assert refused(bench, lambda: bench.send(post)).sent is False
    assert not bench.platform.posts


@needs("threads")
def test_a_part_answers_to_the_one_before(bench: Bench) -> None:
    _, first = bench.send(bench.case.post("Bagian 1", link=LINK))
    bench.send(bench.case.post("Bagian 2", link=LINK), parent=first)
    assert [post.reply_to for post in bench.platform.posts] == ["", first.remote_id]


def test_handles_are_strings_and_differ_from_part_to_part(bench: Bench) -> None:
    first, second = (bench.adapter.new_handle(key, bench.now) for key in ("a-1-0", "a-1-1"))
    assert all(isinstance(value, str) for value in first.values())
    assert first != second or not first


@needs("http")
def test_publishing_is_one_request(bench: Bench) -> None:
    bench.send(bench.case.post("Halo."))
    assert len(bench.platform.seen("publish")) == 1


# --- prepare --------------------------------------------------------------------------------------


@needs("images")
def test_preparing_may_be_repeated_also_by_another_process(bench: Bench) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))[
        : bench.adapter.capabilities.max_images
    ]
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.", images=images)))
    bench.adapter.close()
    bench.adapter = bench.open()
    bench.adapter.publish(bench.prepare(outgoing))
    (post,) = bench.platform.posts
    assert [digest for _, digest in post.images] == [image.sha256 for image in images]


@needs("http", "uploads")
@pytest.mark.parametrize("fault", [*UNCLEAR, "status:413", "status:422"])
def test_an_upload_that_fails_is_no_post_and_can_be_repeated(bench: Bench, fault: str) -> None:
    outgoing = bench.outgoing(bench.case.post("Dengan gambar.", images=(bench.image(1, "Satu"),)))
    bench.spoil(fault, on="prepare")
    error = refused(bench, lambda: bench.prepare(outgoing))
    assert not isinstance(error, UnknownOutcome)
    assert not bench.platform.posts
    bench.adapter.publish(bench.prepare(outgoing))
    assert len(bench.platform.posts) == 1


@needs("http", "uploads")
def test_an_image_that_is_too_large_is_the_images_fault(bench: Bench) -> None:
    outgoing = bench.outgoing(bench.case.post("Besar.", images=(bench.image(1, "Satu"),)))
    bench.platform.fault("status:413", on="prepare")
    assert isinstance(refused(bench, lambda: bench.prepare(outgoing)), MediaRejected)
