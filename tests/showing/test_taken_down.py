"""What was taken down to be posted anew is no copy, and its old words are not shown as one."""

from __future__ import annotations

from showroom import NOW, ZONE
from sqlmodel import select

from crosspost import outcomes, queue
from crosspost.delivery_parts import parts_of
from crosspost.post import Post, Receipt
from crosspost.queue import Doing
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site
from crosspost.tables import Delivery, Revision
from crosspost.times import moment_of

OLD = "The road is closed on Monday, says Wulandari."


def post_anew(office, code: str, text: str) -> None:
    """As a correction does where nothing can be edited: taken down, then posted anew."""
    with office.database.write() as session:
        revision = session.exec(select(Revision).where(Revision.code == code)).one()
        first = session.exec(select(Delivery)).first()
        for act, words in (("delete", OLD), ("publish", text)):
            made = queue.enqueue(
                session,
                revision,
                "web",
                [Post(words, "en", link=office.config.page(code))],
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


def test_what_was_taken_down_is_no_copy_of_what_stands_there_now(office):
    office.publish(OLD)
    code = office.publish("The road is closed on Sunday.")
    post_anew(office, code, "The road is closed on Sunday.")
    office.show(whole=True)
    found = verify_page(FolderSource(office.public), code, office.keys)
    assert [copy.channel for copy in found.standing.copies] == ["site", "web"]
    assert "Wulandari" not in (office.public / "p" / code / "record.json").read_text()
    assert verify_site(FolderSource(office.public), office.keys).pages == 2
