"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer

from crosspost import wording


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test reads English, whatever office it or an earlier one has loaded."""
    monkeypatch.setenv("CROSSPOST_LANGUAGE", "en")
    wording.set_language("en")
    yield
    wording.set_language("en")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One for the tests of this process."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def _made_on_server(postgres_server) -> str:
    from crosspost.database import Database
    from crosspost.migrations import upgrade

    database = Database(postgres_server.make("office"))
    upgrade(database)
    database.close()
    return database.url


@pytest.fixture
def postgresql_url(postgres_server, _made_on_server) -> str:
    """The address of a queue database on a real PostgreSQL, empty, as `crosspost init` makes it."""
    from crosspost.database import SCHEMA

    postgres_server.cut("office")
    postgres_server.empty("office")
    postgres_server.do(f"UPDATE alembic_version SET version_num = '{SCHEMA}'", "office")
    return _made_on_server
