"""A new key takes over while a daemon runs, and while a restored copy waits for its yes."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal

import pytest

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


def as_somebody(desk, roles: str) -> None:
    """Whoever runs the commands is not among the people of the office, but as `roles` say."""
    config = desk.folder / "crosspost.toml"
    text = re.sub(r"\[people\..*?(?=\n\[|\Z)", "", config.read_text(), flags=re.DOTALL)
    me = pwd.getpwuid(os.getuid()).pw_name
    people = '\n[people.Budi]\nos_user = "budi"\n[people.Ani]\nos_user = "ani"\n'
    mine = f'[people.Dinas]\nos_user = "{me}"\nroles = {roles}\n' if roles else ""
    config.write_text(text + people + mine)


@pytest.mark.parametrize("roles", ["", '["author"]'])
def test_who_may_read_the_key_may_exchange_it_whatever_they_may_do_else(desk, roles):
    as_somebody(desk, roles)
    desk.run("log", "init")
    assert "Its verification key" in desk.run("log", "rotate", "--yes")


def test_an_auditor_changes_no_key(desk):
    as_somebody(desk, '["auditor"]')
    said = desk.run("log", "init", code=1)
    assert "Dinas may not make or exchange the key of the record here." in said
    as_somebody(desk, "")
    desk.run("log", "init")
    as_somebody(desk, '["auditor"]')
    before = (desk.folder / "ledger.vkey").read_bytes()
    assert "exchange the key" in desk.run("log", "rotate", "--yes", code=1)
    assert (desk.folder / "ledger.vkey").read_bytes() == before


def test_proofs_of_before_and_after_verify_by_the_keys_in_identity_json(desk):
    desk.run("log", "init")
    desk.run(*GOOD)
    desk.run("log", "seal")
    desk.run("log", "prove", "--entry", "0", "--to", "before")
    old = (desk.folder / "ledger.vkey").read_text().strip()
    new = json.loads(desk.run("log", "rotate", "--yes", "--json"))["new"]
    desk.run(*GOOD)
    desk.run("log", "seal")  # the checkpoint of the exchange itself bears both signatures
    desk.run("log", "prove", "--entry", "0", "--to", "after")
    for when, other in (("before", new), ("after", old)):
        proof = f"{when}/entry-0.tlog-proof"
        said = desk.run("verify", proof, "--key", other, code=2)
        assert "verify with --key identity.json" in said
        assert "VERIFIED" in desk.run("verify", proof, "--key", "public/identity.json")
    assert "VERIFIED" in desk.run("verify", "public/identity.json", "--key", old)
