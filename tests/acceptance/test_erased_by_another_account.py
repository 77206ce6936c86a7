"""Erased by an account that may not remove files: the rest is said, and finished by who may.

A folder in the place of a file stands for what cannot be removed: no account unlinks it, root
neither.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from PIL import Image

ORDER = ("--order", "Putusan 7/2026", "--reason", "A child's face.", "--yes")
LEFT = "NOT ALL OF IT IS ERASED"


@pytest.fixture
def public(desk):
    """Two public announcements with a picture each."""
    desk.run("log", "init", "--origin", "office.example/ledger")
    for number, colour in (("1", "red"), ("2", "blue")):
        Image.new("RGB", (90, 70), colour).save(desk.folder / "face.png")
        image = ("--image", "face.png", "--alt", "The face of a child")
        desk.run("add", f"Wulandari-{number} is found.", "--source", "Letter 1", *image)
        desk.run("approve", number)
    (desk.folder / "face.png").unlink()
    desk.run("daemon", "--once")
    desk.run("log", "seal")
    return desk


def picture(desk, number="1"):
    """The image file of an announcement, and its copy beside the page."""
    shown = desk.json("show", number)
    digest = shown["images"][0]["sha256"]
    page = desk.folder / "public" / "p" / shown["code"]
    [copy] = page.glob(f"{digest[:16]}.*")
    return desk.folder / "media" / digest, copy


@contextmanager
def kept_from_us(path):
    """The file cannot be removed meanwhile."""
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    yield
    path.rmdir()
    path.write_bytes(content)


def erasures(desk):
    entries = desk.json("log", "list", "--announcement", "1")
    return [one["entry"]["kind"] for one in entries].count("redacted")


def test_a_file_that_cannot_be_removed_is_said_and_the_daemon_removes_it(public):
    file, copy = picture(public)
    with kept_from_us(file):
        said = public.run("redact", "1", *ORDER, code=3)
        assert LEFT in said
        assert "1 files cannot be removed from" in said
        assert not copy.exists()
        assert "ERASURE: not all of announcement 1 is gone (Putusan 7/2026)" in public.run(
            "status", code=3
        )
        [one] = public.json("status")["unfinished_erasures"]
        assert one == one | {"announcement": 1, "order": "Putusan 7/2026"}
        assert "cannot be removed" in one["reason"]
        said = public.run("doctor", code=3)
        assert "NEEDS YOU" in said
        assert "Announcement 1 was erased" in said
        (public.folder / ".env").chmod(0o644)
        assert "BAD" in public.run("doctor", code=1)  # then publishing is not safe, which is worse
        (public.folder / ".env").chmod(0o600)
        assert "is not erased everywhere" in public.run("log", "seal", code=3)
    public.run("daemon", "--once")
    assert not file.exists()
    assert picture(public, "2")[0].exists()
    assert "ERASURE" not in public.run("status")
    assert "erased" not in public.run("doctor")
    assert erasures(public) == 1


def test_a_picture_that_stays_beside_the_page_goes_with_the_next_sealing(public):
    file, copy = picture(public)
    with kept_from_us(copy):
        said = public.run("redact", "1", *ORDER, code=3)
        assert LEFT in said
        assert not file.exists()
        public.run("status", code=3)
    assert "Sealed" in public.run("log", "seal")
    assert not copy.exists()
    public.run("status")
    public.run("verify", "public", "--key", "ledger.vkey")


def test_the_same_command_again_finishes_it_under_whatever_order_with_one_entry(public):
    file, _ = picture(public)
    with kept_from_us(file):
        public.run("redact", "1", *ORDER, code=3)
        assert LEFT in public.run("redact", "1", *ORDER, code=3)
    said = public.run("redact", "1", "--order", "Another", *ORDER[2:])
    assert "Erased: announcement 1, 1 files" in said
    assert "by the order Putusan 7/2026; that stays" in said
    assert not file.exists()
    public.run("redact", "1", *ORDER)
    assert "already" in public.run("redact", "1", "--order", "Another", *ORDER[2:], code=1)
    assert erasures(public) == 1


def test_who_may_not_use_the_key_leaves_the_pages_to_the_daemon(public):
    _, copy = picture(public)
    key = public.folder / "ledger.key"
    key.rename(public.folder / "kept")
    said = public.run("redact", "1", *ORDER, code=3)
    assert "does not say yet that it was erased" in said
    (public.folder / "kept").rename(key)
    public.run("daemon", "--once")
    assert "Putusan 7/2026" in (copy.parent / "index.html").read_text()
    public.run("status")


def test_the_offices_own_page_is_no_copy_elsewhere(public):
    said = public.run("redact", "1", *ORDER)
    assert "other platforms" not in said
    assert "https://office.example/p/" not in said


def test_sealing_removes_the_media_although_the_site_cannot_be_written(public):
    file, _ = picture(public)
    with kept_from_us(file):
        public.run("redact", "1", *ORDER, code=3)
    site = public.folder / "public"
    kept = site.rename(public.folder / "kept")
    site.write_text("a file in the place of the folder")
    said = public.run("log", "seal", code=1)
    assert "The pages cannot be written: " in said
    assert "Sealed" in said
    assert not file.exists()
    site.unlink()
    kept.rename(site)
    public.run("log", "seal")
    public.run("status")
