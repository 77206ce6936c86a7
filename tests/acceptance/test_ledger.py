"""From an announcement to a proof that a citizen checks, by real commands."""

from __future__ import annotations

import re
import shutil
import stat

from crosspost.sqlite import driver


def test_from_an_announcement_to_a_proof_in_a_citizens_hands(desk, tmp_path_factory):
    said = desk.run("log", "init")
    key = re.search(r"office\.example/ledger\+[0-9a-f]{8}\+\S+", said)[0]
    assert stat.S_IMODE((desk.folder / "ledger.key").stat().st_mode) == 0o600
    desk.run("add", "The road is closed.", "--title", "Road", "--source", "Letter 1", "--at", "now")
    assert "Nothing of it is published" in desk.run("log", "prove", "1", code=1)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    desk.run("log", "seal")
    assert "VERIFIED" in desk.run("log", "verify")
    [proof] = desk.json("log", "prove", "1", "--channel", "site")
    elsewhere = tmp_path_factory.mktemp("citizen")
    shutil.copy(desk.folder / proof["file"], elsewhere)
    desk.folder = elsewhere
    said = desk.run("verify", proof["file"], "--key", key)
    assert "VERIFIED" in said
    assert "permalink: https://office.example/p/" in said


def test_an_office_that_rewrites_its_record_is_found(desk):
    desk.run("log", "init")
    desk.run("add", "The road is closed.", "--title", "Road", "--source", "Letter 1", "--at", "now")
    desk.run("log", "seal")
    with driver().connect(desk.folder / "crosspost.db") as connection:
        connection.execute("DROP TRIGGER ledger_entry_no_update")
        connection.execute("UPDATE ledger_entry SET \"by\" = 'Nobody' WHERE id = 0")
    connection.close()
    assert "REFUTED: Entry 0" in desk.run("log", "verify", code=1)


def test_a_site_that_is_being_written_is_waited_for(desk):
    desk.run("log", "init", "--origin", "office.example/ledger")
    desk.run("add", "The road is closed.", "--source", "Letter 1")
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    listed = desk.folder / "public" / "ledger" / "manifest"
    put_aside = listed.rename(listed.with_name("manifest.old"))
    verifying = desk.start("verify", "public", "--key", "ledger.vkey")
    assert "is being written just now; it is read again" in verifying.stderr.readline()
    put_aside.rename(listed)
    out, err = verifying.communicate(timeout=60)
    assert verifying.returncode == 0, err
    assert "VERIFIED: every file of the site" in out
