"""An office whose queue is on a PostgreSQL, from `init` to a published page, by real commands."""

from __future__ import annotations

import os
import pty
import signal

import pytest

pytestmark = pytest.mark.servers
PASSWORD = "tok-3f9a61 c7@d2/"
NEW = (
    *("init", ".", "--name", "Office", "--language", "en", "--person", "Siti", "--title", ""),
    *("--zone", "Asia/Jakarta", "--site-url", "https://office.example"),
)
GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


@pytest.fixture
def address(postgres_server):
    postgres_server.drop("new")
    postgres_server.make("new")
    yield postgres_server.url("new")
    postgres_server.drop("new")


def test_an_office_on_a_server_publishes_and_is_looked_after(empty_desk, address):
    desk = empty_desk
    said = desk.run(*NEW, "--approvals", "0", "--database", address)
    assert "the tables on the server" in said
    assert not (desk.folder / "crosspost.db").exists()
    assert 'database = "env:CROSSPOST_DATABASE"' in (desk.folder / "crosspost.toml").read_text()
    desk.run(*GOOD)
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    assert desk.json("status")["daemon_runs"] is False
    daemon = desk.start("daemon")
    desk.wait_until(lambda: desk.json("status")["daemon_runs"])
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    desk.run("init", "--upgrade")


def test_a_database_that_holds_an_office_is_not_taken_by_another(empty_desk, address, tmp_path):
    empty_desk.run(*NEW, "--database", address)
    empty_desk.folder = tmp_path / "second"
    empty_desk.folder.mkdir()
    said = empty_desk.run(*NEW, "--database", address, code=1)
    assert "an office in this database already" in said
    assert not list(empty_desk.folder.iterdir())


def test_a_password_is_no_option_and_is_not_repeated(empty_desk, address):
    with_password = address.replace("office@", "office:secret-word@")
    said = empty_desk.run(*NEW, "--database", with_password, code=2)
    assert "list of processes" in said
    assert "secret-word" not in said
    assert not list(empty_desk.folder.iterdir())


def test_a_server_that_does_not_answer_leaves_nothing_behind(empty_desk):
    said = empty_desk.run(*NEW, "--database", "postgresql://office@127.0.0.1:9/new", code=1)
    assert "cannot be reached" in said
    assert not list(empty_desk.folder.iterdir())


def test_a_password_that_is_typed_goes_to_env_alone(empty_desk, address, postgres_server):
    postgres_server.do(f"ALTER ROLE office PASSWORD '{PASSWORD}'")
    master, terminal = pty.openpty()
    try:
        with postgres_server.asking_for_passwords():
            os.write(master, f"{PASSWORD}\n\n".encode())
            process = empty_desk.start(*NEW, "--database", address, stdin=terminal)
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, out + err
            assert PASSWORD not in out + err
            assert empty_desk.json("status")["deliveries"] is not None
    finally:
        os.close(terminal)
        os.close(master)
        postgres_server.do("ALTER ROLE office PASSWORD NULL")
    assert PASSWORD not in (empty_desk.folder / "crosspost.toml").read_text()
    assert (empty_desk.folder / ".env").stat().st_mode & 0o077 == 0
