"""What is LinkedIn's own, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from case_linkedin import PAGE, TOKEN, FakeLinkedIn, LinkedInCase, no, shown
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from crosspost.adapters.linkedin import LinkedInAdapter, LinkedInSettings
from crosspost.errors import (
    DuplicateDetected,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Markup, Post
from crosspost.rendering import counted, in_markup, visible
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform, Reply, Seen

LINK = "https://kejari.example/p/ab12cd34/"


@pytest.fixture
def linkedin() -> Iterator[FakeLinkedIn]:
    with FakeLinkedIn() as platform:
        yield platform


@pytest.fixture
def bench(linkedin: FakeLinkedIn, tmp_path: Path) -> Bench:
    return Bench(LinkedInCase(), linkedin, tmp_path)


def fail(platform: Platform, status: int, body: Any, on: str = "publish", **headers: str) -> None:
    platform.fault(f"status:{status}", on=on, body=json.dumps(body).encode(), headers=headers)


# --- text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "commentary"),
    [
        ("Pasal 5 (ayat 2)", r"Pasal 5 \(ayat 2\)"),
        ("humas@kejari.go.id", r"humas\@kejari.go.id"),
        ("Pakai #TilangOnline ya", r"Pakai {hashtag|\#|TilangOnline} ya"),
        ("Nomor #1", r"Nomor \#1"),
        ("#dua_kata", r"{hashtag|\#|dua\_kata}"),
        ("{hashtag|#|x}", r"\{hashtag\|\#\|x\}"),
        ("C:\\data", r"C:\\data"),
    ],
)
def test_a_text_is_written_so_that_nothing_of_it_is_markup(text: str, commentary: str) -> None:
    assert in_markup(text, Markup.LITTLE_TEXT) == commentary
    assert shown(commentary) == text


@given(st.text(st.sampled_from("ab #1_*~(){}[]<>@|\\\n👋é")))
def test_whatever_the_text_readers_see_all_of_it(text: str) -> None:
    commentary = in_markup(text, Markup.LITTLE_TEXT)
    assert shown(commentary) == text
    assert visible(commentary, Markup.LITTLE_TEXT) == text


def test_escapes_count() -> None:
    counts = counted(in_markup("(a) 👋", Markup.LITTLE_TEXT), Markup.LITTLE_TEXT)
    assert LinkedInAdapter.measure(counts) == 8


# --- the post ---------------------------------------------------------------------------------


def test_the_card_is_made_of_what_we_say_of_the_link(bench: Bench, linkedin: FakeLinkedIn) -> None:
    bench.send(bench.case.post("Kartu.", link=LINK))
    (post,) = linkedin.feed.values()
    article = {"source": LINK, "title": "Pengumuman", "description": "Ringkasan pengumuman."}
    assert post["content"] == {"article": article}


def test_an_image_that_linkedin_has_forgotten_is_given_again(
    bench: Bench, linkedin: FakeLinkedIn
) -> None:
    post = bench.case.post("Foto.", images=(bench.image(1, "Satu"), bench.image(2, "Dua")))
    outgoing = bench.prepare(bench.outgoing(post))
    first, second = outgoing.prepared["media"]  # type: ignore[misc]
    del linkedin.images[first]
    again = bench.prepare(outgoing).prepared["media"]
    assert again[0] != first  # type: ignore[index]
    assert again[1] == second  # type: ignore[index]


def test_an_image_that_cannot_be_processed_is_the_images_fault(
    bench: Bench, linkedin: FakeLinkedIn
) -> None:
    outgoing = bench.outgoing(bench.case.post("Foto.", images=(bench.image(1, "Satu"),)))
    state = linkedin._state
    linkedin._state = lambda image: replace(  # type: ignore[method-assign]
        state(image), json={"status": "PROCESSING_FAILED"}
    )
    assert isinstance(refused(bench, lambda: bench.prepare(outgoing)), MediaRejected)


def test_the_token_does_not_follow_an_upload_to_another_host(
    linkedin: FakeLinkedIn, tmp_path: Path
) -> None:
    class Store(Platform):
        def answer(self, seen: Seen) -> Reply:
            return Reply(201)

    with Store() as store:
        make = linkedin._image

        def elsewhere(request: dict[str, str]) -> Reply:
            reply = make(request)
            reply.json["value"]["uploadUrl"] = f"{store.url}/put"
            return reply

        linkedin._image = elsewhere  # type: ignore[method-assign]
        bench = Bench(LinkedInCase(), linkedin, tmp_path)
        bench.prepare(bench.outgoing(bench.case.post("F.", images=(bench.image(1, "Satu"),))))
        (upload,) = store.requests
        assert TOKEN not in repr(upload.headers)


# --- videos -----------------------------------------------------------------------------------


def film_of(bench: Bench) -> Post:
    return replace(bench.case.post("Loket."), videos=(bench.video("Petugas membuka loket"),))


def test_a_video_goes_up_in_the_parts_that_linkedin_names(
    bench: Bench, linkedin: FakeLinkedIn
) -> None:
    linkedin.slow = 3
    bench.send(film_of(bench))
    (video,) = linkedin.images.values()
    assert len(video["parts"]) == 3
    (post,) = linkedin.feed.values()
    assert post["content"] == {"media": {"id": video["id"]}}


def test_a_video_that_cannot_be_processed_is_the_videos_fault(
    bench: Bench, linkedin: FakeLinkedIn
) -> None:
    linkedin._state = lambda image: Reply(  # type: ignore[method-assign]
        200, {"id": image["id"], "status": "PROCESSING_FAILED"}
    )
    error = refused(bench, lambda: bench.prepare(bench.outgoing(film_of(bench))))
    assert isinstance(error, MediaRejected)
    assert "the video" in str(error)


def test_a_part_that_linkedin_does_not_mark_is_no_yes(bench: Bench, linkedin: FakeLinkedIn) -> None:
    linkedin._part = lambda seen: Reply(200)  # type: ignore[method-assign]
    error = refused(bench, lambda: bench.prepare(bench.outgoing(film_of(bench))))
    assert isinstance(error, Misconfigured)
    assert not linkedin.feed


# --- the page ---------------------------------------------------------------------------------


def test_who_does_not_administer_the_page_is_told_so(bench: Bench, linkedin: FakeLinkedIn) -> None:
    assert bench.adapter.check().name == "Kejari Contoh"
    linkedin.role = "ANALYST"
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, PermissionDenied)
    assert "content admin" in str(error)


def test_the_check_does_without_the_pages_name(bench: Bench, linkedin: FakeLinkedIn) -> None:
    fail(linkedin, 403, no(403, "ACCESS_DENIED", "no"), on="name")
    assert bench.adapter.check().name == f"urn:li:organization:{PAGE}"


@pytest.mark.parametrize("version", ["2026-08", "202613", "v202608", "", 8])
def test_a_version_is_a_month(version: object) -> None:
    options = {"organization_id": PAGE, "access_token": SecretStr("x"), "version": version}
    with pytest.raises(ValidationError, match="year and a month"):
        LinkedInSettings.model_validate(options)


def test_numbers_may_be_written_as_numbers() -> None:
    options = {"organization_id": int(PAGE), "access_token": SecretStr("x"), "version": 202608}
    settings = LinkedInSettings.model_validate(options)
    assert (settings.organization_id, settings.version) == (PAGE, "202608")


# --- evidence and errors ----------------------------------------------------------------------


def test_a_duplicate_is_evidence_that_is_looked_up(bench: Bench, linkedin: FakeLinkedIn) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja. #Sekali")))
    linkedin.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    again = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(again, DuplicateDetected)
    assert "urn:li:share:" in again.message
    found = bench.adapter.find(outgoing)
    assert found is not None
    assert found.remote_id == linkedin.posts[0].remote_id


def test_a_yes_without_the_name_of_the_post_is_in_doubt(
    bench: Bench, linkedin: FakeLinkedIn
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    for name in ("", "urn:li:person:5", "5"):
        linkedin.fault("status_after:201", headers={"x-restli-id": name} if name else {})
        error = refused(bench, lambda: bench.adapter.publish(outgoing))
        assert isinstance(error, UnknownOutcome)
        linkedin.feed.clear()


def test_more_posts_than_can_be_read_are_no_evidence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LinkedInAdapter, "page_size", 1)
    monkeypatch.setattr(LinkedInAdapter, "pages", 2)
    outgoing, receipt = bench.send(bench.case.post("Yang dicari."))
    bench.send(bench.case.post("Lain."))
    assert bench.adapter.find(outgoing) == receipt
    bench.send(bench.case.post("Lain lagi."))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


def test_quotas_are_renewed_at_midnight_utc_unless_linkedin_says_otherwise(
    bench: Bench, linkedin: FakeLinkedIn
) -> None:
    bench.now = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    fail(linkedin, 429, no(429, "TOO_MANY_REQUESTS", "throttled"))
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RateLimited)
    assert error.until == datetime(2026, 11, 26, tzinfo=UTC)
    fail(linkedin, 429, no(429, "TOO_MANY_REQUESTS", "throttled"), **{"Retry-After": "60"})
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert error.until == bench.now + timedelta(minutes=1)
