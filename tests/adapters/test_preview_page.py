"""The preview page: what is sent stands in it, nothing of a text is markup, nothing is fetched."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from previewed import announcement, film, office, posts_of, previewed

from crosspost.adapters import BUILT_IN
from crosspost.post import Markup
from crosspost.preview import ADDED, as_json, looks, shown
from crosspost.preview.sanitizing import safe
from crosspost.rendering.markup import written
from crosspost.rendering.reading import read
from crosspost.rendering.spans import Span, text_of

VOID = {"meta", "br", "hr"}


class Page(HTMLParser):
    """The page, well-formed: its texts, its attributes, and the texts of every `pre.exact`."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.exact: list[str] = []
        self.inside = False
        self.feed(source)
        self.close()
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if ("class", "exact") in attrs:
            self.inside = True
            self.exact.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.exact[-1] += data


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory):
    return office(tmp_path_factory.mktemp("office"))


def test_every_platform_of_ours_has_a_look():
    assert set(looks.LOOKS) >= set(BUILT_IN)


def test_the_exact_text_of_every_post_stands_in_the_page(settings):
    content = announcement(settings.folder)
    found = Page(previewed(settings, content)).exact
    assert found == [post["text"] for post in posts_of(settings, content)]
    assert len(found) > 15


def test_nothing_on_the_page_runs_or_is_fetched(settings):
    source = previewed(settings, announcement(settings.folder))
    page = Page(source)
    assert not page.tags & {"script", "iframe", "img", "link", "object", "form", "svg", "video"}
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), tag
        assert name not in ("src", "srcset", "data", "action"), tag
        assert name != "href" or value.startswith("#"), value
    assert set(re.findall(r"url\((.{11})", source)) == {"data:image/"}
    assert "default-src 'none'" in source


EVIL = (
    '<script>alert(1)</script> <img src=x onerror=alert(1)> </pre></style><style>*{x:url(//e)}'
    ' "\'><b onmouseover=a()> javascript:alert(1) {{ 7*7 }} {% x %} ]]> <!-- -->'
)  # fmt: skip


def test_markup_of_the_author_is_text_everywhere(settings):
    """In every field, on every platform: the same tags come out as for harmless words."""
    fields = {
        "title": EVIL[:90],
        "source": EVIL[90:150],
        "tags": (EVIL,),
        "texts": {"telegram": f"T {EVIL}"},
    }
    harmless = dict.fromkeys(("title", "source"), "kata " * 8) | {"texts": {"telegram": "T kata"}}
    content = announcement(settings.folder, "kata", **harmless)
    evil = announcement(settings.folder, f"{EVIL}\n\n[{EVIL}](https://x.id/{EVIL[:10]})", **fields)
    evil = replace(evil, images=tuple(replace(i, alt=EVIL) for i in evil.images))
    page, calm = (Page(previewed(settings, one)) for one in (evil, content))
    assert page.tags <= calm.tags | {"code", "blockquote", "i", "b", "em"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "49" not in "".join(re.findall(r"\{\{ 7\*7 \}\}|\b49\b", "".join(page.exact)))


def test_what_a_tampered_database_holds_is_not_trusted(settings):
    content = announcement(settings.folder)
    stored = posts_of(settings, content)
    for post in stored:
        post["text"] = f"<b>x</b><script>y</script><a href='javascript:z'>z</a>{EVIL}"
        post["facets"] = []
        if "document" in post:
            post["document"]["html"] = f"<p onclick='a'>x<script>y</script></p><iframe>{EVIL}"
    from previewed import HEAD

    from crosspost.preview.page import page

    about = {"texts": {}, "body": "x", "images": [], "videos": []}
    found = Page(page(HEAD, shown(settings, about, stored), []))
    assert not found.tags & {"script", "iframe", "img"}
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert not [v for _, n, v in found.attributes if n == "title" and "javascript" in v]


def test_what_a_channel_does_not_show_is_said(settings):
    content = announcement(settings.folder, videos=(film(settings.folder),))
    stored = posts_of(settings, content)
    about = {"texts": {"x": "T"}, "body": content.body, "images": list(content.images),
             "videos": list(content.videos)}  # fmt: skip
    found = {one.channel: one for one in shown(settings, about, stored)}
    assert "1 of 2 images are shown here." in found["matrix"].notes
    assert "The video is not shown here." in found["discord"].notes
    assert "The text is shortened; the link leads to all of it." in found["bluesky"].notes
    assert not any("shortened" in note for note in found["facebook"].notes)
    assert "This channel has a text of its own." in found["x"].notes
    assert (found["youtube"].posts[0].images, len(found["youtube"].posts[0].videos)) == ((), 1)
    assert "The video is not shown here." not in found["youtube"].notes


def test_a_file_that_is_not_the_approved_one_is_a_problem(settings):
    content = announcement(settings.folder, "Pendek.")
    stored = posts_of(settings, content)
    about = {"texts": {}, "body": "Pendek.", "images": list(content.images), "videos": []}
    path = content.images[0].path
    whole = path.read_bytes()
    path.write_bytes(b"something else")
    found = as_json(shown(settings, about, stored), stored)
    path.write_bytes(whole)
    (one,) = [post for post in found if post["channel"] == "bluesky"]
    assert one["problems"] == [f"The file {content.images[0].filename} is missing or was changed."]
    assert {k: v for k, v in one.items() if k not in ADDED} == {
        k: v for k, v in stored[found.index(one)].items() if k not in ADDED
    }


def test_a_post_over_a_limit_that_came_later_is_marked(settings):
    stored = posts_of(settings, announcement(settings.folder))
    [post] = [p for p in stored if p["channel"] == "bluesky"]
    about = {"texts": {}, "body": "x", "images": [], "videos": []}
    [one] = shown(settings, about, [{**post, "text": "x" * 301, "facets": []}])
    assert one.problems[0][0].startswith("It is longer than this channel takes now.")


MARKS = [frozenset(m) for m in ((), ("b",), ("i",), ("code",))]
words = st.text("ab #<&*_`é\n", min_size=1, max_size=12)


@pytest.mark.parametrize(
    "markup", [Markup.TELEGRAM_HTML, Markup.MATRIX_HTML, Markup.DISCORD, Markup.LITTLE_TEXT,
               Markup.PLAIN],
)  # fmt: skip
@given(st.lists(st.builds(Span, words, st.sampled_from(MARKS)), max_size=6))
def test_what_is_read_back_is_what_was_written(markup: Markup, spans: list[Span]) -> None:
    text = written(spans, markup)
    assert text_of(read(text, markup)).replace("\u00a0", " ") == text_of(spans)


@given(st.text("<>/abipre\"' =!-&;", max_size=60))
def test_sanitized_html_is_well_formed_and_says_the_same(source: str) -> None:
    made = safe(source)
    Page(f"<div>{made}</div>")
    assert "<script" not in made


def test_markdown_s_own_tags_stay_and_headings_go_below_ours() -> None:
    source = '<h2>A</h2><p>b <em>c</em><br>d <a href="https://x.id/?a=1&amp;b">e</a></p><ul><li>f</li></ul>'
    assert safe(source) == (
        "<h4>A</h4><p>b <em>c</em><br>d "
        '<span class="link" title="https://x.id/?a=1&amp;b">e</span></p><ul><li>f</li></ul>'
    )
    assert safe("<p>a") == "<p>a</p>"
    assert html.unescape(safe("</p>x")) == "</p>x"


def test_a_post_of_a_thread_is_named_by_its_number(settings, tmp_path: Path):
    source = previewed(settings, announcement(settings.folder, "Kalimat kantor. " * 80))
    assert "Part 1 of " in source
