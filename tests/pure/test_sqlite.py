"""The room that chooses the SQLite library."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import crosspost
from crosspost import sqlite


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
