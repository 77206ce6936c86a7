"""The checkpoint on the site bears the cosignatures of witnesses, as they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from neighbours import answering, served
from showroom import NOW, Publisher

from crosspost.attestation import Attestation
from crosspost.config import WitnessSettings
from crosspost.errors import ForkProven, Refuted
from crosspost.leases import OneDaemon
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.note import read_signer
from crosspost.ledger.sealing import seal
from crosspost.ledger.strongbox import Strongbox
from crosspost.showing.exhibit import show_checkpoint
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site
from crosspost.witnesses.cosignature import cosignatures
from crosspost.witnesses.memory import Memory
from crosspost.witnesses.remembered import recall


@pytest.fixture
def memory(tmp_path_factory) -> Memory:
    made = Memory(tmp_path_factory.mktemp("neighbour") / "witness")
    made.found("neighbour.example/witness")
    return made


class Asker:
    """The part of a daemon that asks witnesses; what would stop the daemon is in `stopped`."""

    def __init__(self, office: Publisher, now=lambda: datetime.now(UTC), **witnesses) -> None:
        settings = {n: WitnessSettings(url=u, vkey=str(k)) for n, (u, k) in witnesses.items()}
        config = office.config.model_copy(update={"witnesses": settings})
        self.stopped: list[Exception] = []
        self.part = Attestation(
            office.database, config, now, lambda error, _: self.stopped.append(error), OneDaemon()
        )

    def look(self) -> None:
        self.part.look()
        self.part.wait(20)


def logs_of(office: Publisher):
    return {office.vkey.name: [office.vkey]}


def shown(office: Publisher) -> bytes:
    return (office.public / "ledger" / "checkpoint").read_bytes()


def test_the_site_shows_the_checkpoint_with_its_cosignatures(office, memory):
    code = office.publish()
    office.show()
    with served(memory, logs_of(office)) as url:
        Asker(office, kominfo=(url, memory.witness())).look()
    assert [one.witness for one in cosignatures(shown(office), [memory.witness()])]
    source = FolderSource(office.public)
    for found in (verify_site(source, office.keys), verify_page(source, code, office.keys)):
        assert cosignatures(found.note, [memory.witness()])
    office.show()  # nothing new: they stay
    assert cosignatures(shown(office), [memory.witness()])
    office.publish("Another.")
    office.show()
    assert cosignatures(shown(office), [memory.witness()]) == []
    verify_site(FolderSource(office.public), office.keys)


def test_a_witness_that_knows_both_keys_goes_on_after_an_exchange_and_another_says_why_not(
    office, memory
):
    from crosspost.ledger.rotating import Wish, rotate

    office.publish()
    old = office.vkey
    rotate(office.database, office.folder, Wish("Siti", datetime.now(UTC)))
    office.show()
    with served(memory, {old.name: [old]}) as url:
        asker = Asker(office, kominfo=(url, memory.witness()))
        asker.look()
    assert cosignatures(shown(office), [memory.witness()])  # the last one, which both keys signed
    office.publish("Another.")
    office.show()
    with served(memory, {old.name: [old]}) as url:
        Asker(office, kominfo=(url, memory.witness())).look()
    assert cosignatures(shown(office), [memory.witness()]) == []
    with office.database.read() as session:
        assert "ledger.vkey" in recall(session, "kominfo", str(memory.witness()), NOW).problem
    with served(memory, {old.name: [old, office.vkey]}) as url:
        later = datetime.now(UTC) + timedelta(minutes=10)
        asker = Asker(office, lambda: later, kominfo=(url, memory.witness()))
        asker.look()
    assert asker.stopped == []
    assert cosignatures(shown(office), [memory.witness()])


def test_the_site_names_the_witnesses(office, memory):
    vkey = str(memory.witness())
    settings = {"kominfo": WitnessSettings(url="https://saksi.example", vkey=vkey)}
    office.config = office.config.model_copy(update={"witnesses": settings})
    office.publish()
    office.show()
    said = json.loads((office.public / "identity.json").read_text())
    assert said["witnesses"] == [vkey]


def test_a_checkpoint_is_not_shown_before_its_pages(office, memory):
    """The head has grown, and the site has not followed yet."""
    office.publish()
    office.show()
    before = shown(office)
    with office.database.write() as session:
        book.append(session, book.Act("alarms_read", "Siti", NOW))
    seal(office.database, office.folder)
    with served(memory, logs_of(office)) as url:
        Asker(office, kominfo=(url, memory.witness())).look()
    assert cosignatures(Strongbox(office.folder).shown_note(), [memory.witness()])
    assert shown(office) == before
    office.show()
    assert cosignatures(shown(office), [memory.witness()])


def test_asking_hinders_nothing_and_is_repeated_when_it_is_time(office, memory):
    office.publish()
    office.show()
    at = [datetime.now(UTC)]
    with answering((500, b"")) as (url, bodies):
        asker = Asker(office, lambda: at[0], kominfo=(url, memory.witness()))
        for _ in range(5):
            asker.look()
        assert len(bodies) == 1
        at[0] += timedelta(seconds=61)
        asker.look()
        assert len(bodies) == 2
        at[0] += timedelta(seconds=61)
        asker.look()
        assert len(bodies) == 2
    assert asker.stopped == []
    office.publish("Another.")
    office.show()
    verify_site(FolderSource(office.public), office.keys)


def test_a_witness_that_never_answers_does_not_keep_another_waiting(office, memory):
    office.publish()
    office.show()
    with answering(None) as (slow, _), served(memory, logs_of(office)) as url:
        witnesses = {"slow": (slow, memory.witness()), "kominfo": (url, memory.witness())}
        asker = Asker(office, **witnesses)
        asker.part.look()
        asker.part.wait(1)
        assert cosignatures(shown(office), [memory.witness()])
        asker.part.look()  # it is still being asked, and not asked twice


@pytest.mark.parametrize(
    ("size", "answers", "error"),
    [(900, [(409, b"900\n")], Refuted), (2, [(409, b"2\n"), (422, b"")], ForkProven)],
)
def test_what_a_witness_has_with_our_own_signature_stops_the_daemon_until_it_is_settled(
    office, memory, size, answers, error
):
    office.publish()
    office.show()
    signer = read_signer(Strongbox(office.folder).key.read_text())
    other = Checkpoint(signer.name, size, b"\1" * 32).signed(signer)
    with answering(*answers, (200, other)) as (url, _):
        asker = Asker(office, kominfo=(url, memory.witness()))
        asker.look()
    assert [type(one) for one in asker.stopped] == [error]
    with pytest.raises(error):
        office.publish("Another.")  # nor does another daemon begin
    [kept] = (office.folder / "ledger.conflicts").iterdir()
    kept.unlink()
    office.publish("A third.")


def test_without_a_site_or_a_ledger_there_is_nothing_to_do(office, memory):
    config = office.config.model_copy(update={"site": None})
    show_checkpoint(config)
    asker = Asker(office, kominfo=("http://127.0.0.1:9", memory.witness()))
    for path in office.folder.glob("ledger.*"):
        path.unlink()
    asker.look()
    assert asker.stopped == []
