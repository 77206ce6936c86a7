"""`preview` in the terminal, as a page, and for programs."""

from __future__ import annotations

import pytest

SOCIAL = """
[channels.social]
platform = "mastodon"
base_url = "https://social.example"
access_token = "env:SOCIAL_TOKEN"
threads = true
"""


@pytest.fixture
def queued(desk):
    """An office with a long announcement, in a thread on Mastodon; the source is missing."""
    for name, text in (("crosspost.toml", SOCIAL), (".env", "SOCIAL_TOKEN=made-up-token\n")):
        (desk.folder / name).write_text((desk.folder / name).read_text() + text)
    desk.run(
        "add", "A sentence of the office & more. " * 30, "--title", "Title", "--at", "in 1 hour"
    )
    return desk


def test_the_terminal_shows_every_part_with_its_length_and_what_the_checks_say(queued):
    said = queued.run("preview", "1")
    assert "── social part 1 of 3 ──" in said
    assert "of 500 characters" in said
    assert "(3/3)" in said
    assert "Note: " in said
    assert "source" in said


def test_the_page_is_written_whole_and_shows_every_post(queued):
    said = queued.run("preview", "1", "--html", "preview.html")
    assert "preview.html: open it in a browser." in said
    page = (queued.folder / "preview.html").read_text()
    for post in queued.json("preview", "1"):
        assert post["text"].replace("&", "&amp;") in page
    assert "<script" not in page
    assert "Part 3 of 3" in page


def test_only_one_channel_if_that_is_wanted(queued):
    queued.run("preview", "1", "--html", "preview.html", "--channel", "site")
    assert "social.example" not in (queued.folder / "preview.html").read_text()


def test_a_page_that_cannot_be_written_is_said_and_a_draft_that_is_not_there_too(queued):
    assert "cannot be written" in queued.run(
        "preview", "1", "--html", "no/such/folder.html", code=2
    )
    assert "no announcement 7" in queued.run("preview", "7", "--html", "p.html", code=1)


def test_programs_get_parts_lengths_limits_and_problems(queued):
    posts = queued.json("preview", "1", "--channel", "social")
    assert [(p["part"], p["limit"], p["unit"], p["problems"]) for p in posts] == [
        (n, 500, "characters", []) for n in (1, 2, 3)
    ]
    assert all(p["length"] <= 500 for p in posts)
