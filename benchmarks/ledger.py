"""The ledger at size: verify, seal, prove and export N entries, each as a whole process.

`python benchmarks/ledger.py [N]`, by default 100 000. Beside them, as the floor, what SHA-256 alone
takes in this Python for the same tree: one hash a leaf and one a node.
"""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from crosspost.database import Database
from crosspost.ledger import book
from crosspost.ledger.canonical import canonical
from crosspost.ledger.hashing import leaf_hash, new_salt, salted_digest
from crosspost.ledger.sealing import found_ledger
from crosspost.ledger.tree import root_of
from crosspost.migrations import upgrade
from crosspost.tables import LedgerEntry, LedgerNote

APPENDED = 2_000
AT_ONCE = 10_000
START = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = '[office]\nname = "Bench"\nlanguage = "en"\n[site]\nurl = "https://bench.example"\n'


def act(index: int) -> book.Act:
    """An entry like those of a real delivery; every tenth has a person's reason."""
    return book.Act(
        kind="published" if index % 10 == 9 else "claimed",
        by="daemon@bench:1234",
        at=START + timedelta(seconds=index),
        announcement=index // 50 + 1,
        revision=1,
        delivery=index // 5 + 1,
        channel="mastodon-main",
        data={"attempt": 1, "permalink": f"https://bench.example/@office/{index}"},
        note="The date was wrong." if index % 10 == 0 else "",
    )


def append_some(database: Database) -> float:
    """Microseconds to append one entry as crosspost does, many in one transaction."""
    begin = time.perf_counter()
    with database.write() as session:
        for index in range(APPENDED):
            book.append(session, act(index))
    return (time.perf_counter() - begin) / APPENDED * 1e6


def fill(database: Database, count: int) -> None:
    """The rest of the entries in bulk: the same rows, without a query for each."""
    for first in range(APPENDED, count, AT_ONCE):
        pairs = [row(index) for index in range(first, min(first + AT_ONCE, count))]
        with database.write() as session:
            session.execute(insert(LedgerEntry), [entry for entry, _ in pairs])
            session.execute(insert(LedgerNote), [note for _, note in pairs if note])


def row(index: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The rows of one entry and its note."""
    made = act(index)
    salt = new_salt()
    entry = canonical(book.entry_of(made, salted_digest(salt, made.note) if made.note else ""))
    columns = {"kind": made.kind, "at": made.at, "by": made.by}
    columns |= {"announcement_id": made.announcement, "delivery_id": made.delivery}
    note = {"id": index, "note": made.note, "salt": salt} if made.note else None
    return {"id": index, "entry": entry, "leaf": leaf_hash(entry), **columns}, note


def floor(count: int) -> float:
    """Seconds for the hashes alone."""
    begin = time.perf_counter()
    for _ in range(2 * count):
        hashlib.sha256(bytes(65)).digest()
    return time.perf_counter() - begin


def hash_only(count: int) -> float:
    """Seconds for the root over leaves that are in memory."""
    leaves = [bytes(32)] * count
    begin = time.perf_counter()
    root_of(leaves)
    return time.perf_counter() - begin


def run(folder: Path, *arguments: str) -> str:
    """A command as a process: its wall time, its processor time and its peak memory (Linux)."""
    program = (
        "import atexit, pathlib, sys; sys.argv = ['crosspost', *sys.argv[1:]]\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "atexit.register(lambda: pathlib.Path('peak').write_text(status.read_text()))\n"
        "from crosspost.cli import main; main()"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, check=True, capture_output=True
    )
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # VmHWM, not ru_maxrss: the latter begins with what this process had before exec
    peak = int((folder / "peak").read_text().split("VmHWM:")[1].split()[0]) / 1024
    return f"{wall:7.2f} s  ({processor:.2f} s of processor)  {peak:4.0f} MB"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "crosspost.toml").write_text(CONFIG)
        database = Database(f"sqlite:///{folder / 'crosspost.db'}")
        upgrade(database)
        print(f"{count} entries, {append_some(database):.0f} µs to append one")
        fill(database, count)
        found_ledger(database, folder, "bench.example/ledger")
        with database.write() as session:
            book.append(session, act(count))
        database.close()
        proved = str(count // 2)
        print(f"hashes alone        {floor(count):7.2f} s")
        print(f"root from leaves    {hash_only(count):7.2f} s")
        print(f"log seal            {run(folder, 'log', 'seal')}")
        print(f"log verify          {run(folder, 'log', 'verify')}")
        print(f"log prove           {run(folder, 'log', 'prove', '--entry', proved)}")
        proof = folder / f"entry-{proved}.tlog-proof"
        print(f"verify one proof    {run(folder, 'verify', proof.name, '--key', 'ledger.vkey')}")
        print(f"size of the proof   {proof.stat().st_size:7} bytes")
        print(f"log export          {run(folder, 'log', 'export', 'out')}")
        print(f"verify the export   {run(folder, 'verify', 'out', '--key', 'ledger.vkey')}")


if __name__ == "__main__":
    main()
