"""Canonical JSON: one value, one sequence of bytes. Pure; it must not know what it writes.

RFC 8785 (JSON Canonicalization Scheme), restricted to strings, integers, booleans, arrays and
objects with ASCII keys, so that no two programs can disagree on numbers or on the order of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from json.encoder import JSONEncoder, c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from typing import Any

#: Integers beyond this are not exact everywhere (RFC 8785 section 3.2.2.3, IEEE 754 double).
LARGEST = 2**53 - 1


def _encoder() -> Callable[[Any, int], Iterable[str]]:
    """Python's encoder in pieces of text. `json.dumps` makes this anew for each value."""
    options: Any = (encode_basestring, None, ":", ",", True, False, False)
    if c_make_encoder is not None:
        return c_make_encoder(None, None, *options)  # type: ignore[no-any-return]
    plain = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return lambda value, _: plain.iterencode(value)


_pieces = _encoder()


def canonical(value: Any) -> bytes:
    """The canonical bytes of `value` (UTF-8). Raises ValueError for what the ledger does not allow:
    floats, null, large integers, keys that are not ASCII, strings that are not Unicode text."""
    _check(value)
    return "".join(_pieces(value, 0)).encode()


def _check(value: Any) -> None:
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise ValueError(f"a key must be an ASCII string, not {key!r}")
            its = type(item)
            if its is not str and its is not bool and not (its is int and abs(item) <= LARGEST):
                _check(item)
    elif kind is list:
        for item in value:
            _check(item)
    elif kind is not int and kind is not bool and kind is not str:
        _check(_plain(value))
    elif kind is int and not -LARGEST <= value <= LARGEST:
        raise ValueError("an integer must be within plus or minus 2**53 - 1")


def _plain(value: Any) -> Any:
    """What is a special kind of a string, an integer, an object or an array, as a plain one."""
    if isinstance(value, tuple):
        return list(value)
    kinds: tuple[Any, ...] = (str, int, dict, list)
    for plain in kinds:
        if isinstance(value, plain):
            return plain(value)
    raise ValueError(f"a {type(value).__name__} has no canonical form here")
