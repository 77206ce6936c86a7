"""A long text as a numbered thread: nothing is lost, nothing is cut in two, every part fits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost import rendering
from crosspost.errors import ContentError
from crosspost.post import Capabilities, CardMaker, Content, Image, Markup, Post
from crosspost.rendering import measure, render, visible
from crosspost.rendering.layout import MOST_PARTS
from crosspost.style import Style

PAGE = "https://kejari.go.id/p/k7q2/"
PLAIN = Capabilities(max_length=120, threads=True, max_images=4, max_alt=1500)
TELEGRAM = replace(PLAIN, markup=Markup.TELEGRAM_HTML, max_caption=80)
BLUESKY = replace(PLAIN, markup=Markup.FACETS, max_bytes=200, card=CardMaker.CLIENT)
DISCORD = replace(PLAIN, markup=Markup.DISCORD)
PLATFORMS = {
    "mastodon": (PLAIN, measure.mastodon),
    "telegram": (TELEGRAM, measure.utf16),
    "bluesky": (BLUESKY, measure.graphemes),
    "discord": (DISCORD, measure.utf16),
}
THREADS = Style(threads=True, signature="Humas Kejari")
SENTENCE = "Loket pelayanan dibuka setiap hari kerja. "
IMAGE = Image(Path("media") / "1", "1" * 64, "image/png", "Warga antre", 10, 10, 100)


def thread(
    body: str,
    can: Capabilities = PLAIN,
    count: Callable[[str], int] = measure.mastodon,
    *,
    page: str = PAGE,
    **fields: object,
) -> list[Post]:
    values = {"title": "Jadwal", "source": "Surat B-1", "link": "", "lang": "id", **fields}
    content = Content(code="k7q2", revision=1, body=body, urgency="normal", **values)  # type: ignore[arg-type]
    return list(render(content, can, count, page=page, channel="main", style=THREADS))


def shown(post: Post, can: Capabilities) -> str:
    return visible(post.text, can.markup)


def said(posts: list[Post], can: Capabilities) -> str:
    """All that is said, without white space and numbers."""
    bare = [re.sub(r"\n\n\(\d+/\d+\)\Z", "", shown(post, can)) for post in posts]
    return "".join("".join(bare).split())


def test_a_text_that_fits_is_one_post_without_a_number() -> None:
    (post,) = thread("Singkat.", replace(PLAIN, max_length=500))
    assert "(1/" not in post.text


def test_title_comes_first_link_and_source_last_and_each_part_has_its_number() -> None:
    posts = thread(SENTENCE * 8)
    total = len(posts)
    assert total > 2
    assert posts[0].text.startswith("Jadwal\n\nLoket")
    for number, post in enumerate(posts, 1):
        assert post.text.endswith(f"\n\n({number}/{total})")
    assert f"Selengkapnya: {PAGE}\nSumber: Surat B-1\n\nHumas Kejari\n\n(" in posts[-1].text
    assert [post.link for post in posts] == [*[""] * (total - 1), PAGE]


def test_parts_end_at_sentences() -> None:
    for post in thread(SENTENCE * 8)[:-1]:
        assert post.text.rpartition("\n\n(")[0].endswith("kerja.")


def test_images_stand_in_the_first_part_and_a_card_in_the_last() -> None:
    posts = thread(SENTENCE * 8, BLUESKY, measure.graphemes, images=(IMAGE,))
    assert [post.images for post in posts] == [(IMAGE,), *[()] * (len(posts) - 1)]
    assert [post.card is not None for post in posts] == [*[False] * (len(posts) - 1), True]


def test_the_first_part_keeps_to_the_limit_of_captions_and_describes_its_images() -> None:
    can = replace(TELEGRAM, max_alt=None, max_caption=110, max_length=200)
    posts = thread(SENTENCE * 8, can, measure.utf16, images=(IMAGE,))
    assert "Gambar: Warga antre\n\n(1/" in posts[0].text
    assert measure.utf16(shown(posts[0], can)) <= 110
    assert max(measure.utf16(shown(post, can)) for post in posts[1:]) > 110


def test_without_the_setting_or_the_ability_there_is_no_thread() -> None:
    assert len(thread(SENTENCE * 8, replace(PLAIN, threads=False))) == 1
    content = Content("k", 1, "Jadwal", SENTENCE * 8, "", "", "id", "normal")
    assert len(render(content, PLAIN, measure.mastodon, page=PAGE, channel="main")) == 1


def test_what_is_too_much_for_the_longest_thread_is_shortened_in_the_last_part() -> None:
    posts = thread(SENTENCE * 200)
    assert len(posts) == MOST_PARTS
    assert "…" in posts[-1].text
    assert PAGE in posts[-1].text
    assert all("…" not in post.text for post in posts[:-1])
    with pytest.raises(ContentError, match="the limit is 120"):
        thread(SENTENCE * 200, page="")


def test_what_stands_after_the_text_gets_a_part_with_some_of_the_text() -> None:
    """Whatever the length, the last part is not the link alone."""
    for words in range(1, 60):
        posts = thread("Kata. " * words)
        if len(posts) > 1:
            assert posts[-1].text.startswith("Kata."), words


def test_a_title_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ContentError, match="title, link and source alone"):
        thread(SENTENCE * 8, title="Judul " * 30)


PIECES = (
    "Warga", " ", " ", " ", "datang. ", "\n\n", "\n", "- ", "**tebal**", " `kode` ", "#Layanan ",
    "https://x.id/é?a=1&b=2 ", "[situs](https://x.id/a_b) ", "@warga ", "👨\u200d👩\u200d👧",
    "👍🏽", "ที่กำ", "e\u0301", "שלום ", "ꦲꦏ꧀ꦱꦫ",
    "a" * 150, "漢字", "> kutipan\n\n", "&", "<b>", "*", "\u00a0",
)  # fmt: skip


@pytest.mark.parametrize("platform", PLATFORMS)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=80))
def test_every_part_fits_and_together_they_say_all_of_it(platform: str, pieces: list[str]) -> None:
    can, count = PLATFORMS[platform]
    body = "x " + "".join(pieces)
    posts = thread(body, can, count)
    for post in posts:
        counted = post.text if can is DISCORD else shown(post, can)
        assert count(counted) <= 120
        assert can is not BLUESKY or len(post.text.encode()) <= 200
    (whole,) = thread(body, replace(can, max_length=None, max_bytes=None), count)
    all_of_it, parts = said([whole], can), said(posts, can)
    if len(posts) == 1:
        return
    if "…" not in parts:
        assert parts == all_of_it
    for post in posts:  # nothing that belongs together is cut in two
        assert measure.graphemes(post.text) == len(measure.GRAPHEME.findall(post.text))
        for facet in post.facets:
            text = post.text.encode()[facet.start : facet.end].decode()
            assert facet.kind == "tag" or text in (facet.value, "situs")
            assert facet.kind == "link" or text == f"#{facet.value}" == "#Layanan"


@given(st.lists(st.sampled_from(PIECES), min_size=40, max_size=80))
def test_no_address_tag_or_cluster_is_cut(pieces: list[str]) -> None:
    (whole,) = thread(" ".join(pieces), replace(PLAIN, max_length=None))
    posts = thread(" ".join(pieces))
    for name in (
        "https://x.id/é?a=1&b=2",
        "#Layanan",
        "👨\u200d👩\u200d👧",
        "👍🏽",
        "e\u0301",
        PAGE,
    ):
        if "…" not in posts[-1].text:
            assert sum(post.text.count(name) for post in posts) == whole.text.count(name)


def _seconds(parts: int, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(rendering, "MOST_PARTS", 10_000)
    begun = time.process_time()
    posts = thread(SENTENCE * (parts * 2), replace(PLAIN, max_length=100), len)
    assert len(posts) >= parts
    return time.process_time() - begun


def test_the_time_for_a_thread_goes_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = _seconds(200, monkeypatch), _seconds(1_600, monkeypatch)
    assert long < 8 * short * 2.5 + 0.5, "eight times the parts, about eight times the time"
