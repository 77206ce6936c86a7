"""A mail server (aiosmtpd) that keeps what it takes, and its faults."""

from __future__ import annotations

import asyncio
import hashlib
import html
import os
import re
import socket
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session, syntax
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from crosspost.testing.case import Case
from crosspost.testing.loopback import PublicPost

USER, PASSWORD = "humas", "sandi-surat-yang-panjang"
SENDER, LIST = "humas@kejari.example", "pers@lists.kejari.example"


def certificate(folder: Path, name: str = "127.0.0.1") -> Path:
    """A new key and a certificate for an address, valid for a day, in one PEM file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail under test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class _Server(SMTP):
    """aiosmtpd, with the faults of `MailServer.fault`."""

    office: MailServer

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if self.office.fault == "abort_in_data":
            await self.push("354 Go on")
            await self._reader.read(10)
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)

    @syntax("QUIT")
    async def smtp_QUIT(self, arg: str | None) -> None:  # noqa: N802
        if self.office.fault == "abort_at_quit":
            self.transport.abort()
        else:
            await super().smtp_QUIT(arg)


class _Controller(Controller):
    office: MailServer

    def factory(self) -> SMTP:
        server = _Server(self.handler, **self.SMTP_kwargs)
        server.office = self.office
        return server


class MailServer:
    """Runs while it is entered; its certificate is trusted as long. `replies` are the answers to a
    command or to a recipient instead of the usual ones; `fault` is one of reset_after, stall_after,
    garbage, endless (the message is taken, no whole answer), abort_in_data, abort_at_quit."""

    size = 33_554_432

    def __init__(self, security: str = "starttls", certified: str = "127.0.0.1") -> None:
        self.security = security
        self.certified = certified
        self.replies: dict[str, str] = {}
        self.fault = ""
        self.password = PASSWORD
        self.taken: list[tuple[list[str], bytes]] = []  # recipients, message
        self.commands: list[str] = []

    @property
    def messages(self) -> list[EmailMessage]:
        """What was taken, read by the standard library."""
        return [
            cast(EmailMessage, message_from_bytes(content, policy=default))
            for _, content in self.taken
        ]

    @property
    def posts(self) -> list[PublicPost]:
        return [_public(message) for message in self.messages]

    # --- the handler of aiosmtpd ------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append(f"MAIL {address} {' '.join(options)}")
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(address, self.replies.get("RCPT", "250 OK"))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        reply = self.replies.get("DATA", "250 OK: queued")
        if reply.startswith("250"):
            self.taken.append((list(envelope.rcpt_tos), bytes(envelope.content or b"")))
        match self.fault:
            case "reset_after":
                server.transport.abort()
            case "stall_after":
                await asyncio.sleep(30)
            case "garbage":
                await server.push("hello there")
            case "endless":
                for _ in range(300):
                    await server.push("250-still working")
        return reply

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = data.login == USER.encode() and data.password == self.password.encode()
        return AuthResult(
            success=good and "AUTH" not in self.replies,
            handled=False,
            message=self.replies.get("AUTH"),
        )

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        pem = certificate(Path(self._folder.name), self.certified)
        self._trusted = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = str(pem)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        secure: dict[str, Any] = {
            "starttls": {"tls_context": context, "require_starttls": True},
            "tls": {"ssl_context": context, "auth_require_tls": False},
            "none": {},
        }[self.security]
        login: dict[str, Any] = {"authenticator": self.authenticate}
        login |= {"auth_required": True} if self.security == "starttls" else {}
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=self.port, data_size_limit=self.size, **login, **secure
        )
        self._controller.office = self
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
        del os.environ["SSL_CERT_FILE"]
        if self._trusted is not None:
            os.environ["SSL_CERT_FILE"] = self._trusted
        self._folder.cleanup()


def _public(message: EmailMessage) -> PublicPost:
    """What a reader sees: the plain text; images where the page has them."""
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    lines = plain.get_content().replace("\r\n", "\n")
    text = re.split(r"\n\n(?=Gambar: |Image: )", lines)[0].removesuffix("\n")
    pictures = {
        part["Content-ID"].strip("<>"): hashlib.sha256(part.get_content()).hexdigest()
        for part in message.walk()
        if part.get_content_maintype() == "image"
    }
    shown = re.findall(r'src="cid:([^"]*)" alt="([^"]*)"', page.get_content())
    link = re.search(r'class="crosspost-link">.*?href="([^"]*)"', page.get_content())
    return PublicPost(
        message["Message-ID"].strip("<>"),
        text,
        tuple((html.unescape(alt), pictures[name]) for name, alt in shown),
        link[1] if link else "",
    )


class EmailCase(Case):
    """The case of the conformance suite."""

    platform = "email"
    SECRETS = (PASSWORD,)
    has_permalink = False
    threads = False

    def start(self) -> Any:
        return MailServer()

    def options(self, platform: Any) -> dict[str, Any]:
        login = {"username": USER, "password": SecretStr(PASSWORD)}
        return {
            "host": "127.0.0.1",
            "port": platform.port,
            "security": platform.security,
            "sender": SENDER,
            "recipients": [LIST],
            **({} if platform.security == "none" else login),
        }
