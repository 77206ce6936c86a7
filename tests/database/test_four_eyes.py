"""Nobody approves what they wrote, nothing goes out that was not approved just so, and an emergency
is seen by a second person."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from desk import ZONE, config_in, doing, entry_count, kinds, last_entry, later, stored
from drafted import DRAFT, OTHER, begin, bring, deliveries, refuse, statuses
from scripted import send
from sqlalchemy import text
from sqlmodel import select

from crosspost import approvals, binding, dispatch, editorial, emergencies, offers, queue
from crosspost.errors import Conflict
from crosspost.lifecycle import Status
from crosspost.policy import Person, Role, Rules
from crosspost.post import to_json
from crosspost.tables import Approval, Binding, Delivery, Part
from crosspost.times import moment_of
from crosspost.views import Views

TOMORROW = moment_of(later(days=1), ZONE)
HELD, SCHEDULED = Status.HELD, Status.SCHEDULED


@pytest.fixture
def config(tmp_path):
    """Siti and Budi do everything, Rahma approves, Dewi audits."""
    people = {
        "Siti": Person(os_user="siti", title="Staff"),
        "Budi": Person(os_user="budi", title="Head of information"),
        "Rahma": Person(os_user="rahma", roles=(Role.APPROVER,)),
        "Dewi": Person(os_user="dewi", roles=(Role.AUDITOR,)),
    }
    return config_in(tmp_path, "alpha", "beta", "web").model_copy(update={"people": people})


def with_policy(config, **changes):
    return config.model_copy(update={"policy": config.policy.model_copy(update=changes)})


def approve(database, config, number, by="Budi", **more):
    return approvals.approve(database, config, number, doing(by), **more)


# --- who ------------------------------------------------------------------------------------------


def test_nobody_approves_what_they_wrote(database, config, added):
    with pytest.raises(Conflict, match="You wrote it, so somebody else approves it") as caught:
        approve(database, config, added, "Siti")
    assert caught.value.hint == "May approve it: Budi, Rahma."
    assert set(statuses(database).values()) == {HELD}


def test_whoever_edited_it_last_wrote_it(database, config, added):
    edit(database, config, added, "Budi")
    with pytest.raises(Conflict, match="You wrote it"):
        approve(database, config, added, "Budi")
    assert approve(database, config, added, "Siti").released


def test_an_office_of_one_approves_its_own_words(database, config, added):
    alone = config.model_copy(update={"people": {"Siti": config.people["Siti"]}})
    assert approve(database, alone, added, "Siti").released


def edit(database, config, number, by, base=1, draft=OTHER):
    return editorial.edit(database, config, number, draft, doing(by), base=base, keep_images=True)


ACTS = {
    "add": lambda d, c, n, by: editorial.add(d, c, DRAFT, doing(by)),
    "edit": lambda d, c, n, by: edit(d, c, n, by),
    "approve": approve,
    "reject": lambda d, c, n, by: approvals.reject(d, c, n, doing(by, note="No.")),
    "submit": lambda d, c, n, by: approvals.submit(d, c, n, doing(by)),
    "emergency": lambda d, c, n, by: emergencies.publish_now(d, c, n, doing(by, note="Fire.")),
    "countersign": lambda d, c, n, by: emergencies.countersign(d, c, n, doing(by)),
    "reschedule": lambda d, c, n, by: dispatch.reschedule(d, c, n, TOMORROW, doing(by)),
    "cancel": lambda d, c, n, by: dispatch.cancel(d, c, n, doing(by)),
    "retry": lambda d, c, n, by: dispatch.retry(d, c, n, doing(by)),
    "resolve": lambda d, c, n, by: dispatch.resolve(
        d, c, n, "alpha", dispatch.Finding.ABSENT, doing(by)
    ),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_auditor_changes_nothing(database, config, added, act):
    entries = entry_count(database)
    with pytest.raises(Conflict, match=r"Dewi may not .* here"):
        act(database, config, added, "Dewi")
    assert entry_count(database) == entries


@pytest.mark.parametrize("act", ["approve", "reject", "emergency", "countersign", "retry"])
def test_an_account_that_is_not_among_the_people_writes_and_decides_nothing(
    database, config, added, act
):
    editorial.add(database, config, DRAFT, doing("guest"))
    with pytest.raises(Conflict, match=r"guest is not among the \[people\]"):
        ACTS[act](database, config, added, "guest")


def test_an_approver_who_is_no_author_does_not_write(database, config):
    with pytest.raises(Conflict, match="Rahma may not write announcements here"):
        editorial.add(database, config, DRAFT, doing("Rahma"))


# --- how many -------------------------------------------------------------------------------------


def test_two_approvals_are_two_people(database, config, added):
    two = with_policy(config, approvals=2)
    first = approve(database, two, added, "Budi")
    assert (first.given, first.needed, first.released) == (1, 2, False)
    assert set(statuses(database).values()) == {HELD}
    with pytest.raises(Conflict, match="You have approved it already; it needs 2 people"):
        approve(database, two, added, "Budi")
    assert approve(database, two, added, "Rahma").released
    assert set(statuses(database).values()) == {SCHEDULED}
    with database.read() as session:
        assert kinds(session)[-4:] == ["approval_given", "approval_given", "approved", "approved"]


def test_the_class_of_an_announcement_decides_how_many(database, config):
    ruled = with_policy(config, approvals=2, urgent=Rules(approvals=0))
    normal = editorial.add(database, ruled, DRAFT, doing())
    urgent = editorial.add(database, ruled, replace(DRAFT, urgency="urgent"), doing())
    assert (normal.approved, urgent.approved) == (False, True)
    assert set(statuses(database, urgent.announcement).values()) == {SCHEDULED}


def test_an_approval_by_somebody_who_has_lost_the_role_does_not_count(database, config, added):
    two = with_policy(config, approvals=2)
    approve(database, two, added, "Budi")
    people = {**two.people, "Budi": Person(os_user="budi", roles=(Role.AUTHOR,))}
    demoted = two.model_copy(update={"people": people})
    assert approve(database, demoted, added, "Rahma").released is False


# --- drafts and rejections ------------------------------------------------------------------------


def test_a_draft_is_approved_only_when_it_is_handed_in(database, config):
    number = editorial.add(database, config, DRAFT, doing(), as_draft=True).announcement
    with pytest.raises(Conflict, match="It is still a draft"):
        approve(database, config, number)
    approvals.submit(database, config, number, doing())
    assert approve(database, config, number).released


def test_a_draft_that_needs_no_approval_goes_out_when_it_is_handed_in(database, config):
    free = with_policy(config, approvals=0)
    number = editorial.add(database, free, DRAFT, doing(), as_draft=True).announcement
    assert set(statuses(database).values()) == {HELD}
    approvals.submit(database, free, number, doing())
    assert set(statuses(database).values()) == {SCHEDULED}


def test_a_rejection_takes_back_what_was_approved_and_keeps_its_reason(database, config, approved):
    approvals.reject(database, config, approved, doing("Rahma", note="Wrong road."))
    assert set(statuses(database).values()) == {HELD}
    with database.read() as session:
        assert kinds(session)[-3:] == ["rejected", "returned", "returned"]
        assert all(row.void_at for row in session.exec(select(Approval)))
    with pytest.raises(Conflict, match="It was rejected"):
        approve(database, config, approved)


def test_after_a_rejection_earlier_approvals_do_not_count(database, config, added):
    two = with_policy(config, approvals=2)
    approve(database, two, added, "Budi")
    approvals.reject(database, two, added, doing("Rahma", note="No."))
    approvals.submit(database, two, added, doing())
    assert approve(database, two, added, "Rahma").released is False


def test_what_is_submitted_is_not_submitted_again(database, config, added):
    with pytest.raises(Conflict, match="submitted already"):
        approvals.submit(database, config, added, doing())


def test_what_is_published_is_not_rejected(database, config, approved):
    for channel in ("alpha", "beta"):
        bring(database, channel, begin)
    with pytest.raises(Conflict, match="nothing to reject"):
        approvals.reject(database, config, approved, doing("Rahma", note="No."))


# --- what an approval binds -----------------------------------------------------------------------


@pytest.fixture
def approved(database, config, added):
    approve(database, config, added)
    return added


def test_an_edit_cancels_the_approval(database, config, approved):
    edit(database, config, approved, "Siti")
    assert set(statuses(database).values()) == {HELD}
    with database.read() as session:
        assert offers.offered(session, config, approved).given == ()


def test_another_time_needs_another_approval_and_other_channels_keep_theirs(
    database, config, approved
):
    moved = dispatch.reschedule(database, config, approved, TOMORROW, doing(), channels=["beta"])
    assert moved == dispatch.Rescheduled(("beta",), approved=False)
    assert statuses(database) == {"alpha": SCHEDULED, "beta": HELD}


def test_the_old_time_given_back_does_not_bring_back_the_approval(database, config, approved):
    for due in (TOMORROW, DRAFT.due):
        dispatch.reschedule(database, config, approved, due, doing())
    with database.read() as session:
        assert offers.offered(session, config, approved).given == ()


def test_an_office_of_one_gives_another_time_and_its_approval_in_one_act(database, config, added):
    alone = config.model_copy(update={"people": {}})
    approve(database, alone, added, "siti")
    assert dispatch.reschedule(database, alone, added, TOMORROW, doing("siti")).approved
    assert set(statuses(database).values()) == {SCHEDULED}


def test_what_changed_while_the_approver_looked_is_not_approved(database, config, added):
    with database.read() as session:
        seen = offers.offered(session, config, added).bound.digest
    dispatch.reschedule(database, config, added, TOMORROW, doing())
    with pytest.raises(Conflict, match="changed while you looked"):
        approve(database, config, added, seen=seen)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE part SET payload = replace(payload, 'closed', 'open') WHERE id = 1",
        "UPDATE revision SET source = 'Letter 2'",
        "UPDATE revision SET body = 'On Monday.'",
    ],
)
def test_what_was_changed_in_the_database_before_is_not_approved(database, config, added, change):
    with database.write() as session:
        session.execute(text(change))
    with pytest.raises(Conflict, match="What is stored is not what was queued"):
        approve(database, config, added)


def test_what_failed_and_is_sent_again_is_still_what_was_approved(
    database, config, bench, platform, approved
):
    bring(database, "alpha", refuse)
    dispatch.retry(database, config, approved, doing("Budi", later(hours=2)))
    with database.write() as session:
        [again] = queue.claim(session, {"beta"}, doing("daemon", later(hours=2)))
    send(bench, again)
    assert [out.post.text for out in platform.public]
    assert stored(database, again).status is Status.PUBLISHED


def test_an_approval_of_revision_1_is_none_of_revision_2(
    database, config, bench, platform, approved
):
    """By SQL: the new wording is scheduled under the old approval."""
    edit(database, config, approved, "Siti")
    with database.write() as session:
        [old] = session.exec(select(Binding.digest))
        session.execute(
            text("UPDATE delivery SET status = 'scheduled', approved_digest = :d WHERE id > 2"),
            {"d": old},
        )
        session.execute(text("UPDATE approval SET revision_id = 2, void_at = NULL"))
        session.execute(text("UPDATE binding SET revision_id = 2"))
    sent = forged(database, bench)
    assert platform.public == []
    assert sent.status is HELD
    assert "not what was approved" in sent.reason


def forged(database, bench):
    """The daemon claims what somebody forged, and does what it does."""
    with database.write() as session:
        claimed, *_ = queue.claim(session, (), doing("daemon", later(hours=1)))
    send(bench, claimed)
    return stored(database, claimed)


def test_an_approval_of_one_channel_is_none_of_another(database, config, bench, platform, approved):
    with database.write() as session:
        session.execute(text("UPDATE delivery SET channel = 'web' WHERE channel = 'alpha'"))
    sent = forged(database, bench)
    assert platform.public == []
    assert "the channel, its time or its post is another" in sent.reason


# --- emergencies ----------------------------------------------------------------------------------


@pytest.fixture
def emergency(database, config, added):
    emergencies.publish_now(database, config, added, doing("Siti", note="The dam."))
    return added


def test_in_an_emergency_the_author_alone_publishes_now(
    database, config, bench, platform, clock, emergency
):
    found = deliveries(database)
    assert {(d.status, d.due_at) for d in found.values()} == {(SCHEDULED, later())}
    with database.write() as session:
        claimed = queue.claim(session, (), doing("daemon"))
    for delivery in claimed:
        send(bench, delivery)
    assert len(platform.public) == 2


def test_an_emergency_stands_on_the_list_until_a_second_person_has_looked(
    database, config, emergency
):
    with database.read() as session:
        [waiting] = emergencies.unreviewed(session)
        assert "emergency" in kinds(session)
    assert (waiting.announcement, waiting.by) == (emergency, "Siti")
    with pytest.raises(Conflict, match="You wrote it or let it out yourself"):
        emergencies.countersign(database, config, emergency, doing("Siti"))
    assert emergencies.countersign(database, config, emergency, doing("Budi", note="Right.")) == 1
    with database.read() as session:
        assert emergencies.unreviewed(session) == []
        assert last_entry(session)["data"]["verdict"] == "agreed"
    with pytest.raises(Conflict, match="No emergency"):
        emergencies.countersign(database, config, emergency, doing("Budi"))


def test_an_emergency_by_another_than_the_author_is_reviewed_by_neither(database, config, added):
    emergencies.publish_now(database, config, added, doing("Budi", note="The dam."))
    for own in ("Siti", "Budi"):
        with pytest.raises(Conflict, match="You wrote it or let it out yourself") as refused:
            emergencies.countersign(database, config, added, doing(own))
        assert refused.value.hint == "May: Rahma.", "neither of the two may"
    assert emergencies.countersign(database, config, added, doing("Rahma"), objects=True) == 1
    with database.read() as session:
        [approval] = Views(session, config).announcement(added)["approvals"]
    assert (approval["reviewed_by"], approval["objected"]) == ("Rahma", True)


def test_an_emergency_takes_what_is_scheduled_for_later_and_what_was_rejected(
    database, config, approved
):
    approvals.reject(database, config, approved, doing("Rahma", note="Not yet."))
    emergencies.publish_now(database, config, approved, doing("Budi", note="Now."))
    assert {d.due_at for d in deliveries(database).values()} == {later()}
    assert set(statuses(database).values()) == {SCHEDULED}


def test_an_emergency_without_a_reason_is_refused_and_leaves_nothing(database, config, added):
    entries = entry_count(database)
    with pytest.raises(Conflict, match="Say why it cannot wait"):
        emergencies.publish_now(database, config, added, doing("Siti"))
    assert entry_count(database) == entries
    assert set(statuses(database).values()) == {HELD}


def test_an_emergency_approval_is_no_approval_of_a_later_revision(database, config, emergency):
    edit(database, config, emergency, "Siti")
    assert set(statuses(database).values()) == {HELD}


def test_an_approval_holds_when_the_law_moves_the_clock_and_no_further(
    database, bench, platform, approved, monkeypatch
):
    moved = later(minutes=30)
    with database.write() as session:
        for delivery in session.exec(select(Delivery)):
            queue.rewrite(session, delivery, {"due_at": moved})
        first, second = queue.claim(session, (), doing("daemon", later(hours=1)))
    monkeypatch.setattr(binding, "still_due", lambda _moment: moved)
    send(bench, first)
    monkeypatch.setattr(binding, "still_due", lambda moment: moment.utc)
    send(bench, second)
    assert stored(database, first).status is Status.PUBLISHED
    assert stored(database, second).status is HELD


def test_a_template_changed_after_the_approval_changes_nothing_of_what_goes_out(
    database, config, bench, platform, approved
):
    with database.read() as session:
        approved_posts = [json.loads(part.payload) for part in session.exec(select(Part))]
    other = {"normal": "Something else: {{ body }}"}
    bench.config = config.model_copy(update={"templates": other})
    with database.write() as session:
        claimed = queue.claim(session, (), doing("daemon", later(hours=1)))
    for delivery in claimed:
        send(bench, delivery)
    sent = [json.loads(json.dumps(to_json(out.post))) for out in platform.public]
    assert sent == approved_posts
