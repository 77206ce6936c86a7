"""Pasted texts and links: what copying changes makes no difference, what people change does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.site import lookup
from crosspost.site.lookup import key_of, keys_in, normal_link, normal_text, shard_of, shards

SAME = [
    ("Jalan ditutup, Minggu 29 November.", "jalan  DITUTUP\nMinggu 29 november"),
    ("Jalan ditutup hari Minggu", "Jalan ditutup hari Minggu https://office.example/p/2b3c4d5/"),
    ("Jalan ditutup hari Minggu", "Jalan ditutup hari Minggu office.example/p/2b3…"),
    ("Jalan ditutup hari Minggu", "𝗝𝗮𝗹𝗮𝗻 ditutup hari Minggu 🚧🚧"),
    ("Jalan ditutup “hari Minggu”", 'Jalan ditutup "hari\u200b Minggu"'),
    ("https://office.example/p/2b3c4d5/", "HTTP://www.Office.example/p/2b3c4d5?utm_source=x#top"),
    (
        "https://www.facebook.com/permalink.php?story_fbid=1&id=2",
        "https://m.facebook.com/permalink.php?id=2&story_fbid=1&mibextid=abc",
    ),
]
OTHER = [
    ("Jalan ditutup hari Minggu", "Jalan ditutup hari Senin"),
    ("Jalan ditutup 29 November", "Jalan ditutup 28 November"),
    ("https://office.example/p/2b3c4d5/", "https://office.example.evil.example/p/2b3c4d5/"),
    ("https://social.example/@Office/1", "https://social.example/@office/1"),
    ("https://office.example/?p=1", "https://office.example/?p=2"),
    ("https://office.example/p/2b3c4d5/", "See https://office.example/p/2b3c4d5/ for more"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_copying_changes_makes_no_difference(one, other):
    assert key_of(one) == key_of(other) is not None


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_people_change_does(one, other):
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("pasted", ["", "Ya.", "🚧" * 50, "https://office.example/", "a" * 11])
def test_too_little_is_said_to_be_too_little(pasted):
    assert (key_of(pasted) is None) is (normal_link(pasted) is None)


@given(st.text(max_size=200))
def test_normalising_twice_is_normalising_once(text):
    once = normal_text(text)
    assert normal_text(once) == once
    assert key_of(text) is None or len(key_of(text)) == 2 + lookup.KEY_DIGITS


@pytest.mark.parametrize("piece", ["z", "a.", "a-", "www.", "x/", "ż"])
def test_no_text_makes_it_slow(piece):
    begin = time.process_time()
    key_of(piece * (100_000 // len(piece)))
    assert time.process_time() - begin < 2


def test_every_file_of_the_index_is_there_and_the_first_value_counts():
    key = key_of("Jalan ditutup hari Minggu")
    made = shards([(key, "2b3c4d5"), (key, "!1")])
    assert len(made) == 256
    assert keys_in(made[shard_of(key)]) == {key[2:]: "2b3c4d5"}
    assert sum(len(keys_in(data)) for data in made.values()) == 1


def test_the_index_of_ten_thousand_announcements_stays_small():
    found = [
        (key_of(f"Pengumuman nomor {n} {m}"), f"code{n}") for n in range(10_000) for m in "abcdef"
    ]
    made = shards(found)
    assert max(map(len, made.values())) < 16_000


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{", b"\xff", b"nul"])
def test_a_damaged_file_of_the_index_is_no_answer(damaged):
    with pytest.raises((ValueError, TypeError)):
        keys_in(damaged)
