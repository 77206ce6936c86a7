"""A day at the office: one long announcement for every channel, from a file to the public."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack

import pytest
from case_bluesky import HANDLE
from case_site import PageReader
from cases import CASES
from PIL import Image
from pydantic import SecretStr

BODY = """\
Dinas Kesehatan Kabupaten Contoh memberikan **vaksinasi campak dan rubela** secara gratis bagi anak
usia 9 sampai 59 bulan di semua puskesmas.

## Jadwal

- Puskesmas Sukamaju: Senin dan Rabu, pukul 08.00 sampai 11.00
- Puskesmas Mekarsari: Selasa dan Kamis, pukul 08.00 sampai 11.00

Bawalah buku KIA dan kartu identitas orang tua. Keterangan lain ada di
[laman dinas](https://dinkes.contoh.example.go.id/vaksinasi?tahun=2026&bulan=12).

"""
SENTENCES = (
    "Petugas menjawab pertanyaan warga pada jam kerja melalui loket nomor {n} di kantor kami. "
)
ALT = "Poster biru: vaksinasi anak, Senin sampai Kamis pukul 08.00 sampai 11.00, gratis."
TITLE = "Jadwal vaksinasi campak dan rubela"
SOURCE = "Surat Edaran Nomor 440/117/2026"
CHANNELS = ("site", "bluesky", "mastodon", "telegram", "webhook")


@pytest.fixture
def platforms():
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(CASES[name]().start()) for name in CHANNELS if name != "site"
        }


@pytest.fixture
def office(desk, platforms):
    """The office with a channel on each platform, its secrets in `.env`, and two photos."""
    for name, platform in platforms.items():
        options = CASES[name]().options(platform)
        with (desk.folder / "crosspost.toml").open("a") as file:
            file.write(f'\n[channels.{name}]\nplatform = "{name}"\n')
            for key, value in options.items():
                secret = isinstance(value, SecretStr)
                said = f"env:{name}_{key}".upper() if secret else value
                said = said.replace("ENV:", "env:") if secret else said
                file.write(f"{key} = {json.dumps(said)}\n")
        with (desk.folder / ".env").open("a") as file:
            for key, value in options.items():
                if isinstance(value, SecretStr):
                    file.write(f"{name}_{key}".upper() + f"='{value.get_secret_value()}'\n")
    for number in (1, 2):
        Image.new("RGB", (1600, 1200), (40 * number, 90, 140)).save(desk.folder / f"{number}.jpg")
    return desk


def announcement(folder):
    body = BODY + "".join(SENTENCES.format(n=n) for n in range(1, 25))
    assert 2300 < len(body) < 2700
    front = [
        *("---", f"title: {TITLE}", f"source: {SOURCE}", "lang: id"),
        *("link: https://dinkes.contoh.example.go.id/", "images:"),
        *(line for n in (1, 2) for line in (f"  - file: {n}.jpg", f'    alt: "{n}. {ALT}"')),
        "---",
    ]
    (folder / "vaksinasi.md").write_text("\n".join([*front, body]))


def test_one_announcement_reaches_every_channel_and_the_record(office, platforms):
    announcement(office.folder)
    office.run("add", "--file", "vaksinasi.md")
    lengths = {post["channel"]: post for post in office.json("preview", "1")}
    assert list(lengths) == list(CHANNELS)
    office.run("approve", "1")
    office.run("daemon", "--once")
    shown = office.json("show", "1")
    assert office.statuses(1) == dict.fromkeys(CHANNELS, "published")
    page = shown["page"]
    permalinks = {d["channel"]: d["permalinks"] for d in shown["deliveries"]}
    assert permalinks["site"] == [page]
    for name in ("mastodon", "telegram", "webhook", "bluesky"):
        [post] = platforms[name].posts
        assert page in post.text + post.link, name
        assert (TITLE in post.text) == (name != "webhook")  # there it is a field of its own
        assert len(post.images) == 2
        [permalink] = permalinks[name]
        assert post.remote_id.split("/")[-1] in permalink
    assert (
        f"/profile/{HANDLE}/" in permalinks["bluesky"][0] or "did:plc" in permalinks["bluesky"][0]
    )
    for name in ("mastodon", "bluesky"):
        [post] = platforms[name].posts
        assert [alt for alt, _ in post.images] == [f"1. {ALT}", f"2. {ALT}"]
        assert SOURCE in post.text
    read = PageReader(
        (office.folder / "public" / page.split("example/")[1] / "index.html").read_text()
    )
    assert "loket nomor 24" in read.text
    assert len(read.images) == 2
    kinds = [entry["entry"]["kind"] for entry in office.json("log", "list", "--last", "1000")]
    assert kinds.count("published") == len(CHANNELS)
    assert kinds[0] == "added"
    said = office.run("why", "1")
    assert all(permalink in said for [permalink] in permalinks.values())


def test_no_secret_of_any_channel_is_stored_or_shown(office, platforms):
    announcement(office.folder)
    platforms["telegram"].fault("status:401", times=9)
    platforms["mastodon"].fault("status:500", times=9)
    office.run("add", "--file", "vaksinasi.md")
    office.run("approve", "1")
    told = office.run("daemon", "--once", "--log-format", "json")
    told += office.run("why", "1") + office.run("log", "list") + office.run("status", code=0)
    secrets = {s for name in CHANNELS for s in CASES[name].SECRETS if not s.startswith("ey")}
    assert len(secrets) >= 4
    stored = b"".join(
        path.read_bytes()
        for path in office.folder.rglob("*")
        if path.is_file() and path.name != ".env"
    )
    for secret in secrets:
        assert secret not in told
        assert secret.encode() not in stored
    assert re.search(r"paused|do not post by hand", told, re.IGNORECASE)
