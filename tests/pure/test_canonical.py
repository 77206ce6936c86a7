"""The bytes of the ledger: RFC 8785 within what the ledger allows, and the hashes of RFC 6962."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.ledger.canonical import LARGEST, canonical
from crosspost.ledger.hashing import leaf_hash, new_salt, node_hash, salted_digest

DATA = Path(__file__).parents[1] / "data" / "jcs"
NAMES = sorted(path.stem for path in (DATA / "input").glob("*.json"))
SALT = bytes(range(32))
VALUES = st.recursive(
    st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner)
    ),
    max_leaves=20,
)


def read(data: bytes):
    """JSON as a reader of the ledger would: 56.0 is the integer 56 (RFC 8785 section 3.2.2.3)."""

    def number(text: str) -> float | int:
        value = float(text)
        return int(value) if value.is_integer() and abs(value) <= LARGEST else value

    return json.loads(data, parse_float=number)


def allowed(value):
    """The same without what the ledger refuses: floats, null, and keys that are not ASCII."""
    if isinstance(value, dict):
        items = ((key, allowed(item)) for key, item in value.items() if key.isascii())
        return {key: item for key, item in items if item is not None}
    if isinstance(value, list):
        return [item for item in map(allowed, value) if item is not None]
    return None if isinstance(value, float) else value


def test_the_public_data_are_there():
    assert NAMES == ["arrays", "french", "structures", "unicode", "values", "weird"]


@pytest.mark.parametrize("name", NAMES)
def test_public_inputs_become_the_published_bytes(name):
    given_value = read((DATA / "input" / f"{name}.json").read_bytes())
    expected = (DATA / "output" / f"{name}.json").read_bytes()
    if allowed(given_value) == given_value:
        assert canonical(given_value) == expected
        return
    with pytest.raises(ValueError, match=r"canonical form|ASCII"):
        canonical(given_value)
    # what remains is in the published order and form; each string, byte for byte
    remaining = canonical(allowed(given_value))
    assert read(remaining) == allowed(read(expected))
    assert list(read(remaining)) == list(allowed(read(expected)))
    for text in strings(given_value):
        assert canonical(text) in expected


def strings(value):
    """Every string in a value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.0,
        float("nan"),
        {"a": None},
        [[0.5]],
        LARGEST + 1,
        -LARGEST - 1,
        {"ö": 1},
        {1: "one"},
        "\ud800",
        b"bytes",
        {1, 2},
    ],
    ids=repr,
)
def test_what_two_programs_could_write_differently_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ, the refusal counts
        canonical(value)


@given(VALUES)
def test_canonical_bytes_read_back_as_the_same_value_and_are_a_fixed_point(value):
    written = canonical(value)
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), st.integers(0, 9)))
def test_the_order_in_which_keys_came_does_not_show(value):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_there_is_no_space_and_no_escape_that_need_not_be():
    assert canonical({"b": [1, True], "a": 'é"\\/\x1f\n\x7f'}) == (
        '{"a":"é\\"\\\\/\\u001f\\n\x7f","b":[1,true]}'.encode()
    )


def test_the_leaf_of_the_empty_entry_is_the_one_of_the_reference_tree():
    # RFC 6962 reference tree: the first leaf is empty
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_two_leaves_make_the_root_of_the_reference_tree():
    # RFC 6962 reference tree of size two: leaves "" and 0x00
    assert node_hash(leaf_hash(b""), leaf_hash(b"\x00")).hex() == (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )


@given(st.binary(min_size=64, max_size=64))
def test_a_leaf_can_never_pass_for_a_node(both):
    assert leaf_hash(both) != node_hash(both[:32], both[32:])


def test_a_salted_digest_is_of_salt_and_canonical_bytes():
    expected = hashlib.sha256(SALT + b'{"a":1}').hexdigest()
    assert salted_digest(SALT, {"a": 1}) == expected


def test_another_salt_gives_another_digest_and_a_short_one_is_refused():
    assert salted_digest(new_salt(), "text") != salted_digest(new_salt(), "text")
    with pytest.raises(ValueError, match="32 bytes"):
        salted_digest(b"short", "text")
