"""A backup is one moment of the database, whole, private, and never in the way of another file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from desk import NOW, doing, last_entry, only_sqlite, scheduled
from sqlmodel import select

from crosspost import backup
from crosspost.backup import back_up, put_in_place, require_placeable
from crosspost.database import Database
from crosspost.errors import Conflict, DaemonRunning, DatabaseError, UserError
from crosspost.lock import DaemonLock
from crosspost.sqlite import driver
from crosspost.tables import Announcement, LedgerEntry, OfficeState

pytestmark = [only_sqlite, pytest.mark.usefixtures("journal")]


def count(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(Announcement)).all())


def add(database: Database, many: int = 1) -> None:
    with database.write() as session:
        for _ in range(many):
            scheduled(session)


def copied_with_journal(path: Path, to: Path) -> None:
    """What `cp` takes while the database is open, and what stays of it when that one is killed."""
    for end in ("", *backup.JOURNALS):
        if Path(f"{path}{end}").exists():
            Path(f"{to}{end}").write_bytes(Path(f"{path}{end}").read_bytes())


def left_in(folder: Path) -> set[str]:
    there = {f"crosspost.db{end}" for end in ("", *backup.BESIDE)}
    return {path.name for path in folder.iterdir()} - there


def test_a_backup_holds_what_was_there_and_says_that_it_is_a_copy(database, tmp_path):
    add(database, 3)
    copy = back_up(database, tmp_path / "copy.db", doing())
    assert copy.path.stat().st_mode & 0o777 == 0o600
    assert copy.sha256 == hashlib.sha256(copy.path.read_bytes()).hexdigest()
    assert left_in(tmp_path) == {"copy.db"}
    opened = Database(f"sqlite:///{copy.path}")
    assert count(opened) == 3
    with opened.read() as session:
        assert session.get_one(OfficeState, backup.COPY).value.startswith('{"at": "2026-11-23T09')
    with database.read() as session:
        assert session.get(OfficeState, backup.COPY) is None
    opened.close()


def test_who_made_it_and_which_bytes_they_are_is_on_record(database, tmp_path):
    copy = back_up(database, tmp_path / "copy.db", doing("Siti"))
    with database.read() as session:
        entry = last_entry(session)
    assert (entry["kind"], entry["by"]) == ("backed_up", "Siti")
    assert entry["data"] == {"sha256": copy.sha256, "bytes": copy.size}


def test_it_is_one_moment_while_others_write(database, tmp_path):
    add(database, 20)
    done = threading.Event()

    def write_on() -> None:
        other = Database(database.url)
        while not done.wait(0.002):
            add(other)
        other.close()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        for number in range(3):
            back_up(database, tmp_path / f"{number}.db", doing())
    finally:
        done.set()
        writer.join()
    for number in range(3):
        opened = Database(f"sqlite:///{tmp_path / f'{number}.db'}")
        with opened.read() as session:
            # each announcement comes with its two entries, or not at all
            entries = session.exec(select(LedgerEntry.kind)).all()
        assert count(opened) == entries.count("queued") == entries.count("approved") >= 20
        opened.close()


@pytest.mark.parametrize("there", ["a file", "a folder", "a link to nothing"])
def test_what_is_there_already_is_never_written_over(database, tmp_path, there):
    path = tmp_path / "copy.db"
    {
        "a file": lambda: path.write_text("a letter"),
        "a folder": path.mkdir,
        "a link to nothing": lambda: path.symlink_to(tmp_path / "none"),
    }[there]()
    with pytest.raises(Conflict, match="is there already"):
        back_up(database, path, doing())
    assert left_in(tmp_path) == {"copy.db"}
    if there == "a file":
        assert path.read_text() == "a letter"


def test_a_file_that_comes_in_between_is_not_written_over_either(database, tmp_path, monkeypatch):
    path = tmp_path / "copy.db"
    whole = backup._digest

    def meanwhile(half):
        path.write_text("a letter")
        return whole(half)

    monkeypatch.setattr(backup, "_digest", meanwhile)
    with pytest.raises(Conflict):
        back_up(database, path, doing())
    assert path.read_text() == "a letter"
    assert left_in(tmp_path) == {"copy.db"}


@pytest.mark.parametrize("at_the_name", [False, True])
def test_a_disk_that_refuses_leaves_nothing_half_done(database, tmp_path, monkeypatch, at_the_name):
    def full(path) -> None:
        if path.is_dir() == at_the_name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "make_durable", full)
    with pytest.raises(UserError, match="the disk is full"):
        back_up(database, tmp_path / "copy.db", doing())
    assert left_in(tmp_path) == set()
    with database.read() as session:
        assert session.exec(select(LedgerEntry)).all() == []


def test_a_database_that_refuses_the_entry_leaves_no_copy(database, tmp_path, monkeypatch):
    def busy(*_arguments) -> None:
        raise DatabaseError("The queue database is in use by another program.")

    monkeypatch.setattr(backup.book, "append", busy)
    with pytest.raises(DatabaseError):
        back_up(database, tmp_path / "copy.db", doing())
    monkeypatch.undo()
    whole = Database.write

    @contextmanager
    def full_at_the_end(self):
        with whole(self) as session:
            yield session
            raise DatabaseError("The disk is full; nothing was changed.")

    monkeypatch.setattr(Database, "write", full_at_the_end)
    with pytest.raises(DatabaseError):
        back_up(database, tmp_path / "copy.db", doing())
    assert left_in(tmp_path) == set()


@pytest.fixture
def ended():
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave(path: Path, content: bytes = b"SQLite format 3\0 and more", minutes: float = 60) -> None:
    path.write_bytes(content)
    at = NOW - timedelta(minutes=minutes)
    os.utime(path, (at.timestamp(), at.timestamp()))


def test_what_a_backup_that_was_killed_left_goes_with_the_next_one(database, tmp_path, ended):
    for end in ("", *backup.BESIDE):
        leave(tmp_path / f".last week.db.{ended}.half{end}")
    back_up(database, tmp_path / "copy.db", doing())
    assert left_in(tmp_path) == {"copy.db"}


def test_nothing_else_goes(database, tmp_path, ended):
    folder = tmp_path / f".folder.{ended}.half"
    folder.mkdir()
    (tmp_path / f".link.{ended}.half").symlink_to(tmp_path / "letter")
    leave(tmp_path / "letter", b"Dear Sir or Madam")
    leave(tmp_path / f".not a database.{ended}.half", b"Dear Sir or Madam")
    leave(tmp_path / f".it runs.{os.getpid()}.half")
    leave(tmp_path / f".just written, on another machine perhaps.{ended}.half", minutes=5)
    leave(tmp_path / f"seen.{ended}.half")
    leave(tmp_path / f".copy.db.{ended}.half.mine")
    leave(tmp_path / ".copy.db.half")
    leave(tmp_path / ".copy.db.0.half")
    leave(tmp_path / f".copy.db.{'9' * 30}.half")
    leave(tmp_path / f".{ended}.half")
    before = left_in(tmp_path)
    back_up(database, tmp_path / "copy.db", doing())
    assert left_in(tmp_path) == before | {"copy.db"}


def test_leftovers_that_may_not_be_removed_hinder_no_backup(database, tmp_path, ended, monkeypatch):
    leave(tmp_path / f".copy.db.{ended}.half")
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        if f".{ended}.half" in path.name:
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    back_up(database, tmp_path / "copy.db", doing())
    assert "copy.db" in left_in(tmp_path)


def test_a_folder_that_is_not_there_is_said_in_words(database, tmp_path):
    with pytest.raises(UserError) as refused:
        back_up(database, tmp_path / "none" / "copy.db", doing())
    assert str(tmp_path / "none") in refused.value.problems[0]
    assert "half" not in refused.value.problems[0], "an inner name tells the admin nothing"
    assert not (tmp_path / "none").exists()


def test_a_damaged_database_makes_no_backup(database, tmp_path):
    add(database, 200)
    database.close()
    path = tmp_path / "crosspost.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:20_000] + b"\xff" * 4096 + whole[24_096:])
    with pytest.raises(DatabaseError):
        back_up(database, tmp_path / "copy.db", doing())
    assert left_in(tmp_path) == set()


def test_with_postgresql_it_says_what_to_use_instead(database, monkeypatch, tmp_path):
    monkeypatch.setattr(Database, "file", None)
    for work in (
        lambda: back_up(database, tmp_path / "copy.db", doing()),
        lambda: put_in_place(database, tmp_path / "copy.db", NOW),
    ):
        with pytest.raises(UserError, match="PostgreSQL") as caught:
            work()
        assert "pg_dump" in caught.value.hint


# --- put in place ---------------------------------------------------------------------------------


@pytest.fixture
def copy(database, tmp_path) -> Path:
    add(database, 2)
    return back_up(database, tmp_path / "copy.db", doing()).path


def test_a_backup_takes_the_place_and_the_one_before_it_is_kept(database, tmp_path, copy):
    (tmp_path / "crosspost.db").chmod(0o664)
    add(database, 3)
    aside = put_in_place(database, copy, NOW)
    assert count(database) == 2
    assert copy.exists()
    assert (tmp_path / "crosspost.db").stat().st_mode & 0o777 == 0o664
    old = Database(f"sqlite:///{aside}")
    assert count(old) == 5
    old.close()


def test_a_copy_that_was_made_by_hand_becomes_one_that_says_so(database, tmp_path):
    add(database)
    database.close()
    by_hand = tmp_path / "by-hand.db"
    by_hand.write_bytes((tmp_path / "crosspost.db").read_bytes())
    put_in_place(database, by_hand, NOW)
    with database.read() as session:
        assert session.get(OfficeState, backup.COPY) is not None


def test_a_transaction_that_was_cut_off_in_a_copy_is_undone_there(database, tmp_path, journal):
    """A copy of file and journal, taken in the middle of a transaction."""
    add(database, 2)
    database.close()
    path, by_hand = tmp_path / "crosspost.db", tmp_path / "by-hand.db"
    writer = driver().connect(path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")  # so that it writes before it commits
    writer.execute("BEGIN IMMEDIATE")
    for number in range(10, 3000):
        writer.execute(
            "INSERT INTO announcement (id, created_at, created_by, amend, reason, redacted)"
            " VALUES (?, '2026-11-23', 'Siti', '', '', '')",
            (number,),
        )
    by_hand.write_bytes(path.read_bytes())
    Path(f"{by_hand}{journal}").write_bytes(Path(f"{path}{journal}").read_bytes())
    writer.execute("ROLLBACK")
    writer.close()
    before = by_hand.read_bytes()
    put_in_place(database, by_hand, NOW)
    assert count(database) == 2
    assert by_hand.read_bytes() == before


def test_a_copy_by_hand_has_what_is_only_in_its_journal(database, tmp_path):
    """A copy of file and journal, taken while the office works."""
    add(database, 2)
    by_hand = tmp_path / "by-hand.db"
    copied_with_journal(tmp_path / "crosspost.db", by_hand)
    before = {path: path.read_bytes() for path in tmp_path.glob("by-hand.db*")}
    put_in_place(database, by_hand, NOW)
    assert count(database) == 2
    assert {path: path.read_bytes() for path in tmp_path.glob("by-hand.db*")} == before


def test_a_backup_is_one_file_that_needs_nothing_beside_it(database, tmp_path, copy):
    database.close()
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "copy.db").write_bytes(copy.read_bytes())
    (alone / "copy.db").chmod(0o400)
    with closing(driver().connect(f"file:{alone}/copy.db?immutable=1", uri=True)) as read_only:
        assert read_only.execute("SELECT count(*) FROM announcement").fetchone() == (2,)
        assert read_only.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.parametrize("end", backup.JOURNALS)
def test_a_journal_of_the_old_database_is_never_applied_to_the_new_one(
    database, tmp_path, copy, end
):
    database.close()
    left = tmp_path / f"crosspost.db{end}"
    left.write_bytes(b"something of the old one")
    aside = put_in_place(database, copy, NOW)
    assert Path(f"{aside}{end}").read_bytes() == b"something of the old one"
    (tmp_path / "crosspost.db").unlink()
    left.write_bytes(b"left by a killed restore")
    assert put_in_place(database, copy, NOW + timedelta(seconds=1)) is None
    assert count(database) == 2


@pytest.mark.parametrize("step", range(9))
def test_wherever_a_restore_is_killed_the_old_database_is_whole(
    database, tmp_path, copy, monkeypatch, step
):
    """As a killed daemon leaves it: with WAL, what was written last is only in the journal."""
    add(database, 3)
    place = tmp_path / "killed"
    place.mkdir()
    target = place / "crosspost.db"
    copied_with_journal(tmp_path / "crosspost.db", target)
    left = iter(range(step))

    def dies_there(name, whole):
        def act(*arguments, **named):
            if str(target) in str(arguments[0]) and next(left, None) is None:
                raise SystemExit(name)
            return whole(*arguments, **named)

        return act

    monkeypatch.setattr(shutil, "copy2", dies_there("copy", shutil.copy2))
    monkeypatch.setattr(Path, "unlink", dies_there("unlink", Path.unlink))
    monkeypatch.setattr(Path, "replace", dies_there("replace", Path.replace))
    office = Database(f"sqlite:///{target}")
    with suppress(SystemExit):
        put_in_place(office, copy, NOW)
    monkeypatch.undo()
    asides = [path for path in place.glob("*.replaced-*") if path.name.endswith("Z")]
    found = [count(Database(f"sqlite:///{path}")) for path in (target, *asides) if path.exists()]
    assert 5 in found  # the old one, here or aside
    assert found in ([5], [2, 5])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "There is no"),
        (lambda path: path.write_bytes(b""), "not a crosspost database"),
        (lambda path: path.write_text("Dear Sir or Madam, " * 99), "no SQLite database"),
        (lambda path: os.truncate(path, path.stat().st_size - 4096), "cut off"),
        (lambda path: path.write_bytes(path.read_bytes()[:16384] + b"\xff" * 65536), "damaged|cut"),
    ],
)
def test_a_copy_that_is_no_good_changes_nothing(database, tmp_path, copy, spoil, said):
    spoil(copy)
    add(database)
    database.close()  # all of it is in the file now
    before = (tmp_path / "crosspost.db").read_bytes()
    with pytest.raises(UserError, match=said):
        put_in_place(database, copy, NOW)
    assert (tmp_path / "crosspost.db").read_bytes() == before
    assert left_in(tmp_path) <= {"copy.db", "crosspost.db.lock"}


def test_a_strange_sqlite_file_is_refused(database, tmp_path):
    strange = tmp_path / "strange.db"
    with driver().connect(strange) as made:
        made.execute("CREATE TABLE letters (words)")
    made.close()
    with pytest.raises(DatabaseError, match="not a crosspost database"):
        put_in_place(database, strange, NOW)


def test_the_database_itself_is_no_copy_of_itself(database, tmp_path):
    with pytest.raises(Conflict, match="the queue database itself"):
        put_in_place(database, tmp_path / "crosspost.db", NOW)


def test_not_while_a_daemon_runs(database, copy):
    for act in (
        lambda: put_in_place(database, copy, NOW),
        lambda: require_placeable(database, copy),
    ):
        with DaemonLock(database), pytest.raises(DaemonRunning, match="is running") as refused:
            act()
        assert "Stop the daemon" in refused.value.hint


def test_what_can_be_put_in_place_is_known_before_anybody_is_asked(database, tmp_path, copy):
    assert require_placeable(database, copy) == tmp_path / "crosspost.db"
    with pytest.raises(UserError, match="There is no"):
        require_placeable(database, tmp_path / "none.db")
    with pytest.raises(Conflict, match="itself"):
        require_placeable(database, tmp_path / "crosspost.db")


def test_a_damaged_database_can_be_replaced(database, tmp_path, copy):
    database.close()
    (tmp_path / "crosspost.db").write_bytes(b"\xff" * 50_000)
    put_in_place(database, copy, NOW)
    assert count(database) == 2
