"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crosspost import wording


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A test begins in English, whatever office an earlier one has loaded."""
    wording.set_language("en")
    yield
    wording.set_language("en")
