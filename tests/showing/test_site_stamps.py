"""The time stamp that a site shows counts only for the record that the site shows."""

from __future__ import annotations

import pytest
from showroom import Publisher

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.keys import Keys
from crosspost.ledger.note import new_signer, read_signer
from crosspost.ledger.strongbox import Strongbox
from crosspost.site.sources import FolderSource
from crosspost.site.stamps import newest_stamp
from crosspost.site.verifying import verify_site


def keep(office: Publisher, size: int, note: bytes) -> None:
    """A stamp as the daemon keeps them; the token is looked at by others."""
    place = office.folder / "ledger.stamps"
    place.mkdir(exist_ok=True)
    (place / f"{size}.checkpoint").write_bytes(note)
    (place / f"{size}.tsr").write_bytes(f"token {size}".encode())


def newest(office: Publisher):
    source = FolderSource(office.public)
    found = verify_site(source, office.keys)
    return newest_stamp(source, found.checkpoint, found.keys)


@pytest.fixture
def grown(office) -> Publisher:
    """Two heads, of both of which there is a stamp."""
    for body in ("One.", "Two."):
        office.publish(body)
        office.show()
        note = Strongbox(office.folder).head_note()
        keep(office, int(note.split(b"\n")[1]), note)
    office.publish("Three.")
    office.show()
    return office


def test_the_newest_stamp_is_found_and_the_record_goes_on_from_it(grown):
    stamped, note, token = newest(grown)
    assert token == f"token {stamped.size}".encode()
    assert note == (grown.folder / "ledger.stamps" / f"{stamped.size}.checkpoint").read_bytes()
    assert len(list((grown.public / "ledger" / "stamps").iterdir())) == 4


def test_a_stamp_of_another_history_proves_the_fork(grown):
    signer = read_signer(Strongbox(grown.folder).key.read_text())
    size = newest(grown)[0].size + 1
    keep(grown, size, Checkpoint(signer.name, size, b"\1" * 32).signed(signer))
    grown.show()
    with pytest.raises(ForkProven):
        newest(grown)


def test_a_stamp_of_somebody_else_s_checkpoint_is_none_of_ours(grown):
    size = newest(grown)[0].size + 1
    stranger = new_signer("office.example/ledger")
    keep(grown, size, Checkpoint(stranger.name, size, b"\1" * 32).signed(stranger))
    grown.show()
    with pytest.raises(Undecided):
        newest(grown)


def test_a_token_that_was_exchanged_on_the_site_is_refuted(grown):
    source, found = FolderSource(grown.public), newest(grown)[0]
    shown = verify_site(source, grown.keys).checkpoint
    path = grown.public / "ledger" / "stamps" / f"{found.size}.tsr"
    path.write_bytes(b"another")
    with pytest.raises(Refuted):
        newest_stamp(source, shown, grown.keys)
    path.unlink()
    with pytest.raises(Refuted):
        newest_stamp(source, shown, grown.keys)


def test_a_site_without_stamps_has_none(office):
    office.publish()
    office.show()
    with pytest.raises(Undecided, match="no time stamp"):
        newest(office)
    assert isinstance(office.keys, Keys)
