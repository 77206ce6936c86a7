"""The contract, for every adapter of the registry."""

from __future__ import annotations

import pytest
from cases import CASES as CASES

from crosspost.adapters import BUILT_IN
from crosspost.testing.conformance import *  # noqa: F403


@pytest.mark.parametrize("platform", BUILT_IN)
def test_every_platform_of_the_registry_has_a_case(platform: str) -> None:
    assert platform in CASES, f"write tests/adapters/case_{platform}.py"
