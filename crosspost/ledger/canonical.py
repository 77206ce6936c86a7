"""Canonical JSON: one value, one sequence of bytes. Pure; it must not know what it writes.

RFC 8785 (JSON Canonicalization Scheme), restricted to strings, integers, booleans, arrays and
objects with ASCII keys, so that no two programs can disagree on numbers or on the order of keys.
"""

from __future__ import annotations

import json
from typing import Any

#: Integers beyond this are not exact everywhere (RFC 8785 section 3.2.2.3, IEEE 754 double).
LARGEST = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Any) -> bytes:
    """The canonical bytes of `value` (UTF-8). Raises ValueError for what the ledger does not allow:
    floats, null, large integers, keys that are not ASCII, strings that are not Unicode text."""
    _check(value)
    return _ENCODER.encode(value).encode()


def _check(value: Any) -> None:
    kind = type(value)
    if kind is str or kind is bool:
        return
    if kind is dict:
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError(f"a key must be an ASCII string, not {key!r}")
            simple = type(item)
            if simple is not str and (simple is not int or not -LARGEST <= item <= LARGEST):
                _check(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item)
    elif isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise ValueError("an integer must be within plus or minus 2**53 - 1")
    elif isinstance(value, dict):
        _check(dict(value))
    elif not isinstance(value, str):
        raise ValueError(f"a {kind.__name__} has no canonical form here")
