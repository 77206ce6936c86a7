"""What was taken down to be posted anew is no copy, and its old words are not shown as one."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image
from showroom import NOW, ZONE
from sqlmodel import select
from test_exporting import signed_anew

from crosspost import outcomes, queue
from crosspost.delivery_parts import parts_of
from crosspost.erasures import finish
from crosspost.errors import Refuted
from crosspost.exporting import export
from crosspost.ledger.canonical import canonical
from crosspost.ledger.verifying import verify
from crosspost.media import take_in
from crosspost.post import Post, Receipt
from crosspost.queue import Doing
from crosspost.redacting import redact
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site
from crosspost.tables import Delivery, Revision
from crosspost.times import moment_of

OLD = "The road is closed on Monday, says Wulandari."


def post_anew(office, code: str, text: str, images=()) -> None:
    """As a correction does where nothing can be edited: taken down, then posted anew."""
    with office.database.write() as session:
        revision = session.exec(select(Revision).where(Revision.code == code)).one()
        first = session.exec(select(Delivery)).first()
        for act, words, shown in (("delete", OLD, images), ("publish", text, ())):
            made = queue.enqueue(
                session,
                revision,
                "web",
                [Post(words, "en", link=office.config.page(code), images=tuple(shown))],
                due=moment_of(NOW, ZONE),
                not_after=NOW,
                waits_for=None,
                doing=Doing("Siti", NOW),
                act=act,
                amends=first.id,
            )
            queue.approve(session, made, Doing("Budi", NOW))
            [delivery] = queue.claim(session, (), Doing("daemon@here:1", NOW))
            [part] = parts_of(session, delivery)
            outcomes.begin(session, delivery, part, Doing("daemon@here:1", NOW))
            receipt = Receipt(f"id-{delivery.id}", f"https://web.example/{delivery.id}")
            outcomes.settle_part(session, delivery, part, receipt, Doing("daemon@here:1", NOW))


def holding(office, words: str) -> list[str]:
    office.database.scrub()
    found = [path for path in office.folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in found if words.encode() in path.read_bytes())


def erase(office, number: int) -> None:
    redact(office.database, office.config, number, "Order 12", Doing("Siti", NOW, "A court."))
    finish(office.database, office.config, office.show())


def exported(office, name: str):
    office.show()
    export(office.database, office.config, office.folder / name)
    return verify(office.folder / name, office.keys)


def test_what_was_erased_goes_from_what_took_it_down_too_and_the_rest_stays(office):
    office.publish(OLD, title="Wulandari")
    code = office.publish("The road is closed on Sunday.")
    post_anew(office, code, "The road is closed on Sunday.")
    erase(office, 1)
    assert holding(office, "Wulandari") == []
    told = exported(office, "out").told
    assert (told.texts, told.erased) == (1, 1)
    assert holding(office, "Wulandari") == []
    assert "closed on Sunday" in (office.folder / "out" / "posts.jsonl").read_text()


def test_a_picture_that_only_the_taken_down_post_showed_goes(office):
    Image.new("RGB", (9, 9), "red").save(office.folder / "face.png")
    image = take_in(office.folder / "face.png", "A face", office.config.media)
    office.publish(OLD, images=((office.folder / "face.png", "A face"),))
    code = office.publish("The road is closed on Sunday.")
    post_anew(office, code, "The road is closed on Sunday.", images=(image,))
    erase(office, 1)
    assert not image.path.exists()
    exported(office, "out")


def test_posts_that_are_called_erased_need_an_order_on_record_about_what_they_took_down(office):
    office.publish(OLD)
    code = office.publish("The road is closed on Sunday.")
    post_anew(office, code, "The road is closed on Sunday.")
    erase(office, 1)
    exported(office, "out")
    for name, order in (("other", "Order 13"), ("publish", "Order 12")):
        forged = shutil.copytree(office.folder / "out", office.folder / name)
        lines = [json.loads(line) for line in (forged / "posts.jsonl").read_text().splitlines()]
        changed = lines[-2] if name == "other" else lines[-1]
        assert ("erased" in changed) == (name == "other")
        for key in ("posts", "salt"):
            changed.pop(key, None)
        changed["erased"] = order
        (forged / "posts.jsonl").write_bytes(b"".join(canonical(one) + b"\n" for one in lines))
        signed_anew(forged)
        with pytest.raises(Refuted, match="erased by law is not on record"):
            verify(forged, office.keys)


def test_what_was_taken_down_is_no_copy_of_what_stands_there_now(office):
    office.publish(OLD)
    code = office.publish("The road is closed on Sunday.")
    post_anew(office, code, "The road is closed on Sunday.")
    office.show(whole=True)
    found = verify_page(FolderSource(office.public), code, office.keys)
    assert [copy.channel for copy in found.standing.copies] == ["site", "web"]
    assert "Wulandari" not in (office.public / "p" / code / "record.json").read_text()
    assert verify_site(FolderSource(office.public), office.keys).pages == 2
