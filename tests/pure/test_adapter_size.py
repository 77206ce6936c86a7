"""An adapter is one file that can be read at a sitting: what platforms share is not in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

import crosspost
from crosspost.adapters import BUILT_IN

#: Lines, docstrings and imports included. Where a platform needs more, ask first what of it another
#: platform needs too (`docs/adapters.md`, "What is there already").
LONGEST = 200
#: The median says more than the longest: most platforms need about this.
USUAL = 180
#: Rooms of one platform only, each with the reason. Add none: merge it, or find who shares it.
PROTOCOL = "a protocol, whatever is said over it"
LARGE = "with it the adapter would have 245 to 265 lines: no file to read at a sitting"
ALONE = {
    "atproto": PROTOCOL,
    "email_smtp": PROTOCOL,
    "oauth1": PROTOCOL,
    "bluesky_video": "a service of its own, with another address and other errors",
    "linkedin_api": LARGE,
    "tiktok_api": LARGE,
    "wordpress_api": LARGE,
    "x_api": LARGE,
    "resumable": PROTOCOL,
}
PACKAGE = Path(crosspost.__file__).parent


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


def imported(path: Path) -> Iterator[str]:
    """The rooms of `crosspost/adapters/` that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                room = name.removeprefix("crosspost.adapters.")
                if room != name and (PACKAGE / "adapters" / f"{room}.py").exists():
                    yield room


@cache
def users() -> dict[str, set[str]]:
    """room -> the files that import it."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).with_suffix("").as_posix().removeprefix("adapters/")
        for room in imported(path):
            found.setdefault(room, set()).add(name)
    return found


def platforms_with(room: str) -> set[str]:
    """Who needs a room, by way of others too: platforms, and files outside of the adapters."""
    needed: set[str] = set()
    for user in users().get(room, set()):
        is_room = (PACKAGE / "adapters" / f"{user}.py").exists() and user not in BUILT_IN
        needed |= platforms_with(user) if is_room else {user}
    return needed


def test_a_platform_is_one_file_but_for_what_is_named_here_with_its_reason() -> None:
    rooms = {path.stem for path in (PACKAGE / "adapters").glob("*.py")} - {"__init__", *BUILT_IN}
    needs = {room: platforms_with(room) for room in rooms}
    alone = {room for room, by in needs.items() if len(by) == 1 and by <= set(BUILT_IN)}
    assert alone == set(ALONE)
