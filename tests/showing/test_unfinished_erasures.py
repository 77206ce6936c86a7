"""What was erased by law and is still on the disk stays on a list until it is gone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image as Pixels
from showroom import NOW, office_in

from crosspost import alarms, sightings
from crosspost.doctor import State, erasure
from crosspost.erasures import finish, unfinished
from crosspost.ledger import book
from crosspost.media import take_in
from crosspost.queue import Doing
from crosspost.redacting import redact
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_site

DOING = Doing("Siti", NOW, "A court.")


def drawn(office):
    """A picture as it is kept, and what an author gives."""
    path = office.folder / "drawn.png"
    Pixels.new("RGB", (9, 9), "red").save(path)
    return take_in(path, "A face", office.config.media), ((path, "A face"),)


def erase(office, number=1):
    return redact(office.database, office.config, number, "Order 12", DOING)


def listed(office):
    with office.database.read() as session:
        return [one.announcement for one in unfinished(session)]


@pytest.fixture
def refusing(monkeypatch):
    """Below these folders no file can be removed, as for an account without the right."""
    closed: set[Path] = set()
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        if closed & {*path.parents} and path.exists():
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    return closed


def test_nothing_is_left_on_the_list_when_all_is_gone(office):
    _, given = drawn(office)
    code = office.publish(images=given)
    assert erase(office).files == 1
    assert listed(office) == [1]  # the site does not say it yet
    assert finish(office.database, office.config, office.show()).left == ()
    assert listed(office) == []
    assert "Order 12" in office.page(code)


def test_without_the_right_to_remove_files_nothing_breaks_and_all_is_told(office, refusing):
    image, given = drawn(office)
    code = office.publish(images=given)
    refusing.update({office.config.media, office.public})
    assert erase(office).files == 0
    [left] = finish(office.database, office.config, None).left
    assert left.reason.startswith("1 files cannot")
    assert left.reason.count("this account may not do that") == 2
    assert "The pages cannot" in left.reason
    refusing.clear()
    done = finish(office.database, office.config, office.show())
    assert (done.files, done.left) == (1, ())
    assert not image.path.exists()
    assert not list((office.public / "p" / code).glob("*.png"))
    verify_site(FolderSource(office.public), office.keys)


def test_done_again_it_is_no_second_act(office, refusing):
    office.publish(images=drawn(office)[1])
    refusing.add(office.config.media)
    for _ in range(3):
        erase(office)
    with office.database.read() as session:
        assert len(list(book.raw_of_kinds(session, ("redacted",), 0))) == 1


def alarms_in(office, minutes):
    now = NOW + timedelta(minutes=minutes)
    with office.database.read() as session:
        return alarms.current(sightings.seen_in(session, office.config, now, daemon=True))


def test_what_stays_is_an_alarm_with_its_reason_until_it_is_gone(office, refusing):
    office.publish(images=drawn(office)[1])
    refusing.add(office.config.media)
    erase(office)
    finish(office.database, office.config, office.show())
    assert alarms_in(office, minutes=1) == []
    [alarm] = alarms_in(office, minutes=6)
    assert alarm.key == "erasure/1"
    assert alarm.words.startswith("#1: not all of it is erased (Order 12). 1 files cannot")
    assert "crosspost doctor" in alarm.words
    refusing.clear()
    finish(office.database, office.config, office.show())
    assert alarms_in(office, minutes=60) == []


def test_the_reason_that_is_kept_is_the_newest_and_is_written_only_when_it_changes(
    office, refusing, monkeypatch
):
    office.publish(images=drawn(office)[1])
    refusing.add(office.config.media)
    erase(office)
    shown = office.show()
    [left] = finish(office.database, office.config, shown).left
    with office.database.read() as session:
        [kept] = unfinished(session)
    assert kept.reason == left.reason
    assert "The site" not in kept.reason
    monkeypatch.setattr(office.database, "write", None)  # the daemon looks every minute
    finish(office.database, office.config, shown)


def test_the_doctor_says_that_a_person_is_needed_and_why(office, refusing):
    office.publish(images=drawn(office)[1])
    refusing.add(office.config.media)
    erase(office)
    finish(office.database, office.config, office.show())
    [found] = erasure(office.database, office.config)
    assert found.state is State.PERSON
    assert "Announcement 1 was erased (Order 12)" in found.sentence
    assert "1 files cannot be removed" in found.sentence
    assert "daemon" in found.next


def test_a_picture_that_another_one_shows_stays_until_that_is_erased_too(office):
    image, given = drawn(office)
    codes = [office.publish(images=given), office.publish(images=given)]
    erase(office)
    assert finish(office.database, office.config, office.show()).left == ()
    assert image.path.exists()
    shown = [list((office.public / "p" / code).glob("*.png")) for code in codes]
    assert [len(found) for found in shown] == [0, 1]
    erase(office, 2)
    finish(office.database, office.config, office.show())
    assert not image.path.exists()
    assert listed(office) == []


def test_a_picture_that_was_left_on_the_site_goes_when_the_page_is_looked_at(office):
    image, given = drawn(office)
    code = office.publish(images=given)
    erase(office)
    finish(office.database, office.config, office.show())
    stray = office.public / "p" / code / image.filename
    stray.write_bytes(b"out of a backup")
    office.show(whole=True)
    assert not stray.exists()
    verify_site(FolderSource(office.public), office.keys)


def test_without_a_key_it_is_finished_too(tmp_path):
    from crosspost.showing.exhibit import show

    office = office_in(tmp_path, signed=False)
    code = office.publish(images=drawn(office)[1])
    erase(office)
    assert listed(office) == [1]
    assert finish(office.database, office.config, show(office.database, office.config)).left == ()
    assert "Order 12" in office.page(code)
    office.database.close()
