"""What is public is corrected and withdrawn in the open: planned, approved, carried out once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import pytest
from desk import config_in, doing, later, stored
from drafted import DRAFT, deliveries
from scripted import Scripted, send
from sqlalchemy import text
from sqlmodel import select

from crosspost import amending, approvals, dispatch, editorial, outcomes, queue, workbench
from crosspost.acts import Act
from crosspost.amending import Kind, amend
from crosspost.delivery_parts import parts_of
from crosspost.errors import Conflict, RejectedContent, UnknownOutcome
from crosspost.ledger import book
from crosspost.lifecycle import Status
from crosspost.policy import Person, Role
from crosspost.post import Capabilities
from crosspost.tables import Announcement, Delivery, Part
from crosspost.views import Views
from crosspost.workbench import Workbench

EDITS = Capabilities(edit=True, shows_edits=True)
REPLIES = Capabilities(threads=True)
DELETES = Capabilities(delete=True)
NOTICE = Capabilities()


class Amendable(Scripted):
    """Remembers what is edited and taken down; `edits` and `deletes` hold what comes next."""

    def __init__(self) -> None:
        super().__init__()
        self.edited: list[tuple[str, str]] = []
        self.deleted: list[str] = []
        self.edits: deque = deque()
        self.deletes: deque = deque()

    def edit(self, receipt, outgoing):
        self.edited.append((receipt.remote_id, outgoing.post.text))
        return self._next(self.edits, receipt, lambda known: known)

    def delete(self, receipt):
        self.deleted.append(receipt.remote_id)
        self._next(self.deletes, receipt, lambda _known: None)


@pytest.fixture
def platform(monkeypatch):
    made = Amendable()
    monkeypatch.setattr(Workbench, "adapter", lambda _bench, _channel: made)
    monkeypatch.setattr(Workbench, "opened", lambda _bench, _channel: made)
    monkeypatch.setattr(workbench, "STORE_AGAIN", 0)
    return made


@dataclass
class Planned:
    capabilities: Capabilities


@pytest.fixture
def can(monkeypatch):
    """What each channel can do, as the plan is told: by default edit in place."""
    known = {"alpha": EDITS, "beta": EDITS}
    monkeypatch.setattr(amending, "open_adapter", lambda _config, name: Planned(known[name]))
    return known


def run(database, bench, at=None):
    """What is due is sent, whatever follows from it too; the ids in order."""
    sent = []
    while True:
        with database.write() as session:
            claimed = queue.claim(session, (), doing("daemon", at or bench.now()))
        if not claimed:
            return sent
        for delivery in claimed:
            send(bench, delivery)
            sent.append(delivery)


@pytest.fixture
def public(database, config, bench, platform, clock, approved):
    """The announcement is public on alpha and beta."""
    clock.time = later(hours=1)
    run(database, bench)
    assert len(platform.public) == 2
    return approved


def correct(database, config, number, by="Siti", *, words="On **Monday**.", **more):
    act = doing(by, later(hours=2), note="The day was wrong.")
    return amend(database, config, number, Kind.CORRECTED, act, text=words, **more)


def go(database, config, bench, clock, number):
    """Approved, and carried out."""
    clock.time = later(hours=2)
    approvals.approve(database, config, number, doing(at=later(hours=2)))
    return run(database, bench)


def entries(database, kind):
    with database.read() as session:
        return [r for r in book.entries(session) if r.values["kind"] == kind]


# --- the ways -------------------------------------------------------------------------------------


def test_a_correction_is_edited_in_place_once_it_is_approved(
    database, config, bench, platform, clock, can, public
):
    number = correct(database, config, public)
    assert run(database, bench) == []
    go(database, config, bench, clock, number)
    assert [remote for remote, _ in platform.edited] == ["id-1", "id-2"]
    assert all("Correction: Road closed" in words for _, words in platform.edited)
    assert all("The day was wrong." in words for _, words in platform.edited)
    assert len(platform.public) == 2
    assert {d.status for d in deliveries(database, number).values()} == {Status.PUBLISHED}


def test_it_is_on_record_of_the_original_once_with_the_reason(
    database, config, bench, platform, clock, can, public
):
    number = correct(database, config, public)
    assert entries(database, "corrected") == []
    go(database, config, bench, clock, number)
    [entry] = entries(database, "corrected")
    assert (entry.values["announcement"], entry.values["revision"]) == (public, 1)
    assert entry.values["data"]["amendment"] == number
    assert entry.note == "The day was wrong."
    with database.read() as session:
        views = Views(session, config)
        assert views.announcement(public)["amended_by"] == number
        assert views.announcement(number)["amends"] == public


def test_where_nothing_can_be_edited_it_is_answered(
    database, config, bench, platform, clock, can, public
):
    can.update(alpha=REPLIES, beta=REPLIES)
    go(database, config, bench, clock, correct(database, config, public))
    answers = {out.parent.remote_id for out in platform.public[2:]}
    assert answers == {"id-1", "id-2"}
    assert platform.edited == []


def test_where_nothing_can_be_answered_the_wrong_one_goes_before_the_right_one_comes(
    database, config, bench, platform, clock, can, public
):
    can.update(alpha=DELETES, beta=NOTICE)
    number = correct(database, config, public)
    sent = go(database, config, bench, clock, number)
    on_alpha = [d.act for d in sent if d.channel == "alpha"]
    assert on_alpha == [Act.DELETE, Act.PUBLISH]
    assert platform.deleted == ["id-1"]
    assert len(platform.public) == 4


def test_as_long_as_the_wrong_one_is_there_the_right_one_waits(
    database, config, bench, platform, clock, can, public
):
    can.update(alpha=DELETES, beta=NOTICE)
    platform.deletes.append(RejectedContent("Not this."))
    go(database, config, bench, clock, correct(database, config, public))
    assert len(platform.public) == 3  # the notice on beta


def test_a_withdrawal_says_that_it_no_longer_holds_and_why(
    database, config, bench, platform, clock, can, public
):
    act = doing("Siti", later(hours=2), note="The works are off.")
    number = amend(database, config, public, Kind.RETRACTED, act)
    go(database, config, bench, clock, number)
    _, words = platform.edited[0]
    assert "Withdrawn: Road closed" in words
    assert "The works are off." in words
    assert "On Sunday" not in words
    [entry] = entries(database, "retracted")
    assert entry.note == "The works are off."


# --- done again, never twice ----------------------------------------------------------------------


@pytest.mark.parametrize("way", [EDITS, DELETES], ids=["edit", "delete"])
def test_an_edit_or_deletion_without_an_answer_is_done_again(
    database, config, bench, platform, clock, can, public, way
):
    can.update(alpha=way, beta=way)
    lost = UnknownOutcome("No answer came.", platform="scripted", status=504)
    platform.edits.append(lost)
    platform.deletes.append(lost)
    number = correct(database, config, public)
    go(database, config, bench, clock, number)
    clock.time = later(hours=2, minutes=30)
    run(database, bench)
    with database.read() as session:
        found = session.exec(select(Delivery.status).where(Delivery.amends.is_not(None))).all()
    assert set(found) == {Status.PUBLISHED}
    assert len(platform.public) == (2 if way is EDITS else 4)


def test_an_answer_without_an_answer_is_in_doubt_and_not_sent_again(
    database, config, bench, platform, clock, can, public
):
    can.update(alpha=REPLIES, beta=REPLIES)
    platform.publishes.append(platform.lose)
    go(database, config, bench, clock, correct(database, config, public))
    assert len(platform.public) == 4
    with database.read() as session:
        found = session.exec(select(Delivery.status).where(Delivery.amends.is_not(None))).all()
    assert sorted(found) == [Status.PUBLISHED, Status.UNCONFIRMED]


def test_a_daemon_that_dies_in_an_edit_leaves_it_to_be_done_again(
    database, config, bench, platform, clock, can, public
):
    number = correct(database, config, public)
    clock.time = later(hours=2)
    approvals.approve(database, config, number, doing(at=later(hours=2)))
    with database.write() as session:
        [first, _] = queue.claim(session, (), doing("daemon", later(hours=2)))
        [part] = parts_of(session, first)
        outcomes.begin(session, first, part, doing("daemon", later(hours=2)))
        outcomes.rescue(session, doing("daemon", later(hours=2)))
    assert stored(database, first).status is Status.SCHEDULED
    run(database, bench)
    assert len(platform.edited) == 2


def test_a_change_of_what_is_done_after_the_approval_alarms(
    database, config, bench, platform, clock, can, public
):
    number = correct(database, config, public)
    approvals.approve(database, config, number, doing(at=later(hours=2)))
    with database.write() as session:
        session.execute(text("UPDATE delivery SET act = 'delete' WHERE act = 'edit'"))
    clock.time = later(hours=2)
    run(database, bench)
    assert (platform.edited, platform.deleted) == ([], [])
    assert {d.status for d in deliveries(database, number).values()} == {Status.HELD}


# --- what can be amended --------------------------------------------------------------------------


def test_what_is_not_public_is_edited_and_not_corrected(database, config, can, added):
    dispatch.cancel(database, config, added, doing())
    with pytest.raises(Conflict, match="Nothing of announcement 1 is public") as caught:
        correct(database, config, added)
    assert "crosspost edit 1" in caught.value.hint


def test_what_may_still_go_out_wrong_is_taken_back_first(database, config, can, approved):
    with pytest.raises(Conflict, match="may still go out: alpha"):
        correct(database, config, approved)


def test_only_where_it_is_public_it_is_corrected(
    database, config, bench, platform, clock, can, approved
):
    clock.time = later(hours=1)
    platform.publishes.extend([platform.accept, RejectedContent("No.")])
    run(database, bench)
    number = correct(database, config, approved)
    assert set(deliveries(database, number)) == {"alpha"}


def test_one_amendment_at_a_time_and_a_cancelled_one_is_none(database, config, can, public):
    first = correct(database, config, public)
    with pytest.raises(Conflict, match=f"Announcement {first} amends it already"):
        correct(database, config, public)
    dispatch.cancel(database, config, first, doing())
    assert correct(database, config, public) == first + 1


def test_a_correction_of_a_correction_edits_what_people_see(
    database, config, bench, platform, clock, can, public
):
    first = correct(database, config, public)
    go(database, config, bench, clock, first)
    second = correct(database, config, first, words="On Tuesday.")
    go(database, config, bench, clock, second)
    assert [remote for remote, _ in platform.edited] == ["id-1", "id-2", "id-1", "id-2"]
    assert platform.edited[-1][1].count("Correction: ") == 1
    assert [e.values["announcement"] for e in entries(database, "corrected")] == [public, first]


def test_a_correction_is_not_edited(database, config, can, public):
    number = correct(database, config, public)
    with pytest.raises(Conflict, match="corrects or withdraws announcement 1"):
        editorial.edit(database, config, number, DRAFT, doing(), base=1, keep_images=True)


def test_without_a_reason_nothing_is_queued(database, config, can, public):
    with pytest.raises(Conflict, match="Say why"):
        amend(database, config, public, Kind.RETRACTED, doing())


def test_who_is_not_sure_of_the_plan_queues_nothing(database, config, can, public):
    def no(plan):
        assert [(s.channel, s.act) for s in plan.steps] == [("alpha", "edit"), ("beta", "edit")]
        raise Conflict("Not like this.")

    with pytest.raises(Conflict, match="Not like this"):
        correct(database, config, public, sure=no)
    with database.read() as session:
        assert len(session.exec(select(Announcement)).all()) == 1


def test_a_plan_at_night_advises_nothing_that_cannot_be_done(database, config, can, public):
    plans = []
    night = doing("Siti", later(hours=9), note="The day was wrong.")  # 01:00 in Jakarta
    amend(database, config, public, Kind.CORRECTED, night, text="On Monday.", sure=plans.append)
    [quiet] = [warning for warning in plans[0].warnings if "quiet hours" in warning]
    assert "--at" not in quiet
    assert "--urgent" not in quiet


def test_a_plan_names_what_is_changed_and_no_place_for_what_is_new(database, config, can, public):
    can.update(alpha=REPLIES, beta=Capabilities(max_length=500, delete=True))
    plans = []
    correct(database, config, public, sure=plans.append)
    where = {(step.channel, step.act.value): bool(step.where) for step in plans[0].steps}
    assert where == {
        ("alpha", "reply"): True,
        ("beta", "delete"): True,
        ("beta", "publish"): False,
    }


def test_the_policy_says_who_corrects_and_who_approves_that(
    tmp_path, database, config, bench, platform, clock, can, public
):
    people = {
        "Siti": Person(os_user="siti", roles=(Role.AUTHOR,)),
        "Budi": Person(os_user="budi", roles=(Role.APPROVER,)),
    }
    office = config_in(tmp_path, "alpha", "beta").model_copy(update={"people": people})
    with pytest.raises(Conflict, match="Budi may not correct this here"):
        correct(database, office, public, "Budi")
    number = correct(database, office, public, "Siti")
    with pytest.raises(Conflict, match="Siti may not approve"):
        approvals.approve(database, office, number, doing("Siti", later(hours=2)))
    assert approvals.approve(database, office, number, doing("Budi", later(hours=2))).released


def test_the_receipts_of_the_original_stay_as_they_were(
    database, config, bench, platform, clock, can, public
):
    go(database, config, bench, clock, correct(database, config, public))
    with database.read() as session:
        parts = session.exec(select(Part).order_by(Part.id)).all()
    assert [part.remote_id for part in parts] == ["id-1", "id-2", None, None]
    assert all(part.published_at for part in parts)
