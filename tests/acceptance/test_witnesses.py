"""Two neighbouring offices, by real commands: one cosigns the record of the other."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import time
from contextlib import contextmanager

import pytest

GOOD = ("add", "The road is closed.", "--title", "Road", "--source", "Letter 1", "--at", "now")


def key_in(said: str) -> str:
    return re.search(r"\S+\+[0-9a-f]{8}\+\S{44}", said)[0]


def append(desk, text: str) -> None:
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(text)


@pytest.fixture
def neighbour(desk, tmp_path_factory):
    """Another office, that is a witness."""
    made = type(desk)(tmp_path_factory.mktemp("neighbour"))
    made.run(
        *("init", ".", "--name", "Neighbour", "--language", "en", "--person", "Dewi"),
        *("--site-url", "https://neighbour.example"),
    )
    return made


@contextmanager
def serving(neighbour):
    """Its witness as a process of its own; the address."""
    process = neighbour.start("log", "witness", "serve", "--port", "0")
    try:
        line = process.stdout.readline()
        assert "neighbours: 1) serves" in line, line
        yield "http://" + line.split()[-1].rstrip(".")
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def introduce(desk, neighbour) -> str:
    """Each knows the other's key; the key of the witness."""
    ours = key_in(desk.run("log", "init"))
    theirs = key_in(neighbour.run("log", "witness", "init"))
    append(neighbour, f'\n[neighbours.office]\nvkeys = ["{ours}"]\n')
    return theirs


def test_a_neighbour_cosigns_what_is_published_and_a_citizen_asks_for_it(
    desk, neighbour, tmp_path_factory
):
    witness = introduce(desk, neighbour)
    with serving(neighbour) as url:
        append(desk, f'\n[witnesses.neighbour]\nurl = "{url}"\nvkey = "{witness}"\n')
        desk.run(*GOOD)
        desk.run("approve", "1")
        desk.run("daemon", "--once")
        [about] = desk.json("log", "witness", "list")["witnesses"]
        assert (about["problem"], about["size"] > 0) == ("", True)
        assert about["behind"] == 0
        assert "cosigned" in desk.run("log", "witness", "ask")
    [theirs] = neighbour.json("log", "witness", "list")["neighbours"]
    assert theirs["size"] == about["size"]
    elsewhere = type(desk)(tmp_path_factory.mktemp("citizen"))
    shutil.copytree(desk.folder / "public", elsewhere.folder / "site")
    key = (desk.folder / "ledger.vkey").read_text().strip()
    both = ("--key", key, "--witness", witness)
    assert "Witnesses that cosigned it: 1 of 1." in elsewhere.run("verify", "site", *both)
    said = elsewhere.json("verify", "site/ledger/checkpoint", *both)
    assert [one["name"] for one in said["cosigned"]] == ["neighbour.example/witness"]
    other = key_in(
        type(desk)(tmp_path_factory.mktemp("third")).run(
            "init", ".", "--name", "T", "--site-url", "https://third.example"
        )
        + neighbour.run("log", "init")
    )  # the key of a ledger is none of a witness
    assert "no verification key of a witness" in elsewhere.run(
        "verify", "site", "--key", key, "--witness", other, code=2
    )
    assert "VERIFIED" in elsewhere.run("verify", "site", "--key", key)


def test_the_quorum_decides_and_a_false_cosignature_refutes(desk, neighbour, tmp_path):
    witness = introduce(desk, neighbour)
    key = (desk.folder / "ledger.vkey").read_text().strip()
    third = type(desk)(tmp_path / "third")
    third.folder.mkdir()
    third.run("init", ".", "--name", "T", "--site-url", "https://third.example")
    absent = key_in(third.run("log", "witness", "init"))
    with serving(neighbour) as url:
        append(desk, f'\n[witnesses.neighbour]\nurl = "{url}"\nvkey = "{witness}"\n')
        desk.run("log", "seal")
        desk.run("log", "witness", "ask")
    file = "ledger.cosigned"
    two = ("--key", key, "--witness", witness, "--witness", absent)
    assert "only 1 of 2" in desk.run("verify", file, *two, code=2)
    assert "cosigned it: 1 of 2" in desk.run("verify", file, *two, "--quorum", "1")
    assert "VERIFIED" in desk.run("verify", "ledger.head", *two, "--quorum", "0")
    assert "only 0 of 1" in desk.run("verify", "ledger.head", *two[:4], code=2)
    desk.run("verify", file, *two, "--quorum", "3", code=2)
    (desk.folder / "keys").write_text(f"{witness}\n{witness}\n\n")
    said = desk.run("verify", file, "--key", key, "--witness", "keys", "--witness", witness)
    assert "cosigned it: 1 of 1" in said
    whole = (desk.folder / file).read_bytes()
    (desk.folder / file).write_bytes(whole[:-12] + b"AAAA" + whole[-8:])
    said = desk.run("verify", file, *two, "--json", code=1)
    assert json.loads(said)["verdict"] == "refuted"
    assert "VERIFIED" in desk.run("verify", file, "--key", key)  # the office's own still holds


def test_a_witness_that_is_down_hinders_nothing_and_is_told(desk, neighbour):
    witness = introduce(desk, neighbour)
    append(desk, f'\n[witnesses.neighbour]\nurl = "http://127.0.0.1:9"\nvkey = "{witness}"\n')
    desk.run(*GOOD)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    assert "VERIFIED" in desk.run("log", "verify")
    [about] = desk.json("log", "witness", "list")["witnesses"]
    assert "refuses the connection" in about["problem"]
    assert "did not cosign" in desk.run("log", "witness", "ask", code=1)
    assert desk.json("status")["witnesses"] == []  # not for a day yet
    [found] = [one for one in desk.json("doctor") if one["about"] == "witnesses"]
    assert (found["state"], "did not cosign" in found["sentence"]) == ("note", True)


def test_a_neighbour_with_two_histories_is_proved_to_have_them(desk, neighbour):
    witness = introduce(desk, neighbour)
    with serving(neighbour) as url:
        append(desk, f'\n[witnesses.neighbour]\nurl = "{url}"\nvkey = "{witness}"\n')
        before = shutil.copytree(desk.folder, desk.folder.parent / "before")
        desk.run(*GOOD)
        desk.run("log", "seal")
        desk.run("log", "witness", "ask")
        shutil.rmtree(desk.folder)
        before.rename(desk.folder)
        desk.run(*GOOD)  # as many entries, at another time
        desk.run("log", "seal")
        assert "FORK" in desk.run("log", "witness", "ask", code=3)
        assert "FORK" in desk.run("daemon", "--once", code=3)
    said = neighbour.run("log", "witness", "list", code=3)
    assert "FORK" in said
    [known] = neighbour.json("log", "witness", "list")["neighbours"]
    one, other = known["fork"]
    key = (desk.folder / "ledger.vkey").read_text().strip()
    assert "FORK" in neighbour.run("verify", one, "--key", key, "--against", other, code=3)
    assert "two histories" in neighbour.run("status", code=3)
    assert "fork/office.example/ledger" in {a["key"] for a in neighbour.json("alarms", "list")}
    assert "fork_witnessed" in {e["entry"]["kind"] for e in neighbour.json("log", "list")}
    assert "FORK" in neighbour.run("doctor", code=1)


def test_settings_that_are_none_are_refused(desk):
    append(desk, '\n[witnesses.a]\nurl = "ftp://x"\nvkey = "x"\n[neighbours.b]\nvkeys = []\n')
    said = desk.run("log", "witness", "list", code=1)
    assert "witnesses.a.url" in said
    assert "witnesses.a.vkey" in said
    assert "neighbours.b.vkeys" in said


def test_a_witness_needs_its_key_and_a_free_port(desk):
    assert "log witness init" in desk.run("log", "witness", "serve", code=2)
    desk.run("log", "witness", "init")
    desk.run("log", "witness", "init", code=1)
    assert "Nobody can be served" in desk.run(
        "log", "witness", "serve", "--host", "192.0.2.1", code=1
    )


def test_a_running_daemon_asks_by_itself_and_ends_while_a_witness_never_answers(desk, neighbour):
    witness = introduce(desk, neighbour)
    with serving(neighbour) as url, socket.create_server(("127.0.0.1", 0)) as silent:
        append(desk, f'\n[witnesses.neighbour]\nurl = "{url}"\nvkey = "{witness}"\n')
        never = f"http://127.0.0.1:{silent.getsockname()[1]}"
        append(desk, f'[witnesses.silent]\nurl = "{never}"\nvkey = "{witness}"\n')
        desk.run(*GOOD)
        desk.run("approve", "1")
        process = desk.start("daemon")
        shown = desk.folder / "public" / "ledger" / "checkpoint"
        line = "— neighbour.example/witness ".encode()
        desk.wait_until(lambda: shown.exists() and line in shown.read_bytes())
        assert desk.statuses(1) == {"site": "published"}
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert time.monotonic() - began < 15
        assert "Traceback" not in err


def test_the_list_says_how_far_a_witness_is_behind(desk, neighbour):
    witness = introduce(desk, neighbour)
    with serving(neighbour) as url:
        append(desk, f'\n[witnesses.neighbour]\nurl = "{url}"\nvkey = "{witness}"\n')
        assert desk.json("log", "witness", "list")["witnesses"][0]["behind"] is None
        desk.run("log", "seal")
        desk.run("log", "witness", "ask")
    desk.run(*GOOD)
    sealed = desk.json("log", "seal")["size"]
    [about] = desk.json("log", "witness", "list")["witnesses"]
    assert about["behind"] == sealed - about["size"] > 0
    row = next(line for line in desk.run("log", "witness", "list").splitlines() if "neigh" in line)
    assert row.split("\t")[:3] == ["neighbour", str(about["size"]), str(about["behind"])]


def test_what_is_no_key_is_said_to_be_none_and_no_file(desk):
    desk.run("log", "init")
    key = (desk.folder / "ledger.vkey").read_text().strip()
    for given in (("--key", "garbage"), ("--key", key, "--witness", "garbage")):
        said = desk.run("verify", "ledger.head", *given, code=2)
        assert '"garbage" is neither a verification key nor a file.' in said
        assert "A key is one line like" in said
