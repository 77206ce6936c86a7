"""Which tests run for which case, on what they run, and what all of them share."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crosspost.errors import (
    AccountRestricted,
    AuthExpired,
    AuthRevoked,
    PermissionDenied,
    PlatformError,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Receipt, Reconcile
from crosspost.testing.case import Bench, Case

#: Texts that platforms and encodings like to break; each must arrive as it was sent.
TEXTS = {
    "plain": "Pelayanan tilang dibuka pukul 08.00 WIB.",
    "emoji": "Keluarga 👨‍👩‍👧‍👦 dan bendera 🇮🇩, kulit 👋🏽",
    "javanese": "ꦥꦼꦔꦸꦩꦸꦩꦤ꧀ꦏꦁꦒꦺꦴꦮꦂꦒ",
    "right-to-left": "إعلان للمواطنين: خدمة جديدة",
    "astral": "𝒫𝑒𝓃𝑔𝓊𝓂𝓊𝓂𝒶𝓃 𐎀𐎁",
    "lines": "Baris satu\nBaris dua\n\nBaris empat",
    "markup": 'Pasal 5 <b>ayat</b> (2) & "huruf" a\'s *bintang* _garis_ [x](y) \\ &amp; 100%',
    "combining": "Café dan café",
}
LINK = "https://kejari.example/p/ab12cd34/"

#: At the publish call: it may be out, whatever came back.
AMBIGUOUS = (
    *("reset_before", "reset_after", "stall_after", "half_body", "garbage", "missing_id", "huge"),
    *("html", "redirect", "status:408", "status:500", "status:502", "status:503", "status:504"),
    *("status_after:500", "status_after:502"),
)
#: The same, but 2xx: a yes where `any_2xx_is_yes`.
BROKEN_YES = ("garbage", "missing_id")
#: At the publish call: a clear no.
REFUSALS = (400, 401, 403, 404, 413, 422)
#: In the other phases: no answer, or none that says anything.
UNCLEAR = (
    *("reset_before", "reset_after", "stall_after", "half_body", "garbage", "huge", "html"),
    *("redirect", "status:429", "status:500", "status:503", "status:401", "status:403"),
)
#: Good JSON that is not what was asked for.
ODD: tuple[Any, ...] = (
    {},
    {"id": None},
    {"id": {}},
    {"id": ""},
    {"id": True},
    "x",
    5,
    None,
    [5],
    [[]],
)

NOT_CLEAR: tuple[type[PlatformError], ...] = (UnknownOutcome, RetryLater)
NO_ACCESS = (AuthRevoked, AuthExpired, PermissionDenied, AccountRestricted)


def offers(case: Case, feature: str) -> bool:
    """Whether an adapter has what a test is about."""
    can = case.adapter_class.capabilities
    return {
        "http": case.http,
        "find": can.reconcile in (Reconcile.LOOKUP, Reconcile.CHOSEN_ID, Reconcile.TWO_PHASE),
        "key": can.reconcile is Reconcile.IDEMPOTENCY_KEY,
        "images": can.max_images > 0,
        "videos": can.max_videos > 0,
        "uploads": case.uploads,
        "limit": can.max_length is not None,
        "threads": case.threads,
        "delete": can.delete,
        "edit": can.edit,
    }[feature]


def needs(*features: str) -> Callable[[Any], Any]:
    """Marks a test for the adapters that offer these."""

    def mark(test: Any) -> Any:
        test.needs = features
        return test

    return mark


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the suite, once for each case that offers what it needs."""
    if "case" not in metafunc.fixturenames:
        return
    features = getattr(metafunc.function, "needs", ())
    cases = [kind() for kind in metafunc.module.CASES.values()]
    fitting = [case for case in cases if all(offers(case, feature) for feature in features)]
    metafunc.parametrize("case", fitting, ids=[case.platform for case in fitting])


@pytest.fixture
def bench(case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """The case's platform, running, and its adapter; at the end no log line has a secret."""
    caplog.set_level(logging.DEBUG)
    with case.start() as platform:
        bench = Bench(case, platform, tmp_path)
        yield bench
        bench.adapter.close()
    for secret in case.SECRETS:
        assert secret not in caplog.text


def refused(bench: Bench, call: Callable[[], Any]) -> PlatformError:
    """The PlatformError of a call that must fail, without a secret in anything that is shown."""
    with pytest.raises(PlatformError) as caught:
        call()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for secret in bench.case.SECRETS:
        assert secret not in shown
    assert str(caught.value).strip()
    assert caught.value.platform == bench.case.platform
    return caught.value


def call_of(bench: Bench, phase: str, receipt: Receipt | None = None) -> Callable[[], Any]:
    """The call that makes the requests of a phase, everything before it done."""
    images = (bench.image(1, "Satu"),) if offers(bench.case, "images") else ()
    outgoing = bench.outgoing(bench.case.post("Halo.", images=images))
    adapter = bench.adapter
    if phase in ("check", "login"):
        return adapter.check
    if phase == "prepare":
        return lambda: bench.prepare(outgoing)
    ready = bench.prepare(outgoing)
    if phase == "find":
        return lambda: adapter.find(ready)
    if phase == "publish":
        return lambda: adapter.publish(ready)
    known = receipt or adapter.publish(ready)
    if phase == "edit":
        return lambda: adapter.edit(known, ready)
    return lambda: adapter.delete(known)
