"""An adapter in a package of its own: installed with pip, found by its entry point, held to the
contract. `docs/adapters.md` shows the same files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

PACKAGE = Path(__file__).with_name("bulletin")
GUIDE = Path(__file__).parents[2] / "docs" / "adapters.md"


def run(*arguments: str, path: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package in a folder of its own, as its author has it."""
    return Path(copytree(PACKAGE, tmp_path_factory.mktemp("theirs") / "bulletin"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Path:
    """Where pip has put it: beside the environment, so that nothing of it stays."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--disable-pip-version-check", "--quiet"]
    run("-m", "pip", "install", *options, "--target", str(folder), str(package))
    return folder


def test_it_is_found_by_its_entry_point_and_its_options_are_checked(installed: Path) -> None:
    program = (
        "from crosspost.adapters import adapter_class, platforms, problems_of\n"
        "print(platforms()['bulletin'], adapter_class('bulletin').title)\n"
        "print(problems_of('bulletin', {'base_url': 'https://a.example', 'key': 'plain'}))\n"
    )
    found, problems = run("-c", program, path=installed).splitlines()
    assert found == "crosspost_bulletin:BulletinAdapter Notice board"
    assert problems.startswith("['key: ")


def test_it_passes_the_conformance_suite(installed: Path, package: Path) -> None:
    said = run("-m", "pytest", "-q", "-W", "error", str(package / "tests"), path=installed)
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) > 80


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "src/crosspost_bulletin/__init__.py", "tests/test_bulletin.py"]
)
def test_the_guide_shows_the_very_files(name: str) -> None:
    assert (PACKAGE / name).read_text().strip() in GUIDE.read_text()
