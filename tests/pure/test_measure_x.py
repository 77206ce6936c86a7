"""X's weighted length, against twitter-text's conformance file and the library on whole texts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twitter_text import parse_tweet

from crosspost.rendering import measure

FILE = Path(__file__).parents[1] / "data" / "twitter-text" / "weighted-length.json"
CASES = [
    pytest.param(case["text"], case["weightedLength"], id=case["description"])
    for group in json.loads(FILE.read_text("utf-8")).values()
    for case in group
]


@pytest.mark.parametrize(("text", "length"), CASES)
def test_the_conformance_file_is_met(text, length):
    assert measure.x(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Halo, warga!", 12),
        ("© 2026 ®", 8),
        ("©\ufe0f ☕\ufe0f", 5),
        ("a\r\nb\rc", 6),
        ("égo.id", 24),
        (" égo.id", 24),
        ("Lihat https://dinas.go.id/pengumuman/2026/11/25/jadwal-vaksinasi-anak.", 6 + 23 + 1),
        ("dinas.go.id", 23),
        ("kantor.Kami tutup", 17),
        ("\u0645\u0631\u062d\u0628\u0627", 5),
        ("漢字", 4),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd", 5),
        ("\ud800", 1),
    ],
)
def test_what_offices_write_is_counted_as_x_counts_it(text, length):
    assert measure.x(text) == length


PIECES = st.sampled_from(
    [
        *(
            "a",
            "Z",
            "é",
            "e\u0301",
            "漢",
            "ا",
            "\U0001f44d\U0001f3fd",
            "❤\ufe0f",
            "1\ufe0f\u20e3",
            " ",
        ),
        *("\n", "\t", ".", "/", "-", "_", "@", "#", "(", ")", "?", "https://", "go.id"),
        *("a.com", "t.co/x", "…", "\u3000", "\u200d", "\u0958"),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_word_by_word_comes_to_the_same_as_the_whole_or_to_more(text):
    whole = parse_tweet(text).weightedLength
    odd = any(c in text for c in "ا\u200d\ufe0f") and "." in text
    assert measure.x(text) >= whole if odd else measure.x(text) == whole


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_has_a_length(text):
    assert measure.x(text) >= 0


def test_what_takes_long_is_never_counted_too_low():
    text = "漢a.com" * 25
    assert measure.x(text) >= parse_tweet(text).weightedLength
    long = "https://dinas.go.id/" + "a" * 5000
    assert measure.x(long) >= parse_tweet(long).weightedLength


@pytest.mark.parametrize(
    "piece",
    ["a.", "a", "a-", "a.com", "a/", "(", "http://", "漢.", "a b.co ", "é", "\n", "-.", "/a(b)"],
)
def test_a_long_text_is_measured_in_linear_time(piece):
    text = (piece * 250_000)[:250_000]
    words = " ".join(text[start : start + 4000] for start in range(0, 250_000, 4001))
    began = time.process_time()
    measure.x(text)
    measure.x(words)
    assert time.process_time() - began < 30
