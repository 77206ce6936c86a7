"""What is Instagram's own, and that of posts in two steps, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from case_instagram import ACCOUNT, TOKEN, FakeInstagram, InstagramCase
from graph_platform import no
from one_video import one_video
from pydantic import SecretStr

from crosspost.adapters import Context
from crosspost.adapters.instagram import InstagramAdapter, InstagramSettings
from crosspost.errors import (
    ConfigError,
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    NotSupported,
    PermissionDenied,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Outgoing
from crosspost.testing.case import Bench, stored
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform


@pytest.fixture
def instagram() -> Iterator[FakeInstagram]:
    with FakeInstagram() as platform:
        yield platform


@pytest.fixture
def bench(instagram: FakeInstagram, tmp_path: Path) -> Bench:
    return Bench(InstagramCase(), instagram, tmp_path)


def fail(platform: Platform, status: int, body: Any, on: str) -> None:
    platform.fault(f"status:{status}", on=on, body=json.dumps(body).encode())


def waiting(bench: Bench, outgoing: Outgoing) -> Outgoing:
    """`outgoing` after a `prepare` that says that the platform is still at work."""
    with pytest.raises(MediaProcessing) as wait:
        bench.adapter.prepare(outgoing)
    return replace(outgoing, prepared=stored(wait.value.prepared))


# --- the office's pages -----------------------------------------------------------------------


def test_without_pages_of_the_office_the_channel_cannot_be_opened() -> None:
    settings = InstagramSettings(access_token=SecretStr(TOKEN), account_id=ACCOUNT)
    with pytest.raises(ConfigError, match=r"\[site\]"):
        InstagramAdapter(settings, Context(channel="instagram"))


def test_images_are_public_only_while_they_are_fetched(
    bench: Bench, instagram: FakeInstagram
) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Dua foto.", images=images)))
    assert instagram.lent == sorted(f"under-test-{image.filename}" for image in images)
    bench.prepare(outgoing)
    assert instagram.lent == []


def test_an_image_that_cannot_be_put_onto_the_pages_was_not_sent(
    bench: Bench, instagram: FakeInstagram
) -> None:
    (instagram.folder / "public").write_text("not a folder")
    outgoing = bench.outgoing(bench.case.post("Foto."))
    error = refused(bench, lambda: bench.prepare(outgoing))
    assert isinstance(error, RetryLater)
    assert error.sent is False
    assert instagram.requests == []


def test_a_post_without_image_is_refused_without_a_call(
    bench: Bench, instagram: FakeInstagram
) -> None:
    outgoing = bench.outgoing(replace(bench.case.post("Teks saja."), images=()))
    assert isinstance(refused(bench, lambda: bench.prepare(outgoing)), NotSupported)
    assert instagram.requests == []


def test_a_video_becomes_a_reel_and_is_public_only_while_it_is_fetched(
    bench: Bench, instagram: FakeInstagram
) -> None:
    post = replace(bench.case.post("Rekaman."), videos=(one_video(),))
    outgoing = waiting(bench, bench.outgoing(post))
    assert instagram.lent == [f"under-test-{one_video().filename}"]
    _, receipt = bench.send(post)
    assert outgoing.prepared["children"] == []
    (posted,) = instagram.published.values()
    assert (posted["kind"], posted["images"]) == ("REELS", (("", one_video().sha256),))
    assert bench.adapter.find(bench.prepare(outgoing)) == receipt
    assert instagram.lent == []


# --- containers -------------------------------------------------------------------------------


def test_polling_makes_no_second_container(bench: Bench, instagram: FakeInstagram) -> None:
    instagram.slow = 3
    bench.send(bench.case.post("Pelan."))
    made = [seen for seen in instagram.requests if seen.path.endswith("/media")]
    assert [seen.method for seen in made] == ["POST"]


def test_what_is_out_already_is_not_published_again(bench: Bench, instagram: FakeInstagram) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali.")))
    instagram.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    again = bench.prepare(outgoing)
    error = refused(bench, lambda: bench.adapter.publish(again))
    assert isinstance(error, DuplicateDetected)
    assert len(instagram.seen("publish")) == 1
    found = bench.adapter.find(again)
    assert found is not None
    assert found.remote_id == instagram.posts[0].remote_id


def test_a_container_that_is_published_but_not_listed_yet_is_no_absence(
    bench: Bench, instagram: FakeInstagram
) -> None:
    outgoing, _ = bench.send(bench.case.post("Baru saja."))
    instagram.published.clear()
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


@pytest.mark.parametrize("forgotten", [False, True])
def test_an_expired_container_is_made_anew(
    bench: Bench, instagram: FakeInstagram, forgotten: bool
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Kedaluwarsa.")))
    (old,) = instagram.containers
    instagram.containers[old]["state"] = "EXPIRED"
    if forgotten:
        del instagram.containers[old]
    again = bench.prepare(outgoing)
    assert again.prepared["container"] != old
    bench.adapter.publish(again)
    assert len(instagram.posts) == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Error: Media upload has failed with error code 2207052", MediaExpired),
        ("Error: Media upload has failed with error code 2207003", MediaExpired),
        ("Error: Media upload has failed with error code 2207026", MediaRejected),
        ("Error: nobody knows", MediaRejected),
    ],
)
def test_a_container_that_failed_says_why(
    bench: Bench, instagram: FakeInstagram, words: str, expected: type[Exception]
) -> None:
    instagram.broken = words
    outgoing = bench.outgoing(bench.case.post("Gagal."))
    error = refused(bench, lambda: bench.prepare(outgoing))
    assert type(error) is expected
    assert words in error.message


def test_images_that_expired_while_one_of_them_was_slow_are_given_again(
    bench: Bench, instagram: FakeInstagram
) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))
    outgoing = waiting(bench, bench.outgoing(bench.case.post("Dua.", images=images)))
    first = next(iter(instagram.containers))
    instagram.containers[first] |= {"state": "EXPIRED", "polls": 0}
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), MediaExpired)
    bench.prepare(replace(outgoing, prepared={}))


# --- rights -----------------------------------------------------------------------------------


def test_the_check_says_how_much_of_the_day_is_used(bench: Bench, instagram: FakeInstagram) -> None:
    account = bench.adapter.check()
    assert account.name == "@kejari.contoh"
    assert account.facts == {"posts in 24 hours": "3 of 100"}
    fail(instagram, 403, no(10, "instagram_content_publish is needed"), on="address")
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)
    fail(instagram, 500, no(2, "later"), on="address")
    assert bench.adapter.check().facts == {}


def test_deleting_is_only_for_a_channel_that_may(instagram: FakeInstagram, tmp_path: Path) -> None:
    class Deleting(InstagramCase):
        def options(self, platform: Platform) -> dict[str, Any]:
            return super().options(platform) | {"deletes": True}

    with pytest.raises(NotSupported):
        Bench(InstagramCase(), instagram, tmp_path).adapter.delete(
            Bench(InstagramCase(), instagram, tmp_path).send(InstagramCase().post("Satu."))[1]
        )
    bench = Bench(Deleting(), instagram, tmp_path)
    assert bench.adapter.capabilities.delete
    _, receipt = bench.send(bench.case.post("Dua."))
    bench.adapter.delete(receipt)
    bench.adapter.delete(receipt)
    assert bench.texts() == ["Satu."]
