"""The table of what each channel can do is that of the code."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matrix import BEGIN, COLUMNS, page, row, table

from crosspost.adapters import BUILT_IN, adapter_class
from crosspost.adapters.threads import ThreadsAdapter
from crosspost.post import CardMaker, Reconcile


@pytest.mark.parametrize("platform", BUILT_IN)
def test_every_platform_has_its_line_with_every_column(platform: str) -> None:
    line = row(adapter_class(platform))
    assert line in table()
    assert f"(channels/{platform}.md)" in line
    assert line.count(" | ") == len(COLUMNS)
    assert all(cell.strip() for cell in line.strip("|").split("|"))


@pytest.mark.parametrize(
    "change",
    [
        {"max_length": 501},
        {"max_caption": 9},
        {"max_bytes": 3000},
        {"max_title": 100},
        {"max_images": 3},
        {"image_bytes": 1_500_000},
        {"max_videos": 0},
        {"max_alt": None},
        {"card": CardMaker.NONE},
        {"threads": False},
        {"edit": True},
        {"delete": False},
        {"reconcile": Reconcile.NONE},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_capability_is_another_line(change: dict[str, object]) -> None:
    class Changed(ThreadsAdapter):
        capabilities = replace(ThreadsAdapter.capabilities, **change)  # type: ignore[arg-type]

    assert row(Changed) != row(ThreadsAdapter)


def test_a_page_without_its_marks_is_noticed() -> None:
    with pytest.raises(ValueError, match="marks"):
        page(f"text {BEGIN} text")
