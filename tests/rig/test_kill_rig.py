"""A bounded run of the kill rig, and proof that it notices bad designs.

The full size: `.venv/bin/python tests/rig/kill_rig.py --deliveries 10000 --kills 2000`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kill_rig import Plan, Report, run


def broken(report: Report) -> str:
    """The first sentences of what was broken, "" for nothing; with the seed, to repeat it."""
    found = report.verdict.violations[:5]
    return "\n".join([f"seed {report.plan.seed}", *found]) if found else ""


def test_killed_again_and_again_it_publishes_each_once_and_loses_none(tmp_path):
    report = run(Plan(deliveries=150, kills=30, seed=20), tmp_path)
    assert report.sound, str(report)
    assert not broken(report), str(report)
    assert report.verdict.acts["doubted"] > 10
    assert report.seen.faults.total() > 10


def test_marking_after_posting_is_caught(tmp_path):
    caught(Plan(deliveries=60, kills=20, sabotage="mark_after_posting"), tmp_path)


def test_a_look_without_settle_time_is_caught(tmp_path):
    caught(Plan(deliveries=120, kills=4, faults=0.5, sabotage="settle_at_once"), tmp_path)


def caught(plan: Plan, folder: Path) -> None:
    """Something is public twice; a bad design that luck has hidden gets two more chances."""
    for seed in (21, 22, 23):
        place = folder / str(seed)
        place.mkdir()
        violations = run(replace(plan, seed=seed), place).verdict.violations
        if any("times" in sentence for sentence in violations):
            return
    raise AssertionError(f"{plan.sabotage} was not caught: the rig is broken")
