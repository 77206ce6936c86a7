"""A file that is not whole is found before anything is sent, with words that help."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from desk import later, only_sqlite, scheduled, status_of
from sqlalchemy import event, text

from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import DatabaseError
from crosspost.lifecycle import Status
from crosspost.soundness import problem_of_file, require_sound
from crosspost.sqlite import driver

pytestmark = [only_sqlite, pytest.mark.usefixtures("journal")]


@pytest.fixture
def path(database, tmp_path) -> Path:
    """The file of a database with a queue, closed."""
    with database.write() as session:
        for _ in range(40):
            scheduled(session)
    database.close()
    return tmp_path / "crosspost.db"


def flip_a_page(path: Path) -> None:
    """One page of the middle is nothing but ones."""
    whole = path.read_bytes()
    middle = len(whole) // 2 // 4096 * 4096
    path.write_bytes(whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :])


def lose_an_index_entry(path: Path) -> None:
    """The table says one thing, its index another."""
    with driver().connect(path, isolation_level=None) as opened:
        [root] = opened.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'delivery_status_due'"
        ).fetchone()
        [other] = opened.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'delivery_status_not_after'"
        ).fetchone()
        opened.execute("PRAGMA writable_schema = ON")
        opened.execute(
            "UPDATE sqlite_master SET rootpage = ? WHERE name = 'delivery_status_due'", (other,)
        )
        assert root != other
    opened.close()


#: What happens to the file -> what is said about it.
SPOILT = {
    "a page is overwritten": (flip_a_page, "damaged"),
    "half of it is gone": (lambda p: os.truncate(p, p.stat().st_size // 2), "cut off"),
    "its last page is gone": (lambda p: os.truncate(p, p.stat().st_size - 4096), "cut off"),
    "a few bytes are gone": (lambda p: os.truncate(p, p.stat().st_size - 100), "cut off"),
    "it is a letter": (lambda p: p.write_text("Dear Sir or Madam, " * 500), "no SQLite database"),
    "an index is another's": (lose_an_index_entry, "damaged"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_it_is_found_at_the_start_and_nothing_is_sent(database, config, clock, platform, path, how):
    spoil, said = SPOILT[how]
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=said) as caught:
        Daemon(database, config, now=clock).run_once()
    assert "crosspost restore" in caught.value.hint
    assert platform.public == []
    assert path.read_bytes() == before


def test_a_whole_one_is_sound(database, path):
    require_sound(database)
    require_sound(database, thorough=True)
    assert problem_of_file(path) == ""


def test_a_database_on_a_server_is_not_asked(database, monkeypatch):
    monkeypatch.setattr(Database, "file", None)
    require_sound(database)


def test_a_transaction_that_was_cut_off_is_undone_and_the_rest_goes_out(
    database, config, clock, platform, path, journal
):
    """A hot journal, as power loss leaves it."""
    writer = driver().connect(path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE delivery SET status = 'published', reason = hex(randomblob(9000))")
    half, hot = path.read_bytes(), Path(f"{path}{journal}").read_bytes()
    assert len(hot) > 10 * 4096
    writer.execute("ROLLBACK")
    writer.close()
    path.write_bytes(half)
    Path(f"{path}{journal}").write_bytes(hot)
    Daemon(database, config, now=clock).run_once()
    assert len(platform.public) == 40


def test_without_its_journal_a_half_written_transaction_is_noticed(
    database, config, clock, platform, path, journal
):
    writer = driver().connect(path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE delivery SET reason = hex(randomblob(9000))")
    half = path.read_bytes()
    writer.execute("ROLLBACK")
    writer.close()
    path.write_bytes(half)
    Path(f"{path}{journal}").unlink(missing_ok=True)
    if journal == "-wal":  # which alone was written: nothing is half done in the file
        Daemon(database, config, now=clock).run_once()
        assert len(platform.public) == 40
        return
    with pytest.raises(DatabaseError):
        Daemon(database, config, now=clock).run_once()
    assert platform.public == []


def test_a_full_disk_at_the_claim_sends_nothing(database, config, clock, platform):
    with database.write() as session:
        delivery = scheduled(session)

    @event.listens_for(database.engine, "begin")
    def fill(connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def many(session) -> None:
        session.execute(text("INSERT INTO office_state VALUES ('x', hex(zeroblob(100000)))"))

    with pytest.raises(DatabaseError, match="disk is full"), database.write() as session:
        many(session)
    daemon = Daemon(database, config, now=clock)
    whole = daemon.lookout.take

    def look(session):
        many(session)
        return whole(session)

    daemon.lookout.take = look
    daemon._tick_safely()
    daemon.bench.close()
    assert platform.public == []
    assert status_of(database, delivery) is Status.SCHEDULED
    event.remove(database.engine, "begin", fill)
    clock.time = later(5)
    Daemon(database, config, now=clock).run_once()
    assert status_of(database, delivery) is Status.PUBLISHED
