"""An office with pages and a signed ledger, in which things are published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crosspost import approvals, editorial, outcomes, queue
from crosspost.config import Channel, Config, Office, Person, SiteSettings
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.delivery_parts import parts_of
from crosspost.drafts import Draft
from crosspost.ledger.keys import Keys
from crosspost.ledger.note import Verifier
from crosspost.ledger.sealing import found_ledger, seal
from crosspost.ledger.strongbox import Strongbox
from crosspost.migrations import upgrade
from crosspost.outcomes import Failure
from crosspost.post import Post, Receipt
from crosspost.queue import Doing
from crosspost.revisions import current_revision
from crosspost.showing.exhibit import show
from crosspost.times import moment_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONE = "Asia/Jakarta"


@dataclass
class Publisher:
    """The office in `folder`: its people, its channels `site` and `web`, its ledger."""

    folder: Path
    config: Config
    database: Database

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def vkey(self) -> Verifier:
        return Strongbox(self.folder).verifier()

    @property
    def keys(self) -> Keys:
        """What a citizen has: the key that counts, and nothing else."""
        return Keys.of(self.vkey)

    def publish(self, body: str = "The road is closed on Sunday.", **about) -> str:
        """An announcement added, approved and public on the site; the code of its page."""
        values = {"title": "Road closed", "source": "Letter 1", "link": "", "lang": "en", **about}
        draft = Draft(
            body=body,
            urgency="normal",
            channels=("site",),
            due=moment_of(NOW, ZONE),
            images=values.pop("images", ()),
            **values,
        )
        added = editorial.add(self.database, self.config, draft, Doing("Siti", NOW))
        approvals.approve(self.database, self.config, added.announcement, Doing("Budi", NOW))
        Daemon(self.database, self.config, now=lambda: NOW).run_once()
        with self.database.read() as session:
            return current_revision(session, added.announcement).code

    def copy(self, code: str, text: str, link: str, *, seen_by: str = "") -> None:
        """The announcement of a page, public on the channel `web` too: as the platform said, or as
        somebody saw."""
        from sqlmodel import select

        from crosspost.tables import Revision

        with self.database.write() as session:
            revision = session.exec(select(Revision).where(Revision.code == code)).one()
            delivery = queue.enqueue(
                session,
                revision,
                "web",
                [Post(text, "en", link=self.config.page(code))],
                due=moment_of(NOW, ZONE),
                not_after=NOW,
                waits_for=None,
                doing=Doing("Siti", NOW),
            )
            queue.approve(session, delivery, Doing("Budi", NOW))
            [delivery] = queue.claim(session, (), Doing("daemon@here:1", NOW))
            [part] = parts_of(session, delivery)
            outcomes.begin(session, delivery, part, Doing("daemon@here:1", NOW))
            if seen_by:
                failure = Failure("unknown_outcome", "No answer came.", 504)
                outcomes.doubt(session, delivery, NOW, failure, Doing("daemon@here:1", NOW))
                outcomes.ask(session, delivery, "Nobody knows.", Doing("daemon@here:1", NOW))
                queue.resolve_published(session, delivery, link, Doing(seen_by, NOW, "I saw it."))
                return
            receipt = Receipt(f"id-{delivery.id}", link)
            outcomes.settle_part(session, delivery, part, receipt, Doing("daemon@here:1", NOW))

    def show(self, *, whole: bool = False) -> int:
        """Seal, and bring the site up to date."""
        seal(self.database, self.folder)
        return show(self.database, self.config, whole=whole)

    def page(self, code: str) -> str:
        return (self.public / "p" / code / "index.html").read_text(encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        """Everything that is public, by path."""
        found = sorted(path for path in self.public.rglob("*") if path.is_file())
        return {str(path.relative_to(self.public)): path.read_bytes() for path in found}


def office_in(folder: Path, *, signed: bool = True, **site) -> Publisher:
    config = Config(
        path=folder / "crosspost.toml",
        office=Office(name="Office & Sons", zone=ZONE, language="en"),
        site=SiteSettings(url="https://office.example", **site),
        people={
            "Siti": Person(os_user="siti"),
            "Budi": Person(os_user="budi", title="Head of Office"),
        },
        channels={
            "site": Channel(name="site", platform="site", options={}),
            "web": Channel(name="web", platform="webhook", options={}),
        },
    )
    database = Database(config.database_url)
    upgrade(database)
    if signed:
        found_ledger(database, folder, "office.example/ledger")
    return Publisher(folder, config, database)
