"""What holds for any text on any platform, by counts and parsers that are not ours."""

from __future__ import annotations

import re
import string
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosspost.errors import ContentError
from crosspost.post import Capabilities, CardMaker, Content, Markup, Post, to_json
from crosspost.rendering import measure, render

PAGE = "https://kejari.go.id/p/k7q2/"
MASTODON = Capabilities(max_length=120)
BLUESKY = Capabilities(markup=Markup.FACETS, max_length=120, max_bytes=220, card=CardMaker.CLIENT)
TELEGRAM = Capabilities(markup=Markup.TELEGRAM_HTML, max_length=120)
SITE = Capabilities(markup=Markup.DOCUMENT)
PLATFORMS = [
    (MASTODON, measure.mastodon),
    (BLUESKY, measure.graphemes),
    (TELEGRAM, measure.utf16),
    (SITE, len),
]

#: Graphemes of more than one code point, none of which joins with what stands beside it.
CLUSTERS = ("e\u0301", "👨\u200d👩\u200d👧", "👍🏽", "❤\ufe0f", "ที่", "กำ", "n\u0303\u0323")
PIECES = (
    *CLUSTERS, "Warga", "datang.", "Jl.", " ", " ", " ", "\n", "\n\n", "- ", "1. ", "> ", "# ",
    "```\n", "**", "*", "_", "`", "[", "](https://x.id/a_b)", "](mailto:a@x.id)", "](javascript:a)",
    " https://x.id/é?a=1&b=2 ", "<https://x.id>", "#Layanan", "#สวัสดี", "@warga", "@a@b.id", "</p>",
    "<b>", "&lt;", "&", '"', "'", "{{", "\\", "(", ")", "漢字", "שלום", "…", "\x07",
)  # fmt: skip

markdown = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200)
lines = st.text(max_size=25) | st.sampled_from(
    ["", "Judul & <b>", "Nomor 12 https://x.id/s #Arsip"]
)


class Parsed(HTMLParser):
    """The text of an HTML fragment, its tags and attributes, and whether it is well-formed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open = "", []  # type: tuple[str, list[str]]
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment came through")


def rendered(
    body: str, can: Capabilities, count: Callable[[str], int], *, title: str = "", source: str = ""
) -> Post | None:
    content = Content("k7q2", 1, title, body, source, "", "en", "normal")
    try:
        (post,) = render(content, can, count, page=PAGE, channel="main")
    except ContentError:
        return None
    return post


def graphemes(text: str) -> int:
    """An independent count, for texts made of CLUSTERS, single code points and #สวัสดี."""
    clusters = (*CLUSTERS, "วั", "ดี")
    return len(re.sub("|".join(map(re.escape, clusters)), "x", text))


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), lines)
def test_a_post_is_within_its_limits_by_an_independent_count(body: str, title: str) -> None:
    if post := rendered(body, TELEGRAM, measure.utf16, title=title):
        assert len(Parsed(post.text).text.encode("utf-16-le")) // 2 <= 120
    if post := rendered(body, BLUESKY, measure.graphemes):
        assert graphemes(post.text) <= 120
        assert len(post.text.encode()) <= 220
    if post := rendered(body.replace("@", ""), MASTODON, measure.mastodon):
        links = re.findall(r"(?<!\S)https://\S+(?!\S)", post.text)
        if post.text.count("http") == len(links):  # none has anything else around it
            longer = sum(23 - len(link) for link in links)
            assert graphemes(post.text) + longer <= 120


@given(markdown, lines, lines)
def test_link_and_source_are_never_cut(body: str, title: str, source: str) -> None:
    for can, count in PLATFORMS[:3]:
        post = rendered(body, can, count, title=title, source=source)
        if post is None:
            continue
        shown = Parsed(post.text).text if can is TELEGRAM else post.text
        line = " ".join(re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]", "", source).split())
        end = f"Read more: {PAGE}" + (f"\nSource: {line}" if line else "")
        assert shown.endswith(end.replace("\uffff", "\ufffd").replace("\ufffe", "\ufffd"))


@given(markdown, lines)
def test_facets_point_at_exactly_their_text(body: str, title: str) -> None:
    post = rendered(body, BLUESKY, measure.graphemes, title=title)
    if post is None:
        return
    data, before = post.text.encode(), 0
    for facet in post.facets:
        assert before <= facet.start < facet.end <= len(data)
        before = facet.end
        text = data[facet.start : facet.end].decode()
        if facet.kind == "tag":
            assert text in (f"#{facet.value}", f"＃{facet.value}")
        else:
            assert facet.value.lower().startswith(("http://", "https://"))
            assert text == facet.value or "](" in body or "<http" in body
    assert any(facet.value == PAGE for facet in post.facets)


@given(markdown, lines)
def test_telegram_html_parses_back_to_what_was_measured(body: str, title: str) -> None:
    asked = []

    def count(text: str) -> int:
        asked.append(text)
        return measure.utf16(text)

    post = rendered(body, TELEGRAM, count, title=title)
    if post is not None:
        parsed = Parsed(post.text)
        assert parsed.text in asked
        assert parsed.tags <= {"b", "i", "a", "code", "pre", "blockquote"}
        assert parsed.attributes <= {"href"}
        assert all(re.match("https?://", address, re.I) for address in parsed.addresses)


@given(markdown, lines)
def test_the_document_has_no_markup_but_that_of_markdown(body: str, title: str) -> None:
    post = rendered(body, SITE, len, title=title)
    if post is not None:
        assert post.document is not None
        parsed = Parsed(post.document.html)
        headings = {f"h{level}" for level in range(2, 7)}
        known = {
            "p",
            "br",
            "hr",
            "em",
            "strong",
            "code",
            "pre",
            "a",
            "ul",
            "ol",
            "li",
            "blockquote",
        }
        assert parsed.tags <= known | headings
        assert parsed.attributes <= {"href", "rel", "title", "class", "start"}
        schemes = ("http://", "https://", "mailto:", "tel:")
        assert all(address.lower().startswith(schemes) for address in parsed.addresses)


@given(st.lists(st.text(alphabet=string.printable + "éกשa漢", min_size=1), max_size=4))
def test_escaped_text_comes_out_as_itself_on_every_platform(paragraphs: list[str]) -> None:
    said = [" ".join(paragraph.replace("http", "").split()) for paragraph in paragraphs]
    said = [paragraph for paragraph in said if paragraph]
    body = "\n\n".join(re.sub(rf"([{re.escape(string.punctuation)}])", r"\\\1", p) for p in said)
    if not said:
        return
    text = "\n\n".join(said)
    wide = Capabilities(markup=Markup.TELEGRAM_HTML)
    post, document = rendered(body, wide, len), rendered(body, SITE, len)
    assert post is not None
    assert Parsed(post.text).text == f"{text}\n\nRead more: {PAGE}"
    assert document is not None
    assert document.document is not None
    assert document.document.text == text
    assert Parsed(document.document.html).text.split() == text.split()


@given(markdown)
def test_what_is_shown_is_the_beginning_of_the_whole_and_an_ellipsis(body: str) -> None:
    for can, count in PLATFORMS[:3]:
        post = rendered(body, can, count, title="T")
        whole = rendered(body, Capabilities(markup=can.markup), count, title="T")
        if post is None or whole is None or post.text == whole.text:
            continue
        end = f"\n\nRead more: {PAGE}"
        shown, all_of_it = (
            (Parsed(p.text).text if can is TELEGRAM else p.text).removesuffix(end)
            for p in (post, whole)
        )
        assert shown == "T" or shown.endswith("…")
        assert all_of_it.startswith(shown.removesuffix("…").rstrip())


@given(markdown, lines, lines)
def test_rendering_is_deterministic(body: str, title: str, source: str) -> None:
    for can, count in PLATFORMS:
        first, second = (rendered(body, can, count, title=title, source=source) for _ in "ab")
        assert first == second
        if first is not None:
            to_json(first)
            first.text.encode()


SIZE = 200_000


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "kata ",
            "Kalimat penuh. ",
            "a",
            "#tag ",
            "#t",
            "@a@b",
            ")",
            "“",
            "\\",
            "\u00a0",
            "\u0600 ",
        ),
        *("https://", "https://x.id/a ", "https://x.id/)!", "[a](https://x.id) ", "<a@b", "&amp;"),
        *("[", "![", "*a_ ", "[*_", "`", "- a\n", "1. ", ">", "> ", "a\n"),
        *("\u0301", "👨\u200d👩\u200d👧", "🇮🇩", "שלום ", "สวัสดี", "ꦲꦏ꧀ꦱꦫ"),
    ],
)
def test_two_hundred_kilobytes_of_anything_take_bounded_time(piece: str) -> None:
    body = piece * (SIZE // len(piece.encode()))
    begun = time.process_time()
    for can, count in PLATFORMS[:2]:
        rendered(body, can, count, title="Judul")
    assert time.process_time() - begun < 40, "most need less than one second"


@settings(max_examples=30, deadline=None)
@given(st.integers(2_000, 20_000))
def test_a_thousand_hashtags_are_cut_between_two(count: int) -> None:
    post = rendered("#Layanan " * count, BLUESKY, measure.graphemes)
    assert post is not None
    tags = [facet for facet in post.facets if facet.kind == "tag"]
    assert {facet.value for facet in tags} == {"Layanan"}
    assert post.text.count("#") == len(tags)
