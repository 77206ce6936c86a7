"""Whether a post is public: looked up, or repeated with the same handle."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from crosspost.errors import (
    NotSupported,
    UnknownOutcome,
)
from crosspost.testing.case import Bench
from crosspost.testing.conformance.suite import (
    AMBIGUOUS,
    LINK,
    ODD,
    TEXTS,
    UNCLEAR,
    needs,
    offers,
    refused,
)


@needs("find")
def test_a_post_that_is_out_is_found_with_its_receipt(bench: Bench) -> None:
    bench.send(bench.case.post("Pengumuman lain."))
    outgoing, receipt = bench.send(bench.case.post("Yang dicari.", link=LINK))
    bench.send(bench.case.post("Pengumuman berikutnya."))
    assert bench.open().find(outgoing) == receipt


@needs("find")
def test_a_post_that_is_not_out_is_not_found(bench: Bench) -> None:
    bench.send(bench.case.post("Pengumuman lain."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Yang dicari.")))
    assert bench.open().find(outgoing) is None


@needs("find")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_post_is_found_whatever_its_text(bench: Bench, text: str) -> None:
    outgoing, receipt = bench.send(bench.case.post(text))
    assert bench.open().find(outgoing) == receipt


@needs("find", "http")
@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_after_an_unclear_publish_the_look_up_tells_what_is_public(
    bench: Bench, fault: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.", link=LINK)))
    bench.spoil(fault)
    refused(bench, lambda: bench.adapter.publish(outgoing))
    found = bench.adapter.find(outgoing)
    assert [found.remote_id] if found else [p.remote_id for p in bench.platform.posts] == []


@needs("find", "threads")
def test_parts_with_one_link_are_told_apart(bench: Bench) -> None:
    _, first = bench.send(bench.case.post("Bagian 1", link=LINK))
    missing = bench.prepare(bench.outgoing(bench.case.post("Bagian 2", link=LINK), parent=first))
    assert bench.adapter.find(missing) is None
    second = bench.adapter.publish(missing)
    assert bench.adapter.find(missing) == second


@needs("find", "http")
@pytest.mark.parametrize("fault", UNCLEAR)
def test_a_look_up_that_fails_is_no_evidence(bench: Bench, fault: str) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.", link=LINK)))
    bench.spoil(fault, on="find", times=9)
    assert not isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), UnknownOutcome)
    assert bench.platform.elsewhere == []


@needs("find", "http")
@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_an_odd_answer_to_a_look_up_is_no_evidence(bench: Bench, odd: Any) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.", link=LINK)))
    bench.platform.fault("status_after:200", on="find", times=9, body=json.dumps(odd).encode())
    refused(bench, lambda: bench.adapter.find(outgoing))


@needs("key", "http")
@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_a_repeat_with_the_same_handle_makes_no_second_post(bench: Bench, fault: str) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.")))
    bench.spoil(fault)
    with suppress(UnknownOutcome):
        bench.adapter.publish(outgoing)
    again = bench.open()
    bench.now += timedelta(minutes=5)
    assert again.publish(outgoing).remote_id == again.publish(outgoing).remote_id
    assert bench.texts() == ["Sekali saja."]
    assert len({seen.body for seen in bench.platform.seen("publish")}) == 1


def test_an_adapter_without_look_up_says_so(bench: Bench) -> None:
    if offers(bench.case, "find"):
        return
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    with pytest.raises(NotSupported):
        bench.adapter.find(outgoing)
