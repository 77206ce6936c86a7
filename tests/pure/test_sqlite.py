"""The room that chooses the SQLite library."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from sqlalchemy import text

import crosspost
from crosspost import sqlite
from crosspost.database import Database
from crosspost.migrations import upgrade


def test_one_room_alone_knows_the_librarys_name():
    """Two of them in one process would undo each other's locks."""
    room = Path(crosspost.__file__).parent
    importing = set()
    for file in room.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.split(".")[0] in ("sqlite3", "pysqlite3", "apsw") for name in names):
                importing.add(file.name)
    assert importing == {"sqlite.py"}


@pytest.fixture
def mounts(monkeypatch):
    """What the machine has mounted, as the test says."""
    whole = Path.read_text

    def read(path: Path, *arguments, **named) -> str:
        if path != Path("/proc/self/mounts"):
            return whole(path, *arguments, **named)
        return (
            "/dev/vda / ext4 rw 0 0\n"
            "server:/offices /srv/offices nfs4 rw,vers=4.2 0 0\n"
            "/dev/vdb /srv/offices/local xfs rw 0 0\n"
        )

    monkeypatch.setattr(Path, "read_text", read)
    sqlite.network_share.cache_clear()
    yield
    sqlite.network_share.cache_clear()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/crosspost", ""),
        ("/srv/offices", "nfs4"),
        ("/srv/offices/one", "nfs4"),
        ("/srv/offices/local/one", ""),
        ("/", ""),
    ],
)
@pytest.mark.usefixtures("mounts")
def test_a_network_share_is_known_by_what_is_mounted_nearest(folder, kind):
    assert sqlite.network_share(Path(folder)) == kind


@pytest.mark.parametrize(("folder", "shared"), [(0o2770, True), (0o755, False)])
def test_who_may_write_in_the_folder_may_write_the_queue_and_what_lies_beside_it(
    tmp_path, folder, shared
):
    place = tmp_path / "office"
    place.mkdir()
    place.chmod(folder)
    before = os.umask(0o077)
    try:
        made = Database(f"sqlite:///{place / 'crosspost.db'}")
        upgrade(made)
        made.close()
        with made.read() as session:
            session.execute(text("SELECT 1 FROM delivery"))
            files = {file.name: file.stat().st_mode & 0o060 for file in place.iterdir()}
        made.close()
    finally:
        os.umask(before)
    assert "crosspost.db-shm" in files
    assert set(files.values()) == {0o060 if shared else 0}
