"""What was set right, withdrawn or erased says so wherever it is met: feeds, pages, verify."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta

import pytest
from showroom import NOW, Publisher

from crosspost.cli.verifying import _genuine
from crosspost.ledger import book
from crosspost.queue import Doing
from crosspost.redacting import redact
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site
from crosspost.tables import Announcement

ATOM = "{http://www.w3.org/2005/Atom}"
LATER = NOW + timedelta(hours=3)


def set_right(office: Publisher, kind: str) -> tuple[str, str]:
    """An announcement and its amendment, both public, as the queue leaves them."""
    code, right = office.publish(), office.publish("The road is open on Sunday.")
    with office.database.write() as session:
        amendment = session.get_one(Announcement, 2)
        amendment.amends, amendment.amend = 1, kind
        session.add(amendment)
        data = {"page": right, "amendment": 2}
        note = "The day was <wrong>."
        book.append(
            session, book.Act(kind, "daemon@here:1", LATER, 1, 1, code, data=data, note=note)
        )
        book.append(session, book.Act("held", "Siti", LATER, 2))  # the amendment is looked at too
    office.show()
    return code, right


def feed_entries(office: Publisher) -> dict[str, ET.Element]:
    root = ET.fromstring((office.public / "feed.xml").read_bytes())
    found = list(root.iter(f"{ATOM}entry"))
    return {entry.findtext(f"{ATOM}id").split("/")[-2]: entry for entry in found}


def said(element: ET.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}")


@pytest.mark.parametrize(("kind", "word"), [("corrected", "Corrected"), ("retracted", "Withdrawn")])
def test_feeds_show_it_again_with_what_became_of_it_first(office, kind, word):
    code, right = set_right(office, kind)
    root = ET.fromstring((office.public / "feed.xml").read_bytes())
    entry, other = feed_entries(office)[code], feed_entries(office)[right]
    assert datetime.fromisoformat(said(entry, "updated")) == LATER
    assert datetime.fromisoformat(said(entry, "published")) == NOW
    assert datetime.fromisoformat(said(other, "updated")) == NOW
    assert datetime.fromisoformat(said(root, "updated")) == LATER
    assert said(entry, "title") == f"{word}: Road closed"
    assert said(other, "title") == "Road closed"
    content = said(entry, "content")
    assert content.index("The day was &lt;wrong&gt;.") < content.index("The road is closed")
    assert f"https://office.example/p/{right}/" in content
    [item] = [
        one
        for one in json.loads((office.public / "feed.json").read_text())["items"]
        if code in one["id"]
    ]
    assert datetime.fromisoformat(item["date_modified"]) == LATER
    assert item["title"].startswith(f"{word}: ")
    assert "&lt;wrong&gt;" in item["content_html"]


@pytest.mark.parametrize(("kind", "word"), [("corrected", "corrects"), ("retracted", "withdraws")])
def test_the_page_that_sets_right_links_back_to_what_was_said_before(office, kind, word):
    code, right = set_right(office, kind)
    page = office.page(right)
    assert f"This {word} an earlier announcement:" in page
    assert f'href="../{code}/"' in page
    assert "an earlier announcement" not in office.page(code)
    assert verify_site(FolderSource(office.public), office.keys).pages == 2


def test_nothing_that_was_not_changed_is_called_so(office):
    code = office.publish()
    office.show(whole=True)
    entry = feed_entries(office)[code]
    assert said(entry, "updated") == said(entry, "published")
    assert said(entry, "title") == "Road closed"
    assert "date_modified" not in (office.public / "feed.json").read_text()


def test_what_was_erased_by_law_is_said_to_be_and_feeds_show_that(office):
    code = office.publish()
    redact(office.database, office.config, 1, "12/2026", Doing("Budi", LATER, "A court."))
    office.show(whole=True)
    found = verify_page(FolderSource(office.public), code, office.keys)
    about, [first, *_] = _genuine(found)
    assert first == "VERIFIED: the page is genuine; its text was ERASED by law (12/2026)."
    assert (about["state"], about["erased"]) == ("current", "12/2026")
    entry = feed_entries(office)[code]
    assert datetime.fromisoformat(said(entry, "updated")) == LATER


def test_corrected_and_then_erased_says_both(office):
    code, _ = set_right(office, "corrected")
    redact(office.database, office.config, 1, "12/2026", Doing("Budi", LATER, "A court."))
    office.show(whole=True)
    about, [words, *_] = _genuine(verify_page(FolderSource(office.public), code, office.keys))
    assert "CORRECTED" in words
    assert "ERASED" in words
    assert about["state"] == "corrected"
