"""Known fakes: added by a person, on record, shown inertly, found by whoever pastes them."""

from __future__ import annotations

import json

import pytest
from showroom import NOW

from crosspost import accounts, fakes
from crosspost.errors import Conflict, ContentError, NotFound
from crosspost.ledger import book
from crosspost.post import Account
from crosspost.queue import Doing
from crosspost.site.lookup import key_of, keys_in, shard_of

FAKE = fakes.Found(
    "Free rice for everybody",
    "The office gives out no rice.",
    "Come to the office on Monday and get 20 kg of rice!",
    ("https://hoax.example/rice?utm_source=wa",),
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe{{ 7*7 }}"


def add(office, found=FAKE) -> int:
    with office.database.write() as session:
        return fakes.add(session, found, Doing("Siti", NOW))


def value_of(office, pasted):
    key = key_of(pasted)
    shard = (office.public / shard_of(key)).read_bytes()
    return keys_in(shard).get(key[2:])


def test_a_fake_is_on_record_and_has_a_page_in_both_languages(office):
    number = add(office)
    office.show()
    for name, word in (("fakes/1", "What is right"), ("id/fakes/1", "Yang benar")):
        page = (office.public / name / "index.html").read_text()
        assert word in page
        assert "The office gives out no rice." in page
        assert 'href="https://hoax' not in page
    assert "Free rice" in (office.public / "fakes/index.html").read_text()
    with office.database.read() as session:
        [entry] = book.entries(session, last=1)
    assert (entry.values["kind"], entry.values["data"]) == ("fake_added", {"fake": number})
    assert "rice" not in json.dumps(dict(entry.values))


def test_it_is_found_by_its_text_and_by_its_link_however_they_were_copied(office):
    add(office)
    office.show()
    assert value_of(office, "COME to the office on Monday\n and get 20kg of rice") == "!1"
    assert value_of(office, "http://www.hoax.example/rice/?fbclid=123#top") == "!1"
    assert value_of(office, "Come to the office on Monday and get 30 kg of rice!") is None


def test_one_that_was_none_is_taken_back_everywhere(office):
    number = add(office)
    office.show()
    with office.database.write() as session:
        fakes.remove(session, number, Doing("Siti", NOW, "It was ours."))
    office.show()
    assert value_of(office, FAKE.text) is None
    assert not (office.public / "fakes/1").exists()
    assert b"Free rice" not in b"".join(office.files().values())
    with office.database.write() as session, pytest.raises(NotFound):
        fakes.remove(session, number, Doing("Siti", NOW, "Again."))


def test_what_is_genuine_stays_genuine(office):
    code = office.publish("The road is closed on Sunday, all day long.")
    add(office, fakes.Found("Road", "It is open.", "The road is closed on Sunday, all day long."))
    office.show(whole=True)
    assert value_of(office, "The road is closed on Sunday, all day long.") == code


def test_what_is_known_is_not_added_twice(office):
    add(office)
    again = fakes.Found("Rice again", "No rice.", "", ("https://hoax.example/rice",))
    with office.database.write() as session, pytest.raises(Conflict, match="fake 1"):
        fakes.add(session, again, Doing("Siti", NOW))


@pytest.mark.parametrize(
    "found",
    [
        fakes.Found("", "No.", "A text that is long enough"),
        fakes.Found("Rice", " ", "A text that is long enough"),
        fakes.Found("Rice", "No rice."),
        fakes.Found("Rice", "No rice.", "Rice!"),
        fakes.Found("Rice", "No rice.", "A text that is long enough", ("hoax.example",)),
        fakes.Found("Rice" * 100, "No rice.", "A text that is long enough"),
        fakes.Found("Rice", "No rice.", "A text that is long enough" * 1000),
    ],
)
def test_what_cannot_be_shown_or_found_is_refused(office, found):
    with office.database.write() as session, pytest.raises(ContentError):
        fakes.add(session, found, Doing("Siti", NOW))


def test_a_hostile_fake_is_inert(office):
    add(office, fakes.Found(HOSTILE, HOSTILE, HOSTILE, ("https://hoax.example/<script>",)))
    office.show()
    for name in ("fakes/index.html", "fakes/1/index.html"):
        page = (office.public / name).read_text()
        assert "<script" not in page
        assert "<img" not in page
        assert "{{ 7*7 }}" in page
        assert len(page.encode()) < 30_000


def test_the_largest_fakes_stay_small_pages(office):
    for n in range(70):
        add(
            office,
            fakes.Found(
                f"Rice {n} " + "x" * 90, "y" * 2000, f"Nasi untuk semua {n} " + "z" * 140 * n
            ),
        )
    office.show()
    for name in ("fakes/index.html", "fakes/70/index.html"):
        assert (office.public / name).stat().st_size < 30_000, name
    assert "10 older ones" in (office.public / "fakes/index.html").read_text()


def test_the_official_accounts_are_those_that_the_platforms_named(tmp_path):
    from showroom import office_in

    from crosspost.config import SiteAccount

    about = SiteAccount(name="Office on X", url="https://x.example/office", platform="X")
    office = office_in(tmp_path, accounts=(about,))
    with office.database.write() as session:
        accounts.remember(session, "web", Account("hook", "https://inner.example/hook"))
        accounts.remember(session, "gone", Account("gone", "https://social.example/@gone"))
    office.show()
    page = (office.public / "accounts/index.html").read_text()
    assert '<a href="https://x.example/office" rel="me noopener">Office on X</a>' in page
    assert "inner.example" not in page
    assert "gone" not in page
    identity = json.loads((office.public / "identity.json").read_text())
    assert [account["name"] for account in identity["accounts"]] == ["Office on X"]
    office.database.close()
