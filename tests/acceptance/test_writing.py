"""Hashtags, texts of single channels, templates, threads and videos, as an admin would use them."""

from __future__ import annotations

import pytest

SOCIAL = """
[channels.social]
platform = "mastodon"
base_url = "https://social.example"
access_token = "env:SOCIAL_TOKEN"
"""
WEBM = b"\x1a\x45\xdf\xa3 a film"


@pytest.fixture
def office(desk):
    """The office with a Mastodon channel besides its site, nothing of it reachable."""
    append(desk.folder / "crosspost.toml", SOCIAL)
    append(desk.folder / ".env", "SOCIAL_TOKEN=made-up-token\n")
    return desk


def append(path, text: str) -> None:
    path.write_text(path.read_text() + text)


def post(desk, number: int = 1) -> str:
    (found,) = desk.json("preview", str(number), "--channel", "social")
    return found["text"]


def test_hashtags_and_the_text_of_one_channel_from_the_command_line(office):
    office.run("add", "Long text.", "--title", "Title", "--at", "in 2 hours",
               "--tag", "public service, city hall",
               "--text-for", "social=Short text.")  # fmt: skip
    shown = office.json("show", "1")
    assert shown["tags"] == ["public service", "city hall"]
    assert shown["texts"] == {"social": "Short text."}
    assert post(office).startswith("Title\n\nShort text.\n\nRead more: ")
    assert post(office).endswith("\n\n#PublicService #CityHall")
    assert "For social: Short text." in office.run("show", "1")
    said = office.run("edit", "1", "Another text.")
    assert "Note: The text for social stays as it was." in said
    assert office.json("show", "1")["texts"] == {"social": "Short text."}


def test_the_same_from_a_file_and_taken_away_again(office):
    head = "---\ntitle: Title\ntags: [city hall]\ntexts:\n  social: Short text.\n---\nLong text."
    (office.folder / "a.md").write_text(head)
    office.run("add", "--file", "a.md", "--at", "in 2 hours")
    assert "Short text." in post(office)
    (office.folder / "a.md").write_text("---\ntags: []\ntexts: {}\n---\nLong text.")
    office.run("edit", "1", "--file", "a.md")
    assert post(office).startswith("Title\n\nLong text.")
    assert "#" not in post(office)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--text-for", "socail=Text"], 1, 'no channel "socail"'),
        (["--text-for", "social"], 2, "not CHANNEL=TEXT"),
        (["--text-for", "social=@everyone, come!"], 1, "would call many people"),
        (["--video", "gone.mp4", "--video-alt", "A film"], 1, "no such file"),
        (["--video-alt", "A film"], 2, "more --video-alt than --video"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_queued(office, arguments, code, words):
    assert words in office.run("add", "Text", "--title", "T", *arguments, code=code)
    assert office.json("list") == []


def test_a_video_is_kept_described_and_named_where_it_is_not_shown(office):
    (office.folder / "film.webm").write_bytes(WEBM)
    hook = (
        '[channels.hook]\nplatform = "webhook"\nurl = "http://127.0.0.1:9/"\nsecret = "env:HOOK"\n'
    )
    append(office.folder / "crosspost.toml", hook)
    outside = {"PATH": "/nowhere", "HOOK": f"whsec_{'A' * 32}"}
    film = ("--video", "film.webm", "--video-alt", "A film")
    said = office.run("add", "Text", "--title", "T", *film, env=outside)
    assert "Note: The video is not shown on: hook" in said
    (video,) = office.json("show", "1")["videos"]
    assert (video["alt"], video["mime"]) == ("A film", "video/webm")
    assert (office.folder / "media" / video["sha256"]).read_bytes() == WEBM
    assert "Video 1" in office.run("show", "1")


def test_templates_and_threads_from_the_settings(office):
    settings = office.folder / "crosspost.toml"
    append(
        settings,
        "threads = true\n[templates]\n"
        'normal = "{{ office }}: {{ title }}\\n\\n{{ body }}\\n\\n{{ source }} {{ link }}"\n',
    )
    office.run("add", "A sentence of the office. " * 40, "--title", "Title", "--source", "Letter 1")
    posts = office.json("preview", "1", "--channel", "social")
    assert len(posts) == 3
    assert posts[0]["text"].startswith("Office: Title\n\nA sentence")
    assert [p["text"].rpartition("\n")[2] for p in posts] == ["(1/3)", "(2/3)", "(3/3)"]
    assert "Letter 1 https://office.example/p/" in posts[2]["text"]
    append(settings, 'urgent = "{{ body }}"\n')
    assert "templates.urgent: the template leaves out link" in office.run("add", "T", code=1)
