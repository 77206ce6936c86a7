"""Lengths as platforms count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.rendering import measure

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
FLAG = "🇮🇩"
#: Whole graphemes that do not join with each other, whatever stands beside them.
CLUSTERS = [
    *"aZ 9é#…•\nกꦏשا한漢", "e\u0301", "n\u0303\u0323", FAMILY, "👍🏽", "❤\ufe0f", "กำ", "ที่"
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "graphemes", "code_points", "utf16", "utf8"),
    [
        ("", 0, 0, 0, 0),
        ("Halo, warga!", 12, 12, 12, 12),
        ("é", 1, 1, 1, 2),
        ("e\u0301", 1, 2, 2, 3),
        (FAMILY, 1, 7, 11, 25),
        (FLAG, 1, 2, 4, 8),
        ("👍🏽", 1, 2, 4, 8),
        ("สวัสดี", 4, 6, 6, 18),
        ("a\r\nb", 3, 4, 4, 4),
        ("a" + "\u0301" * 1000, 1, 1001, 1001, 2001),
    ],
)
def test_each_unit_counts_its_own(
    text: str, graphemes: int, code_points: int, utf16: int, utf8: int
) -> None:
    assert measure.graphemes(text) == graphemes
    assert measure.code_points(text) == code_points
    assert measure.utf16(text) == utf16
    assert measure.utf8(text) == utf8


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("https://kejari.go.id", 23),
        ("https://kejari.go.id/" + "a" * 500, 23),
        ("http://bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.com/example", 23),
        ("Baca https://x.id/p/abc/?a=1&b=2#c.", 5 + 23 + 1),  # the full stop is not in the link
        ("(https://x.id/a)", 25),
        ("https://x.id/a_(b)", 23),
        ("https://x.id https://y.id", 47),
        ("HTTPS://X.ID/A", 23),
        ("kejari.go.id/panjang/sekali/alamatnya", 37),  # no scheme: no link
        ("@warga@pemkab.social", 6),
        ("@warga", 6),
        ("halo @warga@pemkab.social!", 12),
        ("surat@kejari.go.id", 18),  # an e-mail address is no mention
        ("http://127.0.0.1:8000/panjang/sekali/alamatnya", 46),  # Mastodon makes no link of it
        ("https://kejari.example/panjang/sekali", 37),  # a top-level domain that is not known
        ("https://a.zzz", 23),  # the larger count
        (FAMILY + " https://x.id", 25),
    ],
)
def test_mastodon_counts_links_and_remote_mentions_by_its_own_rule(text: str, length: int) -> None:
    assert measure.mastodon(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("क्ष", 1),
        ("ꦏ꧀ꦏ", 1),  # joined consonants are one
        ("꧀ꦏ", 2),  # nothing is joined where no consonant stands before
        ("한꧀ꦏ", 2),
        ("🇮🇩꧀ꦏ", 2),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", 2),
    ],
)
def test_joined_consonants_are_counted_by_the_rule_of_unicode(text: str, length: int) -> None:
    assert measure.graphemes(text) == length


def test_mastodon_counts_joined_consonants_apart() -> None:
    assert measure.mastodon("क्ष") == 2
    assert measure.mastodon("Loket ꦏ꧀ꦏ") == 8


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("Loket 4 buka.", 13), ("é", 1), ("👍", 4), (FAMILY, 25), ("🇮🇩", 8),
     ("1\ufe0f\u20e3", 7), ("❤\ufe0f", 6), ("ꦲ", 1), ("𝐀", 2)],
)  # fmt: skip
def test_threads_counts_an_emoji_by_its_bytes(text: str, length: int) -> None:
    assert measure.threads(text) == length


def test_the_server_says_how_long_a_link_is() -> None:
    assert measure.mastodon("https://kejari.go.id/panjang/sekali", url_length=30) == 30


@given(st.lists(st.sampled_from(CLUSTERS), max_size=60))
def test_graphemes_are_those_that_the_text_was_made_of(clusters: list[str]) -> None:
    assert measure.graphemes("".join(clusters)) == len(clusters)


@given(st.text())
def test_units_agree_with_the_codecs(text: str) -> None:
    assert measure.utf16(text) == len(text.encode("utf-16-le")) // 2
    assert measure.utf8(text) == len(text.encode("utf-8"))
    assert measure.graphemes(text) <= measure.code_points(text) <= measure.utf16(text)


@given(st.text(alphabet="ab @#:/.ñé👍\u0301\n"))
def test_without_links_and_mentions_mastodon_counts_graphemes(text: str) -> None:
    if "http" not in text and "@" not in text:
        assert measure.mastodon(text) == measure.graphemes(text)
