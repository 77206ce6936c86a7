"""Two neighbouring offices: one keeps a ledger, the other is its witness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crosspost.config import Config, Office, WitnessSettings
from crosspost.database import Database
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.evidence import Sealed, open_sealed
from crosspost.ledger.hashing import leaf_hash
from crosspost.ledger.note import Signer, new_signer
from crosspost.ledger.sealing import found_ledger, seal
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tree import Tree, consistency_proof
from crosspost.migrations import upgrade
from crosspost.witnesses.memory import Memory
from crosspost.witnesses.protocol import Logs, Request
from crosspost.wording import language, set_language

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


@dataclass
class Log:
    """A log with its key, in memory: any tree of it can be signed."""

    signer: Signer = field(default_factory=lambda: new_signer("log.example/one"))

    @property
    def logs(self) -> Logs:
        return {self.signer.name: [self.signer.verifier]}

    def tree(self, size: int, mark: str = "") -> Tree:
        """The tree of so many entries; another `mark` is another history from the start."""
        return Tree(b"".join(leaf_hash(f"{mark}{n}".encode()) for n in range(size)))

    def note(self, size: int, mark: str = "") -> bytes:
        root = self.tree(size, mark).root()
        return Checkpoint(self.signer.name, size, root).signed(self.signer)

    def request(self, old: int, size: int, mark: str = "") -> Request:
        """An honest request within the history `mark`."""
        steps = consistency_proof(self.tree(size, mark).node, old, size) if 0 < old <= size else []
        return Request(old, tuple(steps), self.note(size, mark))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def memory(tmp_path) -> Memory:
    """A witness with a key and nothing cosigned."""
    made = Memory(tmp_path / "witness")
    made.found("neighbour.example/witness")
    return made


@dataclass
class Ours:
    """An office with a sealed ledger, in `folder`."""

    folder: Path
    database: Database

    @property
    def box(self) -> Strongbox:
        return Strongbox(self.folder)

    @property
    def logs(self) -> Logs:
        key = self.box.verifier()
        return {key.name: [key]}

    def grow(self, count: int, mark: str = "") -> Checkpoint:
        with self.database.write() as session:
            for _ in range(count):
                at = NOW + timedelta(seconds=book.size(session))
                book.append(session, book.Act("claimed", f"daemon{mark}", at, data={"n": 1}))
        return seal(self.database, self.folder)

    def sealed(self) -> Sealed:
        with self.database.read() as session:
            return open_sealed(session, self.folder)

    def config(self, **witnesses: tuple[str, str]) -> Config:
        """Settings with these witnesses: name -> address, key."""
        return Config(
            path=self.folder / "crosspost.toml",
            office=Office(name="Office", language="en"),
            witnesses={n: WitnessSettings(url=u, vkey=k) for n, (u, k) in witnesses.items()},
        )


@pytest.fixture
def ours(tmp_path) -> Iterator[Ours]:
    folder = tmp_path / "office"
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'crosspost.db'}")
    upgrade(database)
    made = Ours(folder, database)
    found_ledger(database, folder, "office.example/ledger")
    made.grow(12)
    yield made
    database.close()
