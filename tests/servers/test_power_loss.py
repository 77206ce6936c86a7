"""The power fails as a post leaves: the intent is on the disk, or the post would go out twice."""

from __future__ import annotations

import shutil

import pytest
from power_loss import run

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", autouse=True)
def _strace() -> None:
    assert shutil.which("strace"), "these tests need strace: apt-get install strace"


@pytest.mark.parametrize("journal", ["wal", "wal_brought_in_often", "rollback"])
def test_whenever_the_power_fails_the_intent_is_on_the_disk(tmp_path, journal):
    tried, lost = run(tmp_path, journal=journal)
    assert tried >= 36
    assert lost == []


@pytest.mark.parametrize("journal", ["wal", "rollback"])
def test_a_database_that_does_not_wait_for_the_disk_is_caught(tmp_path, journal):
    _tried, lost = run(tmp_path, journal=journal, sabotage="trust_the_disk")
    assert lost, "the disk was not waited for, and nobody noticed: the rig is broken"
