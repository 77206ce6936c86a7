"""Bluesky: sessions are kept and renewed, records are named by us and made once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from case_bluesky import DID, HANDLE, PASS, PASSWORD, BlueskyCase, FakeBluesky, token
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from crosspost.adapters.atproto import Session, tid
from crosspost.adapters.base import Context
from crosspost.adapters.bluesky import BlueskyAdapter, BlueskySettings
from crosspost.errors import (
    AccountRestricted,
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Card, Facet, Post
from crosspost.testing.case import Bench

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LINK = "https://kejari.example/p/ab12cd34/"


@pytest.fixture
def bluesky() -> Iterator[FakeBluesky]:
    with FakeBluesky() as platform:
        yield platform


@pytest.fixture
def bench(bluesky: FakeBluesky, tmp_path: Path) -> Iterator[Bench]:
    bluesky.ends = int((NOW + timedelta(hours=2)).timestamp())
    bench = Bench(BlueskyCase(), bluesky, tmp_path, now=NOW)
    yield bench
    bench.adapter.close()


def logins(bluesky: FakeBluesky) -> list[str]:
    return [seen.path.rsplit(".", 1)[1] for seen in bluesky.seen("login")]


def later(bench: Bench, bluesky: FakeBluesky, hours: float) -> None:
    """Time passes; new access tokens last two hours from then."""
    bench.now += timedelta(hours=hours)
    bluesky.ends = int((bench.now + timedelta(hours=2)).timestamp())


def record_of(bluesky: FakeBluesky) -> dict[str, Any]:
    (record,) = bluesky.records.values()
    return record


# --- videos -----------------------------------------------------------------------------------


def film_of(bench: Bench, text: str = "Loket dibuka.") -> Post:
    return replace(bench.case.post(text), videos=(bench.video("Petugas membuka loket"),))


def videos_sent(bluesky: FakeBluesky) -> int:
    return len([seen for seen in bluesky.requests if seen.path.endswith("uploadVideo")])


def test_a_video_stands_in_the_record_with_its_description_and_shape(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bluesky.slow_videos = 3
    bench.send(film_of(bench))
    embed = record_of(bluesky)["embed"]
    assert embed["$type"] == "app.bsky.embed.video"
    assert embed["alt"] == "Petugas membuka loket"
    assert embed["aspectRatio"] == {"width": 1280, "height": 720}
    assert videos_sent(bluesky) == 1, "what is being worked on is not sent again"


def test_the_service_of_videos_sees_a_pass_and_no_login(bench: Bench, bluesky: FakeBluesky) -> None:
    bench.send(film_of(bench))
    shown = [
        seen.headers.get("authorization", "") for seen in bluesky.requests if ".video." in seen.path
    ]
    assert shown[0] == f"Bearer {PASS}-for-did:web:morel.example"
    assert not any(shown[1:])


def test_a_video_that_the_service_has_already_is_used_again(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bench.send(film_of(bench))
    bench.send(film_of(bench, "Loket masih dibuka."))
    assert len(bluesky.jobs) == 1
    assert len(bluesky.posts) == 2


def test_a_video_that_cannot_be_used_is_the_videos_fault(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bluesky.bad_videos = True
    with pytest.raises(MediaRejected, match="Video is too long"):
        bench.send(film_of(bench))


def test_work_that_the_service_has_forgotten_is_begun_again(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    outgoing = bench.outgoing(film_of(bench))
    with pytest.raises(MediaProcessing) as wait:
        bench.adapter.prepare(outgoing)
    bluesky.jobs.clear()
    with pytest.raises(MediaExpired):
        bench.adapter.prepare(replace(outgoing, prepared=wait.value.prepared))
    assert bench.prepare(outgoing).prepared["blobs"]


def test_an_account_that_may_not_upload_videos_is_not_taken_for_a_lost_login(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bluesky.lets_in = False
    with pytest.raises(PermissionDenied, match="verify your email"):
        bench.send(film_of(bench))
    bench.send(bench.case.post("Teks saja."))


# --- sessions ---------------------------------------------------------------------------------


def test_many_posts_and_restarts_make_one_login(bench: Bench, bluesky: FakeBluesky) -> None:
    for number in range(3):
        bench.send(bench.case.post(f"Nomor {number}"))
        bench.adapter.close()
        bench.adapter = bench.open()
    assert logins(bluesky) == ["createSession"]


def test_the_kept_session_has_no_empty_value_and_not_the_password(bench: Bench) -> None:
    bench.adapter.check()
    assert all(bench.vault.values())
    assert PASSWORD not in str(bench.vault)


def test_two_adapters_at_once_do_not_both_log_in(bench: Bench, bluesky: FakeBluesky) -> None:
    bench.adapter.check()
    other = bench.open()
    later(bench, bluesky, 3)
    other.check()
    bench.adapter.check()
    assert logins(bluesky) == ["createSession", "refreshSession"]


def test_threads_of_one_adapter_log_in_once(bench: Bench, bluesky: FakeBluesky) -> None:
    threads = [Thread(target=bench.adapter.check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logins(bluesky) == ["createSession"]


def test_a_session_that_another_process_renewed_meanwhile_is_taken_from_the_store(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bench.adapter.check()
    old = dict(bench.vault)
    later(bench, bluesky, 3)
    bench.open().check()
    new, loads = dict(bench.vault), iter([old])
    context = replace(bench.adapter.context, load=lambda: next(loads, new))
    settings = bench.adapter.settings
    BlueskyAdapter(settings, context).check()  # it loads the old one, and is refused a renewal
    assert logins(bluesky) == ["createSession", "refreshSession", "refreshSession"]
    assert bench.vault == new


def test_without_a_store_the_session_lives_as_long_as_the_adapter(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    adapter = BlueskyAdapter(bench.adapter.settings, Context(now=lambda: bench.now))
    adapter.check()
    adapter.check()
    later(bench, bluesky, 3)
    adapter.check()
    adapter.close()
    assert logins(bluesky) == ["createSession", "refreshSession"]


def test_a_refused_renewal_leads_to_one_new_login(bench: Bench, bluesky: FakeBluesky) -> None:
    bench.adapter.check()
    bluesky.refresh.clear()
    later(bench, bluesky, 3)
    bench.send(bench.case.post("Halo."))
    assert logins(bluesky) == ["createSession", "refreshSession", "createSession"]


@pytest.mark.parametrize(
    "fault", ["reset_after", "status:502", "garbage", "missing_id", "half_body"]
)
def test_a_renewal_that_fails_is_no_reason_to_log_in(
    bench: Bench, bluesky: FakeBluesky, fault: str
) -> None:
    bench.adapter.check()
    good = dict(bench.vault)
    later(bench, bluesky, 3)
    bluesky.fault(fault, on="login")
    with pytest.raises(PlatformError) as caught:
        bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    assert isinstance(caught.value, RetryLater | Misconfigured)
    assert logins(bluesky) == ["createSession", "refreshSession"]
    assert bench.vault == good


@pytest.mark.parametrize("missing", ["did", "handle", "accessJwt", "refreshJwt"])
def test_an_incomplete_session_is_not_kept_and_its_tokens_are_not_shown(
    bench: Bench, bluesky: FakeBluesky, missing: str
) -> None:
    names = {"did": DID, "handle": HANDLE, "accessJwt": token("a", 9), "refreshJwt": token("r", 9)}
    body = str({**names, missing: ""}).replace("'", '"').encode()
    bluesky.fault("status_after:200", on="login", body=body)
    with pytest.raises(Misconfigured) as caught:
        bench.adapter.check()
    assert bench.vault == {}
    assert "eyJ" not in str(caught.value)


def test_an_access_token_is_renewed_before_publishing_could_meet_its_end(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bench.adapter.check()
    later(bench, bluesky, 1.9)
    bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    assert logins(bluesky) == ["createSession", "refreshSession"]


def test_an_opaque_access_token_is_used_until_it_is_refused(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    bench.adapter.check()
    bluesky.access.add("opaque")
    bench.vault["access"] = "opaque"
    bench.open().check()
    assert logins(bluesky) == ["createSession"]


@pytest.mark.parametrize("name", ["ExpiredToken", "InvalidToken"])
def test_a_token_that_ends_while_publishing_is_a_clear_no_and_preparing_renews_it(
    bench: Bench, bluesky: FakeBluesky, name: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bluesky.fault("status:400", body=f'{{"error": "{name}", "message": "no"}}'.encode())
    with pytest.raises(AuthExpired):
        bench.adapter.publish(outgoing)
    assert len(bluesky.seen("publish")) == 1
    assert logins(bluesky) == ["createSession"]
    bench.adapter.publish(bench.prepare(outgoing))
    assert logins(bluesky) == ["createSession", "refreshSession"]
    assert len(bluesky.posts) == 1


def test_publishing_without_a_session_sends_nothing(bench: Bench, bluesky: FakeBluesky) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    with pytest.raises(AuthExpired) as caught:
        bench.open().publish(outgoing)
    assert caught.value.sent is False
    assert bluesky.seen("publish") == []


def test_a_session_of_another_account_is_not_used(bench: Bench, bluesky: FakeBluesky) -> None:
    bench.adapter.check()
    bench.vault["of"] = "kominfo.bsky.social https://bsky.social"
    bench.open().check()
    assert logins(bluesky) == ["createSession", "createSession"]


@pytest.mark.parametrize("kept", [{}, {"token": "from another version"}, {"did": DID}])
def test_what_is_no_session_counts_as_none(kept: dict[str, str]) -> None:
    assert Session.of_kept(kept, "of") is None


@pytest.mark.parametrize(
    "access", ["", "a", "a.b.c", "a.e30.c", "a.W10.c", "eyJ.eyJleHAiOiJ4In0.c"]
)
def test_a_token_that_does_not_say_when_it_ends_has_no_end(access: str) -> None:
    session = Session(DID, HANDLE, access, "refresh", "of")
    assert session.ends is None
    assert not session.is_main_password


def test_too_many_logins_stop_the_channel_until_the_server_says(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    end = NOW + timedelta(minutes=4)
    headers = {"ratelimit-reset": str(int(end.timestamp())), "ratelimit-remaining": "0"}
    bluesky.fault("status:429", on="login", headers=headers, body=b'{"error":"RateLimitExceeded"}')
    with pytest.raises(RateLimited) as caught:
        bench.adapter.check()
    assert caught.value.until == end


# --- check ------------------------------------------------------------------------------------


def test_check_names_the_account(bench: Bench) -> None:
    account = bench.adapter.check()
    assert account.name == f"@{HANDLE}"
    assert account.url == f"https://bsky.app/profile/{DID}"
    assert account.warnings == ()


def test_check_warns_of_the_main_password(bench: Bench, bluesky: FakeBluesky) -> None:
    bluesky.scope = "access"
    assert "app password" in bench.adapter.check().warnings[0]


def test_check_warns_of_a_handle_that_leads_nowhere(bench: Bench, bluesky: FakeBluesky) -> None:
    bluesky.handle = "handle.invalid"
    assert "DNS" in bench.adapter.check().warnings[0]


def test_check_refuses_an_account_that_cannot_post(bench: Bench, bluesky: FakeBluesky) -> None:
    bluesky.active = False
    with pytest.raises(AccountRestricted, match="takendown"):
        bench.adapter.check()


def test_check_says_that_the_password_is_wrong(bench: Bench, bluesky: FakeBluesky) -> None:
    bluesky.password = "changed"
    with pytest.raises(AuthRevoked, match="Invalid identifier or password"):
        bench.adapter.check()


# --- records ----------------------------------------------------------------------------------


def test_a_record_has_language_time_and_facets(bench: Bench, bluesky: FakeBluesky) -> None:
    facets = (Facet(0, 4, "link", LINK), Facet(5, 10, "tag", "Kejari"))
    post = replace(bench.case.post("Baca #Kejari"), facets=facets, lang="id-ID")
    outgoing, _ = bench.send(post)
    record = record_of(bluesky)
    assert record["createdAt"] == outgoing.handle["created_at"] == "2026-11-23T02:00:00.000Z"
    assert record["langs"] == ["id-ID"]
    assert record["facets"] == [
        {
            "index": {"byteStart": 0, "byteEnd": 4},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": LINK}],
        },
        {
            "index": {"byteStart": 5, "byteEnd": 10},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Kejari"}],
        },
    ]
    assert "embed" not in record


def test_a_card_has_its_picture(bench: Bench, bluesky: FakeBluesky) -> None:
    image = bench.image(3, "Logo")
    post = replace(bench.case.post("Halo."), card=Card(LINK, "Judul", "Ringkasan", image))
    bench.send(post)
    external = record_of(bluesky)["embed"]["external"]
    assert (external["uri"], external["title"], external["description"]) == (
        LINK,
        "Judul",
        "Ringkasan",
    )
    assert bluesky.blobs[external["thumb"]["ref"]["$link"]] == image.sha256


def test_images_come_before_a_card(bench: Bench, bluesky: FakeBluesky) -> None:
    images = (bench.image(3, "Gedung"),)
    bench.send(replace(bench.case.post("Halo.", images=images), card=Card(LINK, "Judul", "")))
    embed = record_of(bluesky)["embed"]
    assert embed["$type"] == "app.bsky.embed.images"
    assert embed["images"][0]["aspectRatio"] == {"width": 64, "height": 48}


def test_a_later_part_names_the_first_and_the_one_before(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    _, first = bench.send(bench.case.post("Satu"))
    _, second = bench.send(bench.case.post("Dua"), parent=first)
    outgoing = replace(bench.outgoing(bench.case.post("Tiga")), root=first, parent=second)
    third = bench.adapter.publish(bench.prepare(outgoing))
    assert bluesky.records[third.remote_id]["reply"] == {
        "root": {"uri": first.remote_id, "cid": first.extra["cid"]},
        "parent": {"uri": second.remote_id, "cid": second.extra["cid"]},
    }


def test_the_permalink_survives_a_change_of_the_handle(bench: Bench) -> None:
    outgoing, receipt = bench.send(bench.case.post("Halo."))
    assert receipt.permalink == f"https://bsky.app/profile/{DID}/post/{outgoing.handle['rkey']}"


def test_images_are_uploaded_once_however_often_it_is_prepared(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"), bench.image(1, "Satu lagi"))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.", images=images)))
    assert bench.prepare(outgoing).prepared == outgoing.prepared
    assert len(bluesky.seen("prepare")) == 2


def test_uploads_for_another_account_are_not_used(bench: Bench, bluesky: FakeBluesky) -> None:
    outgoing = bench.outgoing(bench.case.post("Halo.", images=(bench.image(1, "Satu"),)))
    other = {"did": "did:plc:other", "blobs": {outgoing.post.images[0].sha256: {"ref": "x"}}}
    assert bench.prepare(replace(outgoing, prepared=other)).prepared["did"] == DID
    assert len(bluesky.seen("prepare")) == 1


def test_an_upload_that_has_expired_is_to_be_made_again(bench: Bench, bluesky: FakeBluesky) -> None:
    post = bench.case.post("Halo.", images=(bench.image(1, "Satu"),))
    outgoing = bench.prepare(bench.outgoing(post))
    bluesky.blobs.clear()
    with pytest.raises(MediaExpired):
        bench.adapter.publish(outgoing)
    bench.adapter.publish(bench.prepare(replace(outgoing, prepared={})))
    assert len(bluesky.posts) == 1


# --- never twice ------------------------------------------------------------------------------


def test_the_same_record_sent_twice_is_one_post(bench: Bench, bluesky: FakeBluesky) -> None:
    outgoing, receipt = bench.send(bench.case.post("Sekali."))
    assert bench.adapter.publish(outgoing) == receipt
    assert len(bluesky.posts) == 1


def test_a_record_key_that_is_taken_is_never_written_over(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    first, _ = bench.send(bench.case.post("Satu"))
    second = replace(bench.prepare(bench.outgoing(bench.case.post("Dua"))), handle=first.handle)
    with pytest.raises(DuplicateDetected):
        bench.adapter.publish(second)
    with pytest.raises(DuplicateDetected):
        bench.adapter.find(second)
    assert bench.texts() == ["Satu"]


def test_an_answer_about_another_record_is_in_doubt(bench: Bench, bluesky: FakeBluesky) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    other = b'{"uri": "at://did:plc:other/app.bsky.feed.post/3aaaaaaaaaaaa", "cid": "bafy"}'
    bluesky.fault("status_after:200", body=other)
    with pytest.raises(UnknownOutcome):
        bench.adapter.publish(outgoing)


def test_a_post_is_looked_for_in_the_account_that_it_was_sent_to(
    bench: Bench, bluesky: FakeBluesky
) -> None:
    outgoing, _ = bench.send(bench.case.post("Halo."))
    elsewhere = replace(outgoing, prepared={**outgoing.prepared, "did": "did:plc:other"})
    bench.adapter.find(elsewhere)
    assert bluesky.seen("find")[-1].query["repo"] == "did:plc:other"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"RecordNotFound"),
        (410, b'{"error": "Gone"}'),
        (400, b'{"error": "InvalidRequest", "message": "Could not locate record"}'),
        (500, b'{"error": "RecordNotFound?"}'),
        (200, b'{"error": "RecordNotFound"}'),
    ],
)
def test_only_the_servers_own_word_is_evidence_of_absence(
    bench: Bench, bluesky: FakeBluesky, status: int, body: bytes
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    bluesky.fault(f"status:{status}", on="find", body=body)
    with pytest.raises(PlatformError):
        bench.adapter.find(outgoing)


@given(st.floats(1.7e9, 4.1e9))
def test_a_record_key_is_a_valid_tid_and_sorts_by_time(seconds: float) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    key = tid(moment)
    assert re.fullmatch(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}", key)
    assert key < tid(moment + timedelta(milliseconds=2))


def test_keys_chosen_in_the_same_instant_differ() -> None:
    assert len({tid(NOW) for _ in range(100)}) == 100


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", ["@kejari.bsky.social", " kejari.bsky.social "])
def test_a_handle_may_be_written_as_people_write_it(identifier: str) -> None:
    settings = BlueskySettings(identifier=identifier, app_password=SecretStr(PASSWORD))
    assert settings.identifier == HANDLE
    assert settings.base_url == "https://bsky.social"


@pytest.mark.parametrize("identifier", ["", "@", "kejari", "https://bsky.app/profile/kejari"])
def test_what_is_no_handle_is_refused(identifier: str) -> None:
    with pytest.raises(ValidationError, match=r"office\.bsky\.social"):
        BlueskySettings(identifier=identifier, app_password=SecretStr(PASSWORD))
