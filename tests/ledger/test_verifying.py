"""Checking what an office gave out, with its key and nothing else."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from crosspost import cli
from crosspost.errors import UserError
from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.keys import read_keys
from crosspost.ledger.note import Signer, read_signer
from crosspost.ledger.sealing import seal
from crosspost.ledger.verifying import verify


@pytest.fixture
def given(ledger):
    """The ledger, an export of it, and the verification key."""
    ledger.export(ledger.folder / "out")
    return ledger, ledger.folder / "out", str(ledger.box.verifier())


@pytest.fixture
def check(monkeypatch, tmp_path_factory, capsys):
    """The exit code of `crosspost verify ...`, run in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["crosspost", "verify", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        run.said = "".join(capsys.readouterr())
        assert "inside crosspost" not in run.said, run.said
        return ended.value.code or 0

    return run


def judged(path, key):
    """The exit code that a file leads to, without the command around it; a fault is not caught."""
    try:
        verify(path, read_keys(key))
    except UserError as error:
        return error.exit_code
    return 0


def test_an_export_is_verified_with_no_office(given, tmp_path_factory):
    ledger, out, key = given
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert "whole ledger" in ledger.run("verify", out, "--key", key, cwd=elsewhere)
    assert "whole ledger" in ledger.run("verify", out / "manifest.json", "--key", out / "vkey")
    proof = out / "proofs" / "entry-4.tlog-proof"
    said = ledger.run("verify", proof, "--key", key, cwd=elsewhere)
    assert "entry 4" in said
    assert "permalink: https://office.example/p/x/" in said
    found = json.loads(ledger.run("verify", proof, "--key", key, "--json", cwd=elsewhere))
    assert (found["verdict"], found["index"], found["size"]) == ("verified", 4, 12)
    assert found["entry"]["kind"] == "published"
    assert "signed this" in ledger.run("verify", out / "checkpoint", "--key", key, cwd=elsewhere)


def test_an_export_holds_what_is_sealed_and_a_proof_for_each_publication(given):
    ledger, out, _ = given
    lines = (out / "entries.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["kind"] for line in lines].count("published") == 2
    assert len(lines) == 12
    assert sorted(path.name for path in (out / "proofs").iterdir()) == [
        "entry-4.tlog-proof",
        "entry-9.tlog-proof",
    ]
    assert len((out / "words.jsonl").read_bytes().splitlines()) == 4
    ledger.grow(5)
    newer = ledger.folder / "newer"
    ledger.export(newer)
    assert (newer / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


def test_every_changed_byte_of_a_proof_ends_with_1_or_2(given, check):
    _, out, key = given
    path = out / "proofs" / "entry-9.tlog-proof"
    data = path.read_bytes()
    assert check(path, "--key", key) == 0
    assert len(data) < 2048
    codes = set()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        codes.add(code := judged(path, key))
        assert code in (1, 2), at
        if at % 50 == 0:
            assert check(path, "--key", key) == code
    assert codes == {1, 2}
    path.write_bytes(data)
    assert check(path, "--key", key) == 0


def test_every_changed_byte_of_an_export_ends_with_1_or_2(given, check):
    _, out, key = given
    for path in [path for path in out.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        for at in range(0, len(data), max(len(data) // 60, 1)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert judged(out, key) in (1, 2), (path, at)
        path.write_bytes(data)
    assert check(out, "--key", key) == 0


def reseal_manifest(out):
    """Write the manifest anew over changed files, as a forger would."""
    import hashlib

    from crosspost.ledger.canonical import canonical

    manifest = json.loads((out / "manifest.json").read_bytes())
    for name in list(manifest["files"]):
        data = (out / name).read_bytes()
        about = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        manifest["files"][name] = about
    (out / "manifest.json").write_bytes(canonical(manifest) + b"\n")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("entries.jsonl", b"daemon", b"nobody"),
        ("entries.jsonl", b'{"announcement":2', b'\n{"announcement":2'),
        ("words.jsonl", b"flood", b"drought"),
        ("words.jsonl", b'"index":3', b'"index":300'),
        ("words.jsonl", b'"index"', b'"ind"'),
        ("words.jsonl", b'{"index":3', b"[" * 90000),
        ("words.jsonl", b'"salt":"', b'"salt":"00'),
        ("vkey", b"office", b"0ffice"),
        ("checkpoint", b"\n12\n", b"\n11\n"),
        ("proofs/entry-4.tlog-proof", b"index 4", b"index 5"),
        ("tile/0/000.p/12", b"", b"x"),
    ],
)
def test_a_forger_who_mends_the_manifest_is_found_by_the_signature(given, check, name, old, new):
    _, out, key = given
    data = (out / name).read_bytes()
    assert old in data
    (out / name).write_bytes(data.replace(old, new, 1))
    reseal_manifest(out)
    assert check(out, "--key", key) == 1


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]\n",
        b"5\n",
        b'{"files":5}\n',
        b"[" * 90000,
        b"\xff",
        b'{"files":{"../../x":5,"checkpoint":1,"entries.jsonl":1,"keys.json":1,"posts.jsonl":1,"texts.jsonl":1,"vkey":1,"words.jsonl":1},"missing":[]}\n',
        b'{"files":{"/etc/x":5,"checkpoint":1,"entries.jsonl":1,"keys.json":1,"posts.jsonl":1,"texts.jsonl":1,"vkey":1,"words.jsonl":1},"missing":[]}\n',
        b'{"files":{"\\u0000":5,"checkpoint":1,"entries.jsonl":1,"keys.json":1,"posts.jsonl":1,"texts.jsonl":1,"vkey":1,"words.jsonl":1},"missing":[]}\n',
        None,
    ],
)
def test_a_manifest_that_is_none_cannot_decide(given, check, manifest):
    _, out, key = given
    (out / "manifest.json").unlink()
    if manifest is not None:
        (out / "manifest.json").write_bytes(manifest)
    assert check(out, "--key", key) == 2


def test_a_manifest_has_one_spelling(given, check):
    _, out, key = given
    manifest = (out / "manifest.json").read_bytes()
    for other in (
        manifest + b"\n",
        manifest[:-1],
        manifest.replace(b",", b", ", 1),
        b" " + manifest,
    ):
        (out / "manifest.json").write_bytes(other)
        assert check(out, "--key", key) == 2


def test_a_missing_file_cannot_decide(given, check):
    _, out, key = given
    for name in ("entries.jsonl", "checkpoint", "tile/0/000.p/12"):
        kept = (out / name).read_bytes()
        (out / name).unlink()
        assert check(out, "--key", key) == 2, name
        (out / name).write_bytes(kept)


def test_another_key_decides_nothing(given, check):
    _, out, key = given
    stranger = Signer("office.example/ledger", bytes(32)).verifier
    for path in (out, out / "checkpoint", out / "proofs" / "entry-4.tlog-proof"):
        assert check(path, "--key", stranger) == 2
        assert check(path, "--key", "no key") == 2
        assert check(path, "--key", key.replace("+", "+0", 1)) == 2


@pytest.mark.parametrize("content", [None, b"", b"\0" * 5000, b"x" * (1 << 21)])
def test_a_file_that_is_nothing_decides_nothing(given, check, tmp_path, content):
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    assert check(path, "--key", given[2]) == 2
    assert check(path, "--key", path) == 2
    assert check(path, "--key", given[2], "--against", path) == 2
    assert check("x" * 5000, "--key", given[2]) == 2
    assert check(path, "--key", "x" * 5000) == 2
    assert check(path, "--key", given[2], "--json") == 2
    assert json.loads(check.said)["verdict"] == "undecided"


# --- two histories --------------------------------------------------------------------------------


def test_two_checkpoints_of_one_size_are_a_fork(given, check):
    ledger, out, key = given
    signer = read_signer(ledger.box.key.read_text())
    other = ledger.folder / "other"
    other.write_bytes(Checkpoint(signer.name, 12, bytes(32)).signed(signer))
    for path in (out, out / "checkpoint", out / "proofs" / "entry-4.tlog-proof"):
        assert check(path, "--key", key, "--against", other) == 3
        assert check(path, "--key", key, "--against", out / "checkpoint") == 0
    assert check(other, "--key", key, "--against", out / "proofs" / "entry-4.tlog-proof") == 3


def test_an_export_is_compared_with_an_older_checkpoint(given, check):
    ledger, out, key = given
    signer = read_signer(ledger.box.key.read_text())
    kept = ledger.folder / "kept"
    shutil.copy(out / "checkpoint", kept)
    ledger.grow(3)
    seal(ledger.database, ledger.folder)
    newer = ledger.folder / "newer"
    ledger.export(newer)
    assert check(newer, "--key", key, "--against", kept) == 0
    assert check(newer / "checkpoint", "--key", key, "--against", kept) == 2
    assert check(out, "--key", key, "--against", newer / "checkpoint") == 2
    kept.write_bytes(Checkpoint(signer.name, 7, bytes(32)).signed(signer))
    assert check(newer, "--key", key, "--against", kept) == 3
    kept.write_bytes(Checkpoint(signer.name, 0, bytes(32)).signed(signer))
    assert check(newer, "--key", key, "--against", kept) == 3


# --- giving out -----------------------------------------------------------------------------------


def test_proofs_of_an_announcement_a_delivery_an_entry(ledger):
    said = json.loads(ledger.run("log", "prove", 1, "--to", "proofs", "--json"))
    assert [about["index"] for about in said] == [4, 9]
    assert ledger.run("log", "prove", "--delivery", 2, "--to", "one").count("is proved by") == 1
    ledger.run("log", "prove", "--entry", 0)
    ledger.run("verify", "entry-0.tlog-proof", "--key", "ledger.vkey")
    ledger.run("verify", "one/entry-9.tlog-proof", "--key", "ledger.vkey")


def test_what_cannot_be_proved_is_said(ledger):
    assert "Nothing of it" in ledger.run("log", "prove", 77, code=1)
    assert "no entry 12" in ledger.run("log", "prove", "--entry", 12, code=1)
    assert "what to prove" in ledger.run("log", "prove", code=2)
    assert "what to prove" in ledger.run("log", "prove", 1, "--entry", 1, code=2)
    ledger.grow(3)
    assert "not sealed yet" in ledger.run("log", "prove", "--entry", 14, code=1)
    ledger.rewrite(4, lambda entry: entry.replace(b"daemon", b"nobody"))
    assert "not the one that was sealed" in ledger.run("log", "prove", 1, code=1)
    (ledger.folder / "file").write_text("")
    assert "cannot be written" in ledger.run("log", "prove", "--entry", 1, "--to", "file", code=1)


def test_proofs_need_no_leaves_file(ledger):
    ledger.box.leaves.unlink()
    ledger.run("log", "prove", "--entry", 3)
    ledger.run("verify", "entry-3.tlog-proof", "--key", "ledger.vkey")
    ledger.rewrite(4, lambda entry: entry.replace(b"daemon", b"nobody"))
    ledger.run("log", "prove", "--entry", 3, code=1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET entry = 5 WHERE id = 3",
        "DELETE FROM ledger_entry WHERE id = 3",
        "DELETE FROM ledger_entry WHERE id > 3",
        "UPDATE ledger_note SET note = 'Other.' WHERE id = 3",
        "UPDATE ledger_note SET salt = 5 WHERE id = 3",
    ],
)
def test_a_changed_ledger_is_not_exported(ledger, statement):
    ledger.attack("PRAGMA foreign_keys = OFF", statement)
    ledger.run("log", "export", "out", code=1)


def test_an_export_goes_into_a_new_folder_only(ledger):
    (ledger.folder / "out").mkdir()
    ledger.run("log", "export", "out")
    assert "not empty" in ledger.run("log", "export", "out", code=1)
    assert "not empty" in ledger.run("log", "export", "crosspost.toml", code=1)
