"""The site shows the record: pages, proofs, tiles, checkpoint; lost or changed, it is mended."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from showroom import NOW, office_in

from crosspost.errors import ForkProven, Refuted, UserError
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.hashing import leaf_hash, salted_digest
from crosspost.ledger.manifest import digest_of, read_manifest
from crosspost.ledger.note import read_signer
from crosspost.ledger.proof import read_proof
from crosspost.ledger.sealing import seal
from crosspost.ledger.strongbox import Strongbox
from crosspost.ledger.tiles import tiles, unbundle
from crosspost.ledger.tree import CompactRange
from crosspost.queue import Doing
from crosspost.showing.exhibit import show
from crosspost.site.folder import Folder
from crosspost.site.lookup import key_of, keys_in
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site


def record(office, code):
    return json.loads((office.public / "p" / code / "record.json").read_text())


def test_the_page_shows_who_approved_by_title_and_where_else_it_stands(office):
    code = office.publish()
    office.copy(code, "Road closed https://office.example/p/x/", "https://social.example/@o/1")
    office.show()
    page = office.page(code)
    assert "Head of Office" in page
    assert "Budi" not in page
    assert '<a href="https://social.example/@o/1">' in page
    assert "Webhook" in page
    assert "Letter 1" in page
    assert '<svg viewBox="0 0 ' in page  # so that a style can size it without cutting it
    assert len(page.encode()) < 30_000


def test_a_name_stands_there_only_if_the_office_wants_it(tmp_path):
    office = office_in(tmp_path, names=True)
    code = office.publish()
    assert "Budi, Head of Office" in office.page(code)
    office.database.close()


def test_each_public_delivery_has_a_proof_of_exactly_its_text(office):
    code = office.publish()
    office.copy(code, "Road closed", "https://social.example/@o/1")
    office.show()
    copies = record(office, code)["copies"]
    assert [copy["channel"] for copy in copies] == ["site", "web"]
    for copy in copies:
        proof = read_proof((office.public / "p" / code / copy["proof"]).read_bytes())
        proof.check(office.vkey)
        entry = json.loads(proof.entry)
        assert (entry["code"], entry["channel"]) == (code, copy["channel"])
        assert entry["digest"] == salted_digest(bytes.fromhex(copy["salt"]), copy["posts"])


def test_checkpoint_and_tiles_are_those_of_the_head(office):
    office.publish()
    head = read_checkpoint((office.public / "ledger/checkpoint").read_bytes(), office.vkey)
    assert (office.public / "ledger/checkpoint").read_bytes() == Strongbox(
        office.folder
    ).head_note()
    [tile] = tiles(head.size)
    content = (office.public / "ledger" / tile.path).read_bytes()
    tree = CompactRange()
    for at in range(0, len(content), 32):
        tree.append(content[at : at + 32])
    assert tree.root() == head.root


def test_the_entries_themselves_are_given_out_only_if_the_office_wants_it(tmp_path):
    office = office_in(tmp_path, entries=True)
    office.publish()
    [path] = [p for p in (office.public / "ledger/tile/entries").rglob("*") if p.is_file()]
    entries = unbundle(path.read_bytes())
    tree = CompactRange()
    for entry in entries:
        tree.append(leaf_hash(entry))
    head = read_checkpoint((office.public / "ledger/checkpoint").read_bytes(), office.vkey)
    assert (tree.size, tree.root()) == (head.size, head.root)
    with pytest.raises(ValueError, match="within an entry"):
        unbundle(path.read_bytes()[:-1])
    office.database.close()


def test_every_file_is_on_a_signed_list(office):
    code = office.publish()
    files = office.files()
    whole = read_manifest(files.pop("ledger/manifest"), office.vkey)
    page = read_manifest(files[f"p/{code}/manifest"], office.vkey)
    listed = dict(whole.files) | {f"p/{code}/{name}": d for name, d in page.files.items()}
    ledger = {name for name in files if name.startswith(("ledger/tile/", "ledger/checkpoint"))}
    assert listed == {name: digest_of(data) for name, data in files.items() if name not in ledger}


def test_showing_again_changes_nothing(office):
    office.publish()
    size = office.show(whole=True)
    before = office.files()
    assert office.show(whole=True) == size
    assert office.show() == size
    assert office.files() == before


def test_what_happened_before_is_not_looked_at_again(office):
    first = office.publish()
    page = office.public / "p" / first / "index.html"
    page.write_text("changed")
    second = office.publish("Another road is closed.")
    assert page.read_text() == "changed"
    assert "Another road" in office.page(second)
    assert (
        f"p/{first}/manifest"
        in read_manifest((office.public / "ledger/manifest").read_bytes(), office.vkey).files
    )


@pytest.mark.parametrize(
    "name",
    [
        "p/CODE/index.html",
        "p/CODE/announcement.json",
        "p/CODE/record.json",
        "p/CODE/site.tlog-proof",
        "p/CODE/manifest",
        "ledger/checkpoint",
        "ledger/manifest",
        "index.html",
        "2026/index.html",
        "check/index.html",
        "id/check/index.html",
        "check/a0.json",
        "identity.json",
        "style.css",
        "announcements.json",
    ],
)
@pytest.mark.parametrize("change", ["lost", "changed", "empty"])
def test_what_is_lost_or_changed_is_written_anew(office, name, change):
    code = office.publish()
    before = office.files()
    path = office.public / name.replace("CODE", code)
    if change == "lost":
        path.unlink()
    else:
        path.write_bytes(b"" if change == "empty" else path.read_bytes()[:-9] + b"something")
    office.show(whole=True)
    assert office.files() == before


def test_a_lost_folder_is_made_anew_with_its_images(office, tmp_path):
    import shutil

    from PIL import Image

    Image.new("RGB", (60, 40), "red").save(tmp_path / "road.png")
    code = office.publish(images=((tmp_path / "road.png", "A red road"),))
    before = office.files()
    shutil.rmtree(office.public)
    office.show(whole=True)
    assert office.files() == before
    [image] = (office.public / "p" / code).glob("*.png")
    image.write_bytes(b"another")
    office.show(whole=True)
    assert office.files() == before


def box(kind, content):
    return (8 + len(content)).to_bytes(4, "big") + kind + content


MP4 = box(b"ftyp", b"isom\0\0\2\0isomavc1") + box(b"moov", b"m" * 90) + box(b"mdat", b"d" * 900)


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A video that an office gives, on a machine without ffprobe."""
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "road.mp4").write_bytes(MP4)
    return ((tmp_path / "road.mp4", "The road seen from above"),)


def test_a_video_of_a_page_is_listed_and_made_anew_when_it_is_lost_or_changed(office, film):
    code = office.publish(videos=film)
    before = office.files()
    [path] = (office.public / "p" / code).glob("*.mp4")
    assert path.read_bytes() == MP4
    verify_site(FolderSource(office.public), office.keys)
    path.unlink()
    office.show(whole=True)
    path.write_bytes(MP4[:-1] + b"x")
    office.show(whole=True)
    assert office.files() == before


def test_a_video_that_was_erased_by_law_is_gone_from_the_page(office, film):
    from crosspost.redacting import redact

    code = office.publish(videos=film)
    redact(office.database, office.config, 1, "Order 12/2026", Doing("Siti", NOW, "A court."))
    Folder(office.public).clear(code)
    office.show(whole=True)
    assert not list((office.public / "p" / code).glob("*.mp4"))
    assert not [name for name, data in office.files().items() if b"seen from above" in data]
    verify_site(FolderSource(office.public), office.keys)


def test_a_site_with_a_newer_checkpoint_than_the_head_stops_it(office):
    box = Strongbox(office.folder)
    old, leaves = box.head_note(), box.leaves.read_bytes()
    office.publish()
    before = office.files()
    box.head.write_bytes(old)
    box.leaves.write_bytes(leaves)
    with pytest.raises(Refuted, match="set back"):
        show(office.database, office.config)
    assert office.files() == before


def test_a_site_with_another_history_stops_it(office):
    office.publish()
    signer = read_signer((office.folder / "ledger.key").read_text())
    other = Checkpoint(signer.name, 3, bytes(32)).signed(signer)
    (office.public / "ledger/checkpoint").write_bytes(other)
    with pytest.raises(ForkProven):
        show(office.database, office.config)
    assert (office.public / "ledger/checkpoint").read_bytes() == other


def test_a_full_disk_is_said_and_mended_later(office, monkeypatch):
    code = office.publish()
    office.copy(code, "Road closed", "https://social.example/@o/1")
    seal(office.database, office.folder)
    real = type(office.public).replace

    def full(path, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(office.public), "replace", full)
    with pytest.raises(UserError, match="the disk is full"):
        show(office.database, office.config)
    monkeypatch.setattr(type(office.public), "replace", real)
    assert not list(office.public.rglob(".new-*"))
    office.show()
    assert "social.example" in office.page(code)


@pytest.mark.parametrize("names", [False, True])
def test_an_entry_of_a_person_is_not_given_out_unless_names_are(tmp_path, names):
    office = office_in(tmp_path, names=names)
    code = office.publish()
    office.copy(code, "Road closed", "https://social.example/@o/1", seen_by="Budi")
    office.show()
    site, web = record(office, code)["copies"]
    assert site["proof"]
    assert web["links"] == ["https://social.example/@o/1"]
    assert bool(web["proof"]) is names
    assert any(b"Budi" in data for data in office.files().values()) is names
    office.database.close()


def test_without_a_key_the_pages_show_all_but_proofs(tmp_path):
    office = office_in(tmp_path, signed=False)
    code = office.publish()
    assert "Head of Office" in office.page(code)
    assert record(office, code)["state"] == "current"
    assert not (office.public / "ledger").exists()
    assert not list(office.public.rglob("*.tlog-proof"))
    office.database.close()


def test_hostile_words_are_inert(office):
    hostile = "<script>alert(1)</script>\"'>&{{ 7*7 }}{% raw %}"
    code = office.publish(f"{hostile} and so on", title=hostile, source=hostile)
    for name, data in office.files().items():
        if name.endswith(".html"):
            scripts = re.findall(rb"<script[^>]*>", data)
            assert all(b'src="' in script and b"check.js" in script for script in scripts), name
            assert b"7*7" in data or code.encode() not in data


def test_times_of_pages_found_late_are_those_of_their_writing(office):
    code = office.publish()
    about = json.loads((office.public / "p" / code / "announcement.json").read_text())
    assert about["published"] == NOW.isoformat(timespec="seconds")
    about["published"] = (NOW - timedelta(days=1)).isoformat(timespec="seconds")
    (office.public / "p" / code / "announcement.json").write_text(json.dumps(about))
    office.show(whole=True)
    mended = json.loads((office.public / "p" / code / "announcement.json").read_text())
    assert mended["published"] == NOW.isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("kind", "state"), [("corrected", "corrected"), ("retracted", "withdrawn")]
)
def test_what_was_set_right_says_so_first_and_still_verifies(office, kind, state):
    code, right = office.publish(), office.publish("The road is open on Sunday.")
    with office.database.write() as session:
        act = book.Act(
            kind,
            "daemon@here:1",
            NOW,
            1,
            1,
            code,
            data={"page": right},
            note="The day was <wrong>.",
        )
        book.append(session, act)
    office.show()
    page = office.page(code)
    assert page.index("The day was &lt;wrong&gt;.") < page.index("<h1>")
    assert f'href="../{right}/"' in page
    assert "The road is closed on Sunday." in page
    assert verify_page(FolderSource(office.public), code, office.keys).standing.state == state
    assert verify_page(FolderSource(office.public), right, office.keys).standing.state == "current"


def test_an_old_page_cannot_hide_that_it_was_corrected(office):
    code = office.publish()
    before = office.files()
    with office.database.write() as session:
        act = book.Act("corrected", "daemon@here:1", NOW, 1, 1, code, note="The day was wrong.")
        book.append(session, act)
    office.show()
    for name, data in before.items():
        if name.startswith(f"p/{code}/"):
            (office.public / name).write_bytes(data)
    with pytest.raises(Refuted):
        verify_site(FolderSource(office.public), office.keys)


def test_what_was_erased_by_law_is_not_found_any_more_not_even_by_its_digest(office):
    from crosspost.redacting import redact

    text = "The road is closed because of Mrs Example."
    code, other = office.publish(text), office.publish("Another road is closed on Sunday.")
    redact(office.database, office.config, 1, "Order 12/2026", Doing("Siti", NOW, "A court."))
    office.show()
    shards = [data for name, data in office.files().items() if is_shard(name)]
    found = {pair for data in shards for pair in keys_in(data).items()}
    assert key_of(text)[2:] not in {key for key, _ in found}
    assert {value for _, value in found} == {code, other}
    assert not [name for name, data in office.files().items() if b"Mrs Example" in data]
    verify_site(FolderSource(office.public), office.keys)


def is_shard(name):
    return re.fullmatch(r"check/[0-9a-f]{2}\.json", name)
