"""What is Mastodon's own, beyond the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from case_mastodon import FakeMastodon, MastodonCase
from hypothesis import given
from hypothesis import strategies as st

from crosspost.adapters.likeness import Shown, skeleton
from crosspost.adapters.mastodon import MastodonAdapter
from crosspost.config import Config
from crosspost.errors import (
    AccountRestricted,
    DuplicateDetected,
    MediaProcessing,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
)
from crosspost.post import Video
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform

SITE = "https://kejari.example"
PAGE = f"{SITE}/p/ab12cd34/"


class WithSite(MastodonCase):
    """The same, for an office that has pages of its own."""

    def config(self, platform: Platform) -> Config:
        office = {"name": "Kejari", "zone": "Asia/Jakarta"}
        return Config.model_validate({"path": "x.toml", "office": office, "site": {"url": SITE}})


@pytest.fixture
def mastodon() -> Iterator[FakeMastodon]:
    with FakeMastodon() as platform:
        yield platform


@pytest.fixture
def bench(mastodon: FakeMastodon, tmp_path: Path) -> Bench:
    return Bench(MastodonCase(), mastodon, tmp_path)


@pytest.fixture
def with_site(mastodon: FakeMastodon, tmp_path: Path) -> Bench:
    return Bench(WithSite(), mastodon, tmp_path)


# --- videos ---


def test_a_video_goes_up_with_its_description_and_waits_until_the_server_is_done(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    mastodon.slow_media = 2
    data = b"a film of the counter"
    path = bench.folder / "film"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    film = Video(path, digest, "video/mp4", "Petugas membuka loket", len(data))
    bench.send(replace(bench.case.post("Loket 4 dibuka."), videos=(film,)))
    assert mastodon.posts[0].images == (("Petugas membuka loket", digest),)
    uploads = [seen for seen in mastodon.requests if seen.path == "/api/v2/media"]
    assert len(uploads) == 1, "what is being worked on is not sent again"
    assert uploads[0].parts["file"].mime == "video/mp4"


# --- length -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("👨‍👩‍👧‍👦", 1),
        ("e\u0301", 1),
        ("https://kejari.go.id/" + "x" * 200, 23),
        ("http://a.id", 23),
        ("Lihat https://kejari.go.id/a?b=c#d.", 6 + 23 + 1),
        ("(https://kejari.go.id/a)", 25),
        ("https://kejari.example/a?b=c#d", 30),  # no top-level domain: the server links it not
        ("@humas@social.example halo", 6 + 5),
        ("humas@kejari.example", 20),
        ("https://localhost/pengumuman", 28),
        ("kejari.example/tanpa-skema", 26),
        ("#Tilang", 7),
    ],
)
def test_length_is_counted_as_the_server_counts(text: str, length: int) -> None:
    assert MastodonAdapter.measure(text) == length


@given(st.text(), st.text())
def test_a_longer_text_never_measures_less_than_its_lines(first: str, second: str) -> None:
    def measure(text: str) -> int:
        return MastodonAdapter.measure(text)

    assert measure(f"{first}\n{second}") <= measure(first) + measure(second) + 1


def test_the_limit_is_the_servers_own_when_it_is_set(mastodon: FakeMastodon) -> None:
    options = {**MastodonCase().options(mastodon), "max_characters": 5000}
    adapter = MastodonAdapter(MastodonAdapter.Settings.model_validate(options), None)  # type: ignore[arg-type]
    assert adapter.capabilities.max_length == 5000
    assert MastodonAdapter.capabilities.max_length == 500


# --- what is sent -----------------------------------------------------------------------------


def test_a_status_is_json_and_always_says_visibility_language_and_key(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    outgoing, _ = bench.send(bench.case.post("Halo.", lang="id-ID"))
    (seen,) = mastodon.seen("publish")
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "status": "Halo.",
        "language": "id",
        "visibility": "public",
        "media_ids": [],
    }
    assert seen.headers["idempotency-key"] == outgoing.handle["key"]


def test_keys_differ_between_two_databases_that_count_from_one(bench: Bench) -> None:
    later = bench.now + timedelta(seconds=1)
    keys = {bench.adapter.new_handle("m-1-0", now)["key"] for now in (bench.now, later)}
    assert len(keys) == 2


def test_an_upload_that_is_still_processed_is_kept_and_polled(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    mastodon.slow_media = 3
    outgoing = bench.outgoing(bench.case.post("Gambar.", images=(bench.image(1, "Satu"),)))
    error = refused(bench, lambda: bench.adapter.prepare(outgoing))
    assert isinstance(error, MediaProcessing)
    assert error.prepared["media"] == list(mastodon.media)
    bench.adapter.publish(bench.prepare(replace(outgoing, prepared=error.prepared)))
    assert len(mastodon.media) == 1  # uploaded once
    assert len(mastodon.posts) == 1


def test_an_upload_that_the_server_has_forgotten_is_made_again(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("A", images=(bench.image(1, "a"),))))
    mastodon.media.clear()
    bench.adapter.publish(bench.prepare(outgoing))
    assert [alt for alt, _ in mastodon.posts[0].images] == ["a"]


def test_an_edit_keeps_the_images_that_it_names(bench: Bench, mastodon: FakeMastodon) -> None:
    images = (bench.image(1, "a"), bench.image(2, "b"))
    _, receipt = bench.send(bench.case.post("Salah", images=images))
    edit = bench.prepare(bench.outgoing(bench.case.post("Betul", images=images)))
    bench.adapter.edit(receipt, edit)
    assert [alt for alt, _ in mastodon.posts[0].images] == ["a", "b"]


# --- check ------------------------------------------------------------------------------------


def test_check_warns_when_the_server_takes_less_than_we_believe(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    assert bench.adapter.check().warnings == ()
    mastodon.max_characters = 300
    (warning,) = bench.adapter.check().warnings
    assert "300" in warning


def test_check_does_without_the_limits_when_the_server_does_not_tell(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    mastodon.max_characters = "many"  # type: ignore[assignment]
    assert bench.adapter.check().facts == {}


# --- evidence ---------------------------------------------------------------------------------


def age(mastodon: FakeMastodon, name: str, by: timedelta) -> None:
    mastodon.statuses[name]["at"] -= by


def test_the_same_words_of_last_week_are_not_this_post(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    _, old = bench.send(bench.case.post("Besok libur."))
    age(mastodon, old.remote_id, timedelta(days=7))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Besok libur.")))
    assert bench.adapter.find(outgoing) is None


def test_a_link_that_other_announcements_have_too_is_no_evidence(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    bench.send(bench.case.post("Jadwal Senin", link=SITE))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Jadwal Selasa", link=SITE)))
    assert bench.adapter.find(outgoing) is None


def test_the_page_of_the_revision_is_evidence_though_the_server_changed_the_text(
    with_site: Bench, mastodon: FakeMastodon
) -> None:
    outgoing, receipt = with_site.send(with_site.case.post("Harga 5 < 6 :-)", link=PAGE))
    mastodon.statuses[receipt.remote_id]["text"] = f"Harga ☺ {PAGE}"
    assert with_site.adapter.find(outgoing) == receipt


def test_parts_that_have_one_page_are_told_apart_by_what_they_answer_to(with_site: Bench) -> None:
    _, first = with_site.send(with_site.case.post("Bagian 1", link=PAGE))
    second = with_site.outgoing(with_site.case.post("Bagian 2", link=PAGE), parent=first)
    assert with_site.adapter.find(with_site.prepare(second)) is None


def test_our_clock_may_be_ahead_of_the_servers(bench: Bench, mastodon: FakeMastodon) -> None:
    bench.now += timedelta(hours=1)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    mastodon.fault("reset_after")
    refused(bench, lambda: bench.adapter.publish(outgoing))
    with_date = mastodon.answer

    def dated(seen):  # type: ignore[no-untyped-def]
        reply = with_date(seen)
        reply.headers["Date"] = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return reply

    mastodon.answer = dated  # type: ignore[method-assign]
    assert bench.adapter.find(outgoing) is not None


def test_a_busy_account_is_read_page_by_page(bench: Bench, mastodon: FakeMastodon) -> None:
    outgoing, receipt = bench.send(bench.case.post("Yang pertama."))
    for number in range(95):
        bench.send(bench.case.post(f"Nomor {number}"))
    assert bench.adapter.find(outgoing) == receipt
    assert len(mastodon.seen("find")) == 3


def test_more_posts_than_can_be_read_are_no_evidence_of_absence(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    for number in range(210):
        bench.send(bench.case.post(f"Nomor {number}"))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Yang dicari.")))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>Satu<br>dua</p><p>tiga</p>", "Satu dua tiga"),
        ("<p>A &amp; B &lt;b&gt; &quot;c&quot;</p>", 'A & B <b> "c"'),
        ('<a href="https://a.id/b">a.id/…</a> x', "https://a.id/b x"),
        ('<a href="https://s/tags/x" class="mention hashtag">#<span>x</span></a>', "#x"),
        ('<a class="u-url mention" href="https://s/@humas">@<span>humas</span></a>', "@humas"),
        ("<em>bintang</em>", "*bintang*"),
    ],
)
def test_the_text_is_recognised_in_the_html_of_any_server(content: str, text: str) -> None:
    assert skeleton(Shown(content).text) == skeleton(text)


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (422, "Validation failed: Text can't be blank", RejectedContent),
        (422, "Media 1 not found or already attached to another post", DuplicateDetected),
        (400, "media with ID 01 already attached to a status", DuplicateDetected),
        (400, "status exceeds maximum of 5000 characters", RejectedContent),
        (422, "media validation: not_ready", MediaProcessing),
        (403, "Your account is currently suspended", AccountRestricted),
        (403, "Your login is missing a confirmed e-mail address", AccountRestricted),
        (403, "This action is not allowed", PermissionDenied),
    ],
)
def test_a_refusal_is_understood_by_its_words(
    bench: Bench, mastodon: FakeMastodon, status: int, words: str, expected: type[Exception]
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    mastodon.fault(f"status:{status}", body=f'{{"error": "{words}"}}'.encode())
    assert type(refused(bench, lambda: bench.adapter.publish(outgoing))) is expected


def test_a_limit_is_waited_for_until_the_iso_time_of_its_header(
    bench: Bench, mastodon: FakeMastodon
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    reset = (bench.now + timedelta(minutes=3)).replace(microsecond=0)
    headers = {"X-RateLimit-Reset": reset.isoformat(), "X-RateLimit-Remaining": "0"}
    mastodon.fault("status:429", headers=headers)
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RateLimited)
    assert error.until == reset
