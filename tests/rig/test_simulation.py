"""Days of an office in seconds, and proof that the simulation notices bad designs.

More of it: `.venv/bin/python tests/rig/simulation.py --steps 1000000`.
"""

from __future__ import annotations

import pytest
from sabotage import SABOTAGES
from simulation import simulate

#: In four parts, since tests use every core.
STEPS = 50_000
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_every_promise_is_kept(part):
    tally = simulate(seed=part * 10_000 + 1, steps=STEPS // PARTS)
    assert not tally.broken, tally.broken
    for kind in ("doubted", "confirmed", "disproved", "repeated", "review_asked", "missed"):
        assert tally.acts[kind], f"nothing was {kind}: the simulation shows too little"


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_bad_design_is_caught(monkeypatch, name):
    SABOTAGES[name](monkeypatch.setattr)
    tally = simulate(seed=1, steps=20_000)
    assert tally.broken, f"{name} was not caught in {tally.steps} steps"


def test_a_seed_tells_the_whole_story_again():
    stories = []
    for _ in range(2):
        simulate(seed=7, steps=1, done=lambda tally: stories.append((tally.steps, tally.acts)))
    assert stories[0] == stories[1]
