"""What the tests of the ledger share."""

from __future__ import annotations

import pytest
from kept import CONFIG, Ledger

from crosspost.migrations import upgrade


@pytest.fixture
def unsigned(tmp_path) -> Ledger:
    """An office whose ledger has no key yet, with 12 entries."""
    (tmp_path / "crosspost.toml").write_text(CONFIG)
    made = Ledger(tmp_path)
    database = made.database
    upgrade(database)
    database.close()
    made.grow(12)
    return made


@pytest.fixture
def ledger(unsigned) -> Ledger:
    """The same with a key, all 12 entries sealed."""
    from crosspost.ledger.sealing import found_ledger

    database = unsigned.database
    found_ledger(database, unsigned.folder, "office.example/ledger")
    database.close()
    return unsigned
