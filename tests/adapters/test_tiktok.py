"""What is TikTok's own, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_tiktok import TOKEN, FakeTikTok, TikTokCase, said
from one_video import one_video

from crosspost.errors import (
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    NotSupported,
    PermissionDenied,
    PlatformError,
    QuotaExhausted,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Outgoing
from crosspost.testing.case import Bench, stored
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform


class DraftCase(TikTokCase):
    def options(self, platform: Platform) -> dict[str, Any]:
        return super().options(platform) | {"mode": "draft"}


@pytest.fixture
def tiktok() -> Iterator[FakeTikTok]:
    with FakeTikTok() as platform:
        yield platform


@pytest.fixture
def bench(tiktok: FakeTikTok, tmp_path: Path) -> Bench:
    return Bench(TikTokCase(), tiktok, tmp_path)


@pytest.fixture
def drafts(tiktok: FakeTikTok, tmp_path: Path) -> Bench:
    return Bench(DraftCase(), tiktok, tmp_path)


def waiting(bench: Bench, outgoing: Outgoing) -> Outgoing:
    """`outgoing` after a `prepare` that is not done yet."""
    with pytest.raises(MediaProcessing) as wait:
        bench.adapter.prepare(outgoing)
    return replace(outgoing, prepared=stored(wait.value.prepared))


# --- drafts and posts -------------------------------------------------------------------------


def test_a_draft_goes_into_the_inbox_and_its_caption_is_a_persons(
    drafts: Bench, tiktok: FakeTikTok
) -> None:
    assert drafts.adapter.check().facts == {"mode": "drafts, to be finished in the app"}
    outgoing, receipt = drafts.send(drafts.case.post("Keterangan."))
    (upload,) = tiktok.uploads.values()
    assert (upload["draft"], upload["title"]) == (True, "")
    assert upload["sha256"] == one_video().sha256
    assert drafts.open().find(outgoing) == receipt
    assert not [seen for seen in tiktok.requests if "creator_info" in seen.path]


def test_rights_are_asked_for_by_the_mode(bench: Bench, drafts: Bench) -> None:
    assert bench.adapter.scopes() == ("user.info.basic", "video.publish")  # type: ignore[attr-defined]
    assert drafts.adapter.scopes() == ("user.info.basic", "video.upload")  # type: ignore[attr-defined]


def test_what_tiktok_does_not_let_the_app_do_is_known_before_the_upload(
    bench: Bench, tiktok: FakeTikTok
) -> None:
    tiktok.privacy = ["SELF_ONLY"]  # type: ignore[misc]
    outgoing = bench.outgoing(bench.case.post("Halo."))
    error = refused(bench, lambda: bench.adapter.prepare(outgoing))
    assert isinstance(error, PermissionDenied)
    assert "SELF_ONLY" in error.message
    assert tiktok.uploads == {}


def test_a_video_longer_than_the_account_may_post_is_refused(
    bench: Bench, tiktok: FakeTikTok
) -> None:
    post = replace(bench.case.post("Halo."), videos=(replace(one_video(), milliseconds=300_001),))
    error = refused(bench, lambda: bench.adapter.prepare(bench.outgoing(post)))
    assert isinstance(error, MediaRejected)
    assert tiktok.uploads == {}


def test_a_post_without_video_is_refused_without_a_call(bench: Bench, tiktok: FakeTikTok) -> None:
    outgoing = bench.outgoing(replace(bench.case.post("Teks saja."), videos=()))
    assert isinstance(refused(bench, lambda: bench.prepare(outgoing)), NotSupported)
    assert tiktok.requests == []


# --- uploading --------------------------------------------------------------------------------


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosspost.adapters.tiktok.PIECE", 70_000)


@pytest.mark.usefixtures("small_pieces")
def test_all_but_the_last_piece_is_sent_before_publishing(bench: Bench, tiktok: FakeTikTok) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    (upload,) = tiktok.uploads.values()
    assert len(upload["body"]) == 210_000
    assert tiktok.posts == []
    bench.adapter.publish(outgoing)
    spans = [s.headers["content-range"] for s in tiktok.requests if s.method == "PUT"]
    assert spans == [
        "bytes 0-69999/300000",
        "bytes 70000-139999/300000",
        "bytes 140000-209999/300000",
        "bytes 210000-299999/300000",
    ]
    assert upload["sha256"] == one_video().sha256


@pytest.mark.usefixtures("small_pieces")
def test_an_upload_goes_on_where_it_was_broken_off(bench: Bench, tiktok: FakeTikTok) -> None:
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Halo.")))
    (upload,) = tiktok.uploads.values()
    upload["body"] = one_video().path.read_bytes()[:140_000]
    bench.adapter.publish(bench.prepare(outgoing))
    assert len(tiktok.uploads) == 1
    assert upload["sha256"] == one_video().sha256


def test_an_upload_that_tiktok_takes_no_longer_begins_again(
    bench: Bench, tiktok: FakeTikTok
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.now += timedelta(hours=1)
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), MediaExpired)
    bench.adapter.publish(bench.prepare(replace(outgoing, prepared={})))
    assert len(tiktok.posts) == 1


# --- evidence ---------------------------------------------------------------------------------


def test_a_video_that_tiktok_is_still_working_on_is_in_doubt_until_it_is_done(
    bench: Bench, tiktok: FakeTikTok
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    (upload,) = tiktok.uploads.values()
    upload["polls"] = 2
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)
    found = bench.adapter.find(outgoing)
    assert found is not None
    again = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(again, DuplicateDetected)
    assert len(tiktok.seen("publish")) == 1


def test_an_answer_that_got_lost_after_the_last_piece_is_doubt_not_failure(
    bench: Bench, tiktok: FakeTikTok
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    name = "/post/publish/status/fetch/"
    answer = tiktok.answer

    def lost(seen: Any) -> Any:
        whole = any(len(u["body"]) == u["size"] for u in tiktok.uploads.values())
        reply = answer(seen)
        if seen.path == name and whole:
            reply.status, reply.json = 401, said(code="access_token_invalid")
        return reply

    tiktok.answer = lost  # type: ignore[method-assign]
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)


@pytest.mark.parametrize(
    ("reason", "now", "later"),
    [
        ("duration_check_failed", MediaRejected, MediaRejected),
        ("spam_risk_text", RejectedContent, RejectedContent),
        ("internal", MediaExpired, MediaExpired),
        ("something new", MediaRejected, MediaRejected),
    ],
)
def test_what_tiktok_could_not_use_is_a_clear_no_with_its_reason(
    bench: Bench,
    tiktok: FakeTikTok,
    reason: str,
    now: type[PlatformError],
    later: type[PlatformError],
) -> None:
    tiktok.failing = reason
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert type(error) is now
    assert reason in error.message
    assert bench.adapter.find(outgoing) is None
    assert type(refused(bench, lambda: bench.adapter.prepare(outgoing))) is later


def test_without_the_number_of_bytes_nothing_is_evidence(bench: Bench, tiktok: FakeTikTok) -> None:
    tiktok.tells_bytes = False
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


# --- errors -----------------------------------------------------------------------------------


def test_an_error_in_a_200_is_what_it_says_and_the_day_is_waited_for(
    bench: Bench, tiktok: FakeTikTok
) -> None:
    body = json.dumps(said(code="spam_risk_too_many_pending_share")).encode()
    tiktok.fault("status:200", on="prepare", body=body)
    error = refused(bench, lambda: bench.prepare(bench.outgoing(bench.case.post("Halo."))))
    assert isinstance(error, QuotaExhausted)
    assert error.until == bench.now + timedelta(hours=24)
    assert TOKEN not in str(error)
