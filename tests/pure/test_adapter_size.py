"""An adapter is one file that can be read at a sitting: what platforms share is not in it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from crosspost.adapters import BUILT_IN

#: Lines, docstrings and imports included. Where a platform needs more, ask first what of it another
#: platform needs too (`docs/adapters.md`, "What is there already").
LONGEST = 200
#: The median says more than the longest: most platforms need about this.
USUAL = 180


def lines_of(platform: str) -> int:
    module, _, _ = BUILT_IN[platform].partition(":")
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    return len(Path(found.origin).read_text("utf-8").splitlines())


@pytest.mark.parametrize("platform", BUILT_IN)
def test_an_adapters_file_is_read_at_a_sitting(platform: str) -> None:
    assert lines_of(platform) <= LONGEST


def test_most_adapters_are_shorter_than_that() -> None:
    lengths = sorted(map(lines_of, BUILT_IN))
    assert lengths[len(lengths) // 2] <= USUAL
