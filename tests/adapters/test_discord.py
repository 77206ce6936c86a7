"""What is Discord's own, beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from case_discord import (
    BOT,
    CHANNEL,
    GUILD,
    JUDGE,
    DiscordCase,
    FakeDiscord,
    form,
    no,
    shown,
    user,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crosspost.adapters.discord import DiscordAdapter
from crosspost.adapters.rights import missing_rights
from crosspost.errors import (
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Markup, Receipt
from crosspost.rendering import counted, in_markup
from crosspost.testing.case import Bench
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Seen


@pytest.fixture
def discord() -> Iterator[FakeDiscord]:
    with FakeDiscord() as platform:
        yield platform


@pytest.fixture
def bench(discord: FakeDiscord, tmp_path: Path) -> Bench:
    return Bench(DiscordCase(), discord, tmp_path)


# --- text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("*penting* _sekali_", r"\*penting\* \_sekali\_"),
        ("# Bukan judul", r"\# Bukan judul"),
        ("1. satu\n2. dua", "1\\. satu\n2\\. dua"),
        ("- satu\n  > dua", "\\- satu\n  \\> dua"),
        ("a > b, c-d, no. 5.", "a > b, c-d, no. 5."),
        ("https://a.id/b_c_d?e=*f", "https://a.id/b_c_d?e=*f"),
        ("<@123> <#5> @everyone", r"\<@123> \<#5> @everyone"),
        ("[x](https://a.id)", r"\[x\](https://a.id)"),
    ],
)
def test_a_text_is_shown_as_it_is_and_never_as_markup(text: str, content: str) -> None:
    assert in_markup(text, Markup.DISCORD) == content
    assert shown(content) == text


@given(st.text(st.characters(exclude_categories=["C"], include_characters="\n")))
def test_whatever_the_text_nothing_of_it_is_markup(text: str) -> None:
    assert shown(in_markup(text, Markup.DISCORD)) == text


def test_escapes_and_both_halves_of_an_emoji_count() -> None:
    def measure(text: str) -> int:
        return DiscordAdapter.measure(text)

    assert measure(counted(in_markup("*a*", Markup.DISCORD), Markup.DISCORD)) == 5
    assert measure("👋") == 2
    assert measure("https://a.id/_") == 14


# --- what is sent -----------------------------------------------------------------------------


def test_the_judge_refuses_what_does_not_fit() -> None:
    """The negative control: without it, the judging of requests would prove nothing."""
    path = f"/channels/{CHANNEL}/messages"
    wrong: list[tuple[str, str, dict[str, str], Any]] = [
        ("POST", path, {}, {"content": 5}),
        ("POST", path, {}, {"nonce": "x" * 26}),
        ("POST", path, {}, {"contents": "x"}),
        ("POST", path, {}, {"attachments": [{"filename": "x.jpg"}]}),
        ("POST", path, {}, {"attachments": [{"id": "0", "description": "x" * 1025}]}),
        ("POST", path, {}, {"allowed_mentions": {"parse": ["nobody"]}}),
        ("POST", path, {}, {"message_reference": {"channel_id": "5"}}),
        ("GET", path, {"limit": "101"}, None),
        ("GET", path, {"offset": "1"}, None),
        ("GET", "/channels/abc/messages", {}, None),
        ("PUT", path, {}, {"content": "x"}),
    ]
    for method, where, query, body in wrong:
        assert JUDGE.of_request(Seen(method, where, query, {}, b""), body), (method, body)


def test_a_message_calls_nobody_and_has_a_nonce_that_is_enforced(
    bench: Bench, discord: FakeDiscord
) -> None:
    outgoing, receipt = bench.send(bench.case.post("Halo @everyone dan @here"))
    (seen,) = discord.seen("publish")
    assert seen.json == {
        "content": "Halo @everyone dan @here",
        "allowed_mentions": {"parse": [], "replied_user": False},
        "nonce": outgoing.handle["nonce"],
        "enforce_nonce": True,
    }
    assert len(outgoing.handle["nonce"]) == 25
    assert seen.headers["user-agent"].startswith("DiscordBot (https://")
    where = f"https://discord.com/channels/{GUILD}/{CHANNEL}/{receipt.remote_id}"
    assert receipt.permalink == where


def test_an_edit_calls_nobody_and_leaves_the_images(bench: Bench, discord: FakeDiscord) -> None:
    images = (bench.image(1, "a"), bench.image(2, "b"))
    _, receipt = bench.send(bench.case.post("Salah", images=images))
    text = bench.case.post("@everyone *Betul*", images=images)
    bench.adapter.edit(receipt, bench.prepare(bench.outgoing(text)))
    (seen,) = discord.seen("edit")
    assert seen.json["allowed_mentions"]["parse"] == []
    assert "attachments" not in seen.json
    assert discord.posts[0].text == "@everyone *Betul*"
    assert len(discord.posts[0].images) == 2


def test_a_reply_to_a_message_that_is_gone_is_refused(bench: Bench) -> None:
    _, first = bench.send(bench.case.post("Bagian 1"))
    bench.adapter.delete(first)
    second = bench.case.post("Bagian 2")
    error = refused(bench, lambda: bench.send(second, parent=first))
    assert isinstance(error, RejectedContent)
    assert "Unknown message" in str(error)


def test_who_and_where_is_asked_once_and_before_publishing(
    bench: Bench, discord: FakeDiscord
) -> None:
    for _ in range(3):
        bench.send(bench.case.post("Halo."))
    assert len(discord.seen("check")) == 2


def test_a_post_of_an_earlier_channel_is_edited_and_deleted_there(
    bench: Bench, discord: FakeDiscord
) -> None:
    permalink = f"https://discord.com/channels/{GUILD}/990000000000000009/123"
    discord.fault("status:404", on="check", times=9, body=json.dumps(no(10008, "?")).encode())
    bench.adapter.delete(Receipt("123", permalink))
    assert discord.requests[-1].path == "/api/v10/channels/990000000000000009/messages/123"


# --- evidence ---------------------------------------------------------------------------------


@pytest.fixture(params=[True, False], ids=["with nonce", "without nonce"])
def listed(request: pytest.FixtureRequest, discord: FakeDiscord) -> bool:
    discord.shows_nonce = request.param
    return bool(request.param)


def test_a_post_whose_answer_was_lost_is_found(
    bench: Bench, discord: FakeDiscord, listed: bool
) -> None:
    images = (bench.image(1, "a"),)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("*Sekali* saja. ", images=images)))
    discord.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    found = bench.open().find(outgoing)
    assert found is not None
    assert found.remote_id == discord.posts[0].remote_id


def test_somebody_elses_or_an_older_message_is_not_ours(
    bench: Bench, discord: FakeDiscord, listed: bool
) -> None:
    _, other = bench.send(bench.case.post("Besok libur."))
    _, old = bench.send(bench.case.post("Besok libur."))
    discord.messages[other.remote_id]["author"] = user("warga", "5")
    week = timedelta(days=7)
    stamp = datetime.fromisoformat(discord.messages[old.remote_id]["timestamp"]) - week
    discord.messages[old.remote_id]["timestamp"] = stamp.isoformat()
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Besok libur.")))
    assert bench.adapter.find(outgoing) is None


def test_a_text_with_other_images_is_not_ours(bench: Bench, discord: FakeDiscord) -> None:
    discord.shows_nonce = False
    bench.send(bench.case.post("Foto.", images=(bench.image(1, "a"),)))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Foto.")))
    assert bench.adapter.find(outgoing) is None


def test_the_same_words_under_another_message_are_not_ours(
    bench: Bench, discord: FakeDiscord
) -> None:
    discord.shows_nonce = False
    _, first = bench.send(bench.case.post("Bagian 1"))
    bench.send(bench.case.post("Lanjut."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Lanjut."), parent=first))
    assert bench.adapter.find(outgoing) is None
    assert bench.adapter.publish(outgoing) == bench.adapter.find(outgoing)


def test_the_same_words_of_a_minute_ago_are_told_apart_while_the_nonce_is_shown(
    bench: Bench, discord: FakeDiscord
) -> None:
    bench.send(bench.case.post("Besok libur."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Besok libur.")))
    assert bench.adapter.find(outgoing) is None


def test_without_what_prepare_learnt_the_look_up_asks_for_it(bench: Bench) -> None:
    outgoing, receipt = bench.send(bench.case.post("Halo."))
    assert bench.open().find(replace(outgoing, prepared={})) == receipt


def test_a_busy_channel_is_read_page_by_page_and_not_without_end(
    bench: Bench, discord: FakeDiscord, listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DiscordAdapter, "page_size", 2)
    outgoing, receipt = bench.send(bench.case.post("Yang pertama."))
    for number in range(19):
        bench.send(bench.case.post(f"Nomor {number}"))
    assert bench.adapter.find(outgoing) == receipt
    assert len(discord.seen("find")) == 10
    bench.send(bench.case.post("Satu lagi."))
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


def test_the_nonce_is_a_second_belt(bench: Bench, discord: FakeDiscord) -> None:
    outgoing, receipt = bench.send(bench.case.post("Sekali saja."))
    assert bench.adapter.publish(outgoing) == receipt
    assert bench.texts() == ["Sekali saja."]


# --- check ------------------------------------------------------------------------------------


def overwrite(name: str, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": name, "type": 0, "allow": str(allow), "deny": str(deny)}


SEND, VIEW, ALL = 1 << 11, 1 << 10, sum(1 << bit for bit in (10, 11, 14, 15, 16))


@pytest.mark.parametrize(
    ("rights", "overwrites", "missing"),
    [
        (ALL, [], []),
        (ALL & ~SEND, [], ["Send Messages"]),
        (1 << 3, [overwrite(GUILD, deny=ALL)], []),
        (ALL, [overwrite(GUILD, deny=SEND)], ["Send Messages"]),
        (ALL, [overwrite("5", allow=SEND), overwrite(GUILD, deny=SEND)], []),
        (ALL, [overwrite("5", allow=SEND), overwrite(BOT, deny=SEND)], ["Send Messages"]),
        (ALL & ~VIEW, [overwrite(BOT, allow=VIEW)], []),
        (ALL, [overwrite("9", deny=SEND)], []),
    ],
)
def test_rights_come_from_roles_and_then_from_the_channel(
    rights: int, overwrites: list[dict[str, Any]], missing: list[str]
) -> None:
    channel = {"guild_id": GUILD, "permission_overwrites": overwrites}
    roles = [{"id": GUILD, "permissions": "0"}, {"id": "5", "permissions": str(rights)}]
    assert missing_rights(channel, {"roles": ["5"]}, roles, BOT) == missing


def test_check_names_the_rights_that_are_missing(bench: Bench, discord: FakeDiscord) -> None:
    assert bench.adapter.check().facts == {"channel": "#pengumuman"}
    discord.rights &= ~SEND
    error = refused(bench, bench.adapter.check)
    assert isinstance(error, PermissionDenied)
    assert "Send Messages" in str(error)


@pytest.mark.parametrize("change", [{"type": 2}, {"type": 15}])
def test_only_a_text_channel_of_a_server_will_do(
    bench: Bench, discord: FakeDiscord, change: dict[str, Any]
) -> None:
    discord.channel |= change
    assert isinstance(refused(bench, bench.adapter.check), Misconfigured)


@pytest.mark.parametrize("channel", ["pengumuman", "#123456", "0123456789", "", 5, None])
def test_only_the_number_of_a_channel_is_taken(discord: FakeDiscord, channel: object) -> None:
    options = {**DiscordCase().options(discord), "channel_id": channel}
    with pytest.raises(ValidationError, match="Copy Channel ID"):
        DiscordAdapter.Settings.model_validate(options)


def test_the_number_may_stand_without_quotes(discord: FakeDiscord) -> None:
    options = {**DiscordCase().options(discord), "channel_id": int(CHANNEL)}
    assert DiscordAdapter.Settings.model_validate(options).channel_id == CHANNEL  # type: ignore[attr-defined]


# --- errors -----------------------------------------------------------------------------------


def test_a_refused_form_says_which_field_and_why(bench: Bench, discord: FakeDiscord) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    body = json.dumps(form("content", "Must be 2000 or fewer in length."))
    discord.fault("status:400", body=body.encode())
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert "Invalid Form Body: Must be 2000 or fewer in length." in str(error)


def test_a_limit_is_waited_for_as_long_as_the_body_says(bench: Bench, discord: FakeDiscord) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    discord.fault("status:429", body=json.dumps(no(20028, "slow", retry_after=64.5)).encode())
    error = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert isinstance(error, RateLimited)
    assert error.until == bench.now + timedelta(seconds=64.5)


@pytest.mark.parametrize(
    ("code", "gone"), [(10008, True), (10003, True), (0, False), (10004, False)]
)
def test_only_a_message_that_discord_does_not_know_is_gone(
    bench: Bench, discord: FakeDiscord, code: int, gone: bool
) -> None:
    _, receipt = bench.send(bench.case.post("Dihapus."))
    discord.fault("status:404", on="delete", body=json.dumps(no(code, "?")).encode())
    if gone:
        bench.adapter.delete(receipt)
    else:
        error = refused(bench, lambda: bench.adapter.delete(receipt))
        assert isinstance(error, Misconfigured | TargetGone)
