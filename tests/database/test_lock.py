"""One daemon for one database: the second is refused, and a dead one leaves nothing locked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from crosspost import lock
from crosspost.database import Database
from crosspost.errors import DaemonRunning, DatabaseError
from crosspost.lock import DaemonLock, daemon_runs, lock_path

HOLD = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
os.write(file, b"4711")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(sqlite_url):
    """PostgreSQL has no lock file."""
    made = Database(sqlite_url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(lock, "GAP", 0)


def test_a_second_daemon_is_refused_and_told_who_runs(database):
    with DaemonLock(database), pytest.raises(DaemonRunning) as caught, DaemonLock(database):
        pass
    assert f"process {os.getpid()}" in caught.value.problems[0]
    assert "crosspost status" in caught.value.hint


def test_whether_one_runs_can_be_asked_without_disturbing_it(database):
    assert daemon_runs(database) is False
    with DaemonLock(database):
        assert daemon_runs(database) is True
        assert daemon_runs(database) is True
    assert daemon_runs(database) is False


def test_it_can_be_had_again_after_it_was_given_back(database):
    for _ in range(2):
        with DaemonLock(database):
            assert daemon_runs(database)


def test_it_is_given_back_when_the_daemon_fails(database):
    with pytest.raises(RuntimeError), DaemonLock(database):
        raise RuntimeError
    assert daemon_runs(database) is False


def test_a_killed_process_holds_it_no_more(database):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock_path(database))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(DaemonRunning, match="process 4711"), DaemonLock(database):
            pass
        process.kill()
        process.wait(timeout=10)
        with DaemonLock(database):
            assert lock_path(database).read_text() == f"{os.getpid()}\n"


def test_a_command_that_looks_for_an_instant_does_not_stop_a_daemon(database, monkeypatch):
    tries = []

    def busy_at_first(file, kind):
        tries.append(kind)
        if len(tries) < lock.TRIES:
            raise BlockingIOError

    monkeypatch.setattr(lock.fcntl, "flock", busy_at_first)
    with DaemonLock(database):
        assert len(tries) == lock.TRIES


def test_two_databases_have_two_locks(database, tmp_path):
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    with DaemonLock(database), DaemonLock(other):
        assert daemon_runs(database) is True
        assert daemon_runs(other) is True


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'none' / 'queue.db'}")
    with pytest.raises(DatabaseError, match="cannot be written") as caught, DaemonLock(database):
        pass
    assert "needs the right to write" in caught.value.hint
    assert daemon_runs(database) is False


def test_a_full_disk_does_not_keep_the_lock_from_being_held(database, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lock.os, "pwrite", full)
    with DaemonLock(database):
        assert daemon_runs(database) is True
        with pytest.raises(DaemonRunning), DaemonLock(database):
            pass
