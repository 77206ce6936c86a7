"""What changed between two wordings is told whole, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crosspost.differences import FIELDS, difference

LINES = st.lists(st.text("abc", min_size=1, max_size=5), max_size=6)
WORDINGS = st.fixed_dictionaries(dict.fromkeys(FIELDS, LINES))


@given(WORDINGS, WORDINGS)
def test_every_field_that_differs_is_told_with_all_its_lines(old, new):
    told = difference(old, new)
    assert list(told) == [name for name in FIELDS if old[name] != new[name]]
    for name, lines in told.items():
        gone = [line[1:] for line in lines if line.startswith("-")]
        come = [line[1:] for line in lines if line.startswith("+")]
        assert sorted(set(old[name]) - set(new[name])) == sorted(set(gone) - set(new[name]))
        assert set(new[name]) - set(old[name]) <= set(come)


def test_a_line_that_begins_with_signs_is_told_as_it_is():
    old = {**dict.fromkeys(FIELDS, ""), "body": "@@ a\n--- b\nsame"}
    new = {**dict.fromkeys(FIELDS, ""), "body": "+++ c\nsame"}
    assert difference(old, new) == {"body": ["-@@ a", "---- b", "++++ c", " same"]}
