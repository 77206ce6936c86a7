"""What an adapter says of itself, and of its account."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from crosspost.adapters.settings import AdapterSettings
from crosspost.errors import (
    AuthRevoked,
    Misconfigured,
    PlatformError,
    RateLimited,
    RetryLater,
    TargetGone,
)
from crosspost.post import Capabilities
from crosspost.testing.case import Bench, Case
from crosspost.testing.conformance.suite import (
    NO_ACCESS,
    needs,
    refused,
)


def test_an_adapter_says_what_it_is(case: Case) -> None:
    kind = case.adapter_class
    assert kind.platform == case.platform
    assert kind.title
    assert isinstance(kind.capabilities, Capabilities)
    assert issubclass(kind.Settings, AdapterSettings)


def test_the_options_of_the_case_are_accepted_and_unknown_ones_refused(bench: Bench) -> None:
    options = bench.case.options(bench.platform)
    kind = bench.case.adapter_class.Settings
    kind.model_validate(options)
    with pytest.raises(ValidationError, match="no_such_key"):
        kind.model_validate({**options, "no_such_key": 1})


def test_a_secret_written_into_the_file_is_refused(bench: Bench) -> None:
    options = bench.case.options(bench.platform)
    fields = bench.case.adapter_class.Settings.model_fields
    for name, field in fields.items():
        if field.annotation in (SecretStr, SecretStr | None):
            with pytest.raises(ValidationError, match="secret"):
                bench.case.adapter_class.Settings.model_validate({**options, name: "in the file"})


def test_every_secret_of_the_case_is_typed_as_one(bench: Bench) -> None:
    settings = bench.case.adapter_class.Settings.model_validate(bench.case.options(bench.platform))
    for secret in bench.case.SECRETS:
        assert secret not in repr(settings)


def test_check_names_the_account_and_posts_nothing(bench: Bench) -> None:
    account = bench.adapter.check()
    assert account.name
    assert not bench.platform.posts
    assert all(isinstance(value, str) for value in account.facts.values())


@needs("http")
def test_every_request_says_who_calls(bench: Bench) -> None:
    bench.adapter.check()
    bench.send(bench.case.post("Halo."))
    agents = {seen.headers.get("user-agent", "") for seen in bench.platform.requests}
    assert all("crosspost/" in agent for agent in agents)


@needs("http")
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("refuse", (RetryLater,)),
        ("reset_before", (RetryLater,)),
        ("stall_after", (RetryLater,)),
        ("half_body", (RetryLater,)),
        ("huge", (RetryLater,)),
        ("html", (Misconfigured,)),
        ("redirect", (Misconfigured,)),
        ("status:401", NO_ACCESS),
        ("status:403", NO_ACCESS),
        ("status:404", (Misconfigured, TargetGone, AuthRevoked)),
        ("status:429", (RateLimited,)),
        ("status:500", (RetryLater,)),
        ("status:503", (RetryLater,)),
    ],
)
def test_check_says_what_is_wrong(
    bench: Bench, fault: str, expected: tuple[type[PlatformError], ...]
) -> None:
    bench.spoil(fault, on="check", times=9)
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, expected)
    assert error.sent is (fault != "refuse")
