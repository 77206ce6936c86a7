"""A real queue database for each test, made once by the migrations: a copy of that file on SQLite,
emptied before each test on PostgreSQL (marked `servers`). Nothing sleeps, no platform is called."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from desk import BOTH, claim, config_in, doing
from drafted import DRAFT
from scripted import Clock, Scripted

from crosspost import approvals, editorial, sqlite, workbench
from crosspost.config import Config
from crosspost.database import Database
from crosspost.migrations import upgrade
from crosspost.tables import Delivery
from crosspost.wording import language, set_language
from crosspost.workbench import Workbench


class _Undone(Exception):
    """Nothing that the test wrote is kept."""


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Path:
    """An empty queue database, as `crosspost init` makes it."""
    path = tmp_path_factory.mktemp("fresh") / "crosspost.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


#: What lies beside a SQLite file while it is written, by the kind of its journal.
JOURNALS = {"wal": "-wal", "rollback": "-journal"}


@pytest.fixture(params=JOURNALS)
def journal(request, monkeypatch) -> str:
    """The same test with both journals; the end of the journal's name."""
    monkeypatch.setattr(sqlite, "wal_is_sound", lambda: request.param == "wal")
    return JOURNALS[request.param]


@pytest.fixture(params=BOTH)
def database(request, tmp_path) -> Iterator[Database]:
    """The same test on both databases."""
    made = Database(request.getfixturevalue(f"{request.param}_url"))
    yield made
    made.close()


@pytest.fixture
def sqlite_url(fresh, tmp_path) -> str:
    shutil.copy(fresh, tmp_path / "crosspost.db")
    return f"sqlite:///{tmp_path / 'crosspost.db'}"


@pytest.fixture
def session(database) -> Iterator:
    """One writing transaction for the whole test, undone at its end."""
    with suppress(_Undone), database.write() as opened:
        yield opened
        raise _Undone


@pytest.fixture
def config(tmp_path) -> Config:
    """The office of `database`, with three channels."""
    return config_in(tmp_path, "alpha", "beta", "web")


@pytest.fixture
def added(database, config):
    """The number of an announcement that waits for approval on alpha and beta."""
    return editorial.add(database, config, DRAFT, doing()).announcement


@pytest.fixture
def approved(database, config, added):
    approvals.approve(database, config, added, doing())
    return added


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(monkeypatch) -> Scripted:
    """The platform behind every channel; without network."""
    made = Scripted()
    monkeypatch.setattr(Workbench, "adapter", lambda _bench, _channel: made)
    monkeypatch.setattr(Workbench, "opened", lambda _bench, _channel: made)
    monkeypatch.setattr(workbench, "STORE_AGAIN", 0)
    return made


@pytest.fixture
def bench(database, config, clock) -> Workbench:
    """The daemon's workbench, with the test's clock and no luck in it."""
    return Workbench(database, config, "daemon", clock, jitter=lambda: 1.0)


@pytest.fixture
def delivery(database) -> Delivery:
    """One for the channel web, claimed, as the daemon hands it over."""
    return claim(database)
