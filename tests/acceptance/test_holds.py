"""The big red button, as an admin presses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crosspost import rests
from crosspost.database import Database

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


def test_hold_stops_publishing_until_resume_and_is_on_record(desk):
    desk.run(*GOOD)
    desk.run("approve", "1")
    assert "nothing more is sent" in desk.run("hold", "--reason", "Wrong figures")
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "scheduled"}
    assert "Wrong figures" in desk.run("status")
    assert "on hold: Wrong figures" in desk.run("channels", "list")
    assert "already" in desk.run("hold", "--reason", "Again", code=1)
    desk.run("resume", "--reason", "Figures are right")
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    acts = [(e["entry"]["kind"], e["note"]) for e in desk.json("log", "list")]
    assert ("held", "Wrong figures") in acts
    assert ("resumed", "Figures are right") in acts


def test_one_channel_on_hold_is_named_and_unknown_ones_are_refused(desk):
    desk.run("hold", "site", "--reason", "New password")
    [channel] = desk.json("channels", "list")
    assert (channel["held"], channel["hold_reason"]) == (True, "New password")
    assert "Configured are: site" in desk.run("hold", "nowhere", "--reason", "x", code=1)
    assert "Say why" in desk.run("hold", code=2)
    assert "not on hold" in desk.run("resume", code=1)
    desk.run("resume", "site")
    assert desk.json("channels", "list")[0]["held"] is False


def test_a_pause_is_shown_while_it_lasts_and_resume_ends_it(desk):
    pause(desk, datetime.now(UTC) + timedelta(hours=1))
    assert "Wrong token" in desk.run("channels", "list")
    assert "Paused:  site: Wrong token" in desk.run("status")
    desk.run("resume", "site", "--reason", "New token")
    assert "Wrong token" not in desk.run("channels", "list")
    assert "not on hold" in desk.run("resume", "site", code=1)
    pause(desk, datetime.now(UTC) - timedelta(hours=1))
    assert "Wrong token" not in desk.run("channels", "list")


def pause(desk, until: datetime) -> None:
    """As the daemon does after a refusal of the account."""
    database = Database(f"sqlite:///{desk.folder / 'crosspost.db'}")
    with database.write() as session:
        rests.pause(session, "site", until, "Wrong token")
    database.close()
