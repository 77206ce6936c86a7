"""The people of a simulated office: they announce, decide, press the red button, and look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kill_rig import new_revision
from rig_judge import text_of
from sim_platform import SimPlatform
from sim_world import World
from sqlmodel import Session, col, select

from crosspost import holds, queue
from crosspost.agenda import EVERYTHING
from crosspost.database import Database
from crosspost.delivery_parts import parts_of
from crosspost.errors import Conflict
from crosspost.lifecycle import Status
from crosspost.post import Post
from crosspost.queue import Doing
from crosspost.tables import ChannelState, Delivery
from crosspost.times import moment_of

ZONE = "Asia/Jakarta"
#: What somebody may decide about.
OPEN = [Status.HELD, Status.SCHEDULED, Status.REVIEW, Status.FAILED, Status.MISSED]


@dataclass
class People:
    """What the people of one episode do, honestly: they look before they say anything."""

    world: World
    database: Database
    platforms: dict[str, SimPlatform]
    made: int = 0

    def act(self) -> None:
        """One act of somebody, which may be refused."""
        acts = [self.announce] * 4 + [self.decide] * 3 + [self.hold, self.resume]
        try:
            with self.database.write() as session:
                self.world.random.choice(acts)(session)
        except Conflict:
            pass

    def doing(self, note: str = "") -> Doing:
        return Doing("Siti", self.world.now(), note)

    def announce(self, session: Session) -> None:
        """A new announcement on some channels, now or soon, at times a thread, at times urgent."""
        chance = self.world.random
        self.made += 1
        doing = self.doing()
        revision = new_revision(session, self.made, doing.at)
        revision.urgency = chance.choice(["normal", "normal", "urgent"])
        due = moment_of(doing.at + timedelta(seconds=chance.choice([0, 0, 60, 900])), ZONE)
        page: Delivery | None = None
        made = []
        for channel in chance.sample(sorted(self.platforms), chance.randint(1, 3)):
            parts = chance.choice([1, 1, 1, 2, 3])
            posts = [Post(f"{channel} {self.made} part {n}", "en") for n in range(parts)]
            delivery = queue.enqueue(
                session,
                revision,
                channel,
                posts,
                due=due,
                not_after=due.utc + timedelta(hours=chance.choice([1, 2, 24])),
                waits_for=page.id if page else None,
                doing=doing,
            )
            page = delivery if chance.random() < 0.2 else page
            made.append(delivery)
        if chance.random() < 0.9:
            for delivery in made:
                queue.approve(session, delivery, doing)

    def decide(self, session: Session) -> None:
        """Something about one delivery that is not at its end."""
        open_ = select(Delivery).where(col(Delivery.status).in_(OPEN))
        found = session.exec(open_.order_by(col(Delivery.id))).all()
        if not found:
            return
        delivery = self.world.random.choice(found)
        doing = self.doing("Because.")
        now, late = moment_of(doing.at, ZONE), doing.at + timedelta(hours=2)
        match delivery.status:
            case Status.HELD:
                queue.approve(session, delivery, doing)
            case Status.SCHEDULED if self.world.chance(0.5):
                queue.cancel(session, delivery, doing)
            case Status.SCHEDULED:
                queue.reschedule(session, delivery, now, late, doing)
            case Status.REVIEW:
                self.resolve(session, delivery)
            case _:
                queue.retry(session, delivery, late, doing)

    def resolve(self, session: Session, delivery: Delivery) -> None:
        """Somebody looks at the timeline. They see what is there or is still to appear: before
        saying that something is not there, a person waits longer than any platform takes."""
        doing = self.doing("I looked.")
        part = next(p for p in parts_of(session, delivery) if p.published_at is None)
        platform = self.platforms[delivery.channel]
        if any(post.text == text_of(part) for post in platform.public):
            queue.resolve_published(session, delivery, "https://sim.example/seen", doing)
        elif self.world.chance(0.3):
            queue.give_up(session, delivery, doing)
        else:
            queue.resolve_absent(session, delivery, doing.at + timedelta(hours=2), doing)

    def hold(self, session: Session) -> None:
        """The red button, for one channel or all."""
        channel = self.world.random.choice([None, *sorted(self.platforms)])
        if self.world.chance(0.3):
            holds.hold(session, channel, self.doing("Wait."))

    def resume(self, session: Session, *, everything: bool = False) -> None:
        """What is on hold goes on, and some or all that is paused."""
        for state in session.exec(select(ChannelState)).all():
            if state.held or (state.paused_until and (everything or self.world.chance(0.2))):
                name = None if state.channel == EVERYTHING else state.channel
                holds.resume(session, name, self.doing("Go on."))
