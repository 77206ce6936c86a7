"""The daemon seals the ledger, and speaks for the office only while it can be proved."""

from __future__ import annotations

from crosspost.sqlite import driver

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


def test_a_daemon_seals_and_stops_before_sending_when_the_ledger_was_changed(desk):
    desk.run("log", "init")
    desk.run(*GOOD)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    assert "refused" not in desk.run("daemon", "--once")  # sealed with what the first one did
    desk.run(*GOOD)
    desk.run("approve", "2")
    with driver().connect(desk.folder / "crosspost.db") as database:
        database.execute("DROP TRIGGER ledger_entry_no_update")
        changed = "CAST(replace(CAST(entry AS TEXT), 'Siti', 'Budi') AS BLOB)"
        database.execute(f"UPDATE ledger_entry SET entry = {changed} WHERE id = 1")
    database.close()
    said = desk.run("daemon", "--once", code=1)
    assert "ledger" in said
    assert desk.statuses(2) == {"site": "scheduled"}
    desk.run("log", "verify", code=1)
