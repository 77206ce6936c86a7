"""Erased by law: the words are in no file of the office any more, and the record still verifies."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

NAME = "Wulandari"
ORDER = ("--order", "Putusan 41/Pdt.G/2026", "--reason", "A child's name.", "--yes")


@pytest.fixture
def public(desk):
    """Two announcements with one name each and a picture; the first has two revisions."""
    desk.run("log", "init", "--origin", "office.example/ledger")
    for number, colour in enumerate(("red", "blue"), 1):
        picture = desk.folder / f"{number}.png"
        Image.new("RGB", (900, 700), colour).save(picture)
        desk.run(
            *(
                "add",
                f"The child {NAME}-{number} has been found.",
                "--title",
                f"{NAME}-{number} found",
            ),
            *("--source", f"Letter of {NAME}-{number}", "--image", str(picture)),
            *("--alt", f"A photo of {NAME}-{number} with the family"),
        )
        picture.unlink()
    desk.run("edit", "1", f"The child {NAME}-1 has been found well.")
    for number in ("1", "2"):
        desk.run("approve", number, "--reason", f"For {NAME}-{number}.")
    desk.run("daemon", "--once")
    desk.run("log", "seal")
    return desk


def holding(folder: Path, words: str) -> list[str]:
    """The files below a folder that hold these words, or their name."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and words.encode() in path.read_bytes()
    ]


def test_no_file_of_the_office_holds_the_words_and_no_picture_is_left(public):
    assert holding(public.folder, f"{NAME}-1")
    pictures = set(public.folder.rglob("media/*"))
    said = public.run("redact", "1", *ORDER)
    assert "Erased: announcement 1" in said
    assert "Copies of the database that were made before still hold it" in said
    assert holding(public.folder, f"{NAME}-1") == []
    assert holding(public.folder, f"{NAME}-2")
    left = set(public.folder.rglob("media/*"))
    assert left < pictures
    assert left


def test_the_record_stays_and_verifies_and_the_page_says_so(public):
    code = public.json("show", "1")["code"]
    entries = [record["entry"] for record in public.json("log", "list", "--announcement", "1")]
    public.run("redact", "1", *ORDER)
    page = (public.folder / "public" / "p" / code / "index.html").read_text()
    assert "erased by order of law: Putusan 41/Pdt.G/2026" in page
    after = [record["entry"] for record in public.json("log", "list", "--announcement", "1")]
    assert after[:-1] == entries
    assert (after[-1]["kind"], after[-1]["data"]["order"]) == ("redacted", "Putusan 41/Pdt.G/2026")
    assert public.json("show", "1")["redacted"] == "Putusan 41/Pdt.G/2026"
    public.run("log", "seal")
    public.run("log", "verify")
    public.run("verify", "public", "--key", "ledger.vkey")


def test_the_index_of_words_forgets_them_too(public):
    before = _index(public.folder)
    public.run("redact", "1", *ORDER)
    after = _index(public.folder)
    code = public.json("show", "1")["code"]
    assert sum(code in text for text in before) > 1
    assert sum(text.count(code) for text in after) < sum(text.count(code) for text in before)


def _index(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("public/**/*.json"))]


def test_a_picture_that_another_announcement_shows_stays(desk):
    picture = desk.folder / "map.png"
    Image.new("RGB", (9, 9), "red").save(picture)
    for _ in range(2):
        image = ("--image", "map.png", "--alt", "A map of the closed road")
        desk.run("add", "The road is closed.", "--source", "Letter 1", *image)
    desk.run("cancel", "1", "--yes")
    desk.run("redact", "1", *ORDER)
    desk.run("approve", "2")
    desk.run("daemon", "--once")
    assert desk.statuses(2) == {"site": "published"}


def test_what_may_still_go_out_is_not_erased_and_what_was_erased_is_not_sent(desk):
    desk.run("add", f"The child {NAME} has been found.", "--source", "Letter 1")
    assert "may still go out" in desk.run("redact", "1", *ORDER, code=1)
    desk.run("cancel", "1", "--yes")
    desk.run("redact", "1", *ORDER)
    assert "was erased by order" in desk.run("edit", "1", "Anything.", code=1)
    assert holding(desk.folder, NAME) == []
    desk.run("redact", "1", *ORDER)  # once more does no harm


def test_it_is_erased_once_and_a_copy_that_brings_it_back_says_so(public):
    public.run("backup", "old.db")
    public.run("redact", "1", *ORDER)
    other = ("--order", "Another", *ORDER[2:])
    assert "already" in public.run("redact", "1", *other, code=1)
    public.run("redact", "1", *ORDER)  # to clean again, under the same order
    said = public.run("restore", "old.db", "--yes")
    assert "BACK IN THIS COPY: announcement 1" in said
    assert 'crosspost redact 1 --order "Putusan 41/Pdt.G/2026"' in said
    assert "announcement 2" not in said


def test_the_daemon_takes_the_words_off_every_list_by_itself(public):
    settings = public.folder / "public"
    code = public.json("show", "1")["code"]
    assert f"{NAME}-1" in (settings / "index.html").read_text()
    key = public.folder / "ledger.key"
    key.rename(public.folder / "kept")  # as for somebody who may not read it
    public.start("redact", "1", *ORDER).communicate(timeout=60)
    (public.folder / "kept").rename(key)
    public.run("daemon", "--once")
    for name in ("index.html", "announcements.json", "feed.xml", f"p/{code}/index.html"):
        assert f"{NAME}-1" not in (settings / name).read_text(), name


def test_its_withdrawal_repeats_it_and_goes_with_it(public):
    public.run("retract", "1", "--reason", f"{NAME}-1 was not lost.", "--yes")
    public.run("approve", "3")
    public.run("daemon", "--once")
    code = public.json("show", "3")["code"]
    page = public.folder / "public" / "p" / code / "index.html"
    assert f"Withdrawn: {NAME}-1 found" in page.read_text()
    said = public.run("redact", "1", *ORDER)
    assert "Announcement 3 withdraws it and repeats its words; it is erased with it." in said
    assert holding(public.folder, f"{NAME}-1") == []
    assert "withdraws announcement 1: the reason is erased" in public.run("show", "3")
    assert "erased by order of law: Putusan 41/Pdt.G/2026" in page.read_text()
    last = public.json("log", "list", "--announcement", "3")[-1]["entry"]
    assert (last["kind"], last["data"]["order"]) == ("redacted", "Putusan 41/Pdt.G/2026")
    public.run("redact", "1", *ORDER)
    assert public.json("log", "list", "--announcement", "3")[-1]["entry"] == last
    public.run("log", "seal")
    public.run("verify", "public", "--key", "ledger.vkey")
    public.run("log", "export", "export")
    public.run("verify", "export", "--key", "ledger.vkey")


@pytest.mark.parametrize("amending", [("retract", "1"), ("correct", "1", "A child is found.")])
def test_what_may_still_go_out_with_the_words_comes_first(public, amending):
    public.run(*amending, "--reason", "It was another child.", "--yes")
    said = public.run("redact", "1", *ORDER, code=1)
    assert "Something of it may still go out: site (waiting for approval)." in said
    assert "crosspost cancel 3" in said
    public.run("cancel", "3", "--yes")
    public.run("redact", "1", *ORDER)
    if amending[0] == "correct":
        public.run("redact", "3", *ORDER)
    assert holding(public.folder, f"{NAME}-1") == []


def test_a_correction_says_something_else_so_a_person_decides_about_it(public):
    public.run("correct", "1", "A child has been found.", "--reason", "No names.", "--yes")
    public.run("approve", "3")
    public.run("daemon", "--once")
    said = public.run("redact", "1", *ORDER)
    assert "Announcement 3 corrects it and is NOT erased" in said
    assert 'crosspost redact 3 --order "Putusan 41/Pdt.G/2026"' in said
    assert public.json("show", "3")["redacted"] is None
    public.run("redact", "3", *ORDER)
    assert holding(public.folder, f"{NAME}-1") == []
