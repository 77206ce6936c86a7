"""WAL: which files have it, how long it may become, and what a killed daemon leaves in it."""

from __future__ import annotations

import os
import resource
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from desk import config_in, enqueue, later, only_sqlite, scheduled
from sqlalchemy import text

from crosspost import database as storage
from crosspost import sqlite
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import DatabaseError, RestoreUnconfirmed
from crosspost.soundness import require_sound
from crosspost.sqlite import driver, pages_in_wal

pytestmark = only_sqlite


@pytest.fixture(autouse=True)
def _wal(monkeypatch) -> None:
    """On every machine: nothing here lets two write at once."""
    monkeypatch.setattr(sqlite, "wal_is_sound", lambda: True)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "crosspost.db"


def length(path: Path) -> int:
    """Of the WAL beside a file, in bytes."""
    wal = Path(f"{path}-wal")
    return wal.stat().st_size if wal.exists() else 0


def mode_of(database: Database) -> str:
    with database.read() as session:
        return session.execute(text("PRAGMA journal_mode")).scalar_one()


def put(database: Database, name: str, size: int = 10) -> None:
    with database.write() as session:
        value = f"INSERT INTO office_state VALUES ('{name}', hex(zeroblob({size})))"
        session.execute(text(value))


def back_to_a_rollback_journal(path: Path) -> None:
    with closing(driver().connect(path)) as old:
        assert old.execute("PRAGMA journal_mode = PERSIST").fetchone() == ("persist",)


# --- the library ----------------------------------------------------------------------------------


def test_sqlalchemy_uses_the_library_that_all_use(database):
    with database.read() as session:
        held = session.connection().connection.driver_connection
    assert isinstance(held, driver().Connection)
    assert database.engine.dialect.dbapi is driver()


# --- which journal --------------------------------------------------------------------------------


def test_a_file_with_a_rollback_journal_has_a_wal_from_its_next_opening_on(database, path):
    back_to_a_rollback_journal(path)
    put(database, "x")
    assert mode_of(database) == "wal"
    assert length(path) > 0


def test_while_somebody_holds_it_it_stays_as_it_is_and_is_used(database, path, monkeypatch):
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0)
    back_to_a_rollback_journal(path)
    with closing(driver().connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM delivery").fetchall()
        assert mode_of(database) == "delete"
    put(database, "x")
    assert mode_of(database) == "delete"
    database.close()
    assert mode_of(database) == "wal"


def test_a_wal_is_given_up_by_a_library_that_would_damage_it(database, path, monkeypatch):
    put(database, "x")
    database.close()
    monkeypatch.setattr(sqlite, "wal_is_sound", lambda: False)
    put(database, "y")
    assert mode_of(database) == "persist"
    assert length(path) == 0


def test_and_while_somebody_holds_it_that_library_does_not_touch_it(database, path, monkeypatch):
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0)
    put(database, "x")
    monkeypatch.setattr(sqlite, "wal_is_sound", lambda: False)
    with pytest.raises(DatabaseError, match="in use by another program"):
        put(Database(database.url), "y")


def test_on_a_network_share_there_is_no_wal(database, path, monkeypatch):
    """It needs memory that all have in common; two machines have none."""
    asked = []
    monkeypatch.setattr(sqlite, "network_share", lambda folder: asked.append(folder) or "nfs4")
    put(database, "x")
    assert mode_of(database) == "persist"
    assert asked[0] == path.parent


# --- how long it becomes --------------------------------------------------------------------------


def test_nothing_lies_beside_a_file_that_nobody_has_open(database, config, clock, platform, path):
    with database.write() as session:
        scheduled(session)
    assert length(path) > 0
    Daemon(database, config, now=clock).run_once()
    assert len(platform.public) == 1
    assert not list(path.parent.glob("crosspost.db-*"))


def test_it_grows_while_somebody_reads_and_begins_anew_when_nobody_does(
    database, path, monkeypatch
):
    monkeypatch.setattr(sqlite, "WAL_LIMIT", 300_000)
    monkeypatch.setattr(sqlite, "WAL_PATIENCE", 0)
    with database.read() as reader:
        reader.execute(text("SELECT * FROM office_state")).all()
        for number in range(20):
            put(database, f"before {number}", 20_000)
        assert length(path) > 800_000
        assert reader.execute(text("SELECT * FROM office_state")).all() == []
    for number in range(10):
        put(database, f"after {number}", 20_000)
    assert length(path) < 600_000


def test_a_redaction_leaves_nothing_in_it_while_a_daemon_has_the_file_open(
    database, path, monkeypatch
):
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0)
    daemon = Database(database.url)
    put(daemon, "a secret of the office")
    assert b"a secret of the office" in Path(f"{path}-wal").read_bytes()
    with daemon.write() as session:
        session.execute(text("DELETE FROM office_state"))
    database.scrub()
    for file in path.parent.glob("crosspost.db*"):
        assert b"a secret of the office" not in file.read_bytes(), file.name
    with daemon.read() as session:
        session.execute(text("SELECT * FROM office_state")).all()
        put(database, "x")
        with pytest.raises(DatabaseError, match="in use by another program"):
            Database(database.url).scrub()
    daemon.close()


# --- what a killed daemon leaves ------------------------------------------------------------------


@pytest.fixture
def killed(database, path, tmp_path) -> Database:
    """A database as a killed daemon leaves it: that all but one delivery were taken back stands
    in its WAL alone, with pages that are not in the file yet."""
    with database.write() as session:
        for _ in range(40):
            scheduled(session)
    database.close()
    folder = tmp_path / "killed"
    folder.mkdir()
    with database.read() as reader:  # so that nobody brings the WAL into the file
        reader.execute(text("SELECT * FROM delivery")).all()
        with database.write() as session:
            session.execute(text("UPDATE delivery SET status = 'cancelled' WHERE id > 1"))
        put(database, "x", 90_000)
        for end in ("", "-wal"):
            (folder / f"crosspost.db{end}").write_bytes(Path(f"{path}{end}").read_bytes())
    return Database(f"sqlite:///{folder / 'crosspost.db'}")


@pytest.fixture
def run(clock, platform):
    """A daemon does what is due; returns how many posts are public then."""

    def once(database: Database) -> int:
        Daemon(database, config_in(database.file.parent, "web"), now=clock).run_once()
        return len(platform.public)

    return once


def test_what_it_wrote_last_counts(killed, run):
    assert run(killed) == 1


def test_a_file_that_is_shorter_than_its_wal_says_is_whole(killed):
    with closing(driver().connect(killed.file)) as opened:
        [pages] = opened.execute("PRAGMA page_count").fetchone()
        assert killed.file.stat().st_size < pages * 4096
        require_sound(killed, thorough=True)


@pytest.mark.parametrize("lost", [100, 4096, 50_000])
def test_what_the_wal_does_not_hold_must_be_in_the_file(killed, run, platform, lost):
    size = killed.file.stat().st_size
    assert size // 4096 not in pages_in_wal(killed.file)
    os.truncate(killed.file, size - lost)
    with pytest.raises(DatabaseError, match=r"cut off|damaged"):
        run(killed)
    assert platform.public == []


@pytest.mark.parametrize("torn", [b"", b"x" * 20, b"x" * 9000, b"\x37\x7f\x06\x82" + bytes(9000)])
def test_a_wal_of_which_nothing_is_left_is_none(killed, run, torn):
    Path(f"{killed.file}-wal").write_bytes(torn)
    assert run(killed) == 40


def test_a_wal_that_was_torn_by_a_power_cut_holds_what_is_whole_of_it(killed, run):
    wal = Path(f"{killed.file}-wal")
    os.truncate(wal, wal.stat().st_size - 30_000)
    assert run(killed) == 1


def test_without_its_wal_it_is_an_older_copy_and_nothing_is_sent_twice(
    database, clock, platform, path, run, tmp_path
):
    run(database)
    folder = tmp_path / "killed"
    folder.mkdir()
    with database.read() as reader:
        reader.execute(text("SELECT * FROM delivery")).all()
        with database.write() as session:
            scheduled(session, due=later(10))
        clock.time = later(10)
        assert run(database) == 1
        for name in ("crosspost.db", "crosspost.mark"):
            (folder / name).write_bytes((tmp_path / name).read_bytes())
    with pytest.raises(RestoreUnconfirmed, match="entries of its record are missing"):
        run(Database(f"sqlite:///{folder / 'crosspost.db'}"))
    assert len(platform.public) == 1


def test_the_wal_of_another_state_is_noticed_before_anything_is_sent(
    database, clock, platform, path, run
):
    """A killed daemon's WAL that lay there still when somebody put an older copy in place."""
    with database.write() as session:
        for _ in range(5):
            scheduled(session)
    run(database)
    database.close()
    copy = path.read_bytes()
    with database.write() as session:
        for _ in range(40):
            enqueue(session)
            scheduled(session, due=later(10))
    clock.time = later(10)
    assert run(database) == 45
    database.close()
    with database.read() as reader:
        reader.execute(text("SELECT * FROM delivery")).all()
        with database.write() as session:
            scheduled(session, due=later(20))
        clock.time = later(20)
        assert run(database) == 46
        wal = Path(f"{path}-wal").read_bytes()
    database.close()
    path.write_bytes(copy)
    Path(f"{path}-wal").write_bytes(wal)
    with pytest.raises(DatabaseError, match="damaged"):
        run(database)
    assert len(platform.public) == 46


# --- the disk -------------------------------------------------------------------------------------


@contextmanager
def no_file_longer_than(size: int):
    """For this process, so that it has no room for its part of the WAL, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("free", "said"),
    [(0, "The disk is full; nothing was changed."), (10**9, "The queue database failed")],
)
def test_a_disk_without_room_to_begin_a_wal_is_full(database, monkeypatch, free, said):
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert mode_of(database) == "wal"  # whatever journal the copied file had
    database.close()
    with no_file_longer_than(20_000), pytest.raises(DatabaseError, match=said):
        mode_of(database)
    assert mode_of(database) == "wal"
