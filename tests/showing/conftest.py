"""What the tests of the public pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from showroom import Publisher, office_in

from crosspost.wording import language, set_language


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


@pytest.fixture
def office(tmp_path) -> Iterator[Publisher]:
    made = office_in(tmp_path)
    yield made
    made.database.close()
