"""What a failed publish means, and odd answers at every phase."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crosspost.adapters.adapter import EXCERPT
from crosspost.errors import (
    DuplicateDetected,
    PlatformError,
    RateLimited,
    RetryLater,
    UnknownOutcome,
)
from crosspost.testing.case import Bench, Case
from crosspost.testing.conformance.suite import (
    AMBIGUOUS,
    BROKEN_YES,
    LINK,
    NO_ACCESS,
    NOT_CLEAR,
    ODD,
    REFUSALS,
    call_of,
    needs,
    offers,
    refused,
)

# --- what a failed publish means ------------------------------------------------------------------


@needs("http")
def test_a_refused_connection_means_that_nothing_was_sent(bench: Bench) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.platform.fault("refuse")
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RetryLater)
    assert error.sent is False
    bench.platform.listen()
    bench.adapter.publish(outgoing)
    assert len(bench.platform.posts) == 1


@needs("http")
@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_what_may_be_out_is_never_called_a_failure(bench: Bench, fault: str) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.", link=LINK)))
    bench.spoil(fault)
    if fault in BROKEN_YES and bench.case.any_2xx_is_yes:
        assert bench.adapter.publish(outgoing).remote_id
    else:
        error = refused(bench, lambda: bench.adapter.publish(outgoing))
        assert type(error) is UnknownOutcome
        assert error.sent
    assert len(bench.platform.seen("publish")) == 1  # neither repeated nor redirected
    assert bench.platform.elsewhere == []
    assert bench.platform.endless_sent < 50_000_000


@needs("http")
def test_too_many_requests_names_the_time_when_it_goes_on(bench: Bench) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.platform.fault("status:429", headers={"Retry-After": "120"})
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert type(error) is RateLimited
    assert error.until == bench.now + timedelta(seconds=120)
    bench.adapter.publish(outgoing)
    assert len(bench.platform.posts) == 1


@needs("http")
@pytest.mark.parametrize("status", REFUSALS)
def test_a_clear_no_is_final_and_says_so(bench: Bench, status: int) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.platform.fault(f"status:{status}", body=b"the platform's own words")
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert not isinstance(error, NOT_CLEAR)
    assert "the platform's own words" in str(error)
    assert error.status == status


@needs("http")
def test_the_platforms_own_errors_are_understood(case: Case, tmp_path: Path) -> None:
    assert {"check", "publish"} <= {phase for phase, _ in case.error_bodies}
    for (phase, status), (body, headers, expected) in case.error_bodies.items():
        with case.start() as platform:
            bench = Bench(case, platform, tmp_path)
            call = call_of(bench, phase)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            platform.fault(f"status:{status}", on=phase, times=9, headers=headers, body=content)
            assert type(refused(bench, call)) is expected, (phase, status)
            bench.adapter.close()


@needs("http")
def test_a_platform_that_repeats_our_secrets_does_not_spread_them(bench: Bench) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    for secret in bench.case.SECRETS:
        # placed so that the end of the excerpt cuts the secret short
        echo = "x" * (EXCERPT + 3 - len(secret)) + secret
        bench.platform.fault("status:400", body=echo.encode())
        error = refused(bench, lambda: bench.adapter.publish(outgoing))
        assert secret[: len(secret) // 2] not in str(error)


@needs("http")
def test_a_credential_revoked_before_publishing_is_a_clear_no(bench: Bench) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.case.revoke(bench.platform)
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), NO_ACCESS)
    assert isinstance(refused(bench, bench.adapter.check), NO_ACCESS)
    assert not bench.platform.posts


@needs("http")
@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_an_odd_yes_is_a_receipt_or_in_doubt(bench: Bench, odd: Any) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bench.platform.fault("status_after:200", body=json.dumps(odd).encode())
    try:
        receipt = bench.adapter.publish(outgoing)
    except UnknownOutcome:
        return
    assert receipt.remote_id not in ("", "None", "True", "{}")


# --- every phase ----------------------------------------------------------------------------------


@needs("http")
@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_an_odd_answer_is_never_a_traceback(bench: Bench, odd: Any) -> None:
    """Whatever JSON comes at check, prepare or delete: an answer or a PlatformError."""
    _, receipt = bench.send(bench.case.post("Halo."))
    for phase in ("check", "prepare", "delete"):
        if phase == "delete" and not offers(bench.case, "delete"):
            continue
        call = call_of(bench, phase, receipt)
        bench.platform.fault("status_after:200", on=phase, body=json.dumps(odd).encode())
        try:
            call()
        except PlatformError as error:
            assert not isinstance(error, (UnknownOutcome, DuplicateDetected))  # noqa: PT017
