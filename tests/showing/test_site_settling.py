"""A site that is written while somebody verifies it is no forgery; it is read again for a while."""

from __future__ import annotations

import pytest
from showroom import office_in

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.site.settling import PAUSES, settled
from crosspost.site.verifying import verify_page, verify_site


class Shelf:
    """The files of a site; at the reading of one of them somebody writes."""

    def __init__(self, files, at="", then=None):
        self.files, self.at, self.then = dict(files), at, then

    def read(self, path):
        if path == self.at and self.then is not None:
            self.files, self.then = self.then, None
        return self.files.get(path)

    def names(self):
        return sorted(self.files)

    def where(self, path):
        return path


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Key, code of the first page, and a site before and after a second page came."""
    office = office_in(tmp_path_factory.mktemp("office"))
    code = office.publish()
    office.show()
    before = office.files()
    office.copy(code, "Road closed", "https://social.example/@o/1")
    office.publish("The bridge is closed.")
    office.show()
    office.database.close()
    return office.keys, code, before, office.files()


@pytest.fixture
def pauses():
    return []


def away(files):
    """As it is while it is written: its list is no list."""
    changed = dict(files)
    changed["ledger/manifest.old"] = changed.pop("ledger/manifest")
    return changed


@pytest.mark.parametrize("at", ["index.html", "feed.xml", "ledger/manifest", "identity.json"])
def test_what_changes_under_the_reader_is_read_again(stage, pauses, at):
    keys, _, before, after = stage
    if at in ("index.html", "feed.xml"):
        with pytest.raises(Refuted):  # as it is without a second look
            verify_site(Shelf(before, at, after), keys)
    shelf = Shelf(before, at, after)
    found = settled(shelf, lambda source: verify_site(source, keys), pauses.append)
    assert found.pages == 2
    assert pauses in ([], [PAUSES[0]])


def test_a_page_that_changes_under_the_reader_is_read_again(stage, pauses):
    keys, code, before, after = stage
    shelf = Shelf(before, f"p/{code}/index.html", after)
    found = settled(shelf, lambda source: verify_page(source, code, keys), pauses.append)
    assert found.standing.code == code
    assert pauses == [PAUSES[0]]


def test_a_list_that_is_away_is_waited_for(stage, pauses):
    keys, _, _, after = stage
    shelf = Shelf(away(after))

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            shelf.files = after

    assert settled(shelf, lambda source: verify_site(source, keys), pause).pages == 2
    assert pauses == [*PAUSES[:3]]


def test_what_is_written_on_and_on_cannot_be_decided_and_says_why(stage, pauses):
    keys, _, _, after = stage
    with pytest.raises(Undecided, match="is being written") as caught:
        settled(Shelf(away(after)), lambda source: verify_site(source, keys), pauses.append)
    assert "again in a minute" in caught.value.hint
    assert pauses == [*PAUSES]
    assert sum(pauses) <= 20


def test_a_forgery_is_refuted_at_once(stage, pauses):
    keys, code, _, after = stage
    forged = {**after, "index.html": b"Forged", f"p/{code}/index.html": b"Forged"}
    for check in (
        lambda source: verify_site(source, keys),
        lambda source: verify_page(source, code, keys),
    ):
        with pytest.raises(Refuted):
            settled(Shelf(forged), check, pauses.append)
    assert pauses == []


def test_what_cannot_be_decided_for_another_reason_is_said_at_once(stage, pauses):
    keys, _, _, after = stage
    for gone in ("ledger/manifest", "ledger/checkpoint"):
        less = {name: data for name, data in after.items() if name != gone}
        with pytest.raises(Undecided, match="There is no"):
            settled(Shelf(less), lambda source: verify_site(source, keys), pauses.append)
    assert pauses == []


def test_a_fork_is_no_matter_of_time(stage, pauses):
    def forked(source):
        source.read("ledger/manifest")
        raise ForkProven("FORK")

    _, _, before, after = stage
    with pytest.raises(ForkProven):
        settled(Shelf(before, "ledger/manifest", after), forked, pauses.append)
    assert pauses == []
