"""A new key takes over the ledger: planned, with both keys at hand, or because the old one is lost.

In this order: the new key is on the disk; the entry that names it is in the database, signed by
both keys; the checkpoint that ends with this entry is the head, signed by both; the new key counts.
What a killed process began, the next sealing brings to its end before it signs anything else, so
the old key never signs a larger ledger than it said. This room must not publish anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from crosspost.database import Database
from crosspost.durable import write_durably
from crosspost.errors import Conflict, Refuted, Undecided, UserError
from crosspost.foreign import of_system
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.growth import grown_from
from crosspost.ledger.handover import KINDS, Handover, note_in, read_handover
from crosspost.ledger.keys import Keys
from crosspost.ledger.note import Signer, new_signer, signed_by
from crosspost.ledger.strongbox import Strongbox
from crosspost.wording import t


@dataclass(frozen=True)
class Begun:
    """A handover that is on record: what it says, as a note, and the keys that sign its end."""

    handover: Handover
    note: str
    head: Checkpoint
    signers: tuple[Signer, ...]


@dataclass(frozen=True)
class Wish:
    """Who wants it, when (aware), and why."""

    by: str
    at: datetime
    reason: str = ""


def rotate(database: Database, folder: Path, wish: Wish) -> Handover:
    """Let a new key take over from the one that is there; or end what was begun and broken off.

    Raises Refuted when the database does not begin with what was sealed, Undecided when the key is
    missing or unreadable, UserError when the disk refuses, DatabaseError; with the old key still in
    use then, or the new one already.
    """
    box = Strongbox(folder)
    with box.signer() as old:
        head = box.settled_head(box.keys_of(old.verifier))
        _compare(database, head)
        with database.write() as session:
            begun = _begun(session, box, old, head) or _begin(session, box, old, head, wish)
        finish(database, box, begun)
    return begun.handover


def replace_lost(database: Database, folder: Path, wish: Wish) -> Handover:
    """Let a new key go on where a lost one ended. Nobody who trusts the old key has a reason to
    trust this one: the public hears of it in another way.

    Raises Conflict when the key is there, and else as `rotate` does.
    """
    box = Strongbox(folder)
    with box.alone():
        if box.key.exists():
            raise Conflict(
                t("The ledger has its key: {path}.", path=box.key),
                hint=t("Exchange it with: crosspost log rotate"),
            )
        following = box.next_signer()
        known = box.keys_of(following.verifier) if following else box.keys()
        if box.verifier() not in [key.verifier for key in known.ranges]:
            known = box.keys()  # what waits there was never on record
        head = box.settled_head(known)
        _compare(database, head)
        with database.write() as session:
            begun = _begun_without(session, box, head) or _begin(session, box, None, head, wish)
        finish(database, box, begun)
    return begun.handover


def _begin(
    session: Session, box: Strongbox, old: Signer | None, head: Checkpoint, wish: Wish
) -> Begun:
    """The new key on the disk, and then on record."""
    new = new_signer(head.origin)
    try:
        write_durably(box.next_key, new.secret.encode() + b"\n", mode=0o600)
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=box.next_key, reason=of_system(error)),
            hint=t("Nothing was changed."),
        ) from error
    signers = (old, new) if old else (new,)
    size = book.size(session) + 1
    until = size if old else head.size
    handover = Handover(box.verifier(), new.verifier, until, size, lost=old is None)
    note = handover.signed(*signers)
    data = {"new": str(new.verifier), "handover": note}
    act = book.Act(KINDS[handover.lost], wish.by, wish.at, data=data, note=wish.reason)
    book.append(session, act)
    return Begun(handover, note, head, signers)


def finish(database: Database, box: Strongbox, begun: Begun) -> None:
    """The checkpoint that ends with the handover, signed; then the new key counts. Needs the right
    to seal. Raises as `rotate` does."""
    handover, head = begun.handover, begun.head
    if head.size > handover.since:
        raise Refuted(
            t("The old key has signed {size} entries, and was to end before.", size=head.size),
            hint=t("Leave all files as they are, and look with: crosspost log verify"),
        )
    with database.read() as session:
        entries = enumerate(book.raw_entries(session))  # read to their end, as a server wants it
        root, leaves = grown_from(head, (one for at, one in entries if at < handover.since))
    last = Checkpoint(head.origin, handover.since, root)
    keys = Keys.of(handover.new).linked([begun.note, *box.handovers()])
    box.write_keys(keys)
    if last != head:
        box.put_head(signed_by(last.text(), *begun.signers), leaves)
    box.put_key(keys)


def mend_keys(database: Database, box: Strongbox, head: Checkpoint) -> None:
    """Where `ledger.keys` was lost, it is made anew from the record. Raises DatabaseError."""
    known = box.keys()
    with database.read() as session:
        keys = known.linked(recorded(session, head.size))
    if keys != known:
        box.write_keys(keys)


def recorded(session: Session, size: int) -> list[str]:
    """The signed statements in the first `size` entries; unbelieved."""
    found = book.raw_of_kinds(session, KINDS.values(), 0)
    return [note_in(entry) for index, entry in found if index < size]


def _compare(database: Database, head: Checkpoint) -> None:
    with database.read() as session:
        grown_from(head, book.raw_entries(session))


# --- what was begun -------------------------------------------------------------------------------


def begun_handover(
    database: Database, box: Strongbox, signer: Signer, head: Checkpoint
) -> Begun | None:
    """The handover of this key that is on record and not at its end; None: it goes on signing.

    Raises Refuted when an entry after the head names another key and this one has not signed it:
    then somebody else wrote it. Undecided when the key that is to follow is not here.
    """
    with database.read() as session:
        return _begun(session, box, signer, head)


def _begun(session: Session, box: Strongbox, signer: Signer, head: Checkpoint) -> Begun | None:
    for handover, note in _since(session, head):
        if handover.new == signer.verifier:
            continue  # it is how this key became one
        if handover.old != signer.verifier or handover.lost:
            raise _forged(handover.since - 1)
        return Begun(handover, note, head, (signer, _successor(box, handover)))
    return None


def _begun_without(session: Session, box: Strongbox, head: Checkpoint) -> Begun | None:
    following = box.next_signer()
    for handover, note in _since(session, head):
        if not handover.lost and handover.old == box.verifier():
            raise _missing(box)
        if following and handover.lost and handover.new == following.verifier:
            return Begun(handover, note, head, (following,))
    return None


def _successor(box: Strongbox, handover: Handover) -> Signer:
    found = box.next_signer()
    if found is None or found.verifier != handover.new:
        raise _missing(box)
    return found


def _since(session: Session, head: Checkpoint) -> Iterator[tuple[Handover, str]]:
    """The handovers of this ledger from its last sealed entry on."""
    first = max(head.size - 1, 0)
    for index, entry in list(book.raw_of_kinds(session, KINDS.values(), first)):
        note = note_in(entry)
        try:
            handover = read_handover(note)
        except (Refuted, Undecided) as error:
            raise _forged(index) from error
        if handover.new.name != head.origin:
            continue  # of a ledger that ended, whose entries are in this one
        if handover.since != index + 1:
            raise _forged(index)
        yield handover, note


def _forged(index: int) -> Refuted:
    return Refuted(
        t("Entry {index} names a new key that the key of the ledger did not sign.", index=index),
        hint=t("Leave all files as they are, and look with: crosspost log verify"),
    )


def _missing(box: Strongbox) -> Undecided:
    return Undecided(
        t("The record names a new key, and it is not here: {path}.", path=box.next_key),
        hint=t("Bring it back as it was; then everything goes on by itself."),
    )
