"""`crosspost check`, and the same checks in `add` and `edit`, as an admin types them."""

from __future__ import annotations

import json

import pytest

FILE = """---
title: Jadwal vaksinasi anak
source: Surat Edaran Nomor 440/117/2026
lang: id
at: in 2 hours
urgent: true
---

{body}
"""


@pytest.fixture
def office(empty_desk):
    """An office with one channel that needs nothing but a secret."""
    empty_desk.run(
        *("init", ".", "--name", "Office", "--language", "en", "--person", "Siti"),
        *("--channel", "webhook"),
    )
    settings = empty_desk.folder / "crosspost.toml"
    text = settings.read_text().split("[channels")[0]
    settings.write_text(
        f'{text}[channels.hook]\nplatform = "webhook"\nurl = "https://intranet.example/hook"\n'
        'secret = "env:HOOK_SECRET"\n'
    )
    return empty_desk


SECRET = {"HOOK_SECRET": "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"}


def write(office, body):
    (office.folder / "a.md").write_text(FILE.format(body=body))


def test_a_clean_file_ends_with_0_and_queues_nothing(office):
    write(office, "Vaksinasi diberikan gratis.")
    assert office.run("check", "a.md") == "Nothing was found.\n"
    assert office.json("check", "a.md") == {"ok": True, "findings": []}
    assert office.json("list") == []


def test_warnings_alone_end_with_0(office):
    write(office, "Hubungi budi@gmail.com.")
    assert "personal_email" in office.run("check", "a.md")


def test_what_blocks_ends_with_1_and_comes_first(office):
    write(office, "Hubungi budi@gmail.com. NIK 3171011708450001.")
    said = office.run("check", "a.md", code=1)
    assert said.startswith("refused (personal_id)")
    found = json.loads(office.run("check", "a.md", "--json", code=1))
    assert found["ok"] is False
    assert [f["id"] for f in found["findings"]] == ["personal_id", "personal_email"]
    assert set(found["findings"][0]) == {"id", "level", "sentence"}
    assert "3171011708450001" not in said


def test_the_file_may_come_from_standard_input(office):
    assert "text_empty" in office.run("check", "-", text=FILE.format(body=""), code=1)


def test_a_file_that_cannot_be_read_is_said(office):
    assert "missing.md" in office.run("check", "missing.md", code=1)
    office.run("check", code=2)


def test_images_are_looked_at_and_nothing_is_kept(office):
    from PIL import ExifTags, Image

    picture = Image.new("RGB", (80, 40), "red")
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (8.0, 5.0, 0.0)
    picture.save(office.folder / "place.jpg", exif=exif)
    text = FILE.format(body="Poster.").replace(
        "urgent: true",
        "urgent: true\nimages:\n  - file: place.jpg\n    alt: A red poster\n"
        "  - file: gone.jpg\n    alt: Another poster",
    )
    (office.folder / "a.md").write_text(text)
    found = json.loads(office.run("check", "a.md", "--json", code=1))["findings"]
    assert [f["id"] for f in found] == ["image_unusable", "photo_location"]
    assert "gone.jpg" in found[0]["sentence"]
    assert not list(office.folder.glob("media/*"))


def test_add_and_edit_refuse_what_check_refuses(office):
    write(office, "NIK 3171011708450001.")
    assert "NIK" in office.run("add", "--file", "a.md", code=1, env=SECRET)
    assert office.json("list") == []
    write(office, "Gratis.")
    office.run("add", "--file", "a.md", env=SECRET)
    assert "@everyone" in office.run("edit", "1", "Halo @everyone", code=1, env=SECRET)
    assert office.json("show", "1")["revision"] == 1


def test_the_same_words_twice_are_noticed_but_not_in_an_edit_of_themselves(office):
    write(office, "Vaksinasi diberikan gratis.")
    assert "already" not in office.run("add", "--file", "a.md", env=SECRET)
    assert "repeated" in office.run("check", "a.md")
    assert "Announcement 1 says the same already" in office.run("add", "--file", "a.md", env=SECRET)
    office.run("cancel", "1")
    assert "already" not in office.run("edit", "2", "--at", "in 3 hours", env=SECRET)
    office.run("cancel", "2")
    assert office.run("check", "a.md") == "Nothing was found.\n"


def test_levels_are_set_in_the_office_s_settings(office):
    write(office, "Hubungi budi@gmail.com. NIK 3171011708450001.")
    with (office.folder / "crosspost.toml").open("a") as file:
        file.write('[checks]\npersonal_id = "off"\npersonal_email = "block"\n')
    assert "personal_email" in office.run("check", "a.md", code=1)
    with (office.folder / "crosspost.toml").open("a") as file:
        file.write('capitols = "off"\nquiet_hours = "late"\n')
    said = office.run("check", "a.md", code=1)
    assert "checks.capitols: there is no such key" in said
    assert "checks.quiet_hours: write hours" in said


def test_quiet_hours_are_those_of_the_office_s_clock(office):
    with (office.folder / "crosspost.toml").open("a") as file:
        file.write('[checks]\nquiet_hours = "22:00-05:00"\n')
    body = FILE.format(body="Gratis.").replace("urgent: true\n", "")
    (office.folder / "a.md").write_text(body.replace("in 2 hours", "besok 23:00"))
    assert "quiet_time" in office.run("check", "a.md")
    (office.folder / "a.md").write_text(body.replace("in 2 hours", "besok 12:00"))
    assert office.run("check", "a.md") == "Nothing was found.\n"
