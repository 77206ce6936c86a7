"""At a terminal: a wrong answer is asked again, no other answer is lost, nor what was typed."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
import tomllib

import pytest

PATIENCE = 20


def typed(desk, *answers: str, arguments=("init", "."), code: int = 0, **environment: str) -> str:
    """A command at a terminal, with these answers typed; what the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(desk.folder)
        os.environ.update({"CROSSPOST_LANGUAGE": "en", **environment})
        os.execv(sys.executable, [sys.executable, "-W", "error", "-m", "crosspost", *arguments])
    left = list(answers)
    shown, end = b"", time.monotonic() + PATIENCE
    while True:
        ready, _, _ = select.select([terminal], [], [], max(end - time.monotonic(), 0))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"it waits for another answer:\n{shown.decode()}")
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if left and shown.endswith(b": "):  # a question
            os.write(terminal, f"{left.pop(0)}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    said = shown.decode(errors="replace")
    assert os.waitstatus_to_exitcode(status) == code, said
    assert "Traceback" not in said
    return said


def test_wrong_answers_are_asked_again_and_nothing_is_lost(empty_desk):
    said = typed(
        empty_desk,
        "jawa",  # language
        "id",
        " ",  # name
        "Kejari Contoh",
        "Mars",  # zone
        "WITA",
        "",  # person
        "Kepala Seksi",
        "contoh.go.id",  # address
        "https://contoh.go.id/",
        "myspace",  # platforms
        "bluesky",
        "kantor",  # handle
        "kantor.bsky.social",
        "",  # secret, later
    )
    config = tomllib.loads((empty_desk.folder / "crosspost.toml").read_text())
    assert config["office"] == {
        "name": "Kejari Contoh",
        "zone": "Asia/Makassar",
        "language": "id",
    }
    assert config["site"]["url"] == "https://contoh.go.id"
    assert config["channels"]["bluesky"]["identifier"] == "kantor.bsky.social"
    for sentence in ("write one of en, id", '"Mars" is no time zone', "https://", "myspace"):
        assert sentence in said


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("WIB", "Asia/Jakarta"),
        ("wit", "Asia/Jayapura"),
        ("Makassar", "Asia/Makassar"),
        ("asia/pontianak", "Asia/Pontianak"),
        ("new york", "America/New_York"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_understood_as_people_call_it(words, zone):
    from crosspost.founding import zone_called

    assert zone_called(words) == zone


def test_what_was_typed_in_the_editor_is_kept_when_it_is_refused(desk):
    desk.run("add", "Kantor tutup.", "--title", "P", "--source", "S", "--at", "2 jam lagi")
    editor = desk.folder / "editor"
    editor.write_text(
        '#!/bin/sh\necho "Kalimat baru." >> "$1"\nsed -i "s/^at:.*/at: entah/" "$1"\n'
    )
    editor.chmod(0o755)
    said = typed(desk, arguments=("edit", "1"), code=1, EDITOR=str(editor))
    assert "edit-1.md" in said
    kept = (desk.folder / "edit-1.md").read_text()
    assert "Kalimat baru." in kept
    (desk.folder / "edit-1.md").write_text(kept.replace("at: entah", "at: 3 jam lagi"))
    desk.run("edit", "1", "--file", "edit-1.md")
    assert "Kalimat baru." in desk.run("show", "1")


def test_what_cannot_be_done_is_said_before_anything_is_asked(desk):
    """Nobody can be asked here, so a question would be refused with other words."""
    desk.run("add", "Loket tutup.", "--at", "besok 09:00", "--source", "Surat 1")
    desk.run("approve", "1")
    desk.run("cancel", "1")
    refused = {
        ("approve", "1"): "nothing to approve",
        ("approve", "1", "--emergency", "--reason", "Banjir"): "nothing left to publish",
        ("cancel", "1"): "not possible now (site: cancelled)",
        ("reschedule", "1", "--at", "besok 10:00"): "not possible now (site: cancelled)",
        ("retry", "1"): "not possible now (site: cancelled)",
        ("submit", "1"): "submitted already",
        ("reject", "1", "--reason", "Salah"): "nothing to reject",
        ("countersign", "1"): "No emergency of announcement 1",
        ("fake", "remove", "7", "--reason", "Benar"): "no known fake 7",
        ("restore", "none.db"): "There is no none.db here",
    }
    for arguments, said in refused.items():
        told = desk.run(*arguments, code=1, ask=True)
        assert said in told, arguments
        assert "asked" not in told
