"""An announcement on alpha and beta, added and brought along as an office and its daemon do."""

from __future__ import annotations

from dataclasses import replace

from desk import NO_ANSWER, ZONE, doing, later

from crosspost import outcomes, queue, revisions
from crosspost.delivery_parts import parts_of
from crosspost.drafts import Draft
from crosspost.lifecycle import Status
from crosspost.tables import Delivery
from crosspost.times import moment_of

DRAFT = Draft(
    title="Road closed",
    body="On Sunday, **all day**.",
    source="Letter 1",
    link="https://office.example/roads",
    lang="en",
    urgency="normal",
    images=(),
    channels=("alpha", "beta"),
    due=moment_of(later(hours=1), ZONE),
)
OTHER = replace(DRAFT, body="On Monday.")
DAEMON = doing("daemon", later(hours=1))


def deliveries(database, number: int = 1) -> dict[str, Delivery]:
    with database.read() as session:
        revision = revisions.current_revision(session, number)
        return {d.channel: d for d in queue.deliveries_of(session, revision)}


def statuses(database, number: int = 1) -> dict[str, Status]:
    return {name: d.status for name, d in deliveries(database, number).items()}


def bring(database, channel: str, *steps) -> None:
    """The daemon takes a channel's delivery, and the steps are done to it."""
    with database.write() as session:
        others = {"alpha", "beta", "web"} - {channel}
        [delivery] = queue.claim(session, others, DAEMON)
        for step in steps:
            step(session, delivery)


def begin(session, delivery):
    outcomes.begin(session, delivery, parts_of(session, delivery)[0], DAEMON)


def say_yes(session, delivery):
    [part] = parts_of(session, delivery)
    outcomes.settle_part(session, delivery, part, outcomes.Receipt("1"), DAEMON)


def doubt(session, delivery):
    outcomes.doubt(session, delivery, DAEMON.at, NO_ANSWER, DAEMON)


def ask(session, delivery):
    outcomes.ask(session, delivery, "Nobody knows.", DAEMON)


def refuse(session, delivery):
    outcomes.refuse(session, delivery, outcomes.Failure("rejected_content", "No."), DAEMON)


#: Where it is, or may be, public: the steps that lead there.
TOO_LATE = {
    "preparing": (),
    "publishing": (begin,),
    "published": (begin, say_yes),
    "unconfirmed": (begin, doubt),
    "review": (begin, doubt, ask),
}
