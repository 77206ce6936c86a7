"""A new key takes over while a daemon runs, and while a restored copy waits for its yes."""

from __future__ import annotations

import json
import signal

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


def stop(process) -> str:
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return err


def published(desk, number: str) -> None:
    desk.run(*GOOD, "--at", "now")
    desk.run("approve", number)
    desk.wait_until(lambda: desk.statuses(int(number)) == {"site": "published"})


def verified(desk, *what: str) -> bool:
    process = desk.start("verify", *what)
    process.communicate(timeout=30)
    return process.returncode == 0


def test_a_running_daemon_goes_on_with_the_new_key_and_the_public_can_follow(desk):
    desk.run("log", "init")
    old = (desk.folder / "ledger.vkey").read_text().strip()
    daemon = desk.start("daemon")
    published(desk, "1")
    desk.wait_until(lambda: verified(desk, "public", "--key", old))
    said = json.loads(desk.run("log", "rotate", "--yes", "--json", "--reason", "Yearly."))
    assert said["old"] == old
    published(desk, "2")
    newest = lambda: json.loads((desk.folder / "public/identity.json").read_text())["keys"][-1]  # noqa: E731
    desk.wait_until(lambda: newest()["vkey"] == said["new"])
    for key in (old, said["new"], "public/identity.json"):
        desk.wait_until(lambda key=key: verified(desk, "public", "--key", key))
    assert daemon.poll() is None
    assert "key" not in stop(daemon)
    assert "VERIFIED" in desk.run("log", "verify", "--key", old)
    head = (desk.folder / "ledger.head").read_text()
    assert int(head.split("\n")[1]) > said["until"]
    assert head.count("\N{EM DASH} ") == 1  # by one key only


def test_no_key_is_exchanged_over_a_copy_that_nobody_has_confirmed(desk):
    desk.run("log", "init")
    desk.run(*GOOD)
    desk.run("log", "seal")
    desk.run("backup", "copy.db")
    desk.run("restore", "copy.db", "--yes")
    before = (desk.folder / "ledger.key").read_bytes()
    daemon = desk.start("daemon")
    for more in ((), ("--lost",)):
        assert "crosspost restore" in desk.run("log", "rotate", "--yes", *more, code=1)
    stop(daemon)
    assert (desk.folder / "ledger.key").read_bytes() == before
    assert not (desk.folder / "ledger.key.next").exists()
