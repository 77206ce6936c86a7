"""A bounded run of the kill rig with four daemons on PostgreSQL, and a bad design that it catches.

The full size: `.venv/bin/python tests/rig/kill_rig_server.py --deliveries 10000 --kills 2000`.
"""

from __future__ import annotations

import pytest
from kill_rig import Plan, run
from kill_rig_server import on_server

pytestmark = pytest.mark.servers


def test_four_daemons_killed_and_cut_off_publish_each_once_and_lose_none(tmp_path, postgres_server):
    report = run(on_server(postgres_server, Plan(deliveries=200, kills=40, seed=30)), tmp_path)
    assert report.sound, str(report)
    assert not report.verdict.violations, str(report)
    assert report.verdict.acts["doubted"] > 10


def test_daemons_that_ignore_leases_and_fences_are_caught(tmp_path, postgres_server):
    for seed in (31, 32, 33):
        place = tmp_path / str(seed)
        place.mkdir()
        plan = Plan(deliveries=80, kills=5, seed=seed, sabotage="ignore_leases", patience=60.0)
        if run(on_server(postgres_server, plan), place).verdict.violations:
            return
    raise AssertionError("the rig is broken: it saw nothing wrong")
