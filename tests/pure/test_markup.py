"""How each platform writes marks, and that what is written reads as the text that was meant."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.post import Capabilities, Content, Facet, Markup, Post
from crosspost.rendering import render, visible
from crosspost.rendering.facets import runs, styled_facets
from crosspost.rendering.markup import in_markup, written
from crosspost.rendering.measure import utf16
from crosspost.rendering.spans import Span, text_of

WRITTEN = (Markup.TELEGRAM_HTML, Markup.MATRIX_HTML, Markup.DISCORD, Markup.LITTLE_TEXT)
PIECES = (
    *("a", "kata_miring", "*", "**", "_", "__", "~~", "`", "```", "|", "\\", "<b>", "</b>"),
    *("&amp;", "https://x.id/a_b*c", "http://y.id", "#Tag_Satu", "#", "@warga", "{x}", "[a](b)"),
    *("(", ")", " ", "  ", "\n", "\n\n", "\n> ", "\n- ", "\n1. ", "\n# ", "\u2028", "\x0b"),
    *("สวัสดี", "👨\u200d👩\u200d👧"),
)  # fmt: skip
MARKS = [
    frozenset(marks.split())
    for marks in ("", "b", "i", "b i", "code", "pre", "blockquote", "blockquote b")
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
spans = st.lists(
    st.builds(Span, texts, st.sampled_from(MARKS), st.sampled_from(["", "", "https://z.id/q?a=1"])),
    max_size=8,
).map(tuple)


def post(body: str, markup: Markup, **fields: str) -> Post:
    values = {"title": "", "source": "", "link": "", "lang": "en", **fields}
    content = Content(code="k7q2", revision=1, body=body, urgency="normal", **values)  # type: ignore[arg-type]
    (only,) = render(content, Capabilities(markup=markup), len, channel="main")
    return only


@pytest.mark.parametrize("markup", WRITTEN)
@given(marked=spans)
def test_what_is_written_reads_as_the_text_that_was_meant(
    marked: tuple[Span, ...], markup: Markup
) -> None:
    text = text_of(marked).replace("\u00a0", " ")
    assert visible(written(marked, markup), markup) == text


@pytest.mark.parametrize("markup", WRITTEN)
@given(text=st.text())
def test_so_does_any_plain_text(text: str, markup: Markup) -> None:
    text = text.replace("\u00a0", " ")
    assert visible(in_markup(text, markup), markup) == text


# --- Discord


def test_a_quotation_right_behind_a_block_of_code_shows_no_sign():
    marked = (Span("x = 1\n", frozenset({"pre"})), Span("a", frozenset({"blockquote"})))
    assert written(marked, Markup.DISCORD) == "```\nx = 1\n\n```a"
    assert visible(written(marked, Markup.DISCORD), Markup.DISCORD) == "x = 1\na"


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("**Tebal** dan *miring* dan ***dua***", "**Tebal** dan _miring_ dan **_dua_**"),
        ("*di*dalam", "didalam"),  # italics inside a word would show their sign
        ("a **b** c*d", r"a **b** c\*d"),
        ("`kode_x` dan ``a`b``", "`kode_x` dan a\\`b"),
        ("```\nx = *1*\n```\n\nAkhir", "```\nx = *1*\n```\n\nAkhir"),
        ("> satu\n> dua\n\ntiga", "> satu\n> dua\n\ntiga"),
        ("- satu\n- dua", "• satu\n• dua"),
        ("1. satu\n2. dua", "1\\. satu\n2\\. dua"),
        ("[situs](https://x.id/a_b)", "[situs](<https://x.id/a_b>)"),
        ("<https://x.id/a_b>", "https://x.id/a_b"),
        ("[lihat https://y.id](https://x.id)", "lihat https://y.id (https://x.id)"),
        ("**https://x.id/a**", "https://x.id/a"),  # the sign would belong to the address
        ("# Judul\n\nIsi", "**Judul**\n\nIsi"),
        ("**[situs](https://x.id) kami**", "**[situs](<https://x.id>) kami**"),
        ("@everyone <@1> :x:", r"@everyone \<@1> :x:"),
    ],
)
def test_discord_gets_its_own_markdown(body: str, content: str) -> None:
    assert post(body, Markup.DISCORD).text == content


def discord_tree(content: str) -> str:
    """An independent reading: Discord's client parses in this order (simple-markdown rules)."""
    rules = [
        (r"\\([^0-9A-Za-z\s])", lambda m: m[1]),
        (r"```\n([\s\S]*?)\n```", lambda m: f"[pre {m[1]}]"),
        (r"(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)", lambda m: f"[code {m[2]}]"),
        (r"\[((?:\\.|[^\]\\])*)\]\(<(https?://[^>]*)>\)", lambda m: f"[link {discord_tree(m[1])}]"),
        (r"https?://[^\s<]+", lambda m: m[0]),
        (r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)", lambda m: f"[b {discord_tree(m[1])}]"),
        (r"_((?:\\[\s\S]|[^\\_])+?)_(?!\w)", lambda m: f"[i {discord_tree(m[1])}]"),
    ]
    made, place = "", 0
    while place < len(content):
        for pattern, shown in rules:
            if found := re.compile(pattern).match(content, place):
                made, place = made + shown(found), found.end()
                break
        else:
            made, place = made + content[place], place + 1
    return made


@given(st.lists(st.tuples(st.sampled_from(["satu", "dua_x", "*", "a`b", "\\"]),
                          st.sampled_from(["", "b", "i", "code"])), max_size=6))  # fmt: skip
def test_marks_on_discord_are_those_of_the_words(words: list[tuple[str, str]]) -> None:
    """Words apart from each other, each with one mark or none."""
    marked = []
    for word, mark in words:
        marked += [Span(word, frozenset({mark} if mark else ())), Span(" ")]
    expected = "".join(
        f"{word} " if not mark or (mark == "code" and "`" in word) else f"[{mark} {word}] "
        for word, mark in words
    )
    assert discord_tree(written(marked, Markup.DISCORD)) == expected


def test_marks_and_escapes_count_on_discord() -> None:
    content = Content("k", 1, "", "**a** *", "", "", "en", "normal")
    asked = []

    def count(text: str) -> int:
        asked.append(text)
        return utf16(text)

    render(content, Capabilities(markup=Markup.DISCORD, max_length=99), count)
    assert asked == [r"**a** \*"]


# --- LinkedIn


@pytest.mark.parametrize(
    ("text", "commentary"),
    [
        ("a (b) [c] {d} <e>", r"a \(b\) \[c\] \{d\} \<e\>"),
        ("50% | @kami ~ *x* _y_ \\", r"50% \| \@kami \~ \*x\* \_y\_ \\"),
        ("Lihat #LayananPublik.", r"Lihat {hashtag|\#|LayananPublik}."),
        ("#Tag_dua #1", r"{hashtag|\#|Tag\_dua} \#1"),
        ("https://x.id/a_b#c", r"https://x.id/a\_b\#c"),
    ],
)
def test_linkedin_gets_its_signs_escaped_and_its_hashtags_named(text: str, commentary: str) -> None:
    assert in_markup(text, Markup.LITTLE_TEXT) == commentary


# --- Matrix


class Shown(HTMLParser):
    """A Matrix client: `<br>` is the end of a line, white space is one space."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.depth = "", 0
        self.feed(html)
        self.close()
        assert not self.depth, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in ("b", "i", "a", "code", "pre", "blockquote", "br")
        self.depth += tag != "br"
        self.text += "\n" if tag == "br" else ""

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        assert "\n" not in data
        self.text += data


@given(st.lists(st.sampled_from(["a", "- b\n", "> c\n", "\n\n", "**d**", "<i>", "&", "`e`"])))
def test_matrix_clients_show_the_lines_of_the_text(pieces: list[str]) -> None:
    body = "x" + "".join(pieces)
    html, plain = post(body, Markup.MATRIX_HTML).text, post(body, Markup.TELEGRAM_HTML).text
    assert Shown(html).text.replace("\u00a0", " ") == visible(plain, Markup.TELEGRAM_HTML)


# --- Slack


def test_slack_gets_links_and_styles_by_ranges() -> None:
    made = post("**Tebal** [situs](https://x.id) `k` é *m*", Markup.RICH_TEXT)
    assert made.text == "Tebal situs k é m"
    assert made.facets == (
        Facet(0, 5, "bold", ""), Facet(6, 11, "link", "https://x.id"), Facet(12, 13, "code", ""),
        Facet(17, 18, "italic", ""),
    )  # fmt: skip


@given(spans)
def test_runs_are_the_whole_text_with_each_word_s_styles(marked: tuple[Span, ...]) -> None:
    text = text_of(marked)
    found = list(runs(text, styled_facets(marked)))
    assert "".join(piece for piece, _, _ in found) == text
    names = {"b": "bold", "i": "italic", "code": "code", "pre": "code"}
    expected = [({names[m] for m in s.marks if m in names}, s.url) for s in marked for _ in s.text]
    assert [(set(kinds), url) for piece, kinds, url in found for _ in piece] == expected
