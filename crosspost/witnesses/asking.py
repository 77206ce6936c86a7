"""Asks one witness for its cosignature of the head, and keeps what it gave.

What a witness says is believed as far as a signature goes: its own, or that of this office under a
checkpoint that the office does not know. It must not decide when to ask (`standing.py`), and must
not wait long: the answer is bounded in size and time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

from crosspost import __version__
from crosspost.adapters import transport
from crosspost.adapters.base import Answer
from crosspost.config import Config
from crosspost.database import Database
from crosspost.durable import replace_durably
from crosspost.errors import Refuted, Undecided, UserError
from crosspost.foreign import of_system
from crosspost.ledger.checkpoint import DECIMAL, read_checkpoint
from crosspost.ledger.evidence import Sealed
from crosspost.ledger.note import parts
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tree import consistency_proof
from crosspost.witnesses.conflicts import (
    Contradiction,
    contradiction,
    keep_conflict,
)
from crosspost.witnesses.cosignature import (
    Cosignature,
    Witness,
    believable,
    cosignatures,
    read_witness,
)
from crosspost.witnesses.places import origin_hash
from crosspost.witnesses.protocol import ADD, MOST_SIZE, Request
from crosspost.witnesses.remembered import recall, remember
from crosspost.witnesses.standing import failed, worked
from crosspost.wording import t

#: Seconds to connect, and between two pieces of an answer.
PATIENCE = (10.0, 20.0)
#: A witness may name another size each time, if several ask for one ledger; not for ever.
TRIES = 3


@dataclass(frozen=True)
class Asked:
    """A witness of this office: its name in the settings, its address, its key."""

    name: str
    url: str
    witness: Witness


def asked_in(config: Config) -> list[Asked]:
    """The configured witnesses. Raises Undecided for a key that is none."""
    found = []
    for name, settings in config.witnesses.items():
        try:
            found.append(Asked(name, settings.url, read_witness(settings.vkey)))
        except Undecided as error:
            where = t("{where}: {reason}", where=f"witnesses.{name}", reason=error.problems[0])
            raise Undecided(where, hint=error.hint) from error
    return found


def ask(asked: Asked, sealed: Sealed, size: int, now: datetime) -> Cosignature | Contradiction:
    """The cosignature of the head of `sealed` by a witness that cosigned `size` entries last, as
    far as we know. Raises Undecided with a sentence when it gives none."""
    session = transport.new_session(f"crosspost/{__version__}")
    try:
        return _Question(asked, sealed, session).put(min(size, sealed.head.size), now)
    finally:
        session.close()


@dataclass(frozen=True)
class _Question:
    asked: Asked
    sealed: Sealed
    session: transport.Session

    def put(self, old: int, now: datetime) -> Cosignature | Contradiction:
        for _ in range(TRIES):
            answer = self._send(old)
            if answer.status == 200:
                return self._cosignature(answer.body, now)
            if answer.status != 409:
                break
            size = self._size_in(answer, old)
            if size > self.sealed.head.size:
                return self._contradiction() or self._larger(size)
            old = size
        if answer.status == 422 and (found := self._contradiction()):
            return found
        raise self._no(_why(answer.status))

    def _send(self, old: int) -> Answer:
        head = self.sealed.head
        steps = consistency_proof(self.sealed.tree.node, old, head.size) if old else []
        body = Request(old, tuple(steps), self.sealed.note).text()
        return self._call("POST", ADD, body)

    def _call(self, method: str, path: str, body: bytes = b"") -> Answer:
        try:
            return transport.send(
                self.session, method, self.asked.url + path, PATIENCE, {}, {"data": body}
            )
        except (transport.NotSent, transport.Broken) as error:
            raise self._no(str(error)) from error

    def _size_in(self, answer: Answer, old: int) -> int:
        """The size that the witness knows (409)."""
        said = answer.text.removesuffix("\n")
        if not DECIMAL.fullmatch(said) or int(said) > MOST_SIZE or int(said) == old:
            raise self._no(t("its answer makes no sense"))
        return int(said)

    def _larger(self, size: int) -> NoReturn:
        """It says so without showing a signature of ours: it may be wrong, but we may be too."""
        reason = t(
            "it says that it cosigned {size} entries, and the head has only {ours}",
            size=size,
            ours=self.sealed.head.size,
        )
        raise self._no(reason)

    def _cosignature(self, body: bytes, now: datetime) -> Cosignature:
        text = parts(self.sealed.note)[0].encode()
        try:
            found = cosignatures(text + b"\n" + body, [self.asked.witness])
        except (Refuted, Undecided) as error:
            raise self._no(t("its answer is no cosignature that holds")) from error
        if not found:
            raise self._no(t("its answer has no cosignature by the key in crosspost.toml"))
        if not believable(found, now):
            raise self._no(t("its cosignature is of a time to come: one of the clocks is wrong"))
        return found[0]

    def _contradiction(self) -> Contradiction | None:
        """What the witness has of this ledger, if it is signed and contradicts the head."""
        origin = origin_hash(self.sealed.head.origin)
        answer = self._call("GET", f"/{origin}/checkpoint")
        if answer.status != 200:
            return None
        known = self.sealed.keys.read_ever(partial(read_checkpoint, answer.body))
        if known is None:
            return None
        why = contradiction(self.sealed, known)
        return Contradiction(known, answer.body, why) if why is not None else None

    def _no(self, reason: str) -> Undecided:
        words = t("The witness {name} did not cosign: {reason}.", name=self.asked.name,
                  reason=reason.rstrip("."))  # fmt: skip
        return Undecided(words, hint=t("It is asked again by itself."))


def _why(status: int) -> str:
    if status == 404:
        return t("it does not know this ledger; give its people the line in ledger.vkey")
    if status == 403:
        return t("it knows another key for this ledger; give its people the line in ledger.vkey")
    if status == 422:
        return t("for it the ledger does not continue what it cosigned before")
    return t("it answers with HTTP status {status}", status=status)


# --- what a witness gave --------------------------------------------------------------------------


def ask_and_keep(
    database: Database,
    folder: Path,
    asked: Asked,
    sealed: Sealed,
    now: Callable[[], datetime],
) -> Cosignature:
    """Ask, and remember how it went. Raises Undecided with a sentence when the witness does not
    cosign; Refuted or ForkProven when what it has contradicts the head, which is kept; UserError.
    """
    vkey = str(asked.witness)
    with database.read() as session:
        known = recall(session, asked.name, vkey, now())
    try:
        found = ask(asked, sealed, known.size, now())
        if isinstance(found, Contradiction):
            keep_conflict(folder, found)
            raise found.why
        keep(folder, sealed.note, found)
    except UserError as error:
        with database.write() as session:
            remember(session, asked.name, failed(known, error.problems[0], now()))
        raise
    with database.write() as session:
        size = sealed.head.size
        remember(session, asked.name, worked(known, size, found.at, now()))
    return found


def keep(folder: Path, note: bytes, given: Cosignature) -> bool:
    """Put a cosignature of the head in `note` beside it, with those of others; False when the head
    is another one by now. Raises UserError when the disk refuses, Undecided."""
    box = Strongbox(folder)
    with box.signer():
        head_note = box.head_note()
        if not note.startswith(head_note):
            return False
        known = dict.fromkeys(_others(box.shown_note()[len(head_note) :], given))
        try:
            replace_durably(box.cosigned, head_note + b"".join(known) + given.line())
        except OSError as error:
            raise UserError(
                t("{path} cannot be written: {reason}.", path=box.cosigned, reason=of_system(error))
            ) from error
        return True


def _others(lines: bytes, given: Cosignature) -> list[bytes]:
    """The lines by other keys than that of `given`."""
    ours = given.line().rpartition(b" ")[0]
    found = [line + b"\n" for line in lines.split(b"\n") if line]
    return [line for line in found if line.rpartition(b" ")[0] != ours]
