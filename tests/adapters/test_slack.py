"""What is Slack's own, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_slack import CHANNEL, SPEC, TOKEN, FakeSlack, SlackCase, fault_of, no, text_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crosspost.adapters.slack import SlackAdapter
from crosspost.errors import (
    MediaExpired,
    MediaProcessing,
    PermissionDenied,
    PlatformError,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Post
from crosspost.rendering.rich_text import blocks_of, fallback
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Seen


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as platform:
        yield platform


@pytest.fixture
def bench(slack: FakeSlack, tmp_path: Path) -> Bench:
    return Bench(SlackCase(), slack, tmp_path)


# --- what is sent -----------------------------------------------------------------------------


def test_the_judge_refuses_what_does_not_fit() -> None:
    """The negative control: without it, the judging of requests would prove nothing."""
    wrong = [
        ("POST", "/chat.postMessage", {}, b"text=x"),
        ("POST", "/chat.postMessage", {}, b"channel=C1&texts=x"),
        ("POST", "/chat.postMessage", {}, b"channel=C1&unfurl_links=yes"),
        ("GET", "/chat.postMessage", {"channel": "C1"}, b""),
        ("POST", "/chat.update", {}, b"channel=C1&text=x"),
        ("POST", "/chat.delete", {}, b"channel=C1&ts=x"),
        ("GET", "/conversations.history", {"limit": "many"}, b""),
        ("GET", "/conversations.history", {"before": "5"}, b""),
        ("GET", "/conversations.replies", {"thread": "5"}, b""),
    ]
    for method, path, query, body in wrong:
        assert fault_of(Seen(method, path, query, {}, body)), (method, path)


def test_nothing_in_a_text_calls_anybody_or_is_markup(bench: Bench, slack: FakeSlack) -> None:
    text = "<!channel> @here <@U123> *tebal* :tada: <https://jahat.example|kejari.example> & co"
    bench.send(bench.case.post(text))
    (seen,) = slack.seen("publish")
    blocks = json.loads(seen.form["blocks"])
    assert text_of(blocks) == text
    kinds = [part["type"] for part in blocks[0]["elements"][0]["elements"]]
    assert kinds == ["text", "link", "text"]
    assert seen.form["text"].startswith("&lt;!channel&gt; @here &lt;@U123&gt;")
    assert seen.form["text"].endswith("kejari.example&gt; &amp; co")
    assert seen.form["parse"] == "none"
    assert "link_names" not in seen.form


@given(st.text(st.characters(exclude_categories=["C"], include_characters="\n"), min_size=1))
def test_whatever_the_text_it_is_shown_as_it_is(text: str) -> None:
    post = Post(text=text, lang="id")
    assert text_of(blocks_of(post, [])) == text
    assert not set("<>") & set(fallback(post))


def test_screen_readers_get_the_descriptions_too(bench: Bench, slack: FakeSlack) -> None:
    images = (bench.image(1, "Loket <A>"), bench.image(2, "Loket B"))
    bench.send(bench.case.post("Loket pindah.", images=images, lang="en"))
    (seen,) = slack.seen("publish")
    assert seen.form["text"] == "Loket pindah.\nImage: Loket &lt;A&gt;\nImage: Loket B"


def test_a_file_is_uploaded_without_the_token_and_shared_with_nobody(
    bench: Bench, slack: FakeSlack
) -> None:
    bench.send(bench.case.post("Foto.", images=(bench.image(1, "a"),)))
    uploads = [seen for seen in slack.requests if seen.path.startswith("/upload/")]
    assert ["authorization" in seen.headers for seen in uploads] == [False]
    (complete,) = (s for s in slack.requests if s.path.endswith("completeUploadExternal"))
    assert set(complete.form) == {"files"}


def test_a_file_that_is_still_looked_through_is_kept_and_asked_about(
    bench: Bench, slack: FakeSlack
) -> None:
    slack.slow_files = 2
    outgoing = bench.outgoing(bench.case.post("Foto.", images=(bench.image(1, "a"),)))
    error = refused(bench, lambda: bench.adapter.prepare(outgoing))
    assert isinstance(error, MediaProcessing)
    assert error.prepared["media"] == list(slack.files)
    bench.adapter.publish(bench.prepare(replace(outgoing, prepared=error.prepared)))
    assert len(slack.files) == 1
    assert len(slack.posts) == 1


def test_a_file_that_slack_has_forgotten_is_uploaded_again(bench: Bench, slack: FakeSlack) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("A", images=(bench.image(1, "a"),))))
    slack.files["F000000000"]["complete"] = False
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, MediaExpired)
    del slack.files["F000000000"]
    bench.adapter.publish(bench.prepare(outgoing))
    assert [alt for alt, _ in slack.posts[0].images] == ["a"]


def test_an_edit_keeps_the_images(bench: Bench, slack: FakeSlack) -> None:
    images = (bench.image(1, "a"), bench.image(2, "b"))
    _, receipt = bench.send(bench.case.post("Salah", images=images))
    edit = bench.prepare(bench.outgoing(bench.case.post("Betul", images=images)))
    bench.adapter.edit(receipt, edit)
    assert slack.posts[0].text == "Betul"
    assert [alt for alt, _ in slack.posts[0].images] == ["a", "b"]


def test_every_part_of_a_thread_answers_to_the_first(bench: Bench, slack: FakeSlack) -> None:
    _, first = bench.send(bench.case.post("Bagian 1"))
    _, second = bench.send(bench.case.post("Bagian 2"), parent=first)
    third = bench.prepare(bench.outgoing(bench.case.post("Bagian 3"), parent=second))
    third = replace(third, root=first)
    receipt = bench.adapter.publish(third)
    assert [post.reply_to for post in slack.posts] == ["", first.remote_id, first.remote_id]
    assert bench.adapter.find(third) == receipt
    name = receipt.remote_id.replace(".", "")
    assert receipt.permalink == (
        f"https://kejari.slack.example/archives/{CHANNEL}/p{name}"
        f"?thread_ts={first.remote_id}&cid={CHANNEL}"
    )


def test_a_post_of_an_earlier_channel_is_deleted_there(bench: Bench, slack: FakeSlack) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    elsewhere = replace(receipt, extra={"channel": "C9999999999"})
    assert isinstance(refused(bench, lambda: bench.adapter.delete(elsewhere)), TargetGone)
    assert slack.seen("delete")[0].form["channel"] == "C9999999999"


# --- evidence ---------------------------------------------------------------------------------


def test_the_same_words_of_a_minute_ago_are_not_this_post(bench: Bench) -> None:
    bench.send(bench.case.post("Besok libur."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Besok libur.")))
    assert bench.adapter.find(outgoing) is None


def test_an_edited_post_is_still_found(bench: Bench) -> None:
    outgoing, receipt = bench.send(bench.case.post("Salah."))
    bench.adapter.edit(receipt, bench.prepare(bench.outgoing(bench.case.post("Betul."))))
    assert bench.adapter.find(outgoing) == receipt


def test_a_busy_channel_is_read_page_by_page_no_further_back_than_needed_and_not_without_end(
    bench: Bench, slack: FakeSlack
) -> None:
    slack.page_size = 2
    outgoing, receipt = bench.send(bench.case.post("Yang pertama."))
    for number in range(7):
        bench.send(bench.case.post(f"Nomor {number}"))
    assert bench.adapter.find(outgoing) == receipt
    assert len(slack.seen("find")) == 4
    missing = bench.prepare(bench.outgoing(bench.case.post("Tidak ada.")))
    bench.now += timedelta(hours=1)
    assert bench.adapter.find(replace(missing, begun=bench.now)) is None
    assert len(slack.seen("find")) == 5
    for number in range(20):
        bench.send(bench.case.post(f"Lagi {number}"))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


def test_a_long_thread_is_read_to_its_end(bench: Bench, slack: FakeSlack) -> None:
    slack.page_size = 2
    _, first = bench.send(bench.case.post("Bagian 1"))
    sent = [bench.send(bench.case.post(f"Bagian {n}"), parent=first) for n in range(2, 8)]
    outgoing, receipt = sent[-1]
    later = replace(outgoing, begun=bench.now + timedelta(hours=1))  # all are older than that
    assert bench.adapter.find(later) == receipt


# --- check ------------------------------------------------------------------------------------


def outside(slack: FakeSlack) -> None:
    slack.channel["is_member"] = False


def archived(slack: FakeSlack) -> None:
    slack.channel["is_archived"] = True


def narrow(slack: FakeSlack) -> None:
    slack.scopes = "chat:write, files:read,files:write,channels:read"


def private(slack: FakeSlack) -> None:
    slack.channel["is_private"] = True


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (outside, PermissionDenied, "/invite @kejari"),
        (archived, TargetGone, "archived"),
        (narrow, PermissionDenied, "lacks these scopes: channels:history."),
        (private, PermissionDenied, "groups:history, groups:read"),
    ],
)
def test_check_says_why_nothing_could_be_posted(
    bench: Bench,
    slack: FakeSlack,
    trouble: Callable[[FakeSlack], None],
    kind: type[PlatformError],
    words: str,
) -> None:
    trouble(slack)
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, kind)
    assert words in str(error)


def test_check_shows_workspace_and_channel(bench: Bench, slack: FakeSlack) -> None:
    account = bench.adapter.check()
    assert account.facts == {"workspace": "Kejari", "channel": "#pengumuman"}
    slack.scopes = ""  # not every token says
    assert bench.adapter.check().name == "@kejari"


@pytest.mark.parametrize("channel", ["#pengumuman", "pengumuman", "D0123456789", "C1", ""])
def test_only_the_id_of_a_channel_is_taken(slack: FakeSlack, channel: str) -> None:
    options = {**SlackCase().options(slack), "channel_id": channel}
    with pytest.raises(ValidationError, match="begins with C"):
        SlackAdapter.Settings.model_validate(options)


# --- errors -----------------------------------------------------------------------------------


def codes() -> list[str]:
    """Every error of `chat.postMessage` in Slack's description."""
    default: dict[str, Any] = SPEC["paths"]["/chat.postMessage"]["post"]["responses"]["default"]
    found: list[str] = default["schema"]["properties"]["error"]["enum"]
    return found


@pytest.mark.parametrize("code", [*codes(), "a_new_one"])
def test_every_error_that_slack_names_is_a_clear_no(
    bench: Bench, slack: FakeSlack, code: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    slack.fault("status:200", body=json.dumps(no(code)).encode())
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert not isinstance(error, UnknownOutcome | RetryLater)
    assert code in str(error)


IN_PART = [
    code for row in SlackAdapter.meanings if row.kind is RetryLater for code in row.code.split()
]


@pytest.mark.parametrize("code", [*IN_PART, None, 5])
def test_what_slack_may_have_done_in_part_is_in_doubt(
    bench: Bench, slack: FakeSlack, code: Any
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    slack.fault("status_after:200", body=json.dumps(no(code)).encode())
    assert type(refused(bench, lambda: bench.adapter.publish(outgoing))) is UnknownOutcome
    found = bench.adapter.find(outgoing)
    assert found is not None
    assert found.remote_id == slack.posts[0].remote_id


def test_a_refusal_names_the_scope_that_is_needed(bench: Bench, slack: FakeSlack) -> None:
    slack.fault(
        "status:200", on="check", body=json.dumps(no("missing_scope", needed="chat:write")).encode()
    )
    assert "missing_scope: chat:write" in str(refused(bench, bench.adapter.check))


def test_the_token_is_in_a_header_and_in_no_address_or_form(bench: Bench, slack: FakeSlack) -> None:
    bench.adapter.check()
    bench.send(bench.case.post("Halo.", images=(bench.image(1, "a"),)))
    for seen in slack.requests:
        assert TOKEN not in seen.path + str(dict(seen.query)) + str(seen.form)
