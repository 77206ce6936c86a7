"""The power fails at the worst moments: as the first byte of a post leaves.

A real `crosspost daemon --once` runs under strace, which tells every write, sync and send in order.
From that is made what the disk would hold had the power failed just then: all that was synced, and
of the rest nothing, or only some by chance. SQLite opens each of these disks, and must find the
intent to publish: without it the post would be sent a second time. strace comes from Debian's
packages.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kill_rig import HERE, Plan, _Office, _Platform, environment

from crosspost.sqlite import driver

#: What is told: whatever changes a file, makes it durable, or leaves the machine.
CALLS = "pwrite64,write,ftruncate,fsync,fdatasync,sendto,sendmsg"
PROGRAM = """
import sys
sys.path.insert(0, {here!r})
import journals
journals.{journal}()
if {sabotage!r}:
    import sabotage
    getattr(sabotage, {sabotage!r})()
from crosspost.cli import main
sys.argv[1:] = ["daemon", "--once"]
main()
"""
#: A call of one thread, as strace writes it down, whole or where it begins.
_LINE = re.compile(r"(?P<thread>\d+)\s+(?P<call>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<thread>\d+)\s+<\.\.\. (?P<call>\w+) resumed>")
_FILE = re.compile(r"\d+<(?P<path>[^>]*)>")
_TEXT = re.compile(r'"(?P<hex>(?:\\x[0-9a-f]{2})*)"')
_SIZES = re.compile(r", (?P<count>\d+)(?:, (?P<offset>\d+))?\)?(?: = | <unfinished|$)")


_STATUS = (
    "SELECT d.status FROM delivery d JOIN part p ON p.delivery_id = d.id WHERE p.payload LIKE ?"
)


@dataclass
class Disk:
    """Files as programs see them, and as they are on the disk. `lazy` are writes that no sync has
    made durable yet: (file, offset, bytes), or (file, size, None) for a truncation."""

    seen: dict[str, bytearray]
    synced: dict[str, bytearray] = field(default_factory=dict)
    lazy: list[tuple[str, int, bytes | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.synced = {name: bytearray(content) for name, content in self.seen.items()}

    def change(self, name: str, offset: int, data: bytes | None) -> None:
        """A write, or a truncation to `offset` bytes."""
        _apply(self.seen, name, offset, data)
        self.lazy.append((name, offset, data))

    def sync(self, name: str) -> None:
        """What was written to this file is durable now."""
        self.synced[name] = bytearray(self.seen.get(name, b""))
        self.lazy = [change for change in self.lazy if change[0] != name]

    def after_power_loss(self, chance: random.Random | None) -> dict[str, bytearray]:
        """What is there after the power failed now: of what was not synced nothing, or some."""
        files = {name: bytearray(content) for name, content in self.synced.items()}
        for name, offset, data in self.lazy:
            if chance is not None and chance.random() < 0.5:
                _apply(files, name, offset, data)
        return files


def _apply(files: dict[str, bytearray], name: str, offset: int, data: bytes | None) -> None:
    content = files.setdefault(name, bytearray())
    end = offset + len(data or b"")
    content.extend(bytes(max(0, end - len(content))))
    if data is None:
        del content[offset:]
    else:
        content[offset:end] = data


@dataclass(frozen=True)
class Loss:
    """One failure of the power that would have broken a promise."""

    text: str
    status: str


def run(
    folder: Path, *, journal: str = "wal", deliveries: int = 12, sabotage: str = ""
) -> tuple[int, list[Loss]]:
    """How many failures of the power were tried, and those that a post would not have survived.
    `journal` is a name of `journals.py`."""
    plan = Plan(deliveries=deliveries, faults=0.0)
    with _Platform(folder / "platform.jsonl", plan) as platform:
        office = _Office(plan, folder, platform.url)
        office.enqueue(deliveries, random.Random(plan.seed))
        office.database.close()
        disk = Disk({p.name: bytearray(p.read_bytes()) for p in folder.glob("crosspost.db*")})
        trace = folder / "trace"
        _daemon_under_strace(folder, trace, journal, sabotage)
    chance = random.Random(plan.seed)
    tried, lost = 0, []
    for text in _Trace(disk).sends(trace):
        for luck in (None, chance, chance):
            tried += 1
            status = _status_of(disk.after_power_loss(luck), text, folder / "after")
            if status != "publishing":
                lost.append(Loss(text, status))
    return tried, lost


def _daemon_under_strace(folder: Path, trace: Path, journal: str, sabotage: str) -> None:
    program = PROGRAM.format(here=str(HERE), journal=journal, sabotage=sabotage)
    strace = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", trace]
    done = subprocess.run(
        [*strace, sys.executable, "-c", program],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


class _Trace:
    """What strace wrote down, line by line, done to a disk."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.syncing: dict[str, str] = {}  # thread -> the file whose sync it waits for
        self.asking: dict[str, bytes] = {}  # thread -> the head of the request that it sends

    def sends(self, trace: Path) -> Iterator[str]:
        """The texts of posts as they leave, each when the disk is as it was then."""
        with trace.open() as lines:
            for line in lines:
                if resumed := _RESUMED.match(line):
                    name = self.syncing.pop(resumed["thread"], None)
                    if name is not None and line.rstrip().endswith("= 0"):
                        self.disk.sync(name)
                elif call := _LINE.match(line):
                    yield from self._one(call)

    def _one(self, call: re.Match[str]) -> Iterator[str]:
        thread, rest, name = call["thread"], call["rest"], _name(call["rest"])
        match call["call"]:
            case "sendto" | "sendmsg":
                sent = b"".join(_bytes(text) for text in _TEXT.finditer(rest))
                if head := re.match(rb"[A-Z]+ /\w+", sent):
                    self.asking[thread] = head[0]
                found = re.search(rb'"text": "(Notice \d+ part \d+)"', sent)
                if found and self.asking[thread] == b"POST /publish":
                    yield found[1].decode()
            case "pwrite64" | "ftruncate" if name:
                self._change(name, rest)
            case "fsync" | "fdatasync" if name and "<unfinished" in rest:
                self.syncing[thread] = name
            case "fsync" | "fdatasync" if name:
                self.disk.sync(name)
            case "write" if name:
                raise AssertionError("SQLite works in a way that is not understood here")

    def _change(self, name: str, rest: str) -> None:
        data, sizes = _TEXT.search(rest), _SIZES.search(rest)
        assert sizes is not None, rest[-100:]
        if data is None:
            self.disk.change(name, int(sizes["count"]), None)
        else:
            self.disk.change(name, int(sizes["offset"]), _bytes(data))


def _bytes(text: re.Match[str]) -> bytes:
    return bytes.fromhex(text["hex"].replace("\\x", ""))


def _name(rest: str) -> str:
    """The database file, or one beside it, that a call is about; "" for any other."""
    found = _FILE.match(rest)
    if found is None:
        return ""
    path = found["path"]
    if "\\x" in path:
        path = bytes.fromhex(path.replace("\\x", "")).decode()
    name = path.rpartition("/")[2]
    return name if name in ("crosspost.db", "crosspost.db-journal", "crosspost.db-wal") else ""


def _status_of(files: dict[str, bytearray], text: str, place: Path) -> str:
    """The status of the delivery with this part, as SQLite recovers it from these files."""
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for name, content in files.items():
        if not name.endswith("-shm"):
            (place / name).write_bytes(content)
    connection = driver().connect(place / "crosspost.db")
    try:
        [whole] = connection.execute("PRAGMA integrity_check").fetchone()
        if whole != "ok":
            return f"damaged: {whole}"
        row = connection.execute(_STATUS, (f'%"{text}"%',)).fetchone()
        return row[0] if row else "gone"
    except driver().DatabaseError as error:
        return f"damaged: {error}"
    finally:
        connection.close()
