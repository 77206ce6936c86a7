"""What the tests of this folder share: an office with a real queue database, and rows in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from crosspost import delivery_parts, outcomes, queue
from crosspost.config import Channel, Config, Office
from crosspost.database import Database
from crosspost.ledger import book
from crosspost.ledger.hashing import new_salt, salted_digest
from crosspost.lifecycle import Status, Verb
from crosspost.outcomes import Failure
from crosspost.policy import Person, Policy
from crosspost.post import Post, Receipt
from crosspost.queue import Doing
from crosspost.tables import Announcement, Attempt, Delivery, LedgerEntry, Part, Revision
from crosspost.times import moment_of

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.servers)
BOTH = ["sqlite", POSTGRESQL]
#: For tests of what only one of the two has.
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONE = "Asia/Jakarta"
SECRET = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
NO_ANSWER = Failure("unknown_outcome", "No answer came.", 504)


def later(seconds: float = 0, **more: float) -> datetime:
    """So long after NOW."""
    return NOW + timedelta(seconds=seconds, **more)


def doing(by: str = "Siti", at: datetime = NOW, note: str = "") -> Doing:
    return Doing(by, at, note)


def config_in(folder: Path, *channels: str, **policy: object) -> Config:
    """An office in `folder` with webhooks that nobody calls, and Siti who may approve."""
    return Config(
        path=folder / "crosspost.toml",
        office=Office(name="Office", zone=ZONE, language="en"),
        policy=Policy(**policy),
        people={"Siti": Person(os_user="siti")},
        channels={
            name: Channel(
                name=name,
                platform="webhook",
                options={"url": "http://127.0.0.1:9/in", "secret": SecretStr(SECRET)},
            )
            for name in channels
        },
    )


def announce(session: Session, number: int = 1) -> Revision:
    """A new announcement with one revision, without deliveries."""
    announcement = Announcement(created_at=NOW, created_by="Siti")
    session.add(announcement)
    session.flush()
    salt = new_salt()
    revision = Revision(
        announcement_id=announcement.id,
        number=number,
        code=f"code{announcement.id}",
        title="Road closed",
        body="On Sunday.",
        source="Letter 1",
        link="",
        lang="en",
        urgency="normal",
        created_at=NOW,
        created_by="Siti",
        salt=salt,
        digest=salted_digest(salt, "On Sunday."),
    )
    session.add(revision)
    session.flush()
    return revision


def enqueue(
    session: Session,
    channel: str = "web",
    *,
    revision: Revision | None = None,
    due: datetime = NOW,
    hours: float = 2,
    waits_for: int | None = None,
    posts: Sequence[Post] = (Post("Road closed", "en"),),
) -> Delivery:
    """A held delivery, of a new announcement unless a revision is given."""
    return queue.enqueue(
        session,
        revision or announce(session),
        channel,
        posts,
        due=moment_of(due, ZONE),
        not_after=due + timedelta(hours=hours),
        waits_for=waits_for,
        doing=doing(),
    )


def scheduled(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = enqueue(session, channel, **about)
    queue.approve(session, delivery, doing())
    return delivery


def claimed(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = scheduled(session, channel, **about)
    [found] = queue.claim(session, (), doing("daemon", max(NOW, delivery.due_at)))
    assert found.id == delivery.id
    return delivery


def begun(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = claimed(session, channel, **about)
    outcomes.begin(
        session, delivery, delivery_parts.parts_of(session, delivery)[0], doing("daemon")
    )
    return delivery


def doubted(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = begun(session, channel, **about)
    outcomes.doubt(session, delivery, later(60), NO_ANSWER, doing("daemon"))
    return delivery


def in_review(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = doubted(session, channel, **about)
    outcomes.ask(session, delivery, "Nobody knows.", doing("daemon"))
    return delivery


def published(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = begun(session, channel, **about)
    [part] = delivery_parts.parts_of(session, delivery)
    receipt = Receipt(f"id-{delivery.id}", f"https://web.example/{delivery.id}")
    outcomes.settle_part(session, delivery, part, receipt, doing("daemon"))
    return delivery


def failed(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = claimed(session, channel, **about)
    failure = Failure("rejected_content", "Not this.", 422)
    outcomes.refuse(session, delivery, failure, doing("daemon"))
    return delivery


def missed(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = scheduled(session, channel, **about)
    queue.miss(session, doing("daemon", delivery.not_after + timedelta(seconds=1)))
    return delivery


def cancelled(session: Session, channel: str = "web", **about) -> Delivery:
    delivery = enqueue(session, channel, **about)
    queue.cancel(session, delivery, doing())
    return delivery


#: A status -> how a delivery gets there.
WAYS = {
    Status.HELD: enqueue,
    Status.SCHEDULED: scheduled,
    Status.PREPARING: claimed,
    Status.PUBLISHING: begun,
    Status.UNCONFIRMED: doubted,
    Status.REVIEW: in_review,
    Status.PUBLISHED: published,
    Status.FAILED: failed,
    Status.MISSED: missed,
    Status.CANCELLED: cancelled,
}


def kinds(session: Session, delivery: Delivery | None = None) -> list[str]:
    """The kinds of the ledger's entries, of one delivery or of all, in order."""
    entries = [record.values for record in book.entries(session)]
    return [e["kind"] for e in entries if delivery is None or e.get("delivery") == delivery.id]


def moves(session: Session, delivery: Delivery) -> list[str]:
    """The kinds of the entries of a delivery that are moves."""
    return [kind for kind in kinds(session, delivery) if kind in set(Verb)]


def last_entry(session: Session) -> dict:
    [record] = book.entries(session, last=1)
    return dict(record.values)


def attempts(session: Session, delivery: Delivery) -> list[Attempt]:
    query = select(Attempt).where(Attempt.delivery_id == delivery.id).order_by(Attempt.id)
    return list(session.exec(query))


def status_of(database: Database, delivery: Delivery) -> Status:
    """As it is stored now."""
    with database.read() as session:
        return session.get_one(Delivery, delivery.id).status


def entry_count(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(LedgerEntry.id)).all())


def claim(database: Database, **about) -> Delivery:
    """A claimed delivery, as the daemon hands it over."""
    with database.write() as session:
        return claimed(session, **about)


def claim_again(database: Database, at: datetime) -> Delivery:
    """The one delivery that is due, claimed."""
    with database.write() as session:
        [found] = queue.claim(session, (), doing("daemon", at))
        return found


def stored(database: Database, delivery: Delivery) -> Delivery:
    """As it is now."""
    with database.read() as session:
        return session.get_one(Delivery, delivery.id)


def parts_of(database: Database, delivery: Delivery) -> list[Part]:
    with database.read() as session:
        return delivery_parts.parts_of(session, delivery)


def moves_of(database: Database, delivery: Delivery) -> list[str]:
    with database.read() as session:
        return moves(session, delivery)
