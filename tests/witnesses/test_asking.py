"""Asking witnesses: what they give is kept, what they say wrongly is not believed, and none that is
down hinders anything."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbours import answering, served

from crosspost.errors import ForkProven, Refuted, Undecided
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.note import read_signer
from crosspost.ledger.sealing import seal
from crosspost.witnesses import asking, standing
from crosspost.witnesses.asking import Asked, ask_and_keep
from crosspost.witnesses.concerns import concerns
from crosspost.witnesses.conflicts import require_no_conflict
from crosspost.witnesses.cosignature import cosignatures, new_witness_signer
from crosspost.witnesses.protocol import Request, read_request
from crosspost.witnesses.remembered import recall
from crosspost.witnesses.standing import Known


def now() -> datetime:
    return datetime.now(UTC)


def put(ours, url, witness, name="kominfo"):
    asked = Asked(name, url, witness)
    return ask_and_keep(ours.database, ours.folder, asked, ours.sealed(), now)


def known(ours, witness, name="kominfo") -> Known:
    with ours.database.read() as session:
        return recall(session, name, str(witness), now())


def shown(ours, *witnesses):
    return [one.witness for one in cosignatures(ours.box.shown_note(), witnesses)]


def test_a_witness_cosigns_the_head_as_it_grows(ours, memory):
    witness = memory.witness()
    with served(memory, ours.logs) as url:
        put(ours, url, witness)
        assert shown(ours, witness) == [witness]
        assert known(ours, witness).size == 12
        ours.grow(5)
        assert shown(ours, witness) == []  # the new head has none yet
        put(ours, url, witness)
    assert shown(ours, witness) == [witness]
    assert known(ours, witness).size == 17
    assert ours.sealed().note == ours.box.shown_note()


def test_what_the_database_forgot_the_witness_tells(ours, memory):
    """409 with its own size: the proof is made from there."""
    witness = memory.witness()
    with served(memory, ours.logs) as url:
        put(ours, url, witness)
        ours.grow(3)
        put(ours, url, witness, name="renamed")
    assert known(ours, witness, "renamed").size == 15


def test_several_cosign_one_head_and_each_line_stands_once(ours, memory, tmp_path):
    from crosspost.witnesses.memory import Memory

    other = Memory(tmp_path / "other")
    other.found("other.example/witness")
    with served(memory, ours.logs) as one, served(other, ours.logs) as two:
        for _ in range(2):
            put(ours, one, memory.witness())
            put(ours, two, other.witness(), "other")
    both = [memory.witness(), other.witness()]
    assert shown(ours, *both) == both
    assert ours.box.shown_note().count("— ".encode()) == 3


def test_a_cosignature_of_a_head_that_has_grown_meanwhile_is_not_put_under_the_new_one(
    ours, memory
):
    witness, before = memory.witness(), ours.sealed()
    ours.grow(1)
    with served(memory, ours.logs) as url:
        asked = Asked("kominfo", url, witness)
        ask_and_keep(ours.database, ours.folder, asked, before, now)
    assert ours.box.shown_note() == ours.box.head_note()
    assert known(ours, witness).size == 12


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SIGNER = new_witness_signer("witness.example")


def cosigned(ours, at=None) -> bytes:
    text = ours.box.head_note().decode().split("\n\n")[0] + "\n"
    return SIGNER.cosign(text, at or now())


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(404, b"")], "does not know this ledger"),
        ([(403, b"")], "another key"),
        ([(422, b""), (404, b"")], "does not continue"),
        ([(500, b"")], "HTTP status 500"),
        ([(302, b"")], "HTTP status 302"),
        ([(200, b"")], "no cosignature"),
        ([(200, b"<html>" * 100)], "no cosignature"),
        ([(200, b"\xff\xfe")], "no cosignature"),
        ([(200, "— witness.example AAAA\n".encode())], "no cosignature"),
        ([(409, b"")], "makes no sense"),
        ([(409, b"0\n")], "makes no sense"),  # it was asked from 0
        ([(409, b"-1\n")], "makes no sense"),
        ([(409, b"012\n")], "makes no sense"),
        ([(409, b"99999999999999999999\n")], "makes no sense"),
        ([(409, b"3\n"), (409, b"4\n"), (409, b"5\n"), (409, b"6\n")], "HTTP status 409"),
        ([(409, b"900\n"), (404, b"")], "it cosigned 900 entries"),
        ([(409, b"900\n"), (200, b"nonsense")], "it cosigned 900 entries"),
        ([(200, b"x" * 3_000_000)], "larger than"),
    ],
)
def test_a_witness_that_gives_none_is_told_and_left_alone_for_a_while(ours, answers, words):
    before = ours.box.shown_note()
    with answering(*answers) as (url, _), pytest.raises(Undecided, match=words):
        put(ours, url, SIGNER.witness)
    assert ours.box.shown_note() == before
    left = known(ours, SIGNER.witness)
    assert left.failures == 1
    assert words.split()[-1] in left.problem
    assert not standing.is_due(left, now(), cosigned=False)


def test_a_cosignature_by_another_key_of_another_text_or_of_a_time_to_come_is_not_kept(ours):
    other = new_witness_signer("witness.example")
    text = ours.box.head_note().decode().split("\n\n")[0] + "\n"
    late = cosigned(ours, now() + timedelta(hours=1))
    wrong = SIGNER.cosign(text.replace("12", "13"), now())
    for body, words in (
        (other.cosign(text, now()), "no cosignature by the key"),
        (wrong, "no cosignature that holds"),
        (late, "time to come"),
    ):
        with answering((200, body)) as (url, _), pytest.raises(Undecided, match=words):
            put(ours, url, SIGNER.witness)
    assert ours.box.shown_note() == ours.box.head_note()


def test_what_else_a_witness_sends_along_is_dropped(ours):
    others = new_witness_signer("stranger.example").cosign("x\n", now())
    with answering((200, others + cosigned(ours))) as (url, _):
        put(ours, url, SIGNER.witness)
    assert b"stranger" not in ours.box.shown_note()
    assert shown(ours, SIGNER.witness) == [SIGNER.witness]


def test_a_witness_that_never_answers_is_given_up(ours, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", (1.0, 0.3))
    with answering(None) as (url, _), pytest.raises(Undecided, match="in time"):
        put(ours, url, SIGNER.witness)
    with pytest.raises(Undecided, match="refuses the connection"):
        put(ours, "http://127.0.0.1:9", SIGNER.witness)


def test_the_request_holds_the_proof_from_what_the_witness_knows(ours):
    with answering((409, b"5\n"), (200, cosigned(ours))) as (url, bodies):
        put(ours, url, SIGNER.witness)
    first, second = map(read_request, bodies)
    assert (first.old, first.proof, second.old) == (0, (), 5)
    assert second.proof


# --- what a witness knows better ------------------------------------------------------------------


def rolled_back(ours, memory, url) -> None:
    """The whole office, head and all, is set back to 12 entries after the witness saw 15."""
    copy = shutil.copytree(ours.folder, ours.folder.parent / "copy")
    ours.grow(3)
    put(ours, url, memory.witness())
    ours.database.close()
    for path in copy.iterdir():
        shutil.copy(path, ours.folder)


def test_an_office_that_was_set_back_whole_is_told_by_its_witness_and_stops(ours, memory):
    """Neither the database nor the head can know; the proof is its own signature."""
    with served(memory, ours.logs) as url:
        rolled_back(ours, memory, url)
        with pytest.raises(Refuted, match="cosigned 15 entries, and the head has only 12"):
            put(ours, url, memory.witness())
        with ours.database.read() as session, pytest.raises(Refuted):
            require_no_conflict(session, ours.folder)
        ours.grow(3, "x")  # somebody goes on all the same: now it is a fork
        with pytest.raises(ForkProven):
            put(ours, url, memory.witness())
    with ours.database.read() as session:
        with pytest.raises(ForkProven):
            require_no_conflict(session, ours.folder)
        config = ours.config(kominfo=(url, str(memory.witness())))
        assert any(key.startswith("conflict/") for key in concerns(session, config, now()))


def test_a_conflict_is_settled_when_the_newer_copy_is_back(ours, memory):
    with served(memory, ours.logs) as url:
        rolled_back(ours, memory, url)
        with pytest.raises(Refuted):
            put(ours, url, memory.witness())
        ours.grow(3)  # the very same entries, as in the newer copy
        with ours.database.read() as session:
            require_no_conflict(session, ours.folder)
        put(ours, url, memory.witness())


def test_a_witness_cannot_stop_an_office_without_its_own_signature(ours):
    """Not with a checkpoint of somebody else, nor with an older one of ours."""
    forged = Checkpoint("office.example/ledger", 900, b"\1" * 32)
    mallory = new_witness_signer("office.example/ledger")
    from crosspost.ledger.note import Signer

    by_mallory = forged.signed(Signer(mallory.name, mallory.seed))
    for body in (by_mallory, ours.box.head_note()):
        with answering((409, b"900\n"), (200, body)) as (url, _), pytest.raises(Undecided):
            put(ours, url, SIGNER.witness)
    with ours.database.read() as session:
        require_no_conflict(session, ours.folder)


def test_a_second_history_that_a_witness_cosigned_proves_the_fork(ours):
    """Somebody used our key elsewhere, at a size that we had too."""
    signer = read_signer(ours.box.key.read_text())
    elsewhere = Checkpoint("office.example/ledger", 7, b"\7" * 32).signed(signer)
    answers = ((409, b"7\n"), (422, b""), (200, elsewhere))
    with answering(*answers) as (url, _), pytest.raises(ForkProven, match="history of 7"):
        put(ours, url, SIGNER.witness)
    [kept] = (ours.folder / "ledger.conflicts").iterdir()
    assert kept.read_bytes() == elsewhere


def test_a_conflict_of_a_ledger_that_was_here_before_stops_nothing(ours):
    place = ours.folder / "ledger.conflicts"
    place.mkdir()
    (place / "3-00.checkpoint").write_bytes(b"of another key")
    with ours.database.read() as session:
        require_no_conflict(session, ours.folder)


# --- when -----------------------------------------------------------------------------------------

KNOWN = Known("vkey", NOW)


def test_a_new_head_is_asked_for_at_once_and_the_same_one_after_hours():
    done = standing.worked(KNOWN, 12, NOW, NOW)
    assert standing.is_due(KNOWN, NOW, cosigned=False)
    assert standing.is_due(done, NOW, cosigned=False)
    assert not standing.is_due(done, NOW + timedelta(hours=5), cosigned=True)
    assert standing.is_due(done, NOW + timedelta(hours=7), cosigned=True)


def test_one_that_fails_is_asked_less_and_less_often_but_each_hour():
    waits, known_now, at = [], KNOWN, NOW
    for _ in range(12):
        known_now = standing.failed(known_now, "down", at)
        wait = standing.wait(known_now.failures)
        assert not standing.is_due(known_now, at + wait - timedelta(seconds=1), cosigned=False)
        at += wait
        assert standing.is_due(known_now, at, cosigned=False)
        waits.append(wait)
    assert waits[0] == timedelta(minutes=1)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)
    assert standing.worked(known_now, 3, at, at).failures == 0


def test_a_clock_that_went_back_does_not_silence_the_asking():
    for known_now in (standing.failed(KNOWN, "x", NOW), standing.worked(KNOWN, 1, NOW, NOW)):
        assert standing.is_due(known_now, NOW - timedelta(days=30), cosigned=True)


def test_after_a_day_without_a_cosignature_somebody_must_know():
    assert not standing.is_silent(KNOWN, NOW + timedelta(hours=23))
    assert standing.is_silent(KNOWN, NOW + timedelta(hours=24))
    later = standing.worked(KNOWN, 1, NOW, NOW + timedelta(hours=20))
    assert not standing.is_silent(later, NOW + timedelta(hours=43))
    assert standing.is_silent(standing.failed(later, "x", NOW), NOW + timedelta(hours=44))


@settings(max_examples=50)
@given(st.integers(0, 2**63), st.text(max_size=20), st.integers(0, 99), st.text(max_size=20))
def test_what_is_known_is_read_as_it_was_written(size, vkey, failures, value):
    one = Known(vkey, NOW, size, NOW, None, NOW, failures, value)
    assert standing.read_known(one.json(), vkey, NOW) == one
    assert standing.read_known(value, "other", NOW) == Known("other", NOW)
    assert standing.read_known(one.json(), vkey + "x", NOW) == Known(vkey + "x", NOW)


def test_a_silent_witness_is_told_with_its_reason(ours):
    config = ours.config(kominfo=("http://127.0.0.1:9", str(SIGNER.witness)))
    with pytest.raises(Undecided):
        put(ours, "http://127.0.0.1:9", SIGNER.witness)
    with ours.database.read() as session:
        assert concerns(session, config, now()) == {}
        found = concerns(session, config, now() + timedelta(days=1, minutes=1))
    [words] = found.values()
    assert "kominfo has not cosigned the record since" in words
    assert "refuses the connection" in words


def test_sealing_goes_on_with_a_damaged_file_of_cosignatures(ours, memory):
    ours.box.cosigned.write_bytes(ours.box.head_note() + b"\xff broken")
    assert ours.sealed().note == ours.box.head_note()
    bad = SIGNER.cosign("another\n", now())
    ours.box.cosigned.write_bytes(ours.box.head_note() + bad)
    with answering((200, cosigned(ours))) as (url, _):
        put(ours, url, SIGNER.witness)
    assert shown(ours, SIGNER.witness) == [SIGNER.witness]
    assert seal(ours.database, ours.folder).size == 12


def test_a_proof_in_hand_carries_the_cosignatures(ours, memory):
    from crosspost.ledger import evidence
    from crosspost.ledger.proof import read_proof

    with served(memory, ours.logs) as url:
        put(ours, url, memory.witness())
    with ours.database.read() as session:
        [proof] = evidence.prove(session, ours.folder, [3])
    again = read_proof(proof.text())
    assert again.check(ours.box.verifier()).size == 12
    assert cosignatures(again.note, [memory.witness()])
    assert len(proof.text()) < 2048


def test_an_export_carries_cosignatures_and_time_stamps(ours, memory, tmp_path):
    from crosspost.exporting import export
    from crosspost.ledger.keys import Keys
    from crosspost.ledger.verifying import verify

    with served(memory, ours.logs) as url:
        put(ours, url, memory.witness())
    stamps = ours.folder / "ledger.stamps"
    stamps.mkdir()
    for name in ("12.checkpoint", "12.tsr", "900.checkpoint", "900.tsr"):
        (stamps / name).write_bytes(name.encode())
    export(ours.database, ours.config(), tmp_path / "out")
    found = verify(tmp_path / "out", Keys.of(ours.box.verifier()))
    assert cosignatures(found.note, [memory.witness()])
    assert sorted(path.name for path in (tmp_path / "out" / "stamps").iterdir()) == [
        "12.checkpoint",
        "12.tsr",
    ]
    (tmp_path / "out" / "stamps" / "12.tsr").write_bytes(b"another")
    with pytest.raises(Refuted):
        verify(tmp_path / "out", Keys.of(ours.box.verifier()))


def test_the_time_that_a_slow_witness_takes_is_bounded(ours, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", (1.0, 0.2))
    began = time.monotonic()
    with answering((409, b"3\n"), None) as (url, _), pytest.raises(Undecided):
        put(ours, url, SIGNER.witness)
    assert time.monotonic() - began < 10


def test_a_request_is_never_larger_than_a_witness_reads(ours):
    from crosspost.witnesses.serving import MOST_BYTES

    longest = Request(2**62, (b"\0" * 32,) * 63, ours.box.head_note())
    assert len(longest.text()) < MOST_BYTES
