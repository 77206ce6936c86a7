"""One HTTP call: what certainly was not sent is told from what may have arrived."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crosspost.adapters import transport
from crosspost.adapters.base import BODY_CAP, Answer
from crosspost.adapters.transport import Broken, NotSent, new_session
from crosspost.testing.loopback import Platform, Reply, Seen

PATIENT = (5.0, 5.0)
HASTY = (5.0, 0.3)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Echo(Platform):
    """Says what it is told to."""

    reply = Reply(200, {"ok": True})

    def answer(self, seen: Seen) -> Reply:
        return self.reply

    def phase_of(self, seen: Seen) -> str:
        return "any"


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as platform:
        yield platform


@pytest.fixture
def session() -> Iterator[Any]:
    with new_session("crosspost/test") as session:
        yield session


def send(session: Any, url: str, timeout: tuple[float, float] = PATIENT, **body: Any) -> Answer:
    headers = body.pop("headers", {})
    return transport.send(session, "POST", url, timeout, headers, body or {"json": {"a": 1}})


@contextmanager
def listener() -> Iterator[tuple[socket.socket, int]]:
    """A port that accepts connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server, server.getsockname()[1]


@contextmanager
def raw_server(*pieces: bytes, pause: threading.Event | None = None) -> Iterator[str]:
    """One that reads a request's head and answers these bytes, one after the other."""

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                _read_request(connection)
                for piece in pieces:
                    connection.sendall(piece)
                if pause:
                    pause.wait(10)

    with listener() as (server, port):
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{port}/"
        if pause:
            pause.set()
    thread.join()


def _read_request(connection: socket.socket) -> None:
    """All of it: what is left unread when a connection is closed resets it."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = seen.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(length[1]) - len(body) if length else 0
    while left > 0 and (more := connection.recv(left)):
        left -= len(more)


# --- certainly not sent -----------------------------------------------------------------------


def test_a_refused_connection_is_not_sent(session: Any) -> None:
    with listener() as (_, port):
        pass
    with pytest.raises(NotSent, match="refuses") as caught:
        send(session, f"http://127.0.0.1:{port}/")
    assert not caught.value.misconfigured


def test_a_name_that_does_not_exist_is_not_sent(session: Any) -> None:
    with pytest.raises(NotSent, match="DNS"):
        send(session, "http://no-such-host.invalid/")


def test_a_server_that_never_finishes_the_tls_handshake_is_not_sent(session: Any) -> None:
    with listener() as (_, port), pytest.raises(NotSent, match="in time"):
        send(session, f"https://127.0.0.1:{port}/", (0.3, 5.0))


def test_a_server_without_tls_behind_https_is_not_sent(session: Any) -> None:
    with raw_server(OK) as url, pytest.raises(NotSent):
        send(session, url.replace("http:", "https:"))


@pytest.mark.parametrize(
    "url",
    ["http://", "http://a b/", "nonsense", "ftp://example.org/", "http://[::1/", "http://é\udc80/"],
)
def test_an_address_that_is_none_is_not_sent_and_never_will_be(session: Any, url: str) -> None:
    with pytest.raises(NotSent) as caught:
        send(session, url)
    assert caught.value.misconfigured


@pytest.mark.parametrize("token", ["geheim…", "two\nlines", "ends in a line\n"])
def test_a_credential_that_cannot_be_written_is_not_sent(
    session: Any, echo: Echo, token: str
) -> None:
    with pytest.raises(NotSent) as caught:
        send(session, echo.url, headers={"Authorization": f"Bearer {token}"})
    assert caught.value.misconfigured
    assert token not in str(caught.value)
    assert echo.requests == []


def test_after_a_kept_connection_is_closed_the_next_refusal_is_still_not_sent(
    session: Any, echo: Echo
) -> None:
    send(session, echo.url)
    echo.refuse()
    with pytest.raises(NotSent):
        send(session, echo.url)


# --- it may have arrived ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["reset_before", "reset_after", "stall_after", "half_body", "huge"]
)
def test_a_call_that_breaks_is_broken_and_made_once(session: Any, echo: Echo, fault: str) -> None:
    echo.fault(fault, on="any")
    with pytest.raises(Broken):
        send(session, echo.url, HASTY)
    assert len(echo.requests) == 1


def test_a_kept_connection_that_breaks_is_broken_and_not_tried_again(
    session: Any, echo: Echo
) -> None:
    send(session, echo.url)
    echo.fault("reset_before", on="any")
    with pytest.raises(Broken):
        send(session, echo.url)
    assert len(echo.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"\x16\x03\x01 not http\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_a_broken_answer_is_broken(session: Any, answer: bytes) -> None:
    with raw_server(answer) as url, pytest.raises(Broken):
        send(session, url, HASTY)


def test_a_timeout_says_so(session: Any, echo: Echo) -> None:
    echo.fault("stall_after", on="any")
    with pytest.raises(Broken, match="in time"):
        send(session, echo.url, HASTY)


def test_an_answer_that_stops_in_the_middle_of_its_body_says_so(session: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"
    with raw_server(head, pause=threading.Event()) as url, pytest.raises(Broken, match="in time"):
        send(session, url, HASTY)


def test_an_answer_that_trickles_in_is_not_read_for_ever(
    session: Any, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.2)
    echo.fault("dribble", on="any")
    with pytest.raises(Broken, match="in time"):
        send(session, echo.url)


def test_a_large_answer_is_not_read_to_its_end(session: Any, echo: Echo) -> None:
    echo.fault("huge", on="any")
    with pytest.raises(Broken, match="larger"):
        send(session, echo.url)
    assert echo.endless_sent < 50_000_000


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_kept(session: Any, echo: Echo) -> None:
    bomb = gzip.compress(b"0" * 50 * BODY_CAP)
    echo.reply = Reply(200, body=bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(Broken, match="larger"):
        send(session, echo.url)


# --- whole answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 70_000, BODY_CAP])
@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_is_read_whole(session: Any, echo: Echo, size: int, packed: bool) -> None:
    body = bytes(i % 251 for i in range(size))
    echo.reply = Reply(200, body=body)
    if packed:
        echo.reply = Reply(200, body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert send(session, echo.url).body == body


def test_a_chunked_answer_is_read_whole(session: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server(head, b"1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n") as url:
        assert send(session, url).data == {}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(session: Any, echo: Echo, status: int) -> None:
    with Echo() as elsewhere:
        echo.reply = Reply(status, headers={"Location": elsewhere.url})
        assert send(session, echo.url).status == status
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", [413, 429, 500, 503])
def test_no_status_is_ever_tried_again(session: Any, echo: Echo, status: int) -> None:
    echo.reply = Reply(status, headers={"Retry-After": "0"})
    assert send(session, echo.url).status == status
    assert len(echo.requests) == 1


def test_an_upload_may_take_longer_than_connecting_may(session: Any) -> None:
    """On a slow line a large photo needs minutes; 0.2 s are for the connection only."""
    size, got = 30_000_000, bytearray()  # more than the buffers of both ends

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for _ in range(2):  # the second time on a kept connection
                got.clear()
                threading.Event().wait(0.5)  # the network takes nothing for a while
                while len(got) < size:
                    got.extend(connection.recv(1_000_000))
                connection.sendall(OK)

    with listener() as (server, port):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        for _ in range(2):
            timeout = (0.2, 0.4)
            url = f"http://127.0.0.1:{port}/"
            assert send(session, url, timeout, data=b"x" * size).status == 200
        thread.join()


# --- what is not carried along ----------------------------------------------------------------


def test_no_password_is_taken_from_a_netrc_file(
    echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password theirs\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with new_session("crosspost/test") as session:
        send(session, echo.url)
    assert "authorization" not in echo.requests[0].headers


def test_no_cookie_is_kept(session: Any, echo: Echo) -> None:
    echo.reply = Reply(200, {}, headers={"Set-Cookie": "a=b; Path=/"})
    send(session, echo.url)
    send(session, echo.url)
    assert "cookie" not in echo.requests[1].headers


def test_no_log_line_has_the_path(
    session: Any, echo: Echo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(session, f"{echo.url}/bot123:token/sendMessage")
    assert "token" not in caplog.text


def test_a_proxy_of_the_environment_is_used_unless_the_address_is_exempt(
    session: Any, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", echo.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    send(session, "http://office.invalid/through")
    with Echo() as direct:
        send(session, f"{direct.url}/direct")
        assert [seen.path for seen in direct.requests] == ["/direct"]
    assert [seen.path for seen in echo.requests] == ["/through"]


def test_a_proxy_that_does_not_let_one_through_is_not_sent(
    session: Any, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", echo.url)
    with pytest.raises(NotSent):
        send(session, "https://office.invalid/")


# --- certificates -----------------------------------------------------------------------------


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[tuple[str, Path, list[bytes]]]:
    """A server with a certificate for `name`; what reached it in the clear; and whom to trust."""
    key_file, cert_file = _certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    got: list[bytes] = []

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection, context.wrap_socket(connection, server_side=True) as secure:
                # all of it: to close with something unread would reset the connection
                while not b"".join(got).endswith(b"}") and (more := secure.recv(65536)):
                    got.append(more)
                secure.sendall(OK)

    with listener() as (server, port):
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"https://127.0.0.1:{port}/", cert_file, got
        thread.join()


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    alternative: x509.GeneralName = x509.DNSName(name)
    if name == "127.0.0.1":
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file, cert_file = folder / "key.pem", folder / "cert.pem"
    encoding = serialization.Encoding.PEM
    secret = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(key.private_bytes(encoding, *secret))
    cert_file.write_bytes(certificate.public_bytes(encoding))
    return key_file, cert_file


def test_a_certificate_for_the_name_is_accepted(session: Any, tmp_path: Path) -> None:
    with tls_server(tmp_path, "127.0.0.1") as (url, trusted, got):
        session.verify = str(trusted)
        assert send(session, url).status == 200
        assert got


def test_a_certificate_for_another_name_is_not_sent_and_misconfigured(
    session: Any, tmp_path: Path
) -> None:
    with tls_server(tmp_path, "other.example") as (url, trusted, got):
        session.verify = str(trusted)
        with pytest.raises(NotSent, match="certificate") as caught:
            send(session, url)
    assert caught.value.misconfigured
    assert not any(got)


def test_a_certificate_of_nobody_we_trust_is_not_sent_and_misconfigured(
    session: Any, tmp_path: Path
) -> None:
    untrusted = tls_server(tmp_path, "127.0.0.1")
    with untrusted as (url, _, got), pytest.raises(NotSent, match="certificate") as caught:
        send(session, url)
    assert caught.value.misconfigured
    assert not any(got)
