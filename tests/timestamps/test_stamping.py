"""Time stamps by an authority that we did not write, honest and not."""

from __future__ import annotations

import builtins
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from authority import Authority, serving

from crosspost.errors import Refuted, Undecided, UserError
from crosspost.timestamps import stamping, tokens
from crosspost.timestamps.kept import kept
from crosspost.witnesses.concerns import concerns, examined
from crosspost.witnesses.standing import Known, failed, worked

DATA = b"office.example/ledger\n3\n...\n"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def roots(authority: Authority):
    return tokens.read_roots(authority.root.read_bytes())


def honest(authority: Authority):
    return lambda query: (200, authority.answer(query))


@pytest.fixture(scope="module")
def asked(authority):
    """A query and its honest answer."""
    query = tokens.query(DATA)
    return query, authority.answer(query.as_bytes())


def test_an_honest_stamp_holds_and_tells_time_and_authority(authority, asked):
    query, token = asked
    found = tokens.verify(token, DATA, roots(authority), query)
    assert found == tokens.verify(token, DATA, roots(authority))
    assert abs(found.at - now()) < timedelta(minutes=5)
    assert found.authority == "CN=Contoh TSA"


def test_a_stamp_of_other_data_or_with_another_nonce_is_refuted(authority, asked):
    query, token = asked
    with pytest.raises(Refuted, match="Mismatch"):
        tokens.verify(token, DATA + b"x", roots(authority), query)
    with pytest.raises(Refuted, match="Nonce"):
        tokens.verify(token, DATA, roots(authority), tokens.query(DATA))


def test_a_stamp_by_another_authority_is_refuted(asked, tmp_path):
    query, token = asked
    other = Authority(tmp_path / "other", name="Contoh TSA")  # of the same name
    with pytest.raises(Refuted, match="does not lead to the root"):
        tokens.verify(token, DATA, roots(other), query)


def test_a_certificate_for_another_use_makes_no_stamp(tmp_path):
    """`openssl ts` refuses to sign with it: so it is put in the place of a good one of the same key
    (RSA: signatures of one length)."""
    bad = Authority(tmp_path / "bad", key=("rsa:2048",))
    settings = bad.folder / "ts.cnf"
    settings.write_text(
        settings.read_text().replace("critical,timeStamping", "critical,codeSigning")
    )
    bad.openssl(
        *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
        *("-out", "other.pem", "-extfile", "ts.cnf", "-extensions", "tsa_ext"),
        *("-set_serial", "0x" + serial_of(bad)),
    )
    query = tokens.query(DATA)
    token = bad.answer(query.as_bytes())
    good, other = der_of(bad, "tsa.pem"), der_of(bad, "other.pem")
    assert len(good) == len(other)
    assert good in token
    tokens.verify(token, DATA, roots(bad), query)
    with pytest.raises(Refuted, match="for another use"):
        tokens.verify(token.replace(good, other), DATA, roots(bad), query)


def serial_of(authority: Authority) -> str:
    said = authority.openssl("x509", "-in", "tsa.pem", "-noout", "-serial")
    return said.strip().partition("=")[2]


def der_of(authority: Authority, name: str) -> bytes:
    authority.openssl("x509", "-in", name, "-outform", "DER", "-out", "out.der")
    return (authority.folder / "out.der").read_bytes()


def test_every_byte_changed_gives_a_verdict_and_never_another_time(authority, asked):
    query, token = asked
    found = tokens.verify(token, DATA, roots(authority), query)
    for place in range(0, len(token), 3):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        with suppress(Refuted, Undecided):
            assert tokens.verify(changed, DATA, roots(authority), query) == found
    for length in range(0, len(token), 31):
        with pytest.raises((Refuted, Undecided)):
            tokens.verify(token[:length], DATA, roots(authority), query)


def test_a_refusal_is_told_in_the_authority_s_words(authority):
    authority_says = authority.answer(b"nonsense")
    with pytest.raises(Undecided, match="refuses"):
        tokens.verify(authority_says, DATA, roots(authority))


def test_what_is_no_certificate_is_no_root():
    for data in (
        b"",
        b"nonsense",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ):
        with pytest.raises(Undecided, match="no certificate"):
            tokens.read_roots(data)


def test_without_the_library_the_next_step_is_said(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "rfc3161_client":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(Undecided, match=r"crosspost\[timestamps\]"):
        tokens.query(DATA)


# --- asking and keeping ---------------------------------------------------------------------------


def test_the_head_is_stamped_and_openssl_agrees(office, authority):
    with serving(honest(authority)) as url:
        found = stamping.stamp(office.database, office.config(url), office.sealed(), now)
        config = office.config(url)
    with office.database.read() as session:
        assert [said for _, said, _ in examined(session, config, now())] == [
            "3 entries were stamped."
        ]
    [one] = kept(office.folder)
    assert one.size == 3
    assert one.checkpoint.read_bytes() == office.sealed().note
    assert abs(found.at - now()) < timedelta(minutes=5)
    done = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-data", one.checkpoint, "-in", one.token),
            *("-CAfile", authority.root),
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "Verification: OK" in done.stdout + done.stderr


def test_what_is_stamped_is_what_the_office_signed_without_cosignatures(office, authority):
    from crosspost.ledger.strongbox import Strongbox
    from crosspost.witnesses.cosignature import new_witness_signer

    box = Strongbox(office.folder)
    line = new_witness_signer("witness.example").cosign("x\n", NOW)
    box.cosigned.write_bytes(box.head_note() + line)
    with serving(honest(authority)) as url:
        stamping.stamp(office.database, office.config(url), office.sealed(), now)
    [one] = kept(office.folder)
    assert one.checkpoint.read_bytes() == box.head_note()


HOSTILE = {
    "refuses": (lambda a, q: (200, a.answer(b"nonsense")), "refuses"),
    "another data": (lambda a, q: (200, a.answer(tokens.query(b"x").as_bytes())), "not hold"),
    "garbage": (lambda a, q: (200, b"\x30\x03abc"), "no time stamp"),
    "a page": (lambda a, q: (200, b"<html>Log in first</html>"), "no time stamp"),
    "nothing": (lambda a, q: (200, b""), "no time stamp"),
    "an error": (lambda a, q: (503, b""), "HTTP status 503"),
    "elsewhere": (lambda a, q: (302, b""), "HTTP status 302"),
    "huge": (lambda a, q: (200, b"\x30" * 3_000_000), "larger than"),
    "never": (lambda a, q: None, "in time"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_an_answer_that_is_no_honest_stamp_is_not_kept(office, authority, monkeypatch, case):
    monkeypatch.setattr(stamping, "PATIENCE", (1.0, 0.5))
    answer, words = HOSTILE[case]
    with serving(lambda query: answer(authority, query)) as url:
        config = office.config(url)
        with pytest.raises(UserError, match=words):
            stamping.stamp(office.database, config, office.sealed(), now)
    assert kept(office.folder) == []
    with office.database.read() as session:
        known = stamping.how_it_stands(session, config, now())
        assert (known.failures, known.worked_at) == (1, None)
        assert not stamping.due(known, 3, timedelta(hours=1), now())
        assert concerns(session, config, now()) == {}
        told = concerns(session, config, now() + timedelta(days=2))
        [(state, said, step)] = examined(session, config, now())
    assert "no time stamp of the record" in told["timestamp"]
    assert (state, step) == ("note", "crosspost log timestamp")
    assert said == known.problem


def test_the_answer_to_an_earlier_query_about_the_same_is_refused(office, authority):
    """Replayed: the nonce is of today."""
    from crosspost.ledger.strongbox import Strongbox

    note = Strongbox(office.folder).head_note()
    old = authority.answer(tokens.query(note).as_bytes())
    with serving(lambda _: (200, old)) as url, pytest.raises(Refuted, match="Nonce"):
        stamping.stamp(office.database, office.config(url), office.sealed(), now)
    assert kept(office.folder) == []


def test_a_root_that_is_missing_or_another_one_keeps_nothing(office, authority, tmp_path):
    other = Authority(tmp_path / "other")
    with serving(honest(authority)) as url:
        for root, error in ((other.root, Refuted), (tmp_path / "none.pem", Undecided)):
            with pytest.raises(error):
                stamping.stamp(office.database, office.config(url, root), office.sealed(), now)
    assert kept(office.folder) == []


def test_an_expired_certificate_makes_no_stamp(office, tmp_path):
    expired = Authority(tmp_path / "expired", days=-1)
    with serving(honest(expired)) as url, pytest.raises(UserError):
        stamping.stamp(office.database, office.config(url, expired.root), office.sealed(), now)
    assert kept(office.folder) == []


def test_a_full_disk_keeps_no_token_without_what_it_is_of(office, authority, monkeypatch):
    from crosspost.durable import write_durably

    def full(path, data, **options):
        if path.name.endswith(".tsr.new"):
            raise OSError(28, "No space left on device")
        write_durably(path, data, **options)

    monkeypatch.setattr(stamping, "write_durably", full)
    with serving(honest(authority)) as url:
        with pytest.raises(UserError, match="the disk is full"):
            stamping.stamp(office.database, office.config(url), office.sealed(), now)
        assert kept(office.folder) == []
        monkeypatch.undo()
        stamping.stamp(office.database, office.config(url), office.sealed(), now)
    assert len(kept(office.folder)) == 1


def test_a_token_never_stands_beside_a_checkpoint_that_it_is_not_of(office, authority, monkeypatch):
    """An exchange of the key made another checkpoint of that size, and then the disk was full."""
    from crosspost.durable import write_durably

    with serving(honest(authority)) as url:
        stamping.stamp(office.database, office.config(url), office.sealed(), now)
        [one] = kept(office.folder)
        one.checkpoint.write_bytes(b"by the key before")

        def full(path, data, **options):
            if path.name.endswith(".tsr.new"):
                raise OSError(28, "No space left on device")
            write_durably(path, data, **options)

        monkeypatch.setattr(stamping, "write_durably", full)
        with pytest.raises(UserError):
            stamping.stamp(office.database, office.config(url), office.sealed(), now)
    assert kept(office.folder) == []


# --- when -----------------------------------------------------------------------------------------

DAY = timedelta(days=1)


def test_a_stamp_is_due_once_a_day_and_only_when_the_record_has_grown():
    known = Known("url", NOW)
    assert stamping.due(known, 3, DAY, NOW)
    done = worked(known, 3, NOW, NOW)
    assert not stamping.due(done, 9, DAY, NOW + timedelta(hours=23))
    assert stamping.due(done, 9, DAY, NOW + DAY)
    assert not stamping.due(done, 3, DAY, NOW + 30 * DAY)
    assert stamping.due(done, 9, DAY, NOW - DAY)  # the clock went back


def test_an_authority_that_fails_is_asked_less_and_less_often():
    known = failed(failed(Known("url", NOW), "x", NOW), "x", NOW)
    assert not stamping.due(known, 3, DAY, NOW + timedelta(minutes=1))
    assert stamping.due(known, 3, DAY, NOW + timedelta(minutes=2))
