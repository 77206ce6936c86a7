"""A sample of the crash points, and the planted design that the rig must catch.

All of them: `python tests/servers/crashpoints.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import crashpoints
import pytest
from crashpoints import KINDS, Launcher, Stage, examine

pytestmark = pytest.mark.servers

#: So many points are passed over between two of the sample.
EVERY = 25


@pytest.fixture(scope="module", params=KINDS)
def stage(request, tmp_path_factory) -> Stage:
    assert shutil.which("strace"), "these tests need strace: apt-get install strace"
    return Stage.made(request.param, tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with Launcher() as made:
        yield made


@pytest.mark.parametrize("again", [False, True], ids=["the first time", "while it recovers"])
def test_a_daemon_that_is_killed_anywhere_makes_one_post_or_asks(stage, launcher, again):
    result = examine(stage, launcher, every=EVERY, again=again)
    assert result.points > 3
    assert result.violations == []


def test_a_build_that_marks_after_posting_is_caught(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(crashpoints, "CALLS", ("pwrite64",))
    with Launcher(late_mark=True) as launcher:
        result = examine(Stage.made("lookup", tmp_path), launcher, every=EVERY // 5)
    assert any("duplicate" in violation for violation in result.violations)
