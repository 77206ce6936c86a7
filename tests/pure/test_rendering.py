"""What one announcement looks like on each kind of platform, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crosspost.errors import ContentError
from crosspost.post import Capabilities, Card, CardMaker, Content, Facet, Image, Markup, Post, Video
from crosspost.rendering import measure, render, visible

PAGE = "https://kejari.go.id/p/k7q2/"
BLUESKY = Capabilities(
    markup=Markup.FACETS, max_length=300, max_bytes=3000, card=CardMaker.CLIENT, max_images=4,
    max_alt=2000,
)  # fmt: skip
TELEGRAM = Capabilities(
    markup=Markup.TELEGRAM_HTML, max_length=4096, max_caption=1024, max_images=10
)
PLAIN = Capabilities(max_length=500, max_images=4, max_alt=1500)
LINK = '<a href="https://x.id/'
SITE = Capabilities(markup=Markup.DOCUMENT, max_images=100, max_alt=10_000)


def content(body: str = "", **fields: object) -> Content:
    values = {"title": "", "source": "", "link": "", "lang": "en", **fields}
    return Content(code="k7q2", revision=1, body=body, urgency="normal", **values)  # type: ignore[arg-type]


def image(number: int = 1, alt: str = "Warga antre di loket") -> Image:
    return Image(Path("media") / str(number), str(number) * 64, "image/png", alt, 10, 10, 100)


def post(
    body: str = "",
    can: Capabilities = PLAIN,
    *,
    page: str = "",
    channel: str = "main",
    **fields: object,
) -> Post:
    (only,) = render(content(body, **fields), can, len, page=page, channel=channel)
    return only


def plain(body: str) -> str:
    return post(body, replace(PLAIN, max_length=None)).text


def telegram(body: str) -> str:
    return post(body, TELEGRAM).text


def html(body: str) -> str:
    document = post(body, SITE).document
    assert document is not None
    return document.html


def refusal(body: str = "", can: Capabilities = PLAIN, **fields: object) -> str:
    with pytest.raises(ContentError) as caught:
        post(body, can, **fields)  # type: ignore[arg-type]
    return str(caught.value)


# --- what is refused


@pytest.mark.parametrize("body", ["", "   \n\n", "***", "[a]: https://x.id", "\x00\x07", "&#32;"])
def test_an_announcement_that_says_nothing_is_refused(body: str) -> None:
    assert "has no text" in refusal(body)


def test_a_text_that_is_too_long_is_refused_with_count_limit_and_channel() -> None:
    sentence = refusal("a" * 612, channel="mastodon-main")
    assert "On mastodon-main the text has 612 characters; the limit is 500." in sentence
    assert "--link" in sentence


def test_a_title_that_does_not_fit_beside_link_and_source_is_refused() -> None:
    sentence = refusal("Isi.", title="T" * 500, page=PAGE, channel="mastodon-main")
    assert "On mastodon-main title, link and source alone have" in sentence


def test_a_text_of_which_nothing_fits_is_refused_when_there_is_no_title() -> None:
    assert "the limit is 500" in refusal("https://kejari.go.id/" + "a" * 600, page=PAGE)


def test_the_limit_in_bytes_counts_too() -> None:
    assert "bytes; the limit is 100" in refusal("é" * 60, replace(BLUESKY, max_bytes=100))


def test_a_body_over_two_hundred_kilobytes_is_refused() -> None:
    assert "200001 bytes; the limit is 200000" in refusal("a" * 200_001, SITE)


@pytest.mark.parametrize("sign", [">", "> ", "- ", "* ", "1. ", ">- "])
@pytest.mark.parametrize("depth", [20, 10_000])
def test_nesting_without_end_is_refused_rather_than_lost(sign: str, depth: int) -> None:
    assert "nested too deeply" in refusal(sign * depth + "isi", SITE)


def test_nesting_that_people_use_is_fine() -> None:
    assert "isi" in plain("> " * 15 + "isi")
    assert "isi" in plain("- " * 9 + "isi")


@pytest.mark.parametrize("body", ["![foto](https://x.id/a.png)", "a ![][b]\n\n[b]: https://x.id"])
def test_an_image_in_the_text_is_refused_with_the_way_to_give_one(body: str) -> None:
    assert "--image FILE --alt TEXT" in refusal(body)


def test_more_images_than_a_channel_takes_need_a_page() -> None:
    many = tuple(image(number) for number in range(1, 7))
    assert "main takes 4 images, and the announcement has 6" in refusal("Isi", images=many)
    assert post("Isi", images=many, page=PAGE).images == many[:4]


def test_a_description_that_is_too_long_is_refused_with_count_and_limit() -> None:
    sentence = refusal("Isi", images=(image(), image(2, "x" * 1501)))
    assert "description of image 2 has 1501 characters; the limit is 1500" in sentence


def test_a_channel_without_images_shows_the_text_and_the_page_shows_them() -> None:
    assert post("Isi", replace(PLAIN, max_images=0), images=(image(),), page=PAGE).images == ()


# --- the text of a post


def test_title_body_link_and_source_stand_in_this_order() -> None:
    shown = post("Isi.", title="Judul", source="Nomor 12/2026", link="https://x.id/a", page=PAGE)
    assert shown.text == f"Judul\n\nIsi.\n\nRead more: {PAGE}\nSource: Nomor 12/2026"
    assert shown.link == PAGE
    assert shown.lang == "en"


def test_without_a_page_the_link_is_the_authors() -> None:
    shown = post("Isi.", link="https://x.id/a")
    assert shown.text == "Isi.\n\nRead more: https://x.id/a"
    assert shown.link == "https://x.id/a"


def test_the_words_around_link_and_source_are_in_the_language_of_the_announcement() -> None:
    shown = post("Isi.", lang="id", source="Nomor 12/2026", page=PAGE)
    assert shown.text == f"Isi.\n\nSelengkapnya: {PAGE}\nSumber: Nomor 12/2026"


def test_a_title_is_one_line_without_control_characters() -> None:
    assert post("Isi", title=" Judul\n yang\x00 \tpanjang ").text == "Judul yang panjang\n\nIsi"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("satu\ndua\n\ntiga", "satu\ndua\n\ntiga"),
        ("satu  \ndua\\\ntiga", "satu\ndua\ntiga"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("**tebal** *miring* `kode`", "tebal miring kode"),
        ("~~tidak~~ a|b", "~~tidak~~ a|b"),
        ("# Judul\nisi", "Judul\nisi"),
        ("Syarat:\n- satu\n- dua\n\nSelesai", "Syarat:\n• satu\n• dua\n\nSelesai"),
        ("3. tiga\n3. empat\n   - lima", "3. tiga\n4. empat\n  • lima"),
        ("0. nol", "0. nol"),
        ("- \n- b", "• b"),
        ("1. - a", "1. • a"),
        ("- a\n\n  b", "• a\n\nb"),
        ("> kata mereka\n> begitu", "“kata mereka\nbegitu”"),
        ('> "kata mereka"', '"kata mereka"'),
        ("> a\n>\n> b\n\nc", "“a\n\nb”\n\nc"),
        ("satu\n\n---\n\ndua", "satu\n\ndua"),
        ("```sh\na  <b>\n\nc\n```", "a  <b>\n\nc"),
        ("[daftar](https://x.id/a_b_c)", "daftar (https://x.id/a_b_c)"),
        ("[x.id](https://x.id/)", "https://x.id/"),
        ("<https://x.id/a>", "https://x.id/a"),
        ("<info@x.id> [kami](mailto:info@x.id?subject=a)", "info@x.id kami (info@x.id)"),
        ("[telepon](tel:+62341)", "telepon (+62341)"),
        ("[](https://x.id)", "https://x.id"),
        ("https://x.id/_a_/*b*_c_.", "https://x.id/_a_/*b*_c_."),
        ("**https://x.id**", "https://x.id"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("[a](data:text/html,x) [b](/c)", "[a](data:text/html,x) [b](/c)"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("<!-- a --> &lt;b&gt; {{ c }}", "<!-- a --> <b> {{ c }}"),
        ("a\x00b\x1b[31m\x85c\ud800", "ab[31m\nc\ufffd"),
    ],
)
def test_plain_text_says_what_the_markdown_means(body: str, text: str) -> None:
    assert plain(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("**a *b* c**", "<b>a <i>b</i> c</b>"),
        ("# Judul **a**", "<b>Judul a</b>"),
        ("`a<b`", "<code>a&lt;b</code>"),
        ("**`a`**", "<code>a</code>"),
        ("```\na & b\n```", "<pre>a &amp; b</pre>"),
        ("> a\n>\n> *b*", "<blockquote>a\n\n<i>b</i></blockquote>"),
        ("> a\n\nb\n\n> c", "<blockquote>a</blockquote>\n\nb\n\n<blockquote>c</blockquote>"),
        ("> - a\n> - b", "<blockquote>• a\n• b</blockquote>"),
        ("[**a** b](https://x.id/?a&b)", '<a href="https://x.id/?a&amp;b"><b>a</b> b</a>'),
        ("[kami](mailto:a@x.id)", "kami (a@x.id)"),
        ("<b onclick=a>x</b>", "&lt;b onclick=a&gt;x&lt;/b&gt;"),
        ("&amp;lt;", "&amp;lt;"),
    ],
)  # fmt: skip
def test_telegram_gets_only_tags_that_it_knows(body: str, text: str) -> None:
    assert telegram(body) == text


def test_a_title_is_bold_on_telegram() -> None:
    assert post("b", TELEGRAM, title="A & <a>").text == "<b>A &amp; &lt;a&gt;</b>\n\nb"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# A\n\n### B", "<h2>A</h2>\n<h4>B</h4>\n"),
        ("## A", "<h2>A</h2>\n"),
        ("a\nb", "<p>a<br>\nb</p>\n"),
        ("https://x.id/?a&b", f'<p>{LINK}?a&amp;b" rel="noopener">https://x.id/?a&amp;b</a></p>\n'),
        ("<script>alert('x')</script>", "<p>&lt;script&gt;alert('x')&lt;/script&gt;</p>\n"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"),
        ('https://x.id/"b', f'<p>{LINK}" rel="noopener">https://x.id/</a>&quot;b</p>\n'),
        ("[a](JaVaScRiPt:alert)", "<p>[a](JaVaScRiPt:alert)</p>\n"),
        ("```x\" onclick=\"y\na\n```", '<pre><code class="language-x&quot;">a\n</code></pre>\n'),
    ],
)  # fmt: skip
def test_the_document_is_html_that_nothing_can_break_out_of(body: str, expected: str) -> None:
    assert html(body) == expected


def test_the_document_carries_all_fields_and_a_summary() -> None:
    body = "Kalimat *pertama* di Jl. Merdeka. " + "Kalimat yang kedua. " * 20
    found = post(body, SITE, title="Judul", source="Nomor 1", link="https://x.id", page=PAGE)
    assert found.document is not None
    assert (found.document.code, found.document.revision, found.document.title) == (
        "k7q2",
        1,
        "Judul",
    )
    assert (found.document.source, found.document.link) == ("Nomor 1", "https://x.id")
    assert found.document.text == body.replace("*", "").strip()
    assert found.document.summary.endswith("kedua. …")
    assert measure.graphemes(found.document.summary) <= 200
    assert found.text.startswith("Judul\n\nKalimat pertama")


def test_facets_name_links_and_hashtags_by_bytes() -> None:
    shown = post("é [surat](https://x.id/s), #Layanan1 https://y.id. #1 **#b**", BLUESKY)
    assert shown.text == "é surat, #Layanan1 https://y.id. #1 #b"
    assert shown.facets == (
        Facet(3, 8, "link", "https://x.id/s"),
        Facet(10, 19, "tag", "Layanan1"),
        Facet(20, 32, "link", "https://y.id"),
        Facet(37, 39, "tag", "b"),
    )


def test_a_hashtag_longer_than_the_lexicon_allows_gets_no_facet() -> None:
    assert post("#" + "a" * 65, BLUESKY).facets == ()
    assert post("#abc", replace(BLUESKY, hashtags=False)).facets == ()


def test_a_card_is_made_where_the_client_makes_it_and_no_image_takes_its_place() -> None:
    fields = {"title": "Judul", "page": PAGE}
    assert post("Isi.", BLUESKY, **fields).card == Card(PAGE, "Judul", "Isi.")  # type: ignore[arg-type]
    assert post("Isi.", BLUESKY, page=PAGE).card == Card(PAGE, "Isi.", "")
    assert post("Isi.", BLUESKY, images=(image(),), **fields).card is None  # type: ignore[arg-type]
    assert post("Isi.", PLAIN, **fields).card is None  # type: ignore[arg-type]
    assert post("Isi.", BLUESKY, title="Judul").card is None


def test_descriptions_are_written_out_where_there_is_no_field_for_them() -> None:
    shown = post("Isi", TELEGRAM, images=(image(1, "Loket\nA"), image(2, "Loket B")), page=PAGE)
    assert visible(shown.text, Markup.TELEGRAM_HTML).endswith(
        f"{PAGE}\n\nImage: Loket A\nImage: Loket B"
    )
    assert "Image:" not in post("Isi", PLAIN, images=(image(),)).text
    assert "Image:" not in post("Isi", replace(SITE, max_alt=None), images=(image(),)).text


def test_descriptions_are_the_first_to_go() -> None:
    body = "a" * 1000
    two = (image(1, "x" * 10), image(2, "y" * 10))
    assert post(body, TELEGRAM, images=two).text == f"{body}\n\nImage: xxxxxxxxxx"
    assert post("a" * 1010, TELEGRAM, images=two).text == "a" * 1010, "a line is whole or not there"


def video(alt: str = "Petugas menyuntik seorang anak") -> Video:
    return Video(Path("media") / "v", "v" * 64, "video/mp4", alt, 1000)


def test_a_video_takes_the_place_of_the_images_unless_both_go_together() -> None:
    pictures, clip = (image(1), image(2)), video()
    alone = post("Text.", PLAIN, images=pictures, videos=(clip,))
    assert (alone.images, alone.videos) == ((), (clip,))
    both = post("Text.", replace(PLAIN, mixes_media=True), images=pictures, videos=(clip,))
    assert (both.images, both.videos) == (pictures, (clip,))


def test_a_video_is_described_in_the_text_and_its_caption_has_the_limit_of_captions() -> None:
    assert telegram_with_video("a" * 900).endswith("Video: Petugas menyuntik seorang anak")
    assert "the limit is 1024" in refusal("a" * 1025, TELEGRAM, videos=(video(),))


def telegram_with_video(body: str) -> str:
    return post(body, TELEGRAM, videos=(video(),)).text


def test_no_card_is_made_beside_a_video() -> None:
    assert post("Text.", BLUESKY, link="https://x.id", videos=(video(),)).card is None


def test_where_nothing_goes_without_image_or_video_that_is_said() -> None:
    needy = replace(PLAIN, needs_media=True)
    assert "without an image or a video" in refusal("Text.", needy)
    assert post("Text.", needy, images=(image(),)).images
    assert post("Text.", needy, videos=(video(),)).videos


def test_a_title_with_a_field_of_its_own_is_shortened_there_and_not_in_the_text() -> None:
    tube = replace(PLAIN, max_title=20)
    found = post("Isi.", tube, title="Jadwal vaksinasi anak di puskesmas")
    assert (found.title, found.text) == ("Jadwal vaksinasi…", "Isi.")
    assert post("Isi yang singkat.", tube).title == "Isi yang singkat."
    assert post("Isi.", PLAIN, title="Jadwal").title == ""


def test_a_caption_has_a_limit_of_its_own() -> None:
    shown = post("kata " * 500, TELEGRAM, images=(image(),), page=PAGE)
    assert 1000 < len(visible(shown.text, Markup.TELEGRAM_HTML)) <= 1024


# --- what is shortened, and where


def shortened(body: str, room: int, **fields: object) -> str:
    """The body as it is shown where `room` characters are left for it."""
    tail = f"\n\nRead more: {PAGE}"
    shown = post(body, replace(PLAIN, max_length=room + len(tail)), page=PAGE, **fields).text  # type: ignore[arg-type]
    assert shown.endswith(tail)
    return shown.removesuffix(tail)


@pytest.mark.parametrize(
    ("body", "room", "kept"),
    [
        ("Satu dua tiga.", 14, "Satu dua tiga."),  # whole, for it fits
        ("Satu dua. Tiga empat.", 20, "Satu dua. …"),  # at a sentence
        (
            "Satu. Dua tiga empat lima enam.",
            25,
            "Satu. Dua tiga empat…",
        ),  # too little at a sentence
        ("Satu dua\n\ntiga empat", 15, "Satu dua…"),
        ("Kantor kami di Jl. Merdeka Raya", 24, "Kantor kami di Jl. …"),  # as a word only
        ("Dibuka Dr. A. Yani, S.H., M.H. hari ini", 36, "Dibuka Dr. A. Yani, S.H., M.H. hari…"),
        ("Pukul 09.00. Lalu pulang bersama", 25, "Pukul 09.00. …"),
        ("satu, dua, tiga", 12, "satu, dua…"),  # no comma before the dots
        ("satu https://x.id/abcdef dua", 20, "satu…"),  # not inside a URL
        ("satu https://x.id/a tiga empat", 24, "satu https://x.id/a …"),  # nor joined to one
        ("satu #Layanan tiga empat", 17, "satu #Layanan …"),
        ("[satu dua](https://x.id/abc) tiga", 25, "satu dua…"),
        ("- satu\n- dua", 9, "• satu…"),  # no bullet alone
        ("1. satu dua\n2. tiga", 15, "1. satu dua…"),
        ("a" * 100, 10, "aaaaaaaaa…"),  # no white space at all
        ("สวัสดีชาวโลก", 7, "สวัสดี…"),
        ("ab " + "ก" * 50, 10, "ab กกกกกก…"),
        ("Rp\u00a05.000.000 saja", 13, "Rp\u00a05.000.000…"),
    ],
)
def test_a_text_is_shortened_where_a_reader_pauses(body: str, room: int, kept: str) -> None:
    assert shortened(body, room) == kept


def test_when_nothing_of_the_body_fits_the_title_stands_alone() -> None:
    can = replace(PLAIN, max_length=50)
    shown = post("https://x.id/" + "a" * 90, can, title="Judul", page=PAGE)
    assert shown.text == f"Judul\n\nRead more: {PAGE}"


@pytest.mark.parametrize("joined", ["👨\u200d👩\u200d👧", "e\u0301\u0323", "🇮🇩", "ที่", "ꦏꦿ"])
def test_no_grapheme_is_cut(joined: str) -> None:
    for room in range(len(joined) + 1, 60):
        kept = shortened(joined * 60, room).removesuffix("…")
        assert kept
        assert kept == joined * (len(kept) // len(joined))


@pytest.mark.parametrize("name", ["#Layanan", "@warga.desa@pemkab.social", "https://x.id/a/b"])
def test_no_name_is_cut_where_a_word_must_be(name: str) -> None:
    body = name if name[0] == "#" else f"ก{name}"
    for room in range(2, 60):
        kept = shortened(f"({body})" * 9, room, title="T").removeprefix("T")
        assert kept.count(name[:3]) == kept.count(name)


def test_shortened_telegram_text_is_still_well_formed() -> None:
    can = replace(TELEGRAM, max_length=52)
    shown = post("> **satu [dua tiga](https://x.id) empat lima**", can, page=PAGE).text
    assert shown.startswith(
        '<blockquote><b>satu </b><a href="https://x.id"><b>dua</b></a></blockquote>…'
    )


def test_measure_is_asked_about_the_visible_text_and_seldom() -> None:
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return len(text)

    body = content("**kata** & " * 15_000, title="Judul")
    (shown,) = render(body, TELEGRAM, count, page=PAGE)
    assert not [text for text in asked if "<b>" in text or "&amp;" in text]
    assert visible(shown.text, Markup.TELEGRAM_HTML) in asked
    assert len(asked) < 40
    assert sorted(map(len, asked))[-2] < 20_000, "only the whole text is measured whole"
