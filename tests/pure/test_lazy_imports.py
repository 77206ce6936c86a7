"""What a command imports: `--help`, `--version` and completion none of the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crosspost.ledger.checkpoint import Checkpoint
from crosspost.ledger.note import new_signer
from crosspost.ledger.tree import EMPTY_ROOT

# Not pydantic: Typer itself converts arguments with it.
HEAVY = {"sqlmodel", "sqlalchemy", "requests", "apscheduler", "alembic", "PIL"}
HEAVY |= {"markdown_it", "babel", "jinja2", "feedgenerator", "regex", "frontmatter", "cryptography"}

PROGRAM = """
import atexit, sys
sys.argv = ["crosspost", *sys.argv[1:]]
atexit.register(lambda: print("\\nMODULES", *{name.split(".")[0] for name in sys.modules}))
from crosspost.cli import main
main()
"""


def modules_after(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    return set(done.stdout.split("\nMODULES ")[1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["--version"], ["add", "--help"], ["log", "--help"], ["frob"], []),
        *(["verify", "--help"], ["log", "prove", "--help"]),
    ],
)
def test_looking_at_help_imports_nothing_heavy(arguments):
    assert not modules_after(*arguments) & HEAVY


def test_help_in_indonesian_imports_nothing_heavy_either():
    assert not modules_after("add", "--help", CROSSPOST_LANGUAGE="id") & HEAVY


def test_completion_imports_nothing_heavy():
    asked = {"_CROSSPOST_COMPLETE": "complete_bash", "COMP_WORDS": "crosspost l", "COMP_CWORD": "1"}
    assert not modules_after(**asked) & HEAVY


def test_reading_imports_neither_network_nor_images_nor_scheduler(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "crosspost", "init", str(tmp_path), "--name", "A"],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    config = str(tmp_path / "crosspost.toml")
    for command in (["list"], ["status"], ["log", "list"], ["channels", "list"]):
        loaded = modules_after("--config", config, *command)
        assert not loaded & {"requests", "apscheduler", "alembic", "PIL", "jinja2", "cryptography"}


def test_checking_a_proof_imports_the_signature_library_and_no_database(tmp_path):
    signer = new_signer("a.example")
    head = tmp_path / "checkpoint"
    head.write_bytes(Checkpoint("a.example", 0, EMPTY_ROOT).signed(signer))
    loaded = modules_after("verify", str(head), "--key", str(signer.verifier))
    assert "cryptography" in loaded
    assert not loaded & (HEAVY - {"cryptography"})
    loaded = modules_after("verify", "nothing", "--key", "a.example+00000000+AQ==")
    assert not loaded & HEAVY, "nothing was to be verified"


def test_adding_a_plain_text_imports_neither_network_nor_images_nor_scheduler(tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "crosspost",
            "init",
            str(tmp_path),
            "--name",
            "A",
            "--site-url",
            "https://a.example",
        ],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    loaded = modules_after("--config", str(tmp_path / "crosspost.toml"), "add", "Satu kalimat.")
    assert not loaded & {"requests", "apscheduler", "alembic", "PIL", "jinja2", "frontmatter"}
