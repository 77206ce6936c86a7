"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crosspost import wording


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test reads English, whatever office it or an earlier one has loaded."""
    monkeypatch.setenv("CROSSPOST_LANGUAGE", "en")
    wording.set_language("en")
    yield
    wording.set_language("en")
