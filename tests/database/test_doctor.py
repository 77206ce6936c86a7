"""What the doctor finds in an office, with the next step of each finding."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk import doing, scheduled

from crosspost import doctor, founding, holds
from crosspost.backup import back_up, put_in_place
from crosspost.database import Database
from crosspost.doctor import State, examine
from crosspost.founding import Answers, NewChannel
from crosspost.ledger.sealing import found_ledger
from crosspost.lock import DaemonLock
from crosspost.wording import set_language

SECRET = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
NOW = datetime.now(UTC)
ALARMS = '\n[alarms]\nheartbeat_url = "https://monitor.example/1"\n[alarms.webhook]\n'
ALARMS += 'url = "https://office.example/alarms"\nsecret = "env:HOOK_SECRET"\n'


@pytest.fixture
def office(tmp_path) -> Path:
    """A new office in which all is well."""
    hook = NewChannel("hook", "webhook", {"url": "http://127.0.0.1:9/in"}, {"secret": SECRET})
    answers = Answers("Office", "Asia/Jakarta", "en", "siti", "Siti", channels=(hook,))
    founding.found(tmp_path, answers)
    with (tmp_path / "crosspost.toml").open("a") as file:
        file.write(ALARMS)
    database = opened(tmp_path)
    found_ledger(database, tmp_path, "office.example/ledger")
    back_up(database, tmp_path / "copy.db", doing(at=NOW))
    database.close()
    return tmp_path


def opened(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'crosspost.db'}")


def look(folder: Path, now: datetime = NOW) -> dict[str, list]:
    """State and sentence of each finding that is not well, by what it is about."""
    found: dict[str, list] = {}
    for one in examine(folder / "crosspost.toml", now):
        assert one.sentence
        assert one.state is State.WELL or one.next or "not known" in one.sentence
        if one.state is not State.WELL:
            found.setdefault(one.about, []).append((one.state.value, one.sentence, one.next))
    return found


def test_an_office_in_order_has_nothing_but_a_daemon_to_start(office):
    assert list(look(office)) == ["daemon"]
    with DaemonLock(opened(office)):
        assert look(office) == {}
    names = [one.about for one in examine(office / "crosspost.toml", NOW)]
    assert names == [
        *("settings", "secrets", "folders", "disk", "database", "restore", "record"),
        *("witnesses", "clock", "channels", "daemon", "alarms", "backup"),
    ]


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def damage(folder: Path) -> None:
    path = folder / "crosspost.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))


def change_the_record(folder: Path) -> None:
    from crosspost.sqlite import driver

    with driver().connect(folder / "crosspost.db") as database:
        database.execute("DROP TRIGGER ledger_entry_no_update")
        database.execute("UPDATE ledger_entry SET entry = CAST('{}' AS BLOB)")
    database.close()


def seal(folder: Path) -> None:
    from crosspost.ledger.sealing import seal

    database = opened(folder)
    seal(database, folder)
    database.close()


#: What happens -> what it is about, how bad, a piece of the sentence, a piece of the next step.
TROUBLE = {
    "a key is wrong": (
        lambda f: write(f, "crosspost.toml", (f / "crosspost.toml").read_text() + "\nx = 1\n"),
        ("settings", "bad", "no such key", "Correct"),
    ),
    "the settings are no TOML": (
        lambda f: write(f, "crosspost.toml", "[office\n"),
        ("settings", "bad", "not well-formed", "Look at that line"),
    ),
    "a secret is missing": (
        lambda f: write(f, ".env", "CROSSPOST_SECRET_KEY=x\n"),
        ("settings", "bad", "HOOK_SECRET is not set", "Correct"),
    ),
    "others may read the secrets": (
        lambda f: (f / ".env").chmod(0o644),
        ("secrets", "bad", "may read .env", "chmod 600"),
    ),
    "others may read the ledger's key": (
        lambda f: (f / "ledger.key").chmod(0o640),
        ("secrets", "bad", "may read ledger.key", "chmod 600"),
    ),
    "the office has no key": (
        lambda f: write(f, ".env", f"HOOK_SECRET={SECRET}\n"),
        ("secrets", "note", "no CROSSPOST_SECRET_KEY", "init"),
    ),
    "the database is gone": (
        lambda f: (f / "crosspost.db").unlink(),
        ("database", "bad", "missing or empty", "bring it back"),
    ),
    "the database is empty": (
        lambda f: os.truncate(f / "crosspost.db", 0),
        ("database", "bad", "missing or empty", "bring it back"),
    ),
    "the database is a letter": (
        lambda f: write(f, "crosspost.db", "Dear Sir or Madam, " * 500),
        ("database", "bad", "not a crosspost database", "crosspost restore FILE"),
    ),
    "the database is damaged": (
        damage,
        ("database", "bad", "damaged", "crosspost restore FILE"),
    ),
    "an old copy is there": (
        lambda f: put_in_place(opened(f), f / "copy.db", NOW),
        ("database", "bad", "is a copy of", "crosspost restore"),
    ),
    "the record was changed": (
        lambda f: (seal(f), change_the_record(f)),
        ("record", "bad", "does not match its head", "log verify"),
    ),
    "the record is not signed": (
        lambda f: [(f / f"ledger.{end}").unlink() for end in ("key", "vkey", "head", "leaves")],
        ("record", "note", "not signed", "log init"),
    ),
    "nobody is told of alarms": (
        lambda f: write(
            f, "crosspost.toml", (f / "crosspost.toml").read_text().replace(ALARMS, "")
        ),
        ("alarms", "note", "Nobody is told", "config.example.toml"),
    ),
}


@pytest.mark.parametrize("what", TROUBLE)
def test_each_trouble_is_named_with_what_to_do(office, what):
    happen, (about, state, sentence, step) = TROUBLE[what]
    happen(office)
    found = look(office)[about]
    assert any(s == state and sentence in said and step in do for s, said, do in found), found
    assert len(found) == len(set(found))


def test_one_trouble_does_not_hide_another(office):
    (office / ".env").chmod(0o644)
    write(office, "crosspost.toml", (office / "crosspost.toml").read_text() + "\nx = 1\n")
    put_in_place(opened(office), office / "copy.db", NOW)
    assert {"settings", "secrets", "database"} <= set(look(office))


@pytest.mark.parametrize(
    ("free", "state"), [(50_000_000, "bad"), (500_000_000, "note"), (5_000_000_000, None)]
)
def test_a_disk_that_fills_up_is_noticed_before_it_is_full(office, monkeypatch, free, state):
    usage = shutil.disk_usage(office)._replace(free=free)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: usage)
    found = look(office).get("disk", [])
    assert [s for s, _, _ in found] == ([state] if state else [])


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2020, 1, 1, tzinfo=UTC), "which is past"),
        (NOW - timedelta(minutes=10), "the record has an entry that is later"),
    ],
)
def test_a_clock_that_cannot_be_right_is_noticed(office, now, said):
    [(state, sentence, step)] = look(office, now)["clock"]
    assert state == "bad"
    assert said in sentence
    assert "NTP" in step


def test_what_waits_without_a_daemon_and_a_channel_on_hold_are_said(office):
    database = opened(office)
    with database.write() as session:
        scheduled(session, "hook", due=NOW, hours=5)
    [(state, said, step)] = look(office, NOW + timedelta(seconds=1))["daemon"]
    assert (state, step) == ("bad", "crosspost daemon")
    assert "something should be sent now" in said
    with database.write() as session:
        holds.hold(session, "hook", doing(at=NOW, note="Wrong figures"))
    database.close()
    assert "hook is on hold" in look(office)["channels"][0][1]


def test_an_old_backup_or_none_is_said(office):
    assert "9 days old" in look(office, NOW + timedelta(days=9, hours=1))["backup"][0][1]
    (office / "crosspost.db").unlink()
    for name in ("ledger.key", "ledger.vkey", "ledger.head", "ledger.leaves"):
        (office / name).unlink()
    shutil.copy(office / "copy.db", office / "crosspost.db")
    assert "None is on record" in look(office)["backup"][0][1]


def test_a_folder_that_cannot_be_written_is_said(office, monkeypatch):
    real = os.access

    def access(path, mode, **about):
        return Path(path) != office / "crosspost.db" and real(path, mode, **about)

    monkeypatch.setattr(doctor.os, "access", access)
    [(state, said, _)] = look(office)["folders"]
    assert state == "bad"
    assert "crosspost.db" in said


def test_a_network_share_is_said(office, monkeypatch):
    monkeypatch.setattr(doctor, "network_share", lambda _folder: "nfs4")
    assert "network share (nfs4)" in look(office)["folders"][0][1]


def test_it_changes_nothing(office):
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in office.rglob("*")}
    look(office)
    after = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in office.rglob("*")}
    assert after == before


def test_every_topic_has_words_for_an_admin():
    source = Path(doctor.__file__).read_text()
    topics = set(re.findall(r'(?:well|note|bad)\(\s*"(\w+)"', source)) | {"online"}
    assert len(topics) > 10
    set_language("id")
    said = {topic: doctor.topic(topic) for topic in topics}
    assert said["channels"] == "kanal"
    assert all(said.values())
