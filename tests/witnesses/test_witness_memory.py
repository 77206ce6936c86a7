"""A witness never cosigns two trees of one size, whatever happens to it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from crosspost import durable
from crosspost.errors import Conflict, Undecided, UserError
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.note import new_signer
from crosspost.witnesses import memory as room
from crosspost.witnesses.cosignature import cosignatures
from crosspost.witnesses.memory import Cosigned, Memory
from crosspost.witnesses.protocol import Refusal, Request, submitted

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def size_of(memory: Memory, log) -> int:
    last = memory.last(log.signer.name, log.logs)
    return last.checkpoint.size if last else 0


def test_a_log_that_grows_is_cosigned_step_by_step(memory, log):
    for old, size in ((0, 3), (3, 4), (4, 9), (9, 9)):
        request = log.request(old, size)
        given = memory.add(request, log.logs, NOW)
        [found] = cosignatures(request.note + given.line, [memory.witness()])
        assert found.at == NOW
        assert size_of(memory, log) == size


def test_what_is_remembered_is_the_log_s_note_with_our_cosignature_and_nobody_else_s(memory, log):
    other = new_signer("somebody.example")
    request = log.request(0, 3)
    theirs = other.sign(submitted(request.note, log.logs).text).split(b"\n\n")[1]
    given = memory.add(Request(0, (), request.note + theirs), log.logs, NOW)
    assert memory.note_of(log.signer.name) == request.note + given.line


def test_a_rollback_is_refused_and_changes_nothing(memory, log):
    memory.add(log.request(0, 9), log.logs, NOW)
    assert memory.add(log.request(0, 4), log.logs, NOW) == Refusal(409, "9")
    assert memory.add(log.request(9, 4), log.logs, NOW).status == 400
    assert size_of(memory, log) == 9
    assert memory.forks(log.logs) == []  # an old checkpoint is no proof of anything


@pytest.mark.parametrize("old", [9, 0, 5])
def test_a_fork_is_refused_and_the_proof_is_kept_once(memory, log, old):
    """However the request is dressed up."""
    memory.add(log.request(0, 9), log.logs, NOW)
    refused = memory.add(Request(old, (), log.note(9, "x")), log.logs, NOW)
    assert refused.status in (409, 422)
    assert refused.forked
    [fork] = memory.forks(log.logs)
    assert fork.one.read_bytes() == log.note(9)
    assert fork.other.read_bytes() == log.note(9, "x")
    again = memory.add(Request(9, (), log.note(9, "y")), log.logs, NOW)
    assert not again.forked
    assert fork.other.read_bytes() == log.note(9, "x")
    assert isinstance(memory.add(log.request(9, 10), log.logs, NOW), Cosigned)  # the first history


def test_another_history_of_more_entries_is_refused(memory, log):
    memory.add(log.request(0, 5), log.logs, NOW)
    assert memory.add(log.request(5, 8, "x"), log.logs, NOW).status == 422
    assert memory.add(Request(5, (), log.note(8)), log.logs, NOW).status == 422
    assert size_of(memory, log) == 5


def test_only_known_logs_with_their_own_keys_are_cosigned(memory, log):
    stranger = new_signer(log.signer.name)
    forged = Checkpoint(log.signer.name, 3, log.tree(3).root()).signed(stranger)
    assert memory.add(Request(0, (), forged), log.logs, NOW).status == 403
    assert memory.add(log.request(0, 3), {}, NOW).status == 404
    broken = log.note(3)[:-8] + b"AAAAAA=\n"
    assert memory.add(Request(0, (), broken), log.logs, NOW).status in (400, 403)
    assert memory.add(Request(0, (), b"nothing"), log.logs, NOW).status == 400
    words = log.signer.sign(f"{log.signer.name}\nfiles\n")
    assert memory.add(Request(0, (), words), log.logs, NOW).status == 400
    assert memory.note_of(log.signer.name) is None


def test_a_log_that_changed_its_key_goes_on(memory, log):
    memory.add(log.request(0, 3), log.logs, NOW)
    new = new_signer(log.signer.name)
    both = {log.signer.name: [log.signer.verifier, new.verifier]}
    request = log.request(3, 5)
    later = Checkpoint(log.signer.name, 5, log.tree(5).root()).signed(new)
    assert isinstance(memory.add(Request(3, request.proof, later), both, NOW), Cosigned)


def test_one_false_signature_of_a_known_key_condemns_the_note(memory, log):
    """However good the other one is (C2SP tlog-witness: 403)."""
    new = new_signer(log.signer.name)
    both = {log.signer.name: [log.signer.verifier, new.verifier]}
    text = submitted(log.note(3), log.logs).text
    false = new.sign(text.replace("3", "4")).split(b"\n\n")[1]
    for note in (
        log.note(3) + false,
        text.encode() + b"\n" + false + log.note(3).split(b"\n\n")[1],
    ):
        assert memory.add(Request(0, (), note), both, NOW).status == 403
    assert memory.note_of(log.signer.name) is None


def test_what_was_cosigned_and_cannot_be_read_is_not_taken_for_nothing(memory, log):
    """Else a broken disk would let a log begin anew."""
    memory.add(log.request(0, 9), log.logs, NOW)
    path = memory.path_of(log.signer.name)
    whole = path.read_bytes()
    for broken in (b"", whole[:40], whole.replace(b"\n9\n", b"\n8\n")):
        path.write_bytes(broken)
        with pytest.raises(Undecided):
            memory.add(log.request(0, 4, "x"), log.logs, NOW)
    path.write_bytes(whole)
    assert isinstance(memory.add(log.request(9, 10), log.logs, NOW), Cosigned)


def test_nothing_is_given_out_when_the_disk_refuses(memory, log, monkeypatch):
    memory.add(log.request(0, 3), log.logs, NOW)

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "write_durably", full)
    with pytest.raises(UserError, match="the disk is full"):
        memory.add(log.request(3, 4), log.logs, NOW)
    monkeypatch.undo()
    assert size_of(memory, log) == 3
    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(UserError, match="the disk is full"):
        memory.add(log.request(3, 4), log.logs, NOW)
    monkeypatch.undo()
    assert size_of(memory, log) in (3, 4)


def test_a_cosignature_is_on_the_disk_before_it_is_given_out(memory, log, monkeypatch):
    stored = []
    real = room.make_durable

    def seen(path):
        stored.append(memory.note_of(log.signer.name))
        real(path)

    monkeypatch.setattr(room, "make_durable", seen)
    given = memory.add(log.request(0, 3), log.logs, NOW)
    assert stored == [log.note(3) + given.line]


def test_the_same_again_costs_no_writing_within_a_minute(memory, log):
    first = memory.add(log.request(0, 3), log.logs, NOW)
    before = memory.path_of(log.signer.name).stat().st_mtime_ns
    assert memory.add(log.request(3, 3), log.logs, NOW + timedelta(seconds=50)) == first
    assert memory.path_of(log.signer.name).stat().st_mtime_ns == before
    assert memory.add(log.request(3, 3), log.logs, NOW + timedelta(seconds=70)) != first
    back = memory.add(log.request(3, 3), log.logs, NOW)  # the clock was set back
    assert isinstance(back, Cosigned)


def test_of_two_histories_at_once_one_is_cosigned(memory, log):
    """Looking and storing are one act, whoever else is at it."""
    given, begin = [], threading.Barrier(8)

    def submit(mark: str) -> None:
        begin.wait(10)
        other = Memory(memory.folder)  # as another process has it
        answer = other.add(log.request(0, 9, mark), log.logs, NOW)
        if isinstance(answer, Cosigned):
            given.append(mark)

    threads = [threading.Thread(target=submit, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(given) == 1


PROGRAM = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from crosspost import durable
from crosspost.ledger.note import read_verifier
from crosspost.witnesses.memory import Memory
from crosspost.witnesses.protocol import read_request

at, count = int(sys.argv[1]), 0
def step(real):
    def counted(*a, **k):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), 9)
        return real(*a, **k)
    return counted
for name in ("open", "fsync", "replace", "close"):
    setattr(os, name, step(getattr(os, name)))
Path.replace = step(Path.replace)
Path.unlink = step(Path.unlink)
memory = Memory(Path(sys.argv[2]))
key = read_verifier(sys.argv[3])
request = read_request(Path(sys.argv[4]).read_bytes())
answer = memory.add(request, {key.name: [key]}, datetime.fromtimestamp(1795424400, UTC))
sys.stdout.buffer.write(getattr(answer, "line", b""))
sys.stdout.buffer.flush()
os._exit(0)
"""


def test_a_witness_killed_at_any_step_never_cosigns_a_second_history(tmp_path, log):
    """What it gave out is remembered; what it did not give out may be either way."""
    ended = False
    for at in range(1, 60):
        memory = Memory(tmp_path / f"witness-{at}")
        memory.found("neighbour.example/witness")
        memory.add(log.request(0, 3), log.logs, NOW)
        (tmp_path / "request").write_bytes(log.request(3, 7).text())
        done = subprocess.run(
            [
                *(sys.executable, "-c", PROGRAM, str(at), str(memory.folder)),
                *(str(log.signer.verifier), str(tmp_path / "request")),
            ],
            capture_output=True,
            timeout=60,
        )
        size = size_of(memory, log)
        assert size in (3, 7)
        if done.stdout:
            assert size == 7
        other = memory.add(Request(size, (), log.note(7, "x")), log.logs, NOW)
        assert isinstance(other, Refusal)
        assert isinstance(memory.add(log.request(size, 7), log.logs, NOW), Cosigned)
        if done.returncode != -signal.SIGKILL:
            ended = bool(done.stdout)
            break
    assert ended, done.stderr.decode()
    assert at > 8, "it was hardly cut off anywhere"


def test_a_second_key_is_not_made_and_an_open_one_is_not_used(memory, log):
    with pytest.raises(Conflict):
        memory.found("neighbour.example/witness")
    memory.key.chmod(0o644)
    with pytest.raises(Undecided, match="chmod 600"):
        memory.add(log.request(0, 3), log.logs, NOW)
    assert memory.note_of(log.signer.name) is None
    memory.key.unlink()
    with pytest.raises(Conflict):
        memory.found("neighbour.example/witness")
    for name in ("", "a b", "a+b", "a\nb"):
        with pytest.raises(Undecided):
            Memory(memory.folder.parent / "other").found(name)


def test_a_witness_with_a_new_key_remembers_what_it_cosigned_with_the_old_one(memory, log):
    """Its key is moved away and another made, under another name; the checkpoints stay."""
    memory.add(log.request(0, 5), log.logs, NOW)
    before = memory.witness()
    memory.key.unlink()
    memory.vkey.unlink()
    memory.found("neighbour.example/witness-2")
    assert memory.add(log.request(0, 4, "x"), log.logs, NOW) == Refusal(409, "5")
    given = memory.add(log.request(5, 5), log.logs, NOW)
    [found] = cosignatures(log.note(5) + given.line, [memory.witness()])
    assert found.witness != before
