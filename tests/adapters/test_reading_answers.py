"""How adapters read what a platform says: values out of any JSON, and what an error means."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from crosspost.adapters.answers import Answer, Meaning, address
from crosspost.adapters.base import AdapterSettings, Context, HttpAdapter, HttpSettings, written
from crosspost.errors import MediaRejected, Misconfigured, RateLimited, RejectedContent, RetryLater
from crosspost.testing.loopback import Platform, Reply, Seen

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)
PATHS = st.lists(st.text(max_size=3) | st.integers(-2, 3), max_size=4)


def answer(data: object, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(data).encode())


@given(ANY_JSON, PATHS)
def test_nothing_that_a_platform_says_breaks_the_reading_of_it(data: object, path: list) -> None:
    said = answer(data)
    assert isinstance(said.word(*path), str)
    said.at(*path)


@given(st.binary(max_size=50))
def test_what_is_no_json_has_nothing_in_it(body: bytes) -> None:
    said = Answer(200, {}, b"\xff" + body)
    assert (said.data, said.at("a", 0), said.word("a")) == (None, None, "")


def test_values_are_found_by_names_and_places() -> None:
    said = answer({"errors": [{"reason": "quota"}, {"reason": 5}]})
    assert said.word("errors", 0, "reason") == "quota"
    assert said.word("errors", 1, "reason") == ""
    assert said.at("errors", 1, "reason") == 5
    assert said.at("errors", 2, "reason") is None
    assert said.at("errors", "0") is None
    with pytest.raises(TypeError):
        said.list_at("errors", 0)


@pytest.mark.parametrize("value", ["", None, 5, "ftp://a.example", "javascript:alert(1)"])
def test_what_nothing_can_be_sent_to_is_no_address(value: object) -> None:
    with pytest.raises(ValueError, match="not an address"):
        address(value)


TABLE = (
    Meaning(RateLimited, code="slow slower"),
    Meaning(MediaRejected, (400, 422), words="too large|too long", phases="prepare"),
    Meaning(Misconfigured, 400, phases="check find"),
    Meaning(RetryLater, 503, code="slow"),
    Meaning(MediaRejected, code="file_*"),
    Meaning(RejectedContent, code="*"),
)


@pytest.mark.parametrize(
    ("status", "code", "words", "phase", "expected"),
    [
        (200, "slow", "", "publish", RateLimited),  # a no may come with any status
        (429, "slower", "", "find", RateLimited),
        (500, "slow", "", "publish", None),  # above, it may have happened
        (503, "slow", "", "publish", RetryLater),  # unless a row says it of this very status
        (422, "", "The file is TOO LARGE", "prepare", MediaRejected),
        (422, "", "too large", "publish", None),
        (413, "", "too large", "prepare", None),
        (400, "", "", "find", Misconfigured),
        (400, "slowest", "", "publish", RejectedContent),  # a code is a whole word
        (400, "file_odd", "", "publish", MediaRejected),
        (400, "my_file_odd", "", "publish", RejectedContent),
        (400, "", "", "publish", None),
        (500, "other", "", "publish", None),
    ],
)
def test_the_first_row_that_fits_says_what_an_error_means(
    status: int, code: str, words: str, phase: str, expected: type | None
) -> None:
    found = (row.kind for row in TABLE if row.fits(status, code, words, phase))
    assert next(found, None) is expected


class Numbered(AdapterSettings):
    key: Annotated[str, written(r"\d+", lambda: "write digits")]


class Secret(AdapterSettings):
    key: Annotated[SecretStr, written(r"\d+:\w+", lambda: "write it as it was given")]


@pytest.mark.parametrize(("value", "kept"), [("12", "12"), (12, "12"), (" 12 ", "12")])
def test_a_key_with_a_form_is_kept_as_its_text(value: object, kept: str) -> None:
    assert Numbered(key=value).key == kept  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "x", "1x", None, True, 1.5, ["1"]])
def test_a_key_without_its_form_is_refused_with_advice(value: object) -> None:
    with pytest.raises(ValidationError, match="write digits"):
        Numbered(key=value)  # type: ignore[arg-type]


def test_a_secret_with_a_form_stays_a_secret() -> None:
    assert Secret(key=SecretStr("1:abc")).key == SecretStr("1:abc")
    with pytest.raises(ValidationError, match="as it was given") as refused:
        Secret(key=SecretStr("not-of-the-form"))
    assert "not-of-the-form" not in str(refused.value)


class Shop(Platform):
    def phase_of(self, seen: Seen) -> str:
        return "any"

    def answer(self, seen: Seen) -> Reply:
        return Reply(200, {})


class KeyedAdapter(HttpAdapter):
    platform = "keyed"
    title = "Keyed"

    def headers(self) -> dict[str, str]:
        return {"X-Key": "secret"}

    check = measure = publish = None  # type: ignore[assignment]


def test_what_every_call_carries_never_goes_to_another_address() -> None:
    with Shop() as ours, Shop() as theirs:
        adapter = KeyedAdapter(HttpSettings(base_url=ours.url), Context())
        adapter.call("GET", "/orders", phase="check")
        adapter.call("PUT", f"{theirs.url}/upload", phase="prepare", headers={"X-Own": "1"})
        assert ours.requests[0].headers["x-key"] == "secret"
        assert "x-key" not in theirs.requests[0].headers
        assert theirs.requests[0].headers["x-own"] == "1"
        adapter.close()
