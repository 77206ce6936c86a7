"""What is on the pages is corrected and withdrawn in the open: nothing vanishes, all is said."""

from __future__ import annotations

import pytest

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


@pytest.fixture
def public(desk):
    """Announcement 1 is on the office's page; its folder."""
    desk.run("log", "init", "--origin", "office.example/ledger")
    desk.run(*GOOD)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    return desk.folder / "public" / "p" / desk.json("show", "1")["code"]


def test_the_original_s_page_says_what_was_corrected_why_and_where_the_right_one_is(desk, public):
    said = desk.run(
        *("correct", "1", "The road is closed on Monday."),
        *("--reason", "The day was wrong.", "--yes"),
    )
    assert "site: a new post" in said
    assert "Queued as announcement 2, which corrects 1" in said
    assert "The day was wrong" not in (public / "index.html").read_text()
    desk.run("approve", "2")
    desk.run("daemon", "--once")
    code = desk.json("show", "2")["code"]
    old, new = (public / "index.html").read_text(), public.parent / code / "index.html"
    assert "The road is closed on Sunday." in old
    assert "The day was wrong." in old
    assert f"../{code}/" in old
    assert "Correction: Road closed" in new.read_text()
    assert "corrected by announcement 2" in desk.run("show", "1")
    assert "corrects announcement 1: The day was wrong." in desk.run("show", "2")
    desk.run("log", "verify")


def test_a_withdrawal_leaves_the_page_and_says_so(desk, public):
    desk.run("retract", "1", "--reason", "The works are off.", "--yes")
    desk.run("approve", "2")
    desk.run("daemon", "--once")
    page = (public / "index.html").read_text()
    assert "Withdrawn" in page
    assert "The works are off." in page
    assert "The road is closed on Sunday." in page
    lists = (public.parents[1] / "index.html").read_text()
    assert "<strong>withdrawn</strong>" in lists


def test_the_plan_alone_changes_nothing(desk, public):
    planned = desk.json("retract", "1", "--reason", "The works are off.", "--json")
    assert planned["announcement"] is None
    [old] = [path.name for path in public.parent.iterdir() if path.is_dir()]
    assert old not in str(planned), "the page of the plan is not the old one"
    told = desk.run("retract", "1", "--reason", "The works are off.", code=2)
    assert old not in told
    assert "Nobody can be asked" in told
    assert [(step["channel"], step["act"]) for step in planned["plan"]] == [("site", "publish")]
    assert len(desk.json("list")) == 1
    assert "Say why" in desk.run("retract", "1", "--yes", code=2)
    assert "the whole text" in desk.run("correct", "1", "--reason", "Wrong.", "--yes", code=2)
