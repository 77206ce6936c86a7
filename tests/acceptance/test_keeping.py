"""Backup and restore as an admin types them, and folders that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from crosspost.sqlite import wal_is_sound

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


@pytest.fixture
def published(desk):
    """A backup was made, and then announcement 1, which it knows as approved, was published."""
    desk.run("log", "init")
    desk.run(*GOOD)
    desk.run("approve", "1")
    said = desk.run("backup", "copy.db")
    assert "crosspost restore copy.db" in said
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    return desk


def test_a_backup_comes_back_and_publishes_nothing_before_it_is_confirmed(published):
    desk = published
    assert "is there already" in desk.run("backup", "copy.db", code=1)
    assert "add --yes" in desk.run("restore", "copy.db", code=2)
    said = desk.run("restore", "copy.db", "--yes")
    assert "Nothing is published before you confirm it" in said
    assert "RESTORED" in desk.run("status", code=3)
    assert "crosspost restore" in desk.run("daemon", "--once", code=1)
    asked = desk.run("restore", code=2)
    assert "#1 site" in asked
    assert "Road closed" in asked
    assert desk.statuses(1) == {"site": "scheduled"}
    told = desk.run("restore", "--yes", "--reason", "The disk broke")
    assert "crosspost log verify" in told
    assert desk.statuses(1) == {"site": "review"}
    assert "an old copy of the database was restored" in desk.run("why", "1")
    assert "nothing to confirm" in desk.run("restore", "--yes", code=1)
    acts = [(e["entry"]["kind"], e["note"]) for e in desk.json("log", "list")]
    assert acts[-1] == ("restore_confirmed", "The disk broke")


def test_a_copy_put_back_with_cp_is_noticed_too(published):
    desk = published
    shutil.copy(desk.folder / "copy.db", desk.folder / "crosspost.db")
    assert "older copy" in desk.run("daemon", "--once", code=1)
    assert "older copy" in desk.json("status")["restored"]


def test_who_may_not_approve_may_not_confirm(published):
    desk = published
    config = desk.folder / "crosspost.toml"
    text = config.read_text()
    desk.run("restore", "copy.db", "--yes")
    config.write_text(text.replace(f'os_user = "{_me()}"', 'os_user = "somebody-else"'))
    said = desk.run("restore", "--yes", code=1)
    assert "not among the [people] who may confirm a database that was put back" in said


def test_a_waiting_daemon_goes_on_by_itself_after_the_yes(published):
    desk = published
    shutil.copy(desk.folder / "copy.db", desk.folder / "crosspost.db")
    for name in ("ledger.head", "ledger.leaves", "ledger.key", "ledger.vkey"):
        (desk.folder / name).unlink()
    told = desk.folder / "log"
    with told.open("w") as log:
        daemon = desk.start("daemon", "--log-format", "json", stderr=log)
        try:
            desk.wait_until(lambda: '"restored"' in told.read_text())
            desk.run("restore", "--yes")
            desk.wait_until(lambda: '"started"' in told.read_text())
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    assert desk.statuses(1) == {"site": "review"}


def _me() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def as_one_without_rights(desk, *arguments: str, code: int = 1) -> str:
    """A command of an account for which the mode of a file counts, as it does not for root."""
    prefix = (
        ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner,-chown"]
        if os.geteuid() == 0
        else []
    )
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "crosspost", *arguments],
        cwd=desk.folder,
        env={**os.environ, "CROSSPOST_LANGUAGE": "en"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [("crosspost.db", 0o444, "cannot be written"), (".", 0o555, "cannot be written")],
)
def test_what_cannot_be_written_is_said_and_nothing_is_sent(desk, name, mode, said):
    desk.run(*GOOD)
    desk.run("approve", "1")
    for beside in desk.folder.glob("crosspost.db-*"):
        beside.unlink()
    path = desk.folder / name
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        told = as_one_without_rights(desk, "daemon", "--once")
    finally:
        path.chmod(before)
    assert said in told
    assert "right to write" in told
    assert desk.statuses(1) == {"site": "scheduled"}
    assert not (desk.folder / "public" / "index.html").exists()


def test_who_may_only_read_is_told_to_take_a_copy_and_reads_that(desk, tmp_path):
    """An auditor's account. With WAL it may read the file itself only while a daemon runs."""
    desk.run(*GOOD)
    desk.run("backup", "copy.db")
    before = desk.folder.stat().st_mode
    files = [desk.folder / name for name in ("crosspost.db", "copy.db")]
    for path in files:
        path.chmod(0o444)
    desk.folder.chmod(0o555)
    try:
        if wal_is_sound():
            told = as_one_without_rights(desk, "show", "1")
            assert "cannot be written" in told
            assert "Who is only to read gets a copy: crosspost backup FILE" in told
        config = desk.folder / "crosspost.toml"
        desk.folder.chmod(before)
        config.write_text(config.read_text() + '[storage]\ndatabase = "copy.db"\n')
        desk.folder.chmod(0o555)
        assert "Road closed" in as_one_without_rights(desk, "show", "1", code=0)
    finally:
        desk.folder.chmod(before)


def test_commands_leave_one_file_that_is_all_of_the_database(desk):
    desk.run(*GOOD)
    desk.run("backup", "copy.db")
    desk.run("restore", "copy.db", "--yes")
    desk.run("restore", "--yes")
    desk.run("daemon", "--once")
    assert {path.name for path in desk.folder.glob("crosspost.db*")} == {
        "crosspost.db",
        "crosspost.db.lock",
        *(path.name for path in desk.folder.glob("*.replaced-*Z")),
    } | ({"crosspost.db-journal"} if not wal_is_sound() else set())
