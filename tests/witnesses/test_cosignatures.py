"""What a witness signs, and who believes it (C2SP tlog-cosignature, tlog-witness)."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.tree import EMPTY_ROOT
from crosspost.witnesses.cosignature import (
    COSIGNATURE,
    Witness,
    WitnessSigner,
    believable,
    cosignatures,
    new_witness_signer,
    read_witness,
    read_witness_signer,
    read_witnesses,
    require_quorum,
)
from crosspost.witnesses.protocol import Refusal, Request, read_request, refusal, submitted

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SIGNER = WitnessSigner("witness.example/w1", b"\x07" * 32)
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#: The example request of the specification (C2SP tlog-witness, CC BY 4.0).
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501


def note(*lines: bytes) -> bytes:
    return TEXT.encode() + b"\n" + b"".join(lines)


def test_the_message_that_is_signed_is_that_of_the_specification(tmp_path):
    """The example of tlog-cosignature, verified by OpenSSL under the raw key."""
    at = datetime.fromtimestamp(1679315147, UTC)
    raw = base64.b64decode(SIGNER.cosign(TEXT, at).split()[-1])
    message = f"cosignature/v1\ntime 1679315147\n{TEXT}"
    der = bytes.fromhex("302a300506032b6570032100") + SIGNER.witness.public
    (tmp_path / "key.der").write_bytes(der)
    (tmp_path / "message").write_text(message)
    (tmp_path / "signature").write_bytes(raw[12:])
    assert int.from_bytes(raw[4:12]) == 1679315147
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.der", "-keyform", "DER"]
    command += ["-rawin", "-in", "message", "-sigfile", "signature"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert "Verified Successfully" in done.stdout


def test_a_cosignature_holds_with_its_time_and_nothing_else_does():
    line = SIGNER.cosign(TEXT, NOW)
    [found] = cosignatures(note(line), [SIGNER.witness])
    assert (found.at, found.witness, found.line()) == (NOW, SIGNER.witness, line)
    raw = found.raw
    for place in range(4, len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert SIGNER.witness.time_of(changed, TEXT) is None
    for text in (TEXT.replace("20852163", "20852164"), TEXT + "more\n"):
        assert SIGNER.witness.time_of(raw, text) is None


def test_a_cosignature_without_time_or_of_a_time_that_no_clock_shows_does_not_hold():
    key = Ed25519PrivateKey.from_private_bytes(SIGNER.seed)
    for seconds in (0, 2**63 - 1, 2**64 - 1):
        made = key.sign(f"cosignature/v1\ntime {seconds}\n{TEXT}".encode())
        raw = SIGNER.witness.key_id + seconds.to_bytes(8) + made
        assert SIGNER.witness.time_of(raw, TEXT) is None


def test_the_signature_of_a_ledger_by_the_same_key_is_no_cosignature():
    """The kinds are told apart by the key's number, and by what is signed."""
    from crosspost.ledger.note import Signer

    plain = Signer(SIGNER.name, SIGNER.seed).sign(TEXT)
    assert cosignatures(plain, [SIGNER.witness]) == []
    assert Signer(SIGNER.name, SIGNER.seed).verifier.key_id != SIGNER.witness.key_id


def test_lines_of_others_are_passed_over_and_a_false_one_of_a_known_witness_refutes():
    line, other = SIGNER.cosign(TEXT, NOW), new_witness_signer("witness.example/w2")
    theirs = other.cosign(TEXT, NOW)
    assert [c.witness for c in cosignatures(note(line, theirs), [SIGNER.witness])] == [
        SIGNER.witness
    ]
    wrong = SIGNER.cosign(TEXT.replace("2085", "2086"), NOW)
    with pytest.raises(Refuted):
        cosignatures(note(theirs, wrong), [SIGNER.witness])
    with pytest.raises(Refuted):
        cosignatures(note(line, wrong), [SIGNER.witness])


def test_of_two_by_one_witness_the_newest_counts_and_counts_once():
    lines = [SIGNER.cosign(TEXT, NOW + timedelta(hours=h)) for h in (0, 2, 1)]
    [found] = cosignatures(note(*lines), [SIGNER.witness])
    assert found.at == NOW + timedelta(hours=2)


def test_a_time_to_come_is_not_believed():
    [found] = cosignatures(note(SIGNER.cosign(TEXT, NOW)), [SIGNER.witness])
    assert believable([found], NOW - timedelta(minutes=4)) == [found]
    assert believable([found], NOW - timedelta(hours=1)) == []


def test_fewer_than_the_quorum_are_too_few():
    [found] = cosignatures(note(SIGNER.cosign(TEXT, NOW)), [SIGNER.witness])
    require_quorum([found], 2, 1)
    with pytest.raises(Undecided, match="only 1 of 2 witnesses"):
        require_quorum([found], 2, 2)


def test_keys_are_read_as_they_are_written_and_those_of_ledgers_are_refused():
    from crosspost.ledger.note import new_signer

    assert read_witness(str(SIGNER.witness)) == SIGNER.witness
    assert read_witness_signer(SIGNER.secret).seed == SIGNER.seed
    for bad in (str(new_signer("log.example").verifier), "", "a+b+c", str(SIGNER.witness)[:-1]):
        with pytest.raises(Undecided):
            read_witness(bad)
    with pytest.raises(Undecided) as told:
        read_witness_signer(SIGNER.secret[:-2])
    assert SIGNER.secret[30:50] not in str(told.value)
    assert base64.b64decode(str(SIGNER.witness).split("+", 2)[2])[:1] == COSIGNATURE


def test_a_file_has_a_key_a_line_or_is_an_identity():
    vkey = str(SIGNER.witness)
    assert read_witnesses(f"{vkey}\n\n {vkey} \n") == [SIGNER.witness] * 2
    assert read_witnesses(json.dumps({"witnesses": [vkey]})) == [SIGNER.witness]
    for bad in (
        "{",
        "{}",
        '{"witnesses": 3}',
        '{"witnesses": ["x"]}',
        '{"witnesses": {"a": 1}}',
        "x",
    ):
        with pytest.raises(Undecided):
            read_witnesses(bad)


def test_a_known_bad_point_as_a_key_verifies_nothing():
    assert Witness("x", b"\xff" * 32).time_of(b"\0" * 76, TEXT) is None


# --- what is asked --------------------------------------------------------------------------------


def test_the_request_of_the_specification_is_read_and_written():
    request = read_request(EXAMPLE.encode())
    assert (request.old, len(request.proof)) == (20852014, 4)
    assert request.text() == EXAMPLE.encode()
    assert submitted(request.note, {}) == Refusal(404, "unknown log")


@pytest.mark.parametrize(
    "body",
    [
        *(
            "",
            "old 1",
            "old 1\n",
            "old 01\n\nx",
            "old -1\n\nx",
            "old x\n\nx",
            "1\n\nx",
            "old  1\n\nx",
        ),
        *("old 1\nAAAA\n\nx", "old 1\n!\n\nx", f"old {2**63}\n\nx", "Old 1\n\nx", "old 1 \n\nx"),
        "old 1\n" + 64 * f"{'A' * 43}=\n" + "\nx",
        "old ١\n\nx",
    ],
)
def test_what_is_no_request_is_refused(body):
    with pytest.raises(ValueError, match=r"not a|can't decode"):
        read_request(body.encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_are_not(body):
    try:
        found = read_request(body)
    except ValueError:
        return
    assert found.text() == body


def point(size: int, mark: int = 0) -> Checkpoint:
    return Checkpoint("log.example", size, bytes([mark] * 32) if size else EMPTY_ROOT)


@pytest.mark.parametrize(
    ("old", "new", "last", "status"),
    [
        (0, point(0), None, None),
        (0, point(3), None, None),
        (0, point(3), point(0), None),
        (3, point(3), point(3), None),  # the same again
        (4, point(3), point(3), 400),  # a request that cannot be
        (0, point(3), point(3), 409),  # it must say what we know
        (2, point(3), None, 409),
        (0, point(2), point(3), 409),  # a rollback
        (2, point(2), point(3), 409),  # the same, told differently
        (3, point(2), point(3), 400),  # the same, told openly
        (3, point(3, 1), point(3), 422),  # a fork
        (3, point(4), point(3), 422),  # no proof
        (0, Checkpoint("log.example", 0, b"\1" * 32), None, 422),  # an empty tree with a root
    ],
)
def test_what_may_be_cosigned(old, new, last, status):
    found = refusal(Request(old, (), b""), new, last)
    assert (found.status if found else None) == status


def test_a_conflict_tells_the_size_that_was_cosigned():
    found = refusal(Request(0, (), b""), point(5), point(3))
    assert found == Refusal(409, "3")
    assert refusal(Request(2, (), b""), point(5), None) == Refusal(409, "0")


def test_a_proof_where_there_is_nothing_to_prove_is_refused():
    assert refusal(Request(0, (b"\0" * 32,), b""), point(3), None).status == 422
    assert refusal(Request(3, (b"\0" * 32,), b""), point(3), point(3)).status == 422


def test_every_honest_step_is_cosigned_and_no_step_from_another_history(log):
    for old in range(10):
        last = Checkpoint(log.signer.name, old, log.tree(old).root()) if old else None
        for size in range(old, 14):
            new = Checkpoint(log.signer.name, size, log.tree(size).root())
            request = log.request(old, size)
            assert refusal(request, new, last) is None
            if old:
                forged = Checkpoint(log.signer.name, size, log.tree(size, "x").root())
                found = refusal(log.request(old, size, "x"), forged, last)
                assert found is not None
                assert found.status == 422
