"""Only what was approved, and never twice: tampering, crashes, a database that fails."""

from __future__ import annotations

import pytest
from desk import (
    claim,
    doing,
    kinds,
    later,
    moves_of,
    parts_of,
    scheduled,
    stored,
)
from PIL import Image as Picture
from scripted import send
from sqlalchemy import text

from crosspost import holds, media, outcomes, queue, video
from crosspost.errors import (
    DatabaseError,
    RateLimited,
)
from crosspost.lifecycle import Status
from crosspost.post import Post
from crosspost.queue import Stale
from crosspost.reconciler import look
from crosspost.tables import Delivery

# --- only what was approved -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE part SET payload = replace(payload, 'closed', 'open')",
        "UPDATE part SET payload = replace(payload, 'en', 'id')",
        "UPDATE part SET payload = 'not JSON'",
        "UPDATE part SET payload = '{\"text\": 1.5}'",
        "DELETE FROM part",
        "UPDATE delivery SET approved_digest = NULL",
        "UPDATE delivery SET approved_digest = 'f00'",
        "UPDATE revision SET salt = (SELECT leaf FROM ledger_entry LIMIT 1)",
        "UPDATE revision SET source = 'Letter 2'",
        "UPDATE revision SET urgency = 'urgent'",
        "UPDATE revision SET tags = '[\"other\"]'",
        "UPDATE revision SET texts = 'no JSON'",
        "UPDATE revision SET created_by = 'Budi'",
        "UPDATE delivery SET due_at = '2026-11-22 09:00:00.000000'",
        "UPDATE delivery SET wall = '2026-11-24T16:00:00'",
        "UPDATE delivery SET channel = 'alpha'",
        "UPDATE binding SET manifest = replace(manifest, '\"web\"', '\"alpha\"')",
        "UPDATE binding SET manifest = '[]'",
        "UPDATE binding SET manifest = 'x'",
        "DELETE FROM binding",
    ],
)
def test_what_is_not_as_approved_is_held_with_an_alarm(database, bench, platform, delivery, change):
    with database.write() as session:
        session.execute(text(change))
    send(bench, stored(database, delivery))
    found = stored(database, delivery)
    assert platform.public == []
    assert (found.status, found.approved_digest) == (Status.HELD, None)
    assert found.outcome == "not_as_approved"
    assert moves_of(database, delivery)[-1] == "alarmed"


@pytest.fixture
def with_image(database, config, tmp_path):
    """A claimed delivery with an image, and the image's file."""
    Picture.new("RGB", (8, 8), "red").save(tmp_path / "map.png")
    image = media.take_in(tmp_path / "map.png", "A map of the road", config.media)
    post = Post("Road closed", "en", images=(image,))
    return claim(database, posts=(post,)), image.path


def test_an_image_goes_out_as_it_was_approved(database, bench, platform, with_image):
    delivery, path = with_image
    send(bench, delivery)
    assert [image.path for image in platform.public[0].post.images] == [path]


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_an_image_that_is_not_the_approved_one_is_held(
    database, bench, platform, with_image, change
):
    delivery, path = with_image
    path.unlink()
    if change == "changed":
        Picture.new("RGB", (8, 8), "blue").save(path, "PNG")
    send(bench, delivery)
    assert platform.public == []
    assert stored(database, delivery).status is Status.HELD
    assert "An image file is missing" in stored(database, delivery).reason


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_a_video_that_is_not_the_approved_one_is_held(
    database, config, bench, platform, tmp_path, monkeypatch, change
):
    monkeypatch.setenv("PATH", str(tmp_path))  # a machine without ffprobe
    (tmp_path / "film.webm").write_bytes(b"\x1a\x45\xdf\xa3 a film")
    film = video.take_in(tmp_path / "film.webm", "A film of the road", config.media)
    delivery = claim(database, posts=(Post("Road closed", "en", videos=(film,)),))
    film.path.unlink()
    if change == "changed":
        film.path.write_bytes(b"\x1a\x45\xdf\xa3 another film")
    send(bench, delivery)
    assert platform.public == []
    assert stored(database, delivery).status is Status.HELD
    assert "A video file is missing" in stored(database, delivery).reason


def test_an_alarm_is_raised_again_after_an_approval_that_changed_nothing(
    database, bench, platform, delivery
):
    with database.write() as session:
        session.execute(text("UPDATE part SET payload = replace(payload, 'closed', 'open')"))
    send(bench, delivery)
    with database.write() as session:
        queue.approve(session, session.get_one(Delivery, delivery.id), doing())
        [again] = queue.claim(session, (), doing("daemon"))
    send(bench, again)
    assert platform.public == []
    assert stored(database, delivery).status is Status.HELD


# --- a crash between yes and store ----------------------------------------------------------------


def test_a_process_that_dies_after_the_yes_leads_to_no_second_post(
    database, bench, platform, clock, delivery, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(
            outcomes, "settle_part", lambda *_arguments, **_more: (_ for _ in ()).throw(SystemExit)
        )
        with pytest.raises(SystemExit):
            send(bench, delivery)
    assert stored(database, delivery).status is Status.PUBLISHING
    clock.time = later(5)
    with database.write() as session:
        [found] = outcomes.rescue(session, doing("next daemon", clock()))
    look(bench, found)
    assert len(platform.public) == 1
    assert stored(database, delivery).status is Status.PUBLISHED
    assert parts_of(database, delivery)[0].remote_id == "id-1"


def die(*_arguments) -> None:
    """The process ends here."""
    raise SystemExit


def failing(database, monkeypatch, times: int) -> None:
    """The database refuses so many of the writes that follow."""
    whole, left = database.write, [times]

    def write():
        if left[0]:
            left[0] -= 1
            raise DatabaseError("The disk is full; nothing was changed.")
        return whole()

    monkeypatch.setattr(database, "write", write)


def test_a_yes_that_cannot_be_stored_is_stored_as_soon_as_it_can_be(
    database, bench, platform, delivery, monkeypatch
):
    platform.publishes.append(
        lambda outgoing: failing(database, monkeypatch, 5) or platform.accept(outgoing)
    )
    send(bench, delivery)
    assert len(platform.public) == 1
    assert stored(database, delivery).status is Status.PUBLISHED


def test_a_daemon_that_must_end_before_it_could_store_the_yes_leaves_a_row_that_is_rescued(
    database, bench, platform, delivery, monkeypatch
):
    def accept(outgoing):
        failing(database, monkeypatch, 1)
        bench.stopping.set()
        return platform.accept(outgoing)

    platform.publishes.append(accept)
    with pytest.raises(DatabaseError):
        send(bench, delivery)
    assert stored(database, delivery).status is Status.PUBLISHING


def test_a_publisher_that_was_overtaken_changes_nothing(database, bench, platform, delivery):
    def overtaken(outgoing):
        with database.write() as session:
            outcomes.rescue(session, doing("other", later(1)))
            row = session.get_one(Delivery, delivery.id)
            outcomes.disprove(session, row, doing("other", later(1)))
            queue.claim(session, (), doing("other", later(1)))
        return platform.accept(outgoing)

    platform.publishes.append(overtaken)
    with pytest.raises(Stale):
        send(bench, delivery)
    found = stored(database, delivery)
    assert (found.status, found.fence) == (Status.PREPARING, 2)
    assert parts_of(database, delivery)[0].remote_id is None


def test_an_id_that_an_earlier_post_has_is_put_before_a_person(database, bench, platform):
    first = claim(database)
    send(bench, first)
    second = claim(database)
    platform.publishes.append(lambda _outgoing: platform.receipt(1))
    send(bench, second)
    found = stored(database, second)
    assert (found.status, stored(database, first).status) == (Status.REVIEW, Status.PUBLISHED)
    assert "id of an earlier post: id-1" in found.reason
    with database.read() as session:
        assert kinds(session, second)[-3:] == ["publishing", "doubted", "review_asked"]


def test_nothing_is_claimed_on_a_channel_that_the_platform_paused(
    database, bench, platform, delivery
):
    platform.publishes.append(RateLimited("No.", until=later(600)))
    send(bench, delivery)
    with database.write() as session:
        scheduled(session)
        assert queue.claim(session, (), doing("daemon", later(599))) == []


def test_a_hold_between_claim_and_first_byte_stops_the_post(
    database, bench, platform, clock, delivery
):
    def held_meanwhile(_outgoing):
        with database.write() as session:
            holds.hold(session, None, doing("Siti", note="Wrong figures."))
        return {}

    platform.prepares.append(held_meanwhile)
    send(bench, delivery)
    assert platform.public == []
    assert stored(database, delivery).status is Status.SCHEDULED
    with database.write() as session:
        assert queue.claim(session, (), doing("daemon", later(60))) == []
        holds.resume(session, None, doing("Siti", later(60)))
        assert queue.claim(session, (), doing("daemon", later(61)))
