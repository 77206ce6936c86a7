"""A PostgreSQL server in trouble, in words; and what its connections are set to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from desk import NOW, only_postgresql
from sqlalchemy import text
from sqlmodel import select

from crosspost import postgres
from crosspost.database import Database
from crosspost.errors import DatabaseError
from crosspost.tables import Announcement, ChannelState

pytestmark = pytest.mark.servers
PASSWORD = "tok-3f9a61c7d2"


def trouble(url: str) -> DatabaseError:
    database = Database(url)
    with pytest.raises(DatabaseError) as caught:
        database.check_schema()
    database.close()
    assert "psycopg" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.hint
    return caught.value


def setting(session, name: str) -> str:
    return session.execute(text(f"SHOW {name}")).scalar_one()


def add_one(database: Database) -> None:
    with database.write() as session:
        session.add(Announcement(created_at=NOW, created_by="Siti"))


# --- what a connection is set to ------------------------------------------------------------------


@only_postgresql
def test_a_commit_waits_for_the_disk_even_where_the_server_would_not(database):
    for way in (database.read, database.write):
        with way() as session:
            assert setting(session, "synchronous_commit") == "on"  # the test's server says off


@only_postgresql
def test_reading_is_one_view_and_cannot_write(database):
    with database.read() as session:
        assert session.exec(select(Announcement)).all() == []
        add_one(database)
        assert session.exec(select(Announcement)).all() == []
        with pytest.raises(Exception, match="read-only"):
            session.execute(text("DELETE FROM announcement"))


@only_postgresql
def test_a_writer_that_falls_silent_loses_its_turn(database, monkeypatch):
    monkeypatch.setattr(postgres, "SILENCE", 50)
    silent = threading.Event()

    def fall_silent() -> None:
        with pytest.raises(DatabaseError), database.write() as session:
            session.add(Announcement(created_at=NOW, created_by="Siti"))
            session.flush()
            silent.set()
            other.join()
            session.execute(text("SELECT 1"))

    stopped = threading.Thread(target=fall_silent)
    other = threading.Thread(target=lambda: silent.wait(20) and add_one(database))
    other.start()
    stopped.start()
    stopped.join(20)
    with database.read() as session:
        assert len(session.exec(select(Announcement)).all()) == 1


# --- a server in trouble --------------------------------------------------------------------------


def test_a_server_that_does_not_run_is_said_in_words():
    error = trouble(f"postgresql://office:{PASSWORD}@127.0.0.1:9/queue")
    assert "cannot be reached" in error.problems[0]
    assert "127.0.0.1:9/queue" in error.problems[0]


def test_a_server_whose_name_is_unknown_is_said_in_words():
    error = trouble(f"postgresql://office:{PASSWORD}@server.invalid/queue")
    assert "cannot be reached" in error.problems[0]


def test_a_database_that_there_is_not_is_said_in_words(postgres_server):
    assert "no such database" in trouble(postgres_server.url("none")).problems[0]


def test_an_account_that_there_is_not_is_said_in_words(postgres_server, postgresql_url):
    assert "account" in trouble(postgres_server.url("office", "nobody")).problems[0]


def test_a_wrong_password_is_said_in_words_and_not_repeated(postgres_server, postgresql_url):
    with postgres_server.asking_for_passwords():
        error = trouble(postgresql_url.replace("office@", f"office:{PASSWORD}@"))
        assert "refuses this account or its password" in error.problems[0]
        error = trouble(postgresql_url)
        assert "refuses this account or its password" in error.problems[0]


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://office:{PASSWORD}@host:port/queue",
        f"mysql://office:{PASSWORD}@host/queue",
        f"office:{PASSWORD}@://",
    ],
)
def test_an_address_that_is_none_is_said_in_words(address):
    with pytest.raises(DatabaseError) as caught:
        Database(address)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "postgresql://" in caught.value.hint


@only_postgresql
def test_a_standby_is_said_in_words(database):
    with pytest.raises(DatabaseError) as caught, database.write() as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        session.execute(text("DELETE FROM announcement"))
    assert "standby" in caught.value.problems[0]


@only_postgresql
def test_a_cut_connection_is_said_in_words_and_the_next_one_works(database, postgres_server):
    with pytest.raises(DatabaseError) as caught, database.write() as session:
        session.add(Announcement(created_at=datetime.now(UTC), created_by="Siti"))
        session.flush()
        assert postgres_server.cut("office") >= 1
    assert "cannot be reached" in caught.value.problems[0]
    add_one(database)
    with database.read() as session:
        assert len(session.exec(select(Announcement)).all()) == 1


@only_postgresql
def test_a_missing_right_is_said_in_words(database, postgres_server):
    postgres_server.do("CREATE ROLE guest LOGIN")
    guest = Database(postgres_server.url("office", "guest"))
    with pytest.raises(DatabaseError) as caught:
        add_one(guest)
    assert "has not the right" in caught.value.problems[0]
    guest.close()
    postgres_server.do("DROP ROLE guest")


@only_postgresql
def test_a_text_that_postgresql_cannot_hold_changes_nothing(database):
    with pytest.raises(DatabaseError), database.write() as session:
        session.add(ChannelState(channel="web", reason="\x00"))
    with database.read() as session:
        assert session.get(ChannelState, "web") is None
