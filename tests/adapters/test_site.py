"""The site: whole pages, lists that follow them, and nothing of the author's that acts."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from case_site import PageReader, SiteCase

from crosspost.errors import ConfigError, RetryLater, UnknownOutcome
from crosspost.post import Image
from crosspost.testing.case import Bench

ATOM = {"a": "http://www.w3.org/2005/Atom"}
NOW = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # 23:30 in Jakarta
HOSTILE = "<script>alert(1)</script>\"'>&{{ 7*7 }}{% raw %}\u202egnp"


@pytest.fixture
def bench(tmp_path):
    case = SiteCase()
    with case.start() as pages:
        yield Bench(case, pages, tmp_path, now=NOW)


@pytest.fixture
def public(bench):
    return bench.platform.path / "public"


def say(bench, text, *, code, images=(), **document):
    post = bench.case.post(text, images=images)
    post = replace(post, document=replace(post.document, code=code, **document))
    return bench.send(post)


def links(public, name):
    return re.findall(r'href="((?:\.\./)?p/[^"]*)"', (public / name).read_text())


def test_without_a_site_section_it_cannot_be_opened(bench, monkeypatch):
    monkeypatch.setattr(SiteCase, "config", lambda self, platform: None)
    with pytest.raises(ConfigError, match=r"\[site\]"):
        bench.open()


def test_the_index_and_feeds_show_the_newest_first_and_link_to_the_pages(bench, public):
    for minute, code in enumerate(["first22", "second2", "third22"]):
        bench.now = NOW + timedelta(minutes=minute)
        say(bench, f"Teks {code}", code=code, title=f"Judul {code}")
    newest_first = ["third22", "second2", "first22"]
    assert links(public, "index.html") == [f"p/{code}/" for code in newest_first]
    feed = json.loads((public / "feed.json").read_text())
    urls = [f"https://kantor.example/p/{code}/" for code in newest_first]
    assert [item["url"] for item in feed["items"]] == urls
    assert "Teks third22" in feed["items"][0]["content_html"]
    atom = ET.fromstring((public / "feed.xml").read_bytes())
    assert [e.text for e in atom.findall("a:entry/a:id", ATOM)] == urls
    assert atom.findtext("a:updated", None, ATOM).startswith("2026-12-31T16:32")


def test_a_video_stands_on_the_page_beside_the_images_with_its_description_below(bench, public):
    film = replace(bench.video(HOSTILE), milliseconds=0)
    post = bench.case.post("Dengan video.", images=(bench.image(1, "Foto"),))
    _, receipt = bench.send(replace(post, videos=(film,)))
    page = (public / "p" / receipt.remote_id / "index.html").read_text()
    assert "media-src 'self'" in page
    assert '<video src="' in page
    assert 'controls preload="metadata" width="1280" height="720"' in page
    assert page.count("<script") == 0
    assert [file for _, file in PageReader(page).images[1:]] == [film.filename]
    [shown] = bench.platform.posts
    assert [digest for _, digest in shown.images] == [bench.image(1, "Foto").sha256, film.sha256]


def test_a_video_of_unknown_size_has_none(bench, public):
    film = replace(bench.video("Loket"), width=0, height=0)
    _, receipt = bench.send(replace(bench.case.post("Teks."), videos=(film,)))
    page = (public / "p" / receipt.remote_id / "index.html").read_text()
    assert "width=" not in page.partition("<video")[2].partition(">")[0]


def test_a_page_from_before_there_were_videos_is_read(bench, public):
    say(bench, "Teks lama", code="older22")
    data = public / "p" / "older22" / "announcement.json"
    older = json.loads(data.read_text())
    del older["videos"]
    data.write_text(json.dumps(older))
    say(bench, "Teks baru", code="newer22")
    assert "p/older22/" in links(public, "index.html")


def test_each_year_of_the_office_has_its_archive(bench, public):
    say(bench, "Teks lama", code="older22")
    bench.now = NOW + timedelta(hours=1)  # a new year in Jakarta, not yet in UTC
    say(bench, "Teks baru", code="newer22")
    assert links(public, "2026/index.html") == ["../p/older22/"]
    assert links(public, "2027/index.html") == ["../p/newer22/"]
    assert 'href="../2027/"' in (public / "2026/index.html").read_text()
    assert links(public, "index.html") == ["p/newer22/", "p/older22/"]


def test_lists_are_made_anew_from_the_pages_when_they_are_lost_or_damaged(bench, public):
    say(bench, "Satu", code="first22")
    (public / "announcements.json").write_text('[{"code": "first22"}, nonsense')
    (public / "index.html").unlink()
    (public / "2026/index.html").unlink()
    say(bench, "Dua", code="second2")
    for name in ("index.html", "2026/index.html"):
        assert {link.strip("./") for link in links(public, name)} == {"p/first22", "p/second2"}


def test_a_page_of_an_old_year_that_is_found_late_enters_its_archive(bench, public):
    outgoing, _ = say(bench, "Teks lama", code="older22")
    (public / "announcements.json").unlink()
    (public / "2026/index.html").write_text("as before the crash")
    bench.now = NOW + timedelta(days=2)
    assert bench.open().find(outgoing)
    assert links(public, "2026/index.html") == ["../p/older22/"]


def test_a_repeated_page_stays_as_it_was(bench, public):
    outgoing, _ = say(bench, "Sekali", code="first22")
    before = (public / "p/first22/index.html").read_bytes()
    bench.now = NOW + timedelta(hours=3)
    bench.adapter.publish(outgoing)
    assert (public / "p/first22/index.html").read_bytes() == before


def test_a_disk_that_fails_before_the_rename_leaves_nothing_public(bench, public, monkeypatch):
    monkeypatch.setattr("pathlib.Path.rename", _full)
    with pytest.raises(RetryLater) as caught:
        say(bench, "Teks", code="first22")
    assert caught.value.sent is False
    assert list((public / "p").iterdir()) == []


def test_a_disk_that_fails_after_it_leaves_a_doubt_that_the_next_look_settles(
    bench, public, monkeypatch
):
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Teks")))
    with monkeypatch.context() as broken:
        broken.setattr("crosspost.site.folder.Folder.replace", _full)
        with pytest.raises(UnknownOutcome):
            bench.adapter.publish(outgoing)
        with pytest.raises(UnknownOutcome):
            bench.adapter.find(outgoing)
    assert len(bench.platform.posts) == 1
    receipt = bench.adapter.find(outgoing)
    assert receipt.permalink.startswith("https://kantor.example/p/")
    assert (public / "index.html").exists()


def _full(*_arguments):
    raise OSError(28, "No space left on device")


def test_a_page_in_the_making_is_not_listed(bench, public):
    say(bench, "Satu", code="first22")
    (public / "p" / ".new-abc").mkdir()
    (public / "p" / "broken2").mkdir()
    say(bench, "Dua", code="second2")
    assert len(links(public, "index.html")) == 2


def test_nothing_that_an_author_writes_acts_on_a_page(bench, public):
    image = bench.image(7, HOSTILE)
    say(
        *(bench, HOSTILE),
        code="first22",
        title=HOSTILE,
        source=HOSTILE,
        summary=HOSTILE,
        link="https://x.example/?a=1&b=%22",
        images=(image,),
    )
    for name in ("p/first22/index.html", "index.html", "2026/index.html"):
        html = (public / name).read_text()
        PageReader(html)
        assert "<script" not in html
        assert "49" not in html
    assert ET.fromstring((public / "feed.xml").read_bytes()) is not None
    [(alt, _)] = PageReader((public / "p/first22/index.html").read_text()).images
    assert alt == HOSTILE


def test_a_page_loads_nothing_from_elsewhere_and_describes_itself(bench, public):
    say(bench, "Isi", code="first22", title="Judul", images=(bench.image(7, "Poster"),))
    html = (public / "p/first22/index.html").read_text()
    assert "default-src 'none'" in html
    assert '<html lang="id">' in html
    assert '<link rel="canonical" href="https://kantor.example/p/first22/">' in html
    assert '<meta property="og:title" content="Judul">' in html
    image = f'content="https://kantor.example/p/first22/{bench.image(7, "Poster").filename}"'
    assert f'<meta property="og:image" {image}>' in html
    assert "Kamis, 31 Desember 2026 pukul 23.30 WIB" in html


def test_images_that_cannot_be_read_are_known_before_anything_is_begun(bench):
    gone = Image(bench.folder / "gone", "0" * 64, "image/png", "Hilang", 1, 1, 1)
    outgoing = bench.outgoing(bench.case.post("Teks", images=(gone,)))
    with pytest.raises(RetryLater):
        bench.adapter.prepare(outgoing)


def test_check_says_that_the_folder_cannot_be_written(bench, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(Exception, match="cannot be written"):
        bench.adapter.check()
