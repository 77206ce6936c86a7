"""Taking down and editing what is public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crosspost.errors import (
    NotSupported,
    UnknownOutcome,
)
from crosspost.post import Outgoing, Receipt
from crosspost.testing.case import Bench
from crosspost.testing.conformance.suite import (
    needs,
    offers,
    refused,
)


@needs("delete")
def test_a_deleted_post_is_gone_and_deleting_it_again_is_fine(bench: Bench) -> None:
    _, kept = bench.send(bench.case.post("Tetap."))
    _, receipt = bench.send(bench.case.post("Dihapus."))
    bench.adapter.delete(receipt)
    bench.adapter.delete(receipt)
    assert [post.remote_id for post in bench.platform.posts] == [kept.remote_id]


@needs("delete", "http")
@pytest.mark.parametrize("fault", ["refuse", "reset_after", "status:500", "status:403", "redirect"])
def test_a_delete_that_fails_can_be_repeated(bench: Bench, fault: str) -> None:
    _, receipt = bench.send(bench.case.post("Dihapus."))
    bench.spoil(fault, on="delete")
    assert not isinstance(refused(bench, lambda: bench.adapter.delete(receipt)), UnknownOutcome)
    bench.platform.listen()
    bench.adapter.delete(receipt)
    assert bench.platform.posts == []
    assert bench.platform.elsewhere == []


@needs("edit")
def test_an_edited_post_stays_one_post(bench: Bench) -> None:
    _, receipt = bench.send(bench.case.post("Salah ketik."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sudah betul.")))
    assert bench.adapter.edit(receipt, outgoing).remote_id == receipt.remote_id
    assert bench.texts() == ["Sudah betul."]


def test_what_it_cannot_do_it_refuses_without_a_call(bench: Bench) -> None:
    receipt, outgoing = Receipt("1"), Outgoing(post=bench.case.post("Halo."))
    calls: dict[str, Callable[[], Any]] = {
        "delete": lambda: bench.adapter.delete(receipt),
        "edit": lambda: bench.adapter.edit(receipt, outgoing),
    }
    for feature, call in calls.items():
        if not offers(bench.case, feature):
            with pytest.raises(NotSupported):
                call()
