"""What is e-mail's own, beyond the contract; most of all, when a message surely was not sent."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from case_email import LIST, PASSWORD, SENDER, EmailCase, MailServer
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from crosspost.adapters.email import EmailAdapter, EmailSettings
from crosspost.adapters.email_smtp import Refused, Stage, first_no, meaning
from crosspost.config import Config
from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    PartialSuccess,
    PermissionDenied,
    PlatformError,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.post import Outgoing
from crosspost.rendering.mail import Envelope, message_of
from crosspost.testing.case import Bench
from crosspost.testing.conformance import LINK, refused

PEOPLE = ["ani@koran.example", "budi@radio.example", "citra@tv.example"]


class WithOptions(EmailCase):
    more: dict[str, Any] = {}  # noqa: RUF012

    def options(self, platform: Any) -> dict[str, Any]:
        return super().options(platform) | self.more

    def config(self, platform: Any) -> Config:
        office = {"name": 'Kejaksaan Negeri "Contoh", Humas', "zone": "Asia/Jakarta"}
        return Config.model_validate({"path": "x.toml", "office": office})


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def bench(server: MailServer, tmp_path: Path) -> Bench:
    return opened(server, tmp_path)


def opened(server: Any, folder: Path, **more: Any) -> Bench:
    case = WithOptions()
    case.more = more
    bench = Bench(case, server, folder)
    assert isinstance(bench.adapter, EmailAdapter)
    bench.adapter.patience = 1.0
    return bench


def ready(bench: Bench, text: str = "Halo.") -> Outgoing:
    return bench.prepare(bench.outgoing(bench.case.post(text)))


def failure(bench: Bench, outgoing: Outgoing | None = None) -> PlatformError:
    to_send = outgoing or ready(bench)
    return refused(bench, lambda: bench.adapter.publish(to_send))


# --- was it sent? -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["reset_after", "stall_after", "garbage", "endless"])
def test_a_line_that_breaks_after_the_final_dot_leaves_doubt(
    bench: Bench, server: MailServer, fault: str
) -> None:
    server.fault = fault
    outgoing = ready(bench)
    error = failure(bench, outgoing)
    assert type(error) is UnknownOutcome
    assert "mid:" + outgoing.handle["message_id"].strip("<>") in str(error)
    assert len(server.taken) == 1


def test_a_line_that_breaks_before_the_final_dot_means_surely_not_sent(
    bench: Bench, server: MailServer
) -> None:
    server.fault = "abort_in_data"
    bench.adapter.patience = 5.0  # type: ignore[attr-defined]
    # too large for what lies on the way, so that some of it is still here when the line breaks
    outgoing = ready(bench, "Panjang sekali. " * 600_000)
    assert type(failure(bench, outgoing)) is RetryLater
    assert server.taken == []


def test_a_line_that_breaks_after_the_yes_changes_nothing(bench: Bench, server: MailServer) -> None:
    server.fault = "abort_at_quit"
    outgoing, receipt = bench.send(bench.case.post("Halo."))
    assert f"<{receipt.remote_id}>" == outgoing.handle["message_id"]
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 4.3.0 Try again later", RetryLater),
        ("452 4.3.1 Insufficient system storage", RetryLater),
        ("421 4.4.2 Too many messages, slow down", RateLimited),
        ("550 5.4.5 Daily user sending limit exceeded", QuotaExhausted),
        ("552 5.3.4 Message size exceeds fixed limit", MediaRejected),
        ("554 5.7.1 Message rejected as spam", RejectedContent),
    ],
)
def test_a_no_after_the_final_dot_is_a_clear_no(
    bench: Bench, server: MailServer, reply: str, expected: type[PlatformError]
) -> None:
    server.replies["DATA"] = reply
    error = failure(bench)
    assert type(error) is expected
    assert error.status == int(reply[:3])
    assert reply[4:] in str(error)
    server.replies.clear()
    bench.adapter.publish(ready(bench))
    assert len(server.taken) == 1


@contextmanager
def talker(*lines: bytes, endless: bytes = b"") -> Iterator[int]:
    """A server that says these lines, each after hearing something; its port."""

    def talk() -> None:
        with suppress(OSError):
            line, _ = listener.accept()
            with line:
                for number, said in enumerate(lines):
                    if number:
                        line.recv(65536)
                    line.sendall(said)
                while endless:
                    line.sendall(endless)
                line.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.close()
        thread.join(5)


class Elsewhere:
    """A port where something else listens than a mail server of ours."""

    def __init__(self, port: int, security: str) -> None:
        self.port, self.security = port, security


@pytest.mark.parametrize(
    ("lines", "endless", "expected"),
    [
        ((b"554 5.7.1 You are blocked\r\n",), b"", PermissionDenied),
        ((b"421 Busy\r\n",), b"", RetryLater),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), b"", Misconfigured),
        ((b"",), b"220-and more\r\n", RetryLater),
        ((b"",), b"x" * 65536, RetryLater),
        (
            (b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 no\r\n"),
            b"",
            Misconfigured,
        ),
        (
            (b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"554 no\r\n"),
            b"",
            RejectedContent,
        ),
        ((b"220 hi\r\n", b"250-hi\r\n250 SIZE 100\r\n"), b"", MediaRejected),
        ((b"220 hi\r\n",), b"", RetryLater),
    ],
)
def test_what_goes_wrong_before_the_message_is_no_doubt(
    tmp_path: Path, lines: tuple[bytes, ...], endless: bytes, expected: type[PlatformError]
) -> None:
    with talker(*lines, endless=endless) as port:
        bench = opened(Elsewhere(port, "none"), tmp_path)
        assert type(failure(bench)) is expected


def test_a_refused_connection_means_that_nothing_was_sent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    bench = opened(Elsewhere(port, "none"), tmp_path)
    error = failure(bench)
    assert type(error) is RetryLater
    assert error.sent is False
    with pytest.raises(RetryLater):
        bench.adapter.check()


# --- TLS and login ----------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_goes_over_tls(tmp_path: Path, security: str) -> None:
    with MailServer(security) as server:
        opened(server, tmp_path).send(EmailCase().post("Halo."))
        assert len(server.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_name_gets_neither_password_nor_message(
    tmp_path: Path, security: str
) -> None:
    with MailServer(security, certified="127.0.0.2") as server:
        bench = opened(server, tmp_path)
        error = failure(bench)
        assert type(error) is Misconfigured
        assert error.sent is False
        assert "certificate" in str(error)
        assert server.commands == []


def test_a_server_without_starttls_gets_neither_password_nor_message(tmp_path: Path) -> None:
    with MailServer("none") as server:
        login = {"username": "humas", "password": SecretStr(PASSWORD), "security": "starttls"}
        bench = opened(server, tmp_path, **login)
        assert type(failure(bench)) is Misconfigured
        assert server.commands == []


def test_tls_at_a_port_that_begins_in_plain_says_what_to_look_at(tmp_path: Path) -> None:
    with MailServer("starttls") as server:
        bench = opened(server, tmp_path, security="tls")
        error = failure(bench)
        assert type(error) is Misconfigured
        assert "security" in str(error)


def test_a_wrong_password_is_revoked(bench: Bench, server: MailServer) -> None:
    server.password = "another"
    assert type(failure(bench)) is AuthRevoked
    assert type(refused(bench, bench.adapter.check)) is AuthRevoked


def test_a_server_that_repeats_the_password_does_not_spread_it(
    bench: Bench, server: MailServer
) -> None:
    coded = "AGh1bWFzAHNhbmRpLXN1cmF0LXlhbmctcGFuamFuZw=="  # as AUTH PLAIN sends it
    server.replies["AUTH"] = f"535 5.7.8 {PASSWORD} {coded} is wrong"
    error = failure(bench)
    assert type(error) is AuthRevoked
    assert coded not in str(error)


def test_a_password_that_smtp_cannot_carry_is_said_without_showing_it(
    server: MailServer, tmp_path: Path
) -> None:
    bench = opened(server, tmp_path, password=SecretStr("rahasia-ñ-日本"))
    error = failure(bench)
    assert type(error) is Misconfigured
    assert "rahasia" not in str(error)


# --- recipients -------------------------------------------------------------------------------


def test_people_get_one_message_and_do_not_see_each_other(
    server: MailServer, tmp_path: Path
) -> None:
    bench = opened(server, tmp_path, recipients=PEOPLE)
    bench.send(bench.case.post("Halo."))
    ((recipients, content),) = server.taken
    assert recipients == PEOPLE
    assert server.messages[0]["To"] == SENDER
    assert not any(person.encode() in content for person in PEOPLE)


def test_the_address_of_a_list_stands_in_the_message(bench: Bench, server: MailServer) -> None:
    bench.send(bench.case.post("Halo."))
    assert server.messages[0]["To"] == LIST


def test_one_dead_address_does_not_keep_it_from_the_others_and_is_named(
    server: MailServer, tmp_path: Path
) -> None:
    bench = opened(server, tmp_path, recipients=PEOPLE)
    server.replies[PEOPLE[1]] = "550 5.1.1 No such user"
    outgoing = ready(bench)
    error = failure(bench, outgoing)
    assert type(error) is PartialSuccess
    assert "2 of 3" in str(error)
    assert "mid:" + outgoing.handle["message_id"].strip("<>") in str(error)
    assert f"{PEOPLE[1]}: 550 5.1.1 No such user" in str(error)
    assert [recipients for recipients, _ in server.taken] == [[PEOPLE[0], PEOPLE[2]]]


def test_many_dead_addresses_are_all_named(server: MailServer, tmp_path: Path) -> None:
    dead = [f"mati{number}@koran.example" for number in range(7)]
    bench = opened(server, tmp_path, recipients=[*PEOPLE, *dead])
    server.replies |= dict.fromkeys(dead, "550 5.1.1 " + "No such user here, sorry. " * 5)
    error = failure(bench)
    assert type(error) is PartialSuccess
    assert all(address in str(error) for address in dead)


def test_who_is_refused_for_now_is_waited_for_but_not_for_long(
    server: MailServer, tmp_path: Path
) -> None:
    bench = opened(server, tmp_path, recipients=PEOPLE)
    server.replies[PEOPLE[1]] = "451 4.7.1 Greylisted, come back"
    outgoing = ready(bench)
    assert type(failure(bench, outgoing)) is RetryLater
    assert server.taken == []
    bench.now += timedelta(minutes=15)
    assert type(failure(bench, outgoing)) is PartialSuccess
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 No such user", TargetGone),
        ("554 5.7.1 Relay access denied", PermissionDenied),
        ("450 4.2.1 Mailbox busy", RetryLater),
        ("421 4.3.2 Shutting down", RetryLater),
    ],
)
def test_nobody_taken_is_nothing_sent(
    bench: Bench, server: MailServer, reply: str, expected: type[PlatformError]
) -> None:
    server.replies["RCPT"] = reply
    assert type(failure(bench)) is expected
    assert server.taken == []


NO, LATER = Refused(Stage.RECIPIENT, 550, "no"), Refused(Stage.RECIPIENT, 450, "later")


@pytest.mark.parametrize(
    ("refusals", "of", "may_wait", "expected"),
    [
        ([], 2, True, None),
        ([NO], 2, True, None),
        ([LATER], 2, True, LATER),
        ([LATER], 2, False, None),
        ([NO, LATER], 3, True, LATER),
        ([NO], 1, True, NO),
        ([NO, LATER], 2, False, LATER),
        ([LATER], 1, False, LATER),
    ],
)
def test_whether_it_goes_to_the_others(
    refusals: list[Refused], of: int, may_wait: bool, expected: Refused | None
) -> None:
    assert first_no(refusals, of, may_wait=may_wait) is expected


@pytest.mark.parametrize(
    ("stage", "code", "words", "expected"),
    [
        (Stage.GREETING, 502, "not implemented", Misconfigured),
        (Stage.LOGIN, 535, "5.7.8 bad credentials", AuthRevoked),
        (Stage.LOGIN, 534, "5.7.9 application-specific password required", AuthRevoked),
        (Stage.LOGIN, 454, "4.7.0 temporary authentication failure", RetryLater),
        (Stage.LOGIN, 454, "4.7.0 too many login attempts", RateLimited),
        (Stage.LOGIN, 504, "SMTP AUTH extension not supported by server.", Misconfigured),
        (Stage.SENDER, 530, "5.7.0 Authentication required", AuthRevoked),
        (Stage.SENDER, 530, "5.7.0 Must issue a STARTTLS command first", Misconfigured),
        (Stage.SENDER, 553, "5.7.1 sender address rejected: not owned by user", PermissionDenied),
        (Stage.SENDER, 552, "5.3.4 too large", MediaRejected),
        (Stage.RECIPIENT, 552, "5.2.2 mailbox full", TargetGone),
        (Stage.RECIPIENT, 550, "5.7.1 relaying denied", PermissionDenied),
        (Stage.DATA, 554, "5.5.1 no valid recipients", RejectedContent),
        (Stage.DATA, 250, "ok", Misconfigured),
        (Stage.END, 200, "?", UnknownOutcome),
        (Stage.END, -1, "", UnknownOutcome),
        (Stage.END, 600, "", UnknownOutcome),
    ],
)
def test_what_a_no_means(
    stage: Stage, code: int, words: str, expected: type[PlatformError]
) -> None:
    assert meaning(stage, code, words) is expected


# --- the message ------------------------------------------------------------------------------


def test_the_message_has_a_text_and_a_page_with_its_images_inside(
    server: MailServer, tmp_path: Path
) -> None:
    bench = opened(server, tmp_path, unsubscribe="https://kejari.example/berhenti?" + "x" * 200)
    images = (bench.image(1, "Loket “tilang”"), bench.image(2, "Peta <A>"))
    outgoing, receipt = bench.send(
        bench.case.post("Halo.\n.titik di depan", link=LINK, images=images)
    )
    (message,) = server.messages
    assert message["From"].addresses[0].display_name == 'Kejaksaan Negeri "Contoh", Humas'
    assert message["From"].addresses[0].addr_spec == SENDER
    assert message["Subject"] == "Pengumuman"
    assert message["Message-ID"] == f"<{receipt.remote_id}>"
    assert message["Date"] == outgoing.handle["date"]
    assert outgoing.handle["date"].endswith("+0700")
    assert message["List-Unsubscribe"] == "<https://kejari.example/berhenti?" + "x" * 200 + ">"
    assert message["Content-Language"] == "id"
    assert message.get_content_type() == "multipart/alternative"
    plain, related = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert "\n.titik di depan" in plain.get_content().replace("\r\n", "\n")
    assert "Gambar: Peta <A>" in plain.get_content()
    assert related.get_content_type() == "multipart/related"
    page, *pictures = related.iter_parts()
    assert 'alt="Peta &lt;A&gt;"' in page.get_content()
    assert "Sumber: B-123/M.1.10/2026" in page.get_content()
    assert [part.get_content_disposition() for part in pictures] == ["inline", "inline"]
    names = re.findall(r'src="cid:([^"]*)"', page.get_content())
    assert [part["Content-ID"] for part in pictures] == [f"<{name}>" for name in names]
    assert [part.get_content() for part in pictures] == [i.path.read_bytes() for i in images]


def test_a_repeat_is_the_same_bytes(bench: Bench, server: MailServer) -> None:
    images = (bench.image(1, "Satu"),)
    outgoing, _ = bench.send(bench.case.post("Halo.", images=images))
    bench.now += timedelta(minutes=3)
    bench.open().publish(outgoing)
    (_, first), (_, second) = server.taken
    assert first == second


def test_names_differ_between_two_databases_that_count_from_one(bench: Bench) -> None:
    later = bench.now + timedelta(seconds=1)
    made = {bench.adapter.new_handle("e-1-0", now)["message_id"] for now in (bench.now, later)}
    assert len(made) == 2


ENVELOPE = Envelope(
    "Kantor", SENDER, LIST, "<crosspost.1@kejari.example>", "Tue, 1 Dec 2026 09:00:00 +0700"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(title=TEXT, name=TEXT, text=TEXT)
@settings(max_examples=60, deadline=None)
def test_no_title_name_or_text_breaks_a_message(title: str, name: str, text: str) -> None:
    post = EmailCase().post(text)
    assert post.document
    post = replace(post, document=replace(post.document, title=title))
    content = message_of(post, replace(ENVELOPE, name=name), [])
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    content.decode("ascii")
    message = message_from_bytes(content, policy=default)
    assert message["To"] == LIST
    assert message["Message-ID"] == ENVELOPE.message_id
    assert not message["Subject"].defects
    shown = "".join(c if c.isprintable() else " " for c in title).split()
    assert "".join(str(message["Subject"]).split()) == "".join(shown or ["Ringkasanpengumuman."])


# --- check and settings -----------------------------------------------------------------------


def test_check_logs_in_asks_for_the_sender_and_sends_nothing(
    bench: Bench, server: MailServer
) -> None:
    account = bench.adapter.check()
    assert SENDER in account.name
    assert "33.6 MB a message" in account.facts.values()
    assert len(server.commands) == 1
    assert server.taken == []


def test_check_tells_when_the_sender_is_not_ours(bench: Bench, server: MailServer) -> None:
    server.replies["MAIL"] = "553 5.7.1 Sender address rejected: not owned by user humas"
    assert type(refused(bench, bench.adapter.check)) is PermissionDenied


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"recipients": []}, "at least 1"),
        ({"recipients": ["pers@a.example"] * 101}, "at most 100"),
        ({"recipients": ["Ani <ani@a.example>"]}, "is not an e-mail address"),
        ({"sender": "humas@a.example\r\nBcc: x@b.example"}, "is not an e-mail address"),
        ({"sender": "humas"}, "is not an e-mail address"),
        ({"username": ""}, "go together"),
        ({"security": "none"}, "must be"),
        ({"unsubscribe": "http://a.example"}, "pattern"),
        ({"unsubscribe": "mailto:a@b.example\r\nBcc: c@d.example"}, "pattern"),
        ({"unsubscribe": "mailto:a@b.example\n"}, "pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(changed: dict[str, Any], words: str) -> None:
    good = EmailCase().options(Elsewhere(587, "starttls"))
    EmailSettings.model_validate(good)
    with pytest.raises(ValidationError, match=words) as caught:
        EmailSettings.model_validate(good | changed)
    assert PASSWORD not in str(caught.value)
