"""The queue database: how it is opened, what it says when it fails, and that migrations make it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from desk import NOW, only_sqlite, scheduled
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import SQLModel, select

from crosspost import database as storage
from crosspost import migrations, postgres
from crosspost.database import SCHEMA, Database
from crosspost.errors import DatabaseError, SchemaError
from crosspost.sqlite import driver, wal_is_sound
from crosspost.tables import Announcement, Approval, ChannelState, Delivery


def pragma(session, name: str):
    return session.execute(text(f"PRAGMA {name}")).scalar_one()


def add_one(database: Database) -> None:
    with database.write() as session:
        session.add(Announcement(created_at=NOW, created_by="Siti"))


def count(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(Announcement)).all())


def fails(work, *arguments) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        work(*arguments)
    assert "sqlite3" not in str(caught.value)
    return caught.value


# --- how it is opened -----------------------------------------------------------------------------


@only_sqlite
def test_every_connection_is_durable_and_keeps_its_references(database):
    for way in (database.read, database.write):
        with way() as session:
            assert pragma(session, "foreign_keys") == 1
            assert pragma(session, "synchronous") == 2  # FULL
            sound = wal_is_sound()
            assert pragma(session, "journal_mode") == ("wal" if sound else "persist")


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_only_where_its_bug_is_mended(monkeypatch, version, sound):
    monkeypatch.setattr(driver(), "sqlite_version_info", version)
    assert wal_is_sound() is sound


def test_a_reference_to_nothing_is_refused(database):
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Approval(revision_id=999, digest="d", by="Siti", at=NOW))


def test_a_transaction_that_fails_leaves_nothing(database):
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(Announcement(created_at=NOW, created_by="Siti"))
        session.flush()
        raise RuntimeError
    assert count(database) == 0


def test_a_writer_holds_the_lock_from_its_first_question_on_and_readers_go_on(
    database, monkeypatch
):
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0)
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT", 1)
    second = Database(database.url)
    with database.write() as session:
        session.exec(select(Announcement)).all()
        error = fails(add_one, second)
        assert count(second) == 0
    assert "in use by another program" in error.problems[0]
    assert "Nothing was changed" in error.hint
    second.close()


# --- times and words ------------------------------------------------------------------------------


def test_a_naive_time_is_refused(database):
    with pytest.raises(StatementError, match="naive"), database.write() as session:
        session.add(Announcement(created_at=datetime(2026, 11, 23, 9, 0), created_by="Siti"))  # noqa: DTZ001 - the point of it


def test_a_time_comes_back_aware_and_in_utc(database):
    jakarta = datetime(2026, 11, 23, 16, 0, 0, 1, tzinfo=timezone(timedelta(hours=7)))
    with database.write() as session:
        session.add(Announcement(created_at=jakarta, created_by="Siti"))
    with database.read() as session:
        found = session.exec(select(Announcement.created_at)).one()
    assert found == jakarta
    assert found.tzinfo is UTC


def test_a_word_that_is_no_status_cannot_be_stored(database):
    with database.write() as session:
        delivery = scheduled(session)
    with pytest.raises(StatementError, match="almost"), database.write() as session:
        row = session.get_one(Delivery, delivery.id)
        row.status = "almost"


# --- what it says when it fails -------------------------------------------------------------------


def test_a_database_that_is_not_there_is_missing_and_is_not_made(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")
    error = fails(database.check_schema)
    assert "missing or empty" in error.problems[0]
    assert "crosspost init" in error.hint
    assert not (tmp_path / "none.db").exists()


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path):
    error = fails(count, Database(f"sqlite:///{tmp_path / 'none' / 'queue.db'}"))
    assert "cannot be opened" in error.problems[0]
    assert "needs the right to write" in error.hint


@only_sqlite
@pytest.mark.usefixtures("journal")
def test_a_database_moved_away_under_us_cannot_be_written_until_it_is_back(database, tmp_path):
    path, moved = tmp_path / "crosspost.db", tmp_path / "moved.db"
    with database.read() as session:
        session.exec(select(Announcement)).all()
    path.rename(moved)
    error = fails(add_one, database)
    assert "cannot be written" in error.problems[0]
    assert "Put the file back" in error.hint
    fails(count, database)
    path.write_bytes(moved.read_bytes())  # another file under its name is not it
    fails(add_one, database)
    moved.rename(path)
    add_one(database)
    assert count(database) == 1


@only_sqlite
def test_a_full_disk_is_said_in_words(database):
    def fill() -> None:
        with database.write() as session:
            pages = pragma(session, "page_count")
            session.execute(text(f"PRAGMA max_page_count = {pages}"))
            for number in range(100):
                session.add(ChannelState(channel=str(number), reason="x" * 1000))
            session.flush()

    assert fails(fill).problems == ("The disk is full; nothing was changed.",)


def test_a_file_that_is_no_database_is_said_in_words(tmp_path):
    path = tmp_path / "crosspost.db"
    path.write_bytes(b"Dear Sir or Madam, " * 500)
    error = fails(count, Database(f"sqlite:///{path}"))
    assert error.problems == (f"This is not a crosspost database: {path}.",)
    assert "bring back the last good copy" in error.hint


@only_sqlite
def test_a_damaged_database_is_said_in_words(database, tmp_path):
    add_one(database)
    database.close()
    path = tmp_path / "crosspost.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    error = fails(count, database)
    assert error.problems == (f"The queue database is damaged: {path}.",)
    assert "bring back the last good copy" in error.hint


def test_a_broken_rule_of_ours_is_a_bug_and_no_trouble_of_the_database(database):
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Announcement(id=1, created_at=NOW, created_by="Siti"))
        session.flush()
        session.execute(text("INSERT INTO announcement SELECT * FROM announcement"))


def test_postgresql_without_its_driver_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = fails(Database, "postgresql://office:tok-3f9a@db.example/queue")
    assert "psycopg" in error.problems[0]
    assert "crosspost[postgres]" in error.hint
    assert "tok-3f9a" not in str(error)


# --- the schema -----------------------------------------------------------------------------------


def test_migrations_make_exactly_the_tables_of_the_code(database):
    with database.read() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrations_make_the_same_constraints_as_the_code(database, tmp_path):
    # what alembic does not compare on SQLite: unique constraints by their columns
    plain = Database(f"sqlite:///{tmp_path / 'plain.db'}")
    SQLModel.metadata.create_all(plain.engine)

    def unique(engine) -> set:
        look = inspect(engine)
        return {
            (table, tuple(sorted(found["column_names"])))
            for table in SQLModel.metadata.tables
            for found in [*look.get_unique_constraints(table), *look.get_indexes(table)]
            if found.get("unique", True)
        }

    assert unique(database.engine) == unique(plain.engine)
    assert ("delivery", ("act", "channel", "revision_id")) in unique(database.engine)
    plain.close()


def test_the_schema_that_the_code_needs_is_the_newest_migration(database):
    folder = Path(migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_heads() == [SCHEMA]
    assert database.schema() == SCHEMA
    database.check_schema()


def test_upgrading_twice_changes_nothing(database):
    add_one(database)
    migrations.upgrade(database)
    assert (database.schema(), count(database)) == (SCHEMA, 1)


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")

    def fail(*_arguments) -> None:
        raise RuntimeError

    monkeypatch.setattr("alembic.op.create_index", fail)
    with pytest.raises(RuntimeError):
        migrations.upgrade(database)
    assert database.schema() is None
    assert inspect(database.engine).get_table_names() == []
    database.close()


@pytest.mark.parametrize(
    ("found", "hint"), [("0000", "crosspost init --upgrade"), ("9999", "newer crosspost")]
)
def test_another_schema_is_refused_with_the_way_out(database, found, hint):
    with database.write() as session:
        session.execute(text(f"UPDATE alembic_version SET version_num = '{found}'"))
    with pytest.raises(SchemaError) as caught:
        database.check_schema()
    assert f"has schema {found}" in caught.value.problems[0]
    assert hint in caught.value.hint
