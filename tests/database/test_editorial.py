"""An act of a person is done whole or not at all, and never on what they did not see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import (
    NOW,
    config_in,
    doing,
    entry_count,
    kinds,
    later,
)
from drafted import DRAFT, OTHER, TOO_LATE, begin, bring, deliveries, refuse, statuses
from PIL import Image as Picture
from pydantic import SecretStr
from sqlmodel import select

from crosspost import approvals, editorial, queue, revisions
from crosspost.binding import content_values
from crosspost.config import Channel
from crosspost.errors import Conflict, ContentError, NotFound, TimeError
from crosspost.ledger.hashing import salted_digest
from crosspost.lifecycle import Status
from crosspost.post import Content
from crosspost.tables import Announcement, Approval, Delivery, Revision

# --- add ------------------------------------------------------------------------------------------


def test_an_announcement_is_queued_for_all_its_channels_and_recorded(database, config):
    made = editorial.add(database, config, DRAFT, doing(note="By order."))
    assert (made.announcement, made.revision, made.approved) == (1, 1, False)
    assert statuses(database) == {"alpha": Status.HELD, "beta": Status.HELD}
    with database.read() as session:
        assert kinds(session) == ["added", "queued", "queued"]
        revision = revisions.current_revision(session, 1)
        content = {
            "title": DRAFT.title,
            "body": DRAFT.body,
            "source": DRAFT.source,
            "link": DRAFT.link,
            "lang": "en",
            "urgency": "normal",
            "tags": [],
            "texts": {},
            "images": [],
            "videos": [],
        }
        assert revision.digest == salted_digest(revision.salt, content)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"body": "", "title": ""}, ContentError),
        ({"channels": ("alpha", "nowhere")}, NotFound),
        ({"link": "not an address"}, ContentError),
    ],
    ids=["no-text", "no-channel", "bad-link"],
)
def test_what_cannot_go_out_everywhere_is_queued_nowhere(database, config, change, error):
    with pytest.raises(error):
        editorial.add(database, config, replace(DRAFT, **change), doing())
    assert entry_count(database) == 0


def test_what_is_too_long_without_a_page_is_refused_with_what_helps(database, config):
    options = {"base_url": "https://social.example", "access_token": SecretStr("made-up")}
    social = Channel(name="social", platform="mastodon", options=options)
    office = config.model_copy(update={"channels": {**config.channels, "social": social}})
    long = replace(DRAFT, body="Word. " * 500, title="", link="", channels=("alpha", "social"))
    with pytest.raises(ContentError, match="On social the text has") as refused:
        editorial.add(database, office, long, doing())
    assert "--link" in refused.value.hint
    assert "Nothing was queued." in refused.value.hint
    whole = replace(long, title="A title", link="https://office.example/more")
    assert editorial.add(database, office, whole, doing()).announcement


def test_a_failure_half_way_leaves_nothing_queued(database, config, monkeypatch):
    whole = queue.enqueue

    def fail_at_the_second(session, revision, channel, *rest, **more):
        if channel == "beta":
            raise RuntimeError
        return whole(session, revision, channel, *rest, **more)

    monkeypatch.setattr(queue, "enqueue", fail_at_the_second)
    with pytest.raises(RuntimeError):
        editorial.add(database, config, DRAFT, doing())
    with database.read() as session:
        for table in (Announcement, Revision, Delivery):
            assert session.exec(select(table)).all() == []
    assert entry_count(database) == 0


def test_an_author_who_is_not_sure_queues_nothing(database, config):
    def no(rendered) -> None:
        assert set(rendered.posts) == {"alpha", "beta"}
        raise Conflict("Not now.")

    with pytest.raises(Conflict, match="Not now"):
        editorial.add(database, config, DRAFT, doing(), sure=no)
    assert entry_count(database) == 0


def test_an_office_without_a_second_look_approves_at_once(database, tmp_path):
    config = config_in(tmp_path, "alpha", "beta", approvals=0)
    assert editorial.add(database, config, DRAFT, doing("Budi")).approved is True
    assert set(statuses(database).values()) == {Status.SCHEDULED}
    with database.read() as session:
        assert session.exec(select(Approval)).all() == []  # nobody did, and nobody is said to


def test_an_urgent_one_may_be_a_day_late(database, config):
    editorial.add(database, config, replace(DRAFT, urgency="urgent"), doing())
    editorial.add(database, config, DRAFT, doing())
    assert deliveries(database, 1)["alpha"].not_after == later(hours=25)
    assert deliveries(database, 2)["alpha"].not_after == later(hours=3)


# --- edit -----------------------------------------------------------------------------------------


def edit(database, config, number, draft=OTHER, *, base=1, **more):
    return editorial.edit(
        database, config, number, draft, doing("Budi"), base=base, keep_images=True, **more
    )


def test_an_edit_makes_the_next_revision_and_takes_back_the_old_one(database, config, approved):
    made = edit(database, config, approved)
    assert (made.revision, made.approved) == (2, False)
    assert set(statuses(database).values()) == {Status.HELD}
    with database.read() as session:
        old, new = session.exec(select(Revision).order_by(Revision.number)).all()
        assert (old.body, new.body) == (DRAFT.body, OTHER.body)
        assert old.code != new.code
        assert {d.status for d in queue.deliveries_of(session, old)} == {Status.CANCELLED}
        assert kinds(session)[-5:] == ["cancelled", "cancelled", "edited", "queued", "queued"]


def test_an_edit_of_what_somebody_else_has_edited_is_refused(database, config, added):
    edit(database, config, added)
    entries = entry_count(database)
    with pytest.raises(Conflict, match="Somebody else has edited it meanwhile: revision 2"):
        edit(database, config, added, base=1)
    assert entry_count(database) == entries


def test_an_edit_that_was_overtaken_while_it_was_rendered_is_refused(database, config, added):
    def overtake(_rendered) -> None:
        edit(database, config, added, DRAFT)

    with pytest.raises(Conflict, match="Somebody else has edited it meanwhile"):
        edit(database, config, added, sure=overtake)
    with database.read() as session:
        assert revisions.current_revision(session, added).body == DRAFT.body


@pytest.mark.parametrize("steps", TOO_LATE.values(), ids=TOO_LATE)
def test_what_is_or_may_be_public_is_not_edited(database, config, approved, steps):
    bring(database, "alpha", *steps)
    entries, before = entry_count(database), statuses(database)
    with pytest.raises(Conflict, match="too late to edit") as caught:
        edit(database, config, approved)
    assert "alpha" in caught.value.problems[0]
    assert "beta" not in caught.value.problems[0]
    assert (entry_count(database), statuses(database)) == (entries, before)


def test_an_edit_that_came_too_late_while_it_was_rendered_is_refused(database, config, approved):
    with pytest.raises(Conflict, match="too late to edit"):
        edit(database, config, approved, sure=lambda _rendered: bring(database, "beta", begin))
    assert statuses(database) == {"alpha": Status.SCHEDULED, "beta": Status.PUBLISHING}


def test_what_failed_may_be_edited(database, config, approved):
    bring(database, "alpha", refuse)
    assert edit(database, config, approved).revision == 2


def test_images_stay_through_an_edit_when_they_are_kept(database, config, tmp_path):
    path = tmp_path / "map.png"
    Picture.new("RGB", (8, 8), "red").save(path)
    draft = replace(DRAFT, images=((path, "A map of the closed road"),))
    number = editorial.add(database, config, draft, doing()).announcement
    path.unlink()
    edit(database, config, number)
    with database.read() as session:
        revision = revisions.current_revision(session, number)
        [image] = revisions.images_of(session, config, revision)
        assert (image.alt, image.path.is_file()) == ("A map of the closed road", True)


def test_a_video_stays_through_an_edit_and_is_part_of_what_is_bound(
    database, config, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))  # a machine without ffprobe
    path = tmp_path / "clip.webm"
    path.write_bytes(b"\x1a\x45\xdf\xa3 a film of the closed road")
    draft = replace(DRAFT, videos=((path, "A film of the closed road"),))
    added = editorial.add(database, config, draft, doing())
    assert added.warnings == ("The video is not shown on: alpha, beta.",)
    edit(database, config, added.announcement)
    with database.read() as session:
        revision = editorial.current_revision(session, added.announcement)
        [video] = revisions.videos_of(session, config, revision)
    assert (video.alt, video.mime, video.path.is_file()) == (
        "A film of the closed road", "video/webm", True,
    )  # fmt: skip
    content = Content("c", 1, "", "", "", "", "en", "normal", videos=(video,))
    [bound] = content_values(content)["videos"]
    assert bound == {"sha256": video.sha256, "alt": "A film of the closed road"}


# --- approve --------------------------------------------------------------------------------------


def test_an_approval_schedules_every_channel_under_the_approver_s_name(database, config, added):
    approvals.approve(database, config, added, doing(), base=1)
    assert set(statuses(database).values()) == {Status.SCHEDULED}
    with database.read() as session:
        assert [(a.by, a.at) for a in session.exec(select(Approval))] == [("Siti", NOW)]


def test_an_approval_of_a_revision_that_was_not_seen_is_refused(database, config, added):
    edit(database, config, added)
    with pytest.raises(Conflict, match="You approve revision 1, but the newest is revision 2"):
        approvals.approve(database, config, added, doing(), base=1)
    assert set(statuses(database).values()) == {Status.HELD}


def test_nobody_but_an_approver_approves(database, config, added):
    with pytest.raises(Conflict, match="Budi is not among"):
        approvals.approve(database, config, added, doing("Budi"))
    assert set(statuses(database).values()) == {Status.HELD}


def test_what_is_over_cannot_be_approved(database, config, added):
    with pytest.raises(TimeError, match="Its time is over") as caught:
        approvals.approve(database, config, added, doing(at=later(hours=4)))
    assert "crosspost reschedule 1 --at TIME" in caught.value.hint
    assert set(statuses(database).values()) == {Status.HELD}


def test_nothing_is_approved_twice(database, config, approved):
    with pytest.raises(Conflict, match="nothing to approve"):
        approvals.approve(database, config, approved, doing())
