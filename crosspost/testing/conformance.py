"""The contract of adapters, as tests. It must not name a platform: what differs is in a `Case`.

A test module imports everything from here and has `CASES`, a mapping of name to `Case` class:

    from crosspost.testing.conformance import *
    CASES = {"fediverse": FediverseCase}

Which tests run for which case follows from the adapter's `Capabilities` and the case's flags; a
feature that no case of the module offers is reported as an empty parameter set. Tests of HTTP are
for adapters that speak it.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from crosspost.adapters.adapter import EXCERPT
from crosspost.adapters.settings import AdapterSettings
from crosspost.errors import (
    AccountRestricted,
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaRejected,
    Misconfigured,
    NotSupported,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Capabilities, Outgoing, Receipt, Reconcile
from crosspost.testing.case import Bench, Case, stored

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


# --- which case a test is for -----------------------------------------------------------------


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


# --- what it says of itself -------------------------------------------------------------------


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


# --- check ------------------------------------------------------------------------------------


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


# --- publish ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_as_it_was_sent(bench: Bench, text: str) -> None:
    _, receipt = bench.send(bench.case.post(text))
    assert bench.texts() == [bench.case.as_shown(text)]
    assert receipt.remote_id == bench.platform.posts[0].remote_id


def test_a_receipt_can_be_stored_and_points_to_the_post(bench: Bench) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    assert receipt.remote_id
    assert isinstance(receipt.remote_id, str)
    assert stored(receipt.extra) == dict(receipt.extra)
    assert receipt.permalink.startswith(("https://", "http://")) is bench.case.has_permalink


def test_a_link_is_shown(bench: Bench) -> None:
    bench.send(bench.case.post("Selengkapnya:", link=LINK))
    assert LINK in bench.platform.posts[0].text
    assert bench.platform.posts[0].link == (LINK if bench.case.shows_link else "")


@needs("limit")
def test_the_longest_text_is_taken_and_a_longer_one_refused(bench: Bench) -> None:
    limit = bench.adapter.capabilities.max_length or 0
    longest = bench.case.unit_text * limit
    assert bench.adapter.measure(longest) == limit
    bench.send(bench.case.post(longest))
    assert bench.texts() == [longest]
    longer = bench.case.post(longest + bench.case.unit_text)
    assert isinstance(refused(bench, lambda: bench.send(longer)), RejectedContent)


def test_nothing_measures_nothing(bench: Bench) -> None:
    assert bench.adapter.measure("") == 0


@needs("images")
@pytest.mark.parametrize("count", [1, 2, None], ids=["one", "two", "as many as it takes"])
def test_images_arrive_intact_and_in_order_with_their_alt_texts(
    bench: Bench, count: int | None
) -> None:
    can = bench.adapter.capabilities
    number = min(count or can.max_images, can.max_images)
    images = tuple(bench.image(20 * i, f'Gambar {i} “<&>" 👋🏽') for i in range(number))
    bench.send(bench.case.post("Dengan gambar.", images=images))
    (post,) = bench.platform.posts
    assert post.text == "Dengan gambar."
    alts = [image.alt if can.max_alt is not None else "" for image in images]
    assert list(post.images) == list(zip(alts, [image.sha256 for image in images], strict=True))


@needs("images")
def test_one_image_may_be_there_twice(bench: Bench) -> None:
    twice = (bench.image(9, "Pertama"), bench.image(9, "Kedua"))
    images = twice[: bench.adapter.capabilities.max_images]
    bench.send(bench.case.post("Dua kali.", images=images))
    assert [digest for _, digest in bench.platform.posts[0].images] == [i.sha256 for i in images]


@needs("images")
def test_an_image_that_cannot_be_read_stops_it_before_anything_is_public(bench: Bench) -> None:
    gone = replace(bench.image(9, "Hilang"), path=bench.folder / "gone")
    error = refused(bench, lambda: bench.send(bench.case.post("Teks.", images=(gone,))))
    assert error.sent is False
    assert not bench.platform.posts


@needs("videos")
def test_a_video_arrives_intact(bench: Bench) -> None:
    film = bench.video("Petugas melayani warga")
    bench.send(replace(bench.case.post("Dengan video."), images=(), videos=(film,)))
    (post,) = bench.platform.posts
    assert post.text == "Dengan video."
    assert [digest for _, digest in post.images] == [film.sha256]


@needs("videos")
def test_a_video_that_cannot_be_read_stops_it_before_anything_is_public(bench: Bench) -> None:
    gone = replace(bench.video("Hilang"), path=bench.folder / "gone")
    post = replace(bench.case.post("Teks."), images=(), videos=(gone,))
    assert refused(bench, lambda: bench.send(post)).sent is False
    assert not bench.platform.posts


@needs("threads")
def test_a_part_answers_to_the_one_before(bench: Bench) -> None:
    _, first = bench.send(bench.case.post("Bagian 1", link=LINK))
    bench.send(bench.case.post("Bagian 2", link=LINK), parent=first)
    assert [post.reply_to for post in bench.platform.posts] == ["", first.remote_id]


def test_handles_are_strings_and_differ_from_part_to_part(bench: Bench) -> None:
    first, second = (bench.adapter.new_handle(key, bench.now) for key in ("a-1-0", "a-1-1"))
    assert all(isinstance(value, str) for value in first.values())
    assert first != second or not first


@needs("http")
def test_publishing_is_one_request(bench: Bench) -> None:
    bench.send(bench.case.post("Halo."))
    assert len(bench.platform.seen("publish")) == 1


# --- prepare ----------------------------------------------------------------------------------


@needs("images")
def test_preparing_may_be_repeated_also_by_another_process(bench: Bench) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))[
        : bench.adapter.capabilities.max_images
    ]
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.", images=images)))
    bench.adapter.close()
    bench.adapter = bench.open()
    bench.adapter.publish(bench.prepare(outgoing))
    (post,) = bench.platform.posts
    assert [digest for _, digest in post.images] == [image.sha256 for image in images]


@needs("http", "uploads")
@pytest.mark.parametrize("fault", [*UNCLEAR, "status:413", "status:422"])
def test_an_upload_that_fails_is_no_post_and_can_be_repeated(bench: Bench, fault: str) -> None:
    outgoing = bench.outgoing(bench.case.post("Dengan gambar.", images=(bench.image(1, "Satu"),)))
    bench.spoil(fault, on="prepare")
    error = refused(bench, lambda: bench.prepare(outgoing))
    assert not isinstance(error, UnknownOutcome)
    assert not bench.platform.posts
    bench.adapter.publish(bench.prepare(outgoing))
    assert len(bench.platform.posts) == 1


@needs("http", "uploads")
def test_an_image_that_is_too_large_is_the_images_fault(bench: Bench) -> None:
    outgoing = bench.outgoing(bench.case.post("Besar.", images=(bench.image(1, "Satu"),)))
    bench.platform.fault("status:413", on="prepare")
    assert isinstance(refused(bench, lambda: bench.prepare(outgoing)), MediaRejected)


# --- what a failed publish means --------------------------------------------------------------


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
            call = _call_of(bench, phase)
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


# --- evidence ---------------------------------------------------------------------------------


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


# --- delete and edit --------------------------------------------------------------------------


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


# --- every phase ------------------------------------------------------------------------------


@needs("http")
@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_an_odd_answer_is_never_a_traceback(bench: Bench, odd: Any) -> None:
    """Whatever JSON comes at check, prepare or delete: an answer or a PlatformError."""
    _, receipt = bench.send(bench.case.post("Halo."))
    for phase in ("check", "prepare", "delete"):
        if phase == "delete" and not offers(bench.case, "delete"):
            continue
        call = _call_of(bench, phase, receipt)
        bench.platform.fault("status_after:200", on=phase, body=json.dumps(odd).encode())
        try:
            call()
        except PlatformError as error:
            assert not isinstance(error, (UnknownOutcome, DuplicateDetected))  # noqa: PT017


def _call_of(bench: Bench, phase: str, receipt: Receipt | None = None) -> Callable[[], Any]:
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
