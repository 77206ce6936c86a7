"""What is YouTube's own, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from case_youtube import TOKEN, FakeYouTube, YouTubeCase, no
from one_video import one_video

from crosspost.adapters.youtube import YouTubeAdapter
from crosspost.errors import (
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    NotSupported,
    PermissionDenied,
    QuotaExhausted,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Outgoing
from crosspost.testing.case import Bench, stored
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform, Reply, Seen


@pytest.fixture
def youtube() -> Iterator[FakeYouTube]:
    with FakeYouTube() as platform:
        yield platform


@pytest.fixture
def bench(youtube: FakeYouTube, tmp_path: Path) -> Bench:
    return Bench(YouTubeCase(), youtube, tmp_path)


def fail(platform: Platform, status: int, body: Any, on: str = "publish") -> None:
    platform.fault(f"status:{status}", on=on, body=json.dumps(body).encode())


def waiting(bench: Bench, outgoing: Outgoing) -> Outgoing:
    """`outgoing` after a `prepare` that is not done yet."""
    with pytest.raises(MediaProcessing) as wait:
        bench.adapter.prepare(outgoing)
    return replace(outgoing, prepared=stored(wait.value.prepared))


# --- uploading --------------------------------------------------------------------------------


def test_nothing_is_public_before_the_one_call_that_shows_it(
    bench: Bench, youtube: FakeYouTube
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Rekaman.")))
    (video,) = youtube.videos.values()
    assert video["status"]["privacyStatus"] == "private"
    assert video["sha256"] == one_video().sha256
    assert youtube.posts == []
    bench.adapter.publish(outgoing)
    assert len(youtube.posts) == 1


def test_a_session_is_on_record_before_a_byte_of_the_video_leaves(
    bench: Bench, youtube: FakeYouTube
) -> None:
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Rekaman.")))
    assert outgoing.prepared["session"]
    assert [seen.method for seen in youtube.seen("prepare")] == ["POST"]


def test_an_upload_goes_on_where_it_was_broken_off(
    bench: Bench, youtube: FakeYouTube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosspost.adapters.resumable.PIECE", 100_000)
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Rekaman.")))
    youtube.fault("reset_before", on="prepare")
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), RetryLater)
    (session,) = youtube.sessions.values()
    session["body"] = one_video().path.read_bytes()[:130_000]
    youtube.requests.clear()
    bench.adapter.publish(bench.prepare(outgoing))
    pieces = [seen for seen in youtube.seen("prepare") if seen.method == "PUT" and seen.body]
    spans = [seen.headers["content-range"] for seen in pieces]
    assert spans == ["bytes 130000-229999/300000", "bytes 230000-299999/300000"]
    assert len(youtube.sessions) == 1
    assert next(iter(youtube.videos.values()))["sha256"] == one_video().sha256


def test_a_long_upload_gives_others_their_turn(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosspost.adapters.resumable.PIECE", 50_000)
    monkeypatch.setattr("crosspost.adapters.resumable.PIECES", 2)
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Rekaman.")))
    for _ in range(2):
        outgoing = waiting(bench, outgoing)
        assert outgoing.prepared["session"]
    bench.adapter.publish(bench.prepare(outgoing))


def test_an_upload_whose_end_was_not_heard_of_makes_no_second_video(
    bench: Bench, youtube: FakeYouTube
) -> None:
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Rekaman.")))
    (name,) = youtube.sessions
    youtube.sessions[name]["body"] = one_video().path.read_bytes()
    youtube.sessions[name]["video"] = youtube._keep(youtube.sessions[name])
    bench.adapter.publish(bench.prepare(outgoing))
    assert len(youtube.videos) == 1


def test_a_session_that_is_forgotten_begins_again(bench: Bench, youtube: FakeYouTube) -> None:
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Rekaman.")))
    youtube.sessions.clear()
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), MediaExpired)


def test_a_video_that_somebody_deleted_is_uploaded_again(
    bench: Bench, youtube: FakeYouTube
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Rekaman.")))
    youtube.videos.clear()
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), MediaExpired)
    assert bench.adapter.find(outgoing) is None


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"uploadStatus": "rejected", "rejectionReason": "duplicate"}, "duplicate"),
        ({"uploadStatus": "failed", "failureReason": "codec"}, "codec"),
    ],
)
def test_a_video_that_youtube_does_not_take_says_why(
    bench: Bench, youtube: FakeYouTube, outcome: dict[str, str], words: str
) -> None:
    youtube.outcome = outcome  # type: ignore[misc]
    outgoing = bench.outgoing(bench.case.post("Rekaman."))
    error = refused(bench, lambda: bench.prepare(outgoing))
    assert isinstance(error, MediaRejected)
    assert words in error.message


def test_a_post_without_video_is_refused_without_a_call(bench: Bench, youtube: FakeYouTube) -> None:
    outgoing = bench.outgoing(replace(bench.case.post("Teks saja."), videos=()))
    assert isinstance(refused(bench, lambda: bench.prepare(outgoing)), NotSupported)
    assert youtube.requests == []


def test_the_token_does_not_follow_an_upload_to_another_host(
    bench: Bench, youtube: FakeYouTube
) -> None:
    class Store(Platform):
        def answer(self, seen: Seen) -> Reply:
            return Reply(404)

    with Store() as store:
        outgoing = bench.outgoing(bench.case.post("Rekaman."))
        outgoing = replace(outgoing, prepared={"session": f"{store.url}/upload"})
        refused(bench, lambda: bench.adapter.prepare(outgoing))
        (upload,) = store.requests
        assert TOKEN not in repr(upload.headers)


# --- showing it -------------------------------------------------------------------------------


def test_what_is_public_already_is_not_published_again(bench: Bench, youtube: FakeYouTube) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali.")))
    youtube.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    again = bench.prepare(outgoing)
    assert isinstance(refused(bench, lambda: bench.adapter.publish(again)), DuplicateDetected)
    assert len(youtube.seen("publish")) == 1


def test_an_app_that_google_has_not_verified_is_told_so(bench: Bench, youtube: FakeYouTube) -> None:
    youtube.verified = False
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Rekaman.")))
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, PermissionDenied)
    assert "YouTube Studio" in str(error)
    assert bench.adapter.find(outgoing) is None


def test_angle_brackets_which_youtube_refuses_are_shown_as_others(
    bench: Bench, youtube: FakeYouTube
) -> None:
    post = replace(bench.case.post("a < b"), title="Suhu > 30")
    bench.send(post)
    (video,) = youtube.videos.values()
    assert (video["snippet"]["title"], video["snippet"]["description"]) == ("Suhu › 30", "a ‹ b")
    assert YouTubeAdapter.measure(None, "a < b") == 7  # type: ignore[arg-type]


def test_an_edit_leaves_no_spare_video_behind(bench: Bench, youtube: FakeYouTube) -> None:
    _, receipt = bench.send(bench.case.post("Salah."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Betul.")))
    assert len(youtube.videos) == 2
    bench.adapter.edit(receipt, outgoing)
    assert list(youtube.videos) == [receipt.remote_id]


# --- errors -----------------------------------------------------------------------------------


def test_quotas_are_renewed_at_midnight_in_california(bench: Bench, youtube: FakeYouTube) -> None:
    bench.now = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # one o'clock at night there
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Rekaman.")))
    fail(youtube, 403, no(403, "quotaExceeded"))
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, QuotaExhausted)
    assert error.until == datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    bench.now = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)  # half past eleven at night, in summer
    fail(youtube, 403, no(403, "quotaExceeded"))
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert error.until == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)


def test_an_account_without_a_channel_is_told_so(bench: Bench, youtube: FakeYouTube) -> None:
    youtube.has_channel = False
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)
