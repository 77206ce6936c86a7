"""The site after a new key took over: who trusts any of the keys verifies it, and no thief fools
who knows of the exchange."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from showroom import NOW, Publisher
from test_site_verifying import Memory, flipped

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.guard import Guard
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.handover import Handover
from crosspost.ledger.keys import Keys, read_keys
from crosspost.ledger.manifest import Manifest, digest_of, read_manifest
from crosspost.ledger.note import Signer, Verifier, new_signer, read_signer
from crosspost.ledger.rotating import Wish, rotate
from crosspost.ledger.strongbox import Strongbox
from crosspost.showing.exhibit import show
from crosspost.site.verifying import verify_page, verify_site


@dataclass
class Rotated:
    office: Publisher
    code: str
    old: Signer
    before: dict[str, bytes]  # the site as the old key signed it

    @property
    def known(self) -> Keys:
        """What somebody has who kept the identity.json of today."""
        return read_keys((self.office.public / "identity.json").read_text())

    def trusting(self) -> dict[str, Keys]:
        return {"old": Keys.of(self.old.verifier), "new": self.office.keys, "both": self.known}


def exchange(office: Publisher) -> Handover:
    return rotate(office.database, office.folder, Wish("Siti", NOW))


@pytest.fixture
def rotated(office) -> Rotated:
    """A page of the old key's time, and the site as the new key signed it since."""
    code = office.publish()
    old = read_signer(Strongbox(office.folder).key.read_text())
    before = office.files()
    exchange(office)
    office.show()
    return Rotated(office, code, old, before)


def verdict(files: dict[str, bytes], code: str, keys: Keys) -> int:
    source = Memory(files)
    try:
        if code:
            verify_page(source, code, keys)
        else:
            verify_site(source, keys)
    except (Refuted, Undecided, ForkProven) as error:
        return error.exit_code
    return 0


def test_whoever_trusts_any_of_the_keys_verifies_the_site_and_its_pages(rotated):
    for keys in rotated.trusting().values():
        assert verdict(rotated.office.files(), "", keys) == 0
        assert verdict(rotated.office.files(), rotated.code, keys) == 0
    found = verify_site(Memory(rotated.office.files()), Keys.of(rotated.old.verifier))
    assert found.keys.newest == rotated.office.vkey


def test_the_site_as_it_was_is_genuine_only_for_who_does_not_know_of_the_exchange(rotated):
    """The others would believe whoever stole the old key."""
    forged = forged_page(rotated, rotated.before, rotated.old)
    expected = {"old": 0, "new": 2, "both": 2}
    for name, keys in rotated.trusting().items():
        assert verdict(rotated.before, rotated.code, keys) == expected[name]
        assert verdict(forged, rotated.code, keys) == expected[name]


def test_identity_says_each_key_with_its_sizes_and_the_check_page_the_newest(rotated):
    identity = json.loads((rotated.office.public / "identity.json").read_text())
    old, new = identity["keys"]
    assert (old["vkey"], old["since"]) == (str(rotated.old.verifier), 0)
    assert (new["vkey"], new["until"]) == (str(rotated.office.vkey), None)
    assert old["until"] == new["since"]
    check = (rotated.office.public / "check" / "index.html").read_text()
    assert str(rotated.office.vkey) in check
    assert str(rotated.old.verifier) not in check


def test_all_that_stands_there_is_signed_by_the_new_key_alone(rotated):
    files = rotated.office.files()
    for name, data in files.items():
        if name.endswith("/manifest"):
            assert read_manifest(data, rotated.office.vkey)
            with pytest.raises(Undecided):
                read_manifest(data, rotated.old.verifier)


def test_the_old_site_and_the_new_one_mixed_are_not_called_genuine_by_the_old_key(rotated):
    """The old key's list of a page in a site that the new key signs: whoever stole it can make
    such a list."""
    page = f"p/{rotated.code}/"
    files = rotated.office.files()
    old = {name: data for name, data in rotated.before.items() if name.startswith(page)}
    for keys in rotated.trusting().values():
        assert verdict({**files, **old}, rotated.code, keys) in (1, 2)
        assert verdict({**files, **old}, "", keys) in (1, 2)


def forged_page(rotated: Rotated, files: dict[str, bytes], signer: Signer) -> dict[str, bytes]:
    """A page that says something else, on a list of this key."""
    name = f"p/{rotated.code}/index.html"
    listed = read_manifest(rotated.before[f"p/{rotated.code}/manifest"], rotated.old.verifier)
    html = files[name].replace(b"Road closed", b"Road opened")
    files = {**files, name: html}
    digests = {path: digest_of(files[f"p/{rotated.code}/{path}"]) for path in listed.files}
    made = Manifest(listed.origin, listed.folder, listed.size, digests)
    return {**files, f"p/{rotated.code}/manifest": made.signed(signer)}


def test_with_a_stolen_old_key_no_page_is_changed(rotated):
    files = forged_page(rotated, rotated.office.files(), rotated.old)
    for keys in rotated.trusting().values():
        assert verdict(files, rotated.code, keys) in (1, 2)
        assert verdict(files, "", keys) in (1, 2)


def test_a_stolen_old_key_shows_no_later_ledger_to_who_knows_of_the_exchange(rotated):
    files = rotated.office.files()
    shown = read_checkpoint(files["ledger/checkpoint"], rotated.office.vkey)
    forged = Checkpoint(shown.origin, shown.size + 1, bytes(32)).signed(rotated.old)
    files = {**files, "ledger/checkpoint": forged}
    for keys in rotated.trusting().values():
        assert verdict(files, rotated.code, keys) == 1
        assert verdict(files, "", keys) == 1


def test_a_second_heir_of_the_old_key_on_the_site_proves_a_fork(rotated):
    thief = new_signer(rotated.old.name)
    rival = Handover(rotated.old.verifier, thief.verifier, 30, 30).signed(rotated.old, thief)
    files = rotated.office.files()
    said = json.loads(files["identity.json"])
    said["keys"].append({"vkey": str(thief.verifier), "since": 30, "until": None})
    said["keys"][-1]["handover"] = rival
    files = {**files, "identity.json": json.dumps(said).encode()}
    for keys in rotated.trusting().values():
        assert verdict(files, rotated.code, keys) == 3


def test_a_changed_byte_of_the_keys_on_the_site_is_found(rotated):
    files = rotated.office.files()
    for at in range(0, len(files["identity.json"]), 7):
        changed = {**files, "identity.json": flipped(files["identity.json"], at, at % 8)}
        for keys in rotated.trusting().values():
            assert verdict(changed, "", keys) in (1, 2), at


def guard_of(office: Publisher) -> Guard:
    from threading import Event

    from crosspost.leases import OneDaemon

    return Guard(office.database, office.config, lambda: NOW, Event(), OneDaemon())


def head_signed_by(office: Publisher, key: Verifier) -> bool:
    try:
        return bool(read_checkpoint(Strongbox(office.folder).head_note(), key))
    except Undecided:
        return False


def test_a_daemon_that_runs_goes_on_with_the_new_key_and_brings_the_site_along(office):
    code = office.publish()
    guard, old = guard_of(office), office.vkey
    guard.seal_and_show(at_once=True)
    exchange(office)
    guard.published.set()
    guard.seal_and_show()
    guard.require_trust()
    assert office.vkey != old
    assert head_signed_by(office, office.vkey)
    assert verdict(office.files(), "", office.keys) == 0
    other = office.publish("The other road is closed.")
    guard.seal_and_show(at_once=True)
    guard.require_trust()
    assert not head_signed_by(office, old)
    for page in (code, other, ""):
        assert verdict(office.files(), page, Keys.of(old)) == 0


def test_a_later_checkpoint_of_the_old_key_on_the_site_stops_the_daemon(rotated):
    office = rotated.office
    path = office.public / "ledger" / "checkpoint"
    head = read_checkpoint(path.read_bytes(), office.vkey)
    forged = Checkpoint(head.origin, head.size + 1, bytes(32)).signed(rotated.old)
    path.write_bytes(forged)
    with pytest.raises(Refuted, match="more entries than the head"):
        show(office.database, office.config, whole=True)
    assert path.read_bytes() == forged
    guard = guard_of(office)
    guard.seal_and_show(at_once=True)
    with pytest.raises(Refuted):
        guard.require_trust()


def test_a_stolen_old_key_with_a_forged_past_is_a_fork(rotated):
    office = rotated.office
    path = office.public / "ledger" / "checkpoint"
    head = read_checkpoint(path.read_bytes(), office.vkey)
    path.write_bytes(Checkpoint(head.origin, head.size - 2, bytes(32)).signed(rotated.old))
    with pytest.raises(ForkProven):
        show(office.database, office.config, whole=True)
