"""What one wording of an announcement changed against the one before.

Pure: values in, lines out. It must not know where they come from, or how they are shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

#: What is compared, in the order in which it is told; text that may have many lines comes last.
FIELDS = ("title", "source", "link", "lang", "urgency", "channels", "due", "images", "body")


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str]]:
    """Field -> lines that begin with `-` (gone), `+` (new) or a space (unchanged, for the reader's
    orientation); only fields that differ. Both are mappings with the keys of FIELDS."""
    found = {}
    for name in FIELDS:
        before, after = _lines(old[name]), _lines(new[name])
        if before != after:
            found[name] = _changed(before, after)
    return found


def _lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines()
    return [str(item) for item in value]


def _changed(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """A unified difference without its headings."""
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    return [line for line in lines if not line.startswith("@@")]
