"""What the rig's platform wrote down against what crosspost believes: every promise, checked.

Pure but for reading: it changes nothing and sends nothing.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import select

from crosspost.database import Database
from crosspost.ledger.hashing import leaf_hash
from crosspost.lifecycle import ENDED, MOVES, Status, Verb
from crosspost.tables import Attempt, Delivery, LedgerEntry, Part

#: Nothing of what was not yet said to be public may be public in these.
NOTHING_MORE = {Status.FAILED, Status.MISSED, Status.CANCELLED, Status.HELD, Status.SCHEDULED}


@dataclass(frozen=True)
class Seen:
    """What the platform wrote down."""

    public: Mapping[str, Sequence[dict]]  # text -> each post with it
    faults: Counter[str]
    lag: float  # seconds from a call's sending to its work, at most

    @classmethod
    def of(cls, ledger: Path) -> Seen:
        public: dict[str, list[dict]] = defaultdict(list)
        faults: Counter[str] = Counter()
        lag = 0.0
        for line in ledger.read_text().splitlines():
            values = json.loads(line)
            if "fault" in values:
                faults[values["fault"]] += 1
            else:
                public[values["public"]].append(values)
                lag = max(lag, values["lag"])
        return cls(public, faults, lag)


@dataclass
class Verdict:
    """`violations` are sentences, one for each broken promise; none: all were kept."""

    violations: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)


def judge(database: Database, seen: Seen, *, enqueued: int) -> Verdict:
    """Everything at rest: what became of every delivery, told by both sides."""
    with database.read() as session:
        deliveries = session.exec(select(Delivery).order_by(Delivery.id)).all()
        parts: dict[int, list[Part]] = defaultdict(list)
        for part in session.exec(select(Part).order_by(Part.position)):
            parts[part.delivery_id].append(part)
        tried = Counter(session.exec(select(Attempt.delivery_id)))
        entries = session.exec(select(LedgerEntry).order_by(LedgerEntry.id)).all()
    verdict = Verdict(statuses=Counter(d.status.value for d in deliveries))
    verdict.acts = Counter(entry.kind for entry in entries)
    say = verdict.violations.append
    if len(deliveries) != enqueued:
        say(f"lost: {enqueued} were queued, {len(deliveries)} are there")
    for delivery in deliveries:
        verdict.violations += of_delivery(delivery, parts[delivery.id], seen)
        if delivery.fence != tried[delivery.id]:
            say(f"delivery {delivery.id}: fence {delivery.fence}, {tried[delivery.id]} attempts")
    known = {text_of(part) for row in parts.values() for part in row}
    verdict.violations += [f"nobody queued: {text}" for text in seen.public if text not in known]
    verdict.violations += of_ledger(entries, {d.id: d.status for d in deliveries})
    return verdict


def text_of(part: Part) -> str:
    """The text of a part as it is sent."""
    return json.loads(part.payload)["text"]


def of_delivery(delivery: Delivery, parts: Sequence[Part], seen: Seen) -> Iterator[str]:
    """Whether a delivery at rest is what it is said to be."""
    name = f"delivery {delivery.id} ({delivery.channel}, {delivery.status.value})"
    if delivery.status not in ENDED and delivery.status is not Status.REVIEW:
        yield f"{name}: neither ended nor on a person's desk"
    before = 0.0
    for part in parts:
        posts = seen.public.get(text_of(part), ())
        if len(posts) > 1:
            yield f"{name}: part {part.position} is public {len(posts)} times"
        if part.published_at is not None and not posts:
            yield f"{name}: part {part.position} is said to be public and is not"
        if part.published_at is None and posts and delivery.status in NOTHING_MORE:
            yield f"{name}: part {part.position} is public and nobody says so"
        if delivery.status is Status.PUBLISHED and part.published_at is None:
            yield f"{name}: part {part.position} has no receipt"
        for post in posts:
            if post["at"] < before:
                yield f"{name}: part {part.position} came before the one before it"
            before = post["at"]


def of_ledger(entries: Sequence[LedgerEntry], stand: Mapping[int, Status]) -> Iterator[str]:
    """Whether the ledger tells every move, no other, and in the end what the rows say."""
    told: dict[int, Status] = {}
    for index, entry in enumerate(entries):
        values = json.loads(entry.entry)
        if entry.id != index or entry.leaf != leaf_hash(entry.entry):
            yield f"entry {entry.id}: not entry {index}, or not its leaf"
        if values["kind"] == "queued":
            told[values["delivery"]] = Status.HELD
        elif values["kind"] in set(Verb):
            before, after = Status(values["data"]["from"]), Status(values["data"]["to"])
            if told.get(values["delivery"]) is not before:
                yield f"entry {index}: delivery {values['delivery']} was not {before.value}"
            if MOVES.get((before, Verb(values["kind"]))) is not after:
                yield f"entry {index}: no legal move"
            told[values["delivery"]] = after
    for number in sorted(stand.keys() | told.keys()):
        if stand.get(number) is not told.get(number):
            words = f"the ledger says {told.get(number)}, its row {stand.get(number)}"
            yield f"delivery {number}: {words}"
