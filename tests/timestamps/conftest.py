"""An office with a sealed ledger, and a time stamp authority."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from authority import Authority

from crosspost.config import Config, LedgerSettings, Office
from crosspost.database import Database
from crosspost.ledger import book
from crosspost.ledger.evidence import Sealed, open_sealed
from crosspost.ledger.sealing import found_ledger, seal
from crosspost.migrations import upgrade
from crosspost.wording import language, set_language


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


class Stamped:
    """The office in `folder`, which asks an authority."""

    def __init__(self, folder, authority: Authority) -> None:
        self.folder, self.authority = folder, authority
        self.database = Database(f"sqlite:///{folder / 'crosspost.db'}")
        upgrade(self.database)
        found_ledger(self.database, folder, "office.example/ledger")

    def config(self, url: str, root=None) -> Config:
        settings = LedgerSettings(timestamp_url=url, timestamp_root=root or self.authority.root)
        return Config(
            path=self.folder / "crosspost.toml",
            office=Office(name="Office", language="en"),
            ledger=settings,
        )

    def grow(self, count: int = 3) -> None:
        with self.database.write() as session:
            for _ in range(count):
                book.append(session, book.Act("claimed", "daemon", datetime.now(UTC)))
        seal(self.database, self.folder)

    def sealed(self) -> Sealed:
        with self.database.read() as session:
            return open_sealed(session, self.folder)


@pytest.fixture
def office(tmp_path, authority) -> Iterator[Stamped]:
    made = Stamped(tmp_path, authority)
    made.grow()
    yield made
    made.database.close()
