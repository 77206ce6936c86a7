"""What is public is set right in the most honest way that its channel has."""

from __future__ import annotations

import pytest

from crosspost.acts import Act, is_repeatable, steps
from crosspost.adapters import BUILT_IN, adapter_class
from crosspost.post import Capabilities


@pytest.mark.parametrize(
    ("can", "fits", "way"),
    [
        ({"edit": True, "shows_edits": True, "threads": True, "delete": True}, True, ["edit"]),
        ({"edit": True, "shows_edits": True, "threads": True}, False, ["reply"]),
        ({"edit": True, "threads": True, "delete": True}, True, ["reply"]),
        ({"edit": True, "delete": True}, True, ["delete", "publish"]),
        ({"edit": True, "shows_edits": True, "delete": True}, False, ["delete", "publish"]),
        ({"delete": True}, True, ["delete", "publish"]),
        ({}, True, ["publish"]),
    ],
)
def test_an_edit_that_readers_see_then_an_answer_then_a_new_post(can, fits, way):
    assert [act.value for act in steps(Capabilities(**can), fits=fits)] == way


@pytest.mark.parametrize("platform", BUILT_IN)
def test_what_an_adapter_says_that_it_can_it_has(platform):
    made = adapter_class(platform)
    can = made.capabilities
    assert not (can.shows_edits and not can.edit)
    for act in steps(can, fits=True):
        if act is Act.EDIT:
            assert "edit" in vars(made) or any("edit" in vars(c) for c in made.__mro__[1:-2])


def test_a_post_is_never_simply_repeated():
    assert [act for act in Act if is_repeatable(act)] == [Act.EDIT, Act.DELETE]
