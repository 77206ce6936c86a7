"""Verifying the whole ledger: every leaf from its stored entry, the tree against the head.

It only looks. What an entry as stored must be like is a pure question (`problem_of`); whether it is
the one that was sealed, the hash tree answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from crosspost.errors import Undecided
from crosspost.ledger.book import Row, stamp
from crosspost.ledger.canonical import canonical
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.comparing import fork
from crosspost.ledger.handover import KINDS, note_in
from crosspost.ledger.hashing import SALT_BYTES, leaf_hash, salted_digest
from crosspost.ledger.keys import Keys
from crosspost.ledger.tree import EMPTY_ROOT, HASH_BYTES, CompactRange, Tree
from crosspost.wording import t

#: Two programs may record within this time in another order than they looked at the clock.
TOLERANCE = timedelta(hours=1)


class Verdict(StrEnum):
    """What an audit ends with."""

    VERIFIED = "verified"
    REFUTED = "refuted"
    FORK = "fork"  # two signed checkpoints that no one ledger can have


@dataclass(frozen=True)
class Audit:
    """What was found. `wrong` is the first wrong entry, None when it is none or cannot be named."""

    verdict: Verdict
    entries: int
    sealed: int
    wrong: int | None = None
    problem: str = ""
    erased: int = 0  # notes whose words are gone
    backdated: int | None = None  # the first entry older than the one before it

    @property
    def unsealed(self) -> int:
        """Entries that no checkpoint covers yet: for them only their own hash speaks."""
        return max(self.entries - self.sealed, 0)


def audit(
    rows: Iterable[Row],
    head: Checkpoint,
    leaves: Tree | None,
    witness: Checkpoint | None = None,
    keys: Keys | None = None,
    since: Checkpoint | None = None,
) -> Audit:
    """Verify `rows` against `head`, the last checkpoint, and each change of the key against `keys`,
    those by which the head was found signed.

    With `since`, an older checkpoint, `rows` begin after what it covers, which was verified when it
    was made: believed is that it is the beginning of the tree `leaves`, which is looked at.

    `leaves` is the tree under `head`, to name the entry that differs (None: only refute).
    `witness` is a checkpoint of the same key that somebody kept elsewhere.
    """
    auditor = _Auditor(head, leaves, witness, keys)
    if since is not None:
        auditor.begin_at(since)
    return auditor.run(rows)


class _Auditor:
    def __init__(
        self, head: Checkpoint, leaves: Tree | None, witness: Checkpoint | None, keys: Keys | None
    ) -> None:
        self.head, self.leaves, self.witness, self.keys = head, leaves, witness, keys
        self.handovers: dict[int, str] = {}  # what entries say of a change of the key
        self.tree = CompactRange()
        self.roots = {0: EMPTY_ROOT}  # by size, where a checkpoint stands
        self.wrong: tuple[int, str] | None = None
        self.erased = 0
        self.newest = ""
        self.backdated: int | None = None

    def begin_at(self, since: Checkpoint) -> None:
        """What `since` covers counts as verified. Raises ForkProven when the head does not begin
        with it, Undecided when that cannot be seen."""
        if self.leaves is None or since.size > self.head.size:
            raise Undecided(
                t("Nobody can see here whether the ledger goes on from that checkpoint."),
                hint=t("Verify all of it: crosspost log verify"),
            )
        begun = CompactRange.of(self.leaves.node, since.size)
        if begun.root() != since.root:
            raise fork()
        self.tree = begun
        self.roots[since.size] = since.root
        if self.witness and self.witness.size < since.size:
            older = CompactRange.of(self.leaves.node, self.witness.size)
            self.roots[older.size] = older.root()

    def run(self, rows: Iterable[Row]) -> Audit:
        sizes = {self.head.size, *([self.witness.size] if self.witness else [])}
        for row in rows:
            self._take(row)
            if self.tree.size in sizes:
                self.roots[self.tree.size] = self.tree.root()
        verdict, wrong, problem = self._verdict()
        return Audit(
            verdict, self.tree.size, self.head.size, wrong, problem, self.erased, self.backdated
        )

    def _take(self, row: Row) -> None:
        index = self.tree.size
        problem = problem_of(row, index)
        leaf = leaf_hash(row.entry) if isinstance(row.entry, bytes) else b"\0" * HASH_BYTES
        if not problem and self._differs(index, leaf):
            problem = t("it is not the entry that was sealed")
        self.tree.append(leaf)
        if problem and self.wrong is None:
            self.wrong = index, problem
        elif not problem:
            self._look_at(index, row)

    def _differs(self, index: int, leaf: bytes) -> bool:
        if self.leaves is None or index >= self.leaves.size:
            return False
        return leaf != self.leaves.node(0, index)

    def _look_at(self, index: int, row: Row) -> None:
        entry = json.loads(row.entry)
        if entry["kind"] in KINDS.values() and index < self.head.size:
            self.handovers[index] = note_in(row.entry)
        self.erased += "note" in entry and row.note is None
        at = entry["at"]
        if self.backdated is None and at < self.newest and _earlier(at, self.newest):
            self.backdated = index
        self.newest = max(self.newest, at)

    def _verdict(self) -> tuple[Verdict, int | None, str]:
        head = self.head
        if self._forks():
            words = t("Two different ledgers were signed with this key.")
            return Verdict.FORK, self.wrong and self.wrong[0], words
        if self.wrong:
            index, problem = self.wrong
            words = t("Entry {index}: {problem}.", index=index, problem=problem)
            return Verdict.REFUTED, index, words
        return (
            self._against(head)
            or self._against(self.witness)
            or self._against_keys()
            or (Verdict.VERIFIED, None, "")
        )

    def _against_keys(self) -> tuple[Verdict, int | None, str] | None:
        """A change of the key that no key of this ledger has signed."""
        if self.keys is None:
            return None
        known = self.keys.linked(self.handovers.values()).handovers()
        for index, note in self.handovers.items():
            ours = note.startswith(f"{self.head.origin}\n")  # else of a ledger that ended
            if known.get(index) != note and (ours or not note):
                words = t(
                    "Entry {index} names a new key that the key of the ledger did not sign.",
                    index=index,
                )
                return Verdict.REFUTED, index, words
        return None

    def _against(self, signed: Checkpoint | None) -> tuple[Verdict, int | None, str] | None:
        """What a checkpoint says against the entries; None when they are those that it signed."""
        if signed is None or self.roots.get(signed.size) == signed.root:
            return None
        if self.tree.size < signed.size:
            words = t(
                "Entries {first} to {last} were signed and are not there.",
                first=self.tree.size,
                last=signed.size - 1,
            )
            return Verdict.REFUTED, self.tree.size, words
        words = t("An entry below {size} is not the one that was signed.", size=signed.size)
        return Verdict.REFUTED, None, words

    def _forks(self) -> bool:
        """Whether head and witness cannot be of one ledger: one size and two roots, or the entries
        that the head stands for have another root at the witness's size."""
        witness, head = self.witness, self.head
        if witness is None:
            return False
        if witness.size == head.size:
            return witness.root != head.root
        older, newer = sorted((witness, head), key=lambda signed: signed.size)
        holds = self.roots.get(newer.size) == newer.root
        return holds and self.roots.get(older.size) != older.root


def problem_of(row: Row, index: int) -> str:
    """What is wrong with an entry as stored, in words; "" when nothing is."""
    if row.index != index:
        return t("it is missing, or another stands in its place")
    if not isinstance(row.entry, bytes):
        return t("it is not bytes")
    if row.leaf != leaf_hash(row.entry):
        return t("it was changed, for its hash is another one")
    entry = _object(row.entry)
    if entry is None:
        return t("it is not in the form of an entry")
    if not _copies_agree(row.copies, entry):
        return t("the columns beside it say something else")
    if not _note_agrees(row, entry.get("note")):
        return t("the words kept with it are not those recorded")
    return ""


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(data)
        whole = isinstance(entry, dict) and canonical(entry) == data and _time(entry["at"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return entry if whole else None


def _copies_agree(copies: tuple[Any, ...], entry: dict[str, Any]) -> bool:
    kind, at, by, announcement, delivery = copies
    found = (kind, _stamp(at), by, announcement, delivery)
    names = ("kind", "at", "by", "announcement", "delivery")
    return bool(found == tuple(entry.get(name) for name in names))


def _note_agrees(row: Row, digest: Any) -> bool:
    """Words that were erased are no contradiction; words without a digest are."""
    if row.note is None:
        return True
    good = isinstance(row.note, str) and isinstance(row.salt, bytes)
    if not good or len(row.salt) != SALT_BYTES:
        return False
    try:
        return bool(salted_digest(row.salt, row.note) == digest)
    except ValueError:
        return False


def _stamp(at: Any) -> str | None:
    """A time as the database gives it (SQLite: text, UTC), as entries write it."""
    try:
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):
        return None


def _time(at: Any) -> bool:
    return bool(_stamp(at) == at)


def _earlier(at: str, newest: str) -> bool:
    return datetime.fromisoformat(newest) - datetime.fromisoformat(at) > TOLERANCE
