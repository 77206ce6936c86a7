"""What is Threads' own, beyond the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from case_threads import TOKEN, FakeThreads, ThreadsCase
from one_video import one_video
from pydantic import SecretStr

from crosspost.adapters import Context
from crosspost.adapters.threads import ThreadsAdapter, ThreadsSettings
from crosspost.errors import MediaExpired, MediaRejected
from crosspost.rendering import measure
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused

LINK = "https://kejari.example/p/ab12cd34/"


@pytest.fixture
def threads() -> Iterator[FakeThreads]:
    with FakeThreads() as platform:
        yield platform


@pytest.fixture
def bench(threads: FakeThreads, tmp_path: Path) -> Bench:
    return Bench(ThreadsCase(), threads, tmp_path)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Halo, warga!", 12),
        ("👋", 4),
        ("👋🏽", 8),
        ("🇮🇩", 8),
        ("1️⃣", 7),
        ("1 # *", 5),
        ("é", 1),
        ("漢字", 2),
        ("𝒫", 2),
    ],
)
def test_an_emoji_counts_its_bytes(text: str, length: int) -> None:
    assert measure.threads(text) == length


def test_a_text_has_its_link_as_card_and_images_push_it_out(
    bench: Bench, threads: FakeThreads
) -> None:
    bench.send(bench.case.post("Kartu.", link=LINK))
    bench.send(bench.case.post("Foto.", link=LINK, images=(bench.image(1, "Satu"),)))
    assert [post.link for post in threads.posts] == [LINK, ""]


def test_a_video_takes_the_place_of_images_and_has_its_description(
    bench: Bench, threads: FakeThreads
) -> None:
    post = bench.case.post("Rekaman.", images=(bench.image(1, "Satu"),))
    bench.send(replace(post, videos=(one_video(),)))
    (posted,) = threads.published.values()
    assert posted["kind"] == "VIDEO"
    assert posted["images"] == ((one_video().alt, one_video().sha256),)


def test_who_may_answer_is_said_with_every_post(bench: Bench, threads: FakeThreads) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))
    bench.send(bench.case.post("Satu."))
    bench.send(bench.case.post("Dua.", images=images))
    made = [threads.fields(seen) for seen in threads.seen("prepare") if seen.method == "POST"]
    assert [fields.get("reply_control") for fields in made] == ["everyone", None, None, "everyone"]


def test_without_pages_of_the_office_it_is_a_channel_for_texts(threads: FakeThreads) -> None:
    settings = ThreadsSettings(base_url=threads.url, access_token=SecretStr(TOKEN))
    adapter = ThreadsAdapter(settings, Context())
    assert adapter.capabilities.max_images == adapter.capabilities.max_videos == 0
    (warning,) = adapter.check().warnings
    assert "[site]" in warning
    adapter.close()


def test_an_answer_is_looked_for_among_the_answers(bench: Bench, threads: FakeThreads) -> None:
    _, first = bench.send(bench.case.post("Bagian 1"))
    outgoing, second = bench.send(bench.case.post("Bagian 2"), parent=first)
    threads.requests.clear()
    assert bench.adapter.find(outgoing) == second
    assert [seen.path for seen in threads.seen("find")] == ["/v1.0/me/replies"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("FAILED_DOWNLOADING_IMAGE", MediaExpired),
        ("UNKNOWN", MediaExpired),
        ("INVALID_ASPEC_RATIO", MediaRejected),
    ],
)
def test_a_container_that_failed_says_why(
    bench: Bench, threads: FakeThreads, words: str, expected: type[Exception]
) -> None:
    threads.broken = words
    outgoing = bench.outgoing(bench.case.post("Gagal.", images=(bench.image(1, "Satu"),)))
    assert type(refused(bench, lambda: bench.prepare(outgoing))) is expected
