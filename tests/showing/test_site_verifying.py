"""Anybody verifies a page or the whole site: every change is found, with the right exit code."""

from __future__ import annotations

import functools
import http.server
import json
import os
import random
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from showroom import NOW, office_in

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.fetching import WebSource
from crosspost.ledger import book
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.keys import Keys
from crosspost.ledger.manifest import Manifest, digest_of, read_manifest
from crosspost.ledger.note import Signer, Verifier, new_signer, read_signer
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site

ENTRIES = 300


@dataclass
class Memory:
    """A site as an attacker serves it."""

    files: dict[str, bytes] = field(default_factory=dict)

    def read(self, path):
        return self.files.get(path)

    def names(self):
        return sorted(self.files)

    def where(self, path):
        return path


@dataclass
class Site:
    files: dict[str, bytes]
    codes: list[str]
    verifier: Verifier
    signer: Signer
    older: dict[str, bytes]  # the same site, some entries ago

    @property
    def keys(self) -> Keys:
        return Keys.of(self.verifier)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """A site over 300 entries, with an image, a copy elsewhere, and all entries."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("office")
    office = office_in(folder, entries=True)
    Image.new("RGB", (30, 20), "red").save(folder / "road.png")
    codes = [office.publish(images=((folder / "road.png", "A red road"),))]
    older = office.files()
    office.copy(codes[0], "Road closed", "https://social.example/@o/1")
    codes.append(office.publish("The other road is closed too."))
    with office.database.write() as session:
        while book.size(session) < ENTRIES:
            book.append(session, book.Act("claimed", "daemon@here:1", NOW))
    office.show()
    office.database.close()
    signer = read_signer((folder / "ledger.key").read_text())
    return Site(office.files(), codes, office.vkey, signer, older)


def verdict(site: Site, files: dict[str, bytes], code: str = "") -> int:
    """The exit code; anything else than our own errors fails the test."""
    source = Memory(files)
    try:
        if code:
            verify_page(source, code, site.keys)
        else:
            verify_site(source, site.keys)
    except (Refuted, Undecided, ForkProven) as error:
        return error.exit_code
    return 0


def sign_again(site: Site, files: dict[str, bytes], folder: str) -> None:
    """What a thief of the key does after a change: a new list of a folder."""
    name = f"{folder}/manifest" if folder else "ledger/manifest"
    old = read_manifest(files[name], site.verifier)
    at = f"{folder}/" if folder else ""
    digests = {path: digest_of(files[at + path]) for path in old.files}
    files[name] = Manifest(old.origin, old.folder, old.size, digests).signed(site.signer)


def test_a_site_and_each_of_its_pages_verify(site):
    assert verify_site(Memory(site.files), site.keys).pages == 2
    assert verify_site(Memory(site.files), site.keys).checkpoint.size == ENTRIES
    for code in site.codes:
        assert verify_page(Memory(site.files), code, site.keys).standing.state == "current"


def one_of_each_kind(site) -> list[str]:
    page = f"p/{site.codes[0]}/"
    kinds = [name for name in site.files if name.startswith((page, "ledger/"))]
    return [
        *kinds,
        *("index.html", "2026/index.html", "feed.xml", "feed.json", "announcements.json"),
        *("check/index.html", "id/check/index.html", "check/a0.json", "check.js", "style.css"),
        *("identity.json", "accounts/index.html", "fakes/index.html"),
    ]


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def test_a_changed_byte_of_any_kind_of_file_is_found(site):
    """The first, the last and one between; a signed note may also become unreadable."""
    chance = random.Random(1)
    for name in one_of_each_kind(site):
        data = site.files[name]
        for at in {0, len(data) - 1, chance.randrange(len(data))}:
            found = verdict(site, {**site.files, name: flipped(data, at, chance.randrange(8))})
            signed = name.endswith(("/manifest", "/checkpoint"))
            assert found in ((1, 2) if signed else (1,)), (name, at)


def test_changed_bytes_at_random_places_are_found(site):
    """A sample; CROSSPOST_EXHAUSTIVE=1 changes every byte of one file of each kind."""
    places = [(name, at) for name in one_of_each_kind(site) for at in range(len(site.files[name]))]
    if not os.environ.get("CROSSPOST_EXHAUSTIVE"):
        places = random.Random(2).sample(places, 300)
    for name, at in places:
        changed = {**site.files, name: flipped(site.files[name], at, at % 8)}
        assert verdict(site, changed) in (1, 2), (name, at)


def test_a_changed_byte_of_a_page_is_found_by_whoever_verifies_only_that_page(site):
    code = site.codes[0]
    for name in [name for name in site.files if name.startswith((f"p/{code}/", "ledger/checkp"))]:
        data = site.files[name]
        for at in (0, len(data) // 2, len(data) - 1):
            assert verdict(site, {**site.files, name: flipped(data, at, 1)}, code) in (1, 2), name


@pytest.mark.parametrize("kind", ["lost", "empty", "longer", "text", "huge"])
def test_a_file_that_is_lost_or_nonsense_is_found_without_a_traceback(site, kind):
    for name in one_of_each_kind(site):
        files = dict(site.files)
        data = files.pop(name)
        made = {"empty": b"", "longer": data + b"x", "text": b"[]", "huge": b"{" * 10_000}
        if kind in made:
            files[name] = made[kind]
        bundles = "tile/entries" in name and kind == "lost"  # they need not be given out
        assert verdict(site, files) in ((0,) if bundles else (1, 2)), name


def test_a_page_that_the_office_does_not_know_is_no_page_of_it(site):
    forged = {
        name.replace(site.codes[0], "forged2"): data
        for name, data in site.files.items()
        if name.startswith(f"p/{site.codes[0]}/")
    }
    assert verdict(site, {**site.files, **forged}) == 2
    assert verdict(site, {**site.files, **forged}, "forged2") == 1
    assert verdict(site, {**site.files, "p/evil/index.html": b"<h1>Official</h1>"}) == 2
    assert verdict(site, {**site.files, "p/evil/index.html": b"<h1>Official</h1>"}, "evil") == 2
    assert verdict(site, {**site.files, "robots.txt": b"User-agent: *"}) == 0


def test_an_older_page_in_a_newer_site_is_found(site):
    """So a correction cannot be hidden by serving the page as it was."""
    old = {n: d for n, d in site.older.items() if n.startswith(f"p/{site.codes[0]}/")}
    gone = [n for n in site.files if n.startswith(f"p/{site.codes[0]}/") and n not in old]
    files = {n: d for n, d in {**site.files, **old}.items() if n not in gone}
    assert verdict(site, files) == 1


def test_an_older_checkpoint_or_list_in_a_newer_site_is_found(site):
    for name in ("ledger/checkpoint", "ledger/manifest"):
        assert verdict(site, {**site.files, name: site.older[name]}) in (1, 2)
    checkpoint = {**site.files, "ledger/checkpoint": site.older["ledger/checkpoint"]}
    assert verdict(site, checkpoint, site.codes[1]) == 1


def test_another_key_is_no_key_of_this_site(site):
    with pytest.raises(Undecided):
        verify_site(Memory(site.files), Keys.of(new_signer(site.verifier.name).verifier))


def test_two_trees_of_one_size_prove_a_fork(site):
    """The thief signs another history of the same size, with tiles that fit it."""
    from crosspost.ledger.tiles import tiles
    from crosspost.ledger.tree import Tree

    other = Tree(b"".join(bytes([n % 256]) * 32 for n in range(ENTRIES)))
    files = dict(site.files)
    for tile in tiles(ENTRIES):
        files[f"ledger/{tile.path}"] = tile.content(other.node)
    forged = Checkpoint(site.verifier.name, ENTRIES, other.root()).signed(site.signer)
    files["ledger/checkpoint"] = forged
    assert verdict(site, files, site.codes[0]) == 3


def test_whoever_steals_the_key_still_cannot_change_what_a_proof_says(site):
    where = f"p/{site.codes[0]}"
    files = dict(site.files)
    record = json.loads(files[f"{where}/record.json"])
    about = json.loads(files[f"{where}/announcement.json"])
    for values in (record["copies"][0]["posts"][0]["document"], about):
        values["text"] = values["html"] = "The road is open."
    files[f"{where}/record.json"] = json.dumps(record).encode()
    files[f"{where}/announcement.json"] = json.dumps(about).encode()
    sign_again(site, files, where)
    sign_again(site, files, "")
    assert verdict(site, files) == 1
    files[f"{where}/record.json"] = site.files[f"{where}/record.json"]
    sign_again(site, files, where)
    assert verdict(site, files, site.codes[0]) == 1


@pytest.fixture
def served(site, tmp_path):
    """The site behind a web server, written to disk; and what was asked for."""
    for name, data in site.files.items():
        path = tmp_path / "public" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "public"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path / "public", f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_site_is_verified_by_its_address_and_on_a_disk(site, served):
    folder, url = served
    assert verify_site(FolderSource(folder), site.keys).pages == 2
    source = WebSource(url)
    assert verify_page(source, site.codes[0], site.keys).standing.copies[1].links == (
        "https://social.example/@o/1",
    )
    (folder / "p" / site.codes[0] / "index.html").write_bytes(b"changed")
    with pytest.raises(Refuted):
        verify_page(source, site.codes[0], site.keys)
    shutil.rmtree(folder / "ledger")
    with pytest.raises(Undecided):
        verify_page(source, site.codes[0], site.keys)
    source.session.close()


def test_a_server_that_does_not_answer_decides_nothing(site):
    with pytest.raises(Undecided, match="cannot be read: nobody answers there"):
        verify_site(WebSource("http://127.0.0.1:9/"), site.keys)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectTimeout(), "no answer in time"),
        (requests.ReadTimeout(), "no answer in time"),
        (requests.exceptions.SSLError(), "its certificate does not hold"),
        (requests.exceptions.ChunkedEncodingError(), "the connection broke off"),
        (requests.exceptions.InvalidURL(), "no address"),
        (requests.TooManyRedirects(), "in a circle"),
    ],
)
def test_why_a_site_cannot_be_read_is_a_sentence(site, monkeypatch, error, words):
    def refuse(*_where, **_how):
        raise error

    monkeypatch.setattr("requests.Session.get", refuse)
    with pytest.raises(Undecided, match=words) as undecided:
        verify_site(WebSource("https://office.example/"), site.keys)
    assert type(error).__name__ not in str(undecided.value)


def run(tmp_path: Path, *arguments: str, code: int) -> str:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "crosspost", "verify", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "CROSSPOST_LANGUAGE": "en"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    assert "inside crosspost" not in said
    return said


def test_a_citizen_types_an_address_or_a_folder(site, served):
    folder, url = served
    key = ("--key", str(site.verifier))
    page = f"{url}p/{site.codes[0]}/"
    assert "genuine, and it still holds" in run(folder, page, *key, code=0)
    assert "with 2 pages" in run(folder, ".", *key, code=0)
    assert "genuine" in run(folder, f"p/{site.codes[0]}/index.html", *key, code=0)
    assert "entry" in run(folder, f"{page}site.tlog-proof", *key, code=0)
    identity = ("--key", "identity.json")
    assert "genuine" in run(folder, page, *identity, code=0)
    run(folder, f"{url}p/nothere/", *key, code=2)
    (folder / "p" / site.codes[0] / "index.html").write_bytes(b"changed")
    assert '"refuted"' in run(folder, page, *key, "--json", code=1)
