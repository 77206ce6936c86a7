"""Killed (SIGKILL) at any point of writing the site: what a reader finds there is old or new, never
half, never called a forgery; and the next run brings it to its end.

A sample of the points; CROSSPOST_EXHAUSTIVE=1 takes each of them, 9 each ninth.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from killing import killed_at
from PIL import Image
from showroom import NOW, ZONE, Publisher, office_in

from crosspost import approvals, editorial, fakes
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.drafts import Draft
from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.ledger.sealing import seal
from crosspost.queue import Doing
from crosspost.showing.exhibit import show
from crosspost.site.folder import Folder
from crosspost.site.sources import FolderSource
from crosspost.site.verifying import verify_page, verify_site
from crosspost.times import moment_of

#: So many acts on files each work takes, about. Pages come early: there the sample is denser.
MOST, PAGES, EVERY = 810, 200, 67


@dataclass
class Stage:
    """An office on disk, what its site showed, and what it shows when the work is done."""

    folder: Path
    codes: list[str]
    before: dict[str, bytes]
    after: dict[str, bytes]
    office: Publisher
    whole: bool


def opened(folder: Path, like: Publisher) -> Publisher:
    config = like.config.model_copy(update={"path": folder / "crosspost.toml"})
    return Publisher(folder, config, Database(config.database_url))


def work(office: Publisher, *, whole: bool) -> None:
    show(office.database, office.config, whole=whole)


@pytest.fixture(scope="module", params=["as it grows", "all of it anew"])
def stage(request, tmp_path_factory) -> Stage:
    """Two pages; then the first has another copy and a fake is known, so that the record has grown;
    or nothing happened, and all is written anew because the office has another name."""
    folder = tmp_path_factory.mktemp("office")
    office = office_in(folder, entries=True)
    Image.new("RGB", (30, 20), "red").save(folder / "road.png")
    codes = [office.publish(images=((folder / "road.png", "A red road"),)), office.publish("More.")]
    office.show(whole=True)
    before = office.files()
    whole = request.param == "all of it anew"
    if not whole:
        office.copy(codes[0], "Road closed", "https://social.example/@o/1")
        with office.database.write() as session:
            found = fakes.Found("No school", "There is school.", "No school on Monday, they say.")
            fakes.add(session, found, Doing("Siti", NOW))
        seal(office.database, folder)
    else:
        named = office.config.office.model_copy(update={"name": "Office of the Regent"})
        office.config = office.config.model_copy(update={"office": named})
    office.database.close()
    other = shutil.copytree(folder, folder.with_name(f"{folder.name}-reference"))
    reference = opened(Path(other), office)
    work(reference, whole=whole)
    reference.database.close()
    return Stage(folder, codes, before, reference.files(), office, whole)


@pytest.fixture
def office(stage, tmp_path) -> Publisher:
    return opened(Path(shutil.copytree(stage.folder, tmp_path / "office")), stage.office)


def verdict(act) -> int:
    try:
        act()
    except (Refuted, Undecided, ForkProven) as error:
        return error.exit_code
    return 0


def visible(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if "/.new-" not in f"/{name}"}


def chosen(early: int = EVERY) -> list[int]:
    step = int(os.environ.get("CROSSPOST_EXHAUSTIVE", 0))
    return [*range(0, PAGES, step or early), *range(PAGES, MOST, step or EVERY)]


@pytest.mark.parametrize("point", chosen(early=13))
def test_a_reader_finds_old_or_new_and_the_next_run_ends_it(stage, office, point):
    act = functools.partial(work, office, whole=stage.whole)
    killed = killed_at(point, act)
    found, source = visible(office.files()), FolderSource(office.public)
    for name, data in found.items():
        assert data in (stage.before.get(name), stage.after.get(name)) or signs(name), name
    gone = {name for name in stage.before if name in stage.after and name not in found}
    assert all(signs(name) for name in gone)
    for code in stage.codes:
        assert verdict(lambda code=code: verify_page(source, code, office.keys)) == 0, code
    assert verdict(lambda: verify_site(source, office.keys)) in (0, 2)
    work(office, whole=True)
    assert office.files() == stage.after
    assert verdict(lambda: verify_site(source, office.keys)) == 0
    assert killed or point > 400


# --- while an announcement is published -----------------------------------------------------------


@pytest.fixture(scope="module")
def due(tmp_path_factory) -> Stage:
    """One page, and an approved announcement that is due."""
    folder = tmp_path_factory.mktemp("due")
    office = office_in(folder)
    codes = [office.publish()]
    office.show(whole=True)
    before = office.files()
    draft = Draft(
        body="The bridge is closed.",
        title="Bridge",
        source="Letter 2",
        link="",
        lang="en",
        urgency="normal",
        channels=("site",),
        due=moment_of(NOW, ZONE),
        images=(),
    )
    added = editorial.add(office.database, office.config, draft, Doing("Siti", NOW))
    approvals.approve(office.database, office.config, added.announcement, Doing("Budi", NOW))
    office.database.close()
    return Stage(folder, codes, before, {}, office, whole=False)


def publish(office: Publisher, minutes: int = 0) -> None:
    """What a daemon does, from its start to its end."""
    now = NOW + timedelta(minutes=minutes)
    Daemon(Database(office.config.database_url), office.config, now=lambda: now).run_once()


@pytest.mark.parametrize("point", chosen())
def test_a_daemon_killed_while_it_publishes_leaves_a_site_that_is_no_forgery(due, tmp_path, point):
    office = opened(Path(shutil.copytree(due.folder, tmp_path / "office")), due.office)
    killed = killed_at(point, functools.partial(publish, office))
    source = FolderSource(office.public)
    [old] = due.codes
    assert verdict(lambda: verify_page(source, old, office.keys)) == 0
    for path in (office.public / "p").glob("[!.]*"):
        assert (path / "index.html").read_text().rstrip().endswith("</html>")
        assert verdict(lambda path=path: verify_page(source, path.name, office.keys)) in (0, 2)
    assert verdict(lambda: verify_site(source, office.keys)) in (0, 2)
    for minutes in (0, 2, 10, 30):
        publish(office, minutes)
    office.show(whole=True)
    assert len(list((office.public / "p").iterdir())) == 2
    assert verdict(lambda: verify_site(source, office.keys)) == 0
    assert "Bridge" in (office.public / "index.html").read_text()
    assert visible(office.files()) == office.files()
    assert killed or point > 600


# --- what is swept up -----------------------------------------------------------------------------


def test_only_what_nobody_writes_any_more_is_swept_up(tmp_path):
    folder = Folder(tmp_path / "public")
    folder.replace("p/x/index.html", b"whole")
    (folder.path / "p" / ".new-dead").mkdir()
    (folder.path / "p" / ".new-dead" / "index.html").write_bytes(b"ha")
    (folder.path / ".new-file").write_bytes(b"ha")
    alive = folder.path / "p" / ".new-alive"
    alive.write_bytes(b"ha")
    with alive.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        folder.sweep()
        assert [path.name for path in folder.path.rglob(".new-*")] == [".new-alive"]
    folder.sweep()
    assert list(folder.path.rglob(".new-*")) == []
    assert (folder.path / "p/x/index.html").read_bytes() == b"whole"


def test_a_share_that_knows_no_locks_is_written_all_the_same(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    folder = Folder(tmp_path / "public")
    folder.replace("index.html", b"whole")
    folder.put("abc", {"index.html": b"page"})
    (folder.path / ".new-file").write_bytes(b"ha")
    folder.sweep()
    assert folder.read("index.html") == b"whole"
    assert folder.read("p/abc/index.html") == b"page"
    assert (folder.path / ".new-file").exists()  # it may be somebody's


def signs(name: str) -> bool:
    """A list: what it says counts, and a test of its own verifies it."""
    return name.endswith(("/manifest", "/manifest.next", "/manifest.old"))
