"""SMTP as one announcement needs it: a line to the office's mail server, and what its answers mean.

It must not retry, and must tell a message that surely was not sent from one that may have been: all
turns on the final dot. Facts: RFC 5321 (sections 3.3, 4.2, 4.5.3), RFC 3207, RFC 4954.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    QuotaExhausted,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.wording import t

#: The longest line of an answer, in bytes, and the most lines of one (RFC 5321 says 512 bytes).
LONGEST_LINE, MOST_LINES = 8192, 100
#: How long the message may take to leave, in seconds, and the goodbye after it.
SEND_SECONDS, GOODBYE_SECONDS = 180.0, 5.0

RATE = re.compile(r"too many|rate limit|throttl|slow down", re.I)
QUOTA = re.compile(r"\b5\.4\.5\b|\b(daily|hourly|sending)( \w+){0,3} (limit|quota)", re.I)
RELAY = re.compile(r"relay|authenticat|not permitted|not allowed", re.I)


class Stage(StrEnum):
    """How far the conversation had got."""

    GREETING = "greeting"  # up to TLS
    LOGIN = "login"
    SENDER = "sender"  # MAIL FROM
    RECIPIENT = "recipient"  # RCPT TO
    DATA = "data"  # the message, but not its end
    END = "end"  # the final dot, and the answer to it


class NotConnected(Exception):
    """No line to the server. `misconfigured`: and there will be none as it is set up."""

    def __init__(self, message: str, *, misconfigured: bool = False) -> None:
        super().__init__(message)
        self.misconfigured = misconfigured

    @property
    def kind(self) -> type[PlatformError]:
        """What it means for a message that was to be sent; of the other two as well."""
        return Misconfigured if self.misconfigured else RetryLater


class Broken(Exception):
    """The line broke. `stage` END: the message may have been taken."""

    def __init__(self, message: str, stage: Stage) -> None:
        super().__init__(message)
        self.stage = stage

    @property
    def kind(self) -> type[PlatformError]:
        return UnknownOutcome if self.stage is Stage.END else RetryLater


class Refused(Exception):
    """The server's own no: a code of RFC 5321 section 4.2 and its words."""

    def __init__(self, stage: Stage, code: int, words: str) -> None:
        super().__init__(words)
        self.stage, self.code, self.words = stage, code, words

    @property
    def kind(self) -> type[PlatformError]:
        return meaning(self.stage, self.code, self.words)

    @property
    def passing(self) -> bool:
        """Whether the server says that it may do so later."""
        return 400 <= self.code < 500


def meaning(stage: Stage, code: int, words: str) -> type[PlatformError]:
    """What a no means for the message. Pure; add a row to its test for each new one."""
    if not 400 <= code < 600:
        return UnknownOutcome if stage is Stage.END else Misconfigured
    if code >= 500 and stage is not Stage.RECIPIENT and QUOTA.search(words):
        return QuotaExhausted
    if code < 500:
        return RateLimited if RATE.search(words) or QUOTA.search(words) else RetryLater
    if code == 530 and "starttls" in words.lower():
        return Misconfigured
    if code == 530:
        return AuthRevoked
    if "5.3.4" in words or (code == 552 and stage is not Stage.RECIPIENT):
        return MediaRejected  # the message is too large
    return {
        Stage.GREETING: PermissionDenied if code == 554 else Misconfigured,
        Stage.LOGIN: AuthRevoked if code in (534, 535, 550, 554) else Misconfigured,
        Stage.SENDER: PermissionDenied,
        Stage.RECIPIENT: PermissionDenied if RELAY.search(words) else TargetGone,
    }.get(stage, RejectedContent)


def first_no(refused: list[Refused], of: int, *, may_wait: bool) -> Refused | None:
    """The refusal of recipients for which the whole message must not go now; None: it goes to the
    others. `of` is how many there are; `may_wait`: those who are refused for now can have it later
    together with all."""
    passing = [no for no in refused if no.passing]
    if len(refused) == of:
        return (passing or refused)[0]
    return passing[0] if passing and may_wait else None


@dataclass(frozen=True)
class Server:
    """Where the office's mail goes out. `own_name` is how we greet."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str
    password: str
    own_name: str


class Line:
    """An open line to a server, logged in; enter it. At its end it says goodbye, and whatever
    becomes of that is no error: the message is long decided."""

    def __init__(self, server: Server, patience: float) -> None:
        self.server = server
        self.patience = patience  # seconds, for each answer

    def __enter__(self) -> Self:
        self._smtp = self._connect()
        try:
            self._secure()
            self._login()
        except Exception:
            self._smtp.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(min(GOODBYE_SECONDS, self.patience))
            self._smtp.quit()
        self._smtp.close()

    @property
    def largest(self) -> int | None:
        """The largest message that the server says it takes, in bytes; None if it does not say."""
        said = self._smtp.esmtp_features.get("size", "")
        return int(said) or None if said.isdigit() else None

    def sender(self, address: str, size: int) -> None:
        """Begin a message of so many bytes."""
        if self.largest is not None and size > self.largest:
            words = t(
                "The message has {size} bytes; the server takes {limit}.",
                size=size,
                limit=self.largest,
            )
            raise Refused(Stage.SENDER, 552, words)
        options = [f"SIZE={size}"] if self.largest else []
        self._say(Stage.SENDER, lambda: self._smtp.mail(address, options))

    def recipient(self, address: str) -> Refused | None:
        """Name one who shall have it; the refusal, if it is refused."""
        try:
            self._say(Stage.RECIPIENT, lambda: self._smtp.rcpt(address))
        except Refused as no:
            if no.code == 421:
                raise  # the server leaves
            return no
        return None

    def forget(self) -> None:
        """End a message that has only begun."""
        self._say(Stage.SENDER, self._smtp.rset)

    def message(self, content: bytes) -> None:
        """The message itself, lines ended by CRLF. When this returns, the server has it."""
        self._say(Stage.DATA, lambda: self._smtp.docmd("DATA"), good=(354,))
        body = re.sub(rb"(?m)^\.", b"..", content)
        with self._on(Stage.DATA):
            self._wait(SEND_SECONDS)
            self._smtp.send(body if body.endswith(b"\r\n") else body + b"\r\n")
            self._wait(self.patience)
        self._say(Stage.END, lambda: self._smtp.docmd("."))

    def _wait(self, seconds: float) -> None:
        if self._smtp.sock is not None:
            self._smtp.sock.settimeout(seconds)

    def _connect(self) -> smtplib.SMTP:
        to, own_name = (self.server.host, self.server.port), self.server.own_name
        try:
            if self.server.security == "tls":
                context = ssl.create_default_context()
                return _TlsSmtp(*to, own_name, timeout=self.patience, context=context)
            return _Smtp(*to, own_name, timeout=self.patience)
        except smtplib.SMTPResponseException as no:
            raise Refused(Stage.GREETING, no.smtp_code, _text(no.smtp_error)) from None
        except (OSError, ValueError) as error:
            raise _not_connected(error) from None

    def _secure(self) -> None:
        with self._on(Stage.GREETING):
            self._smtp.ehlo_or_helo_if_needed()
            if self.server.security == "starttls":
                try:
                    code, words = self._smtp.starttls(context=ssl.create_default_context())
                except ssl.SSLError as error:
                    raise _not_connected(error) from None
                if code != 220:
                    raise Refused(Stage.GREETING, code, _text(words))
                self._smtp.ehlo_or_helo_if_needed()

    def _login(self) -> None:
        if self.server.username:
            with self._on(Stage.LOGIN):
                self._smtp.login(self.server.username, self.server.password)

    def _say(
        self,
        stage: Stage,
        command: Callable[[], tuple[int, bytes]],
        good: tuple[int, ...] = (250, 251),
    ) -> None:
        with self._on(stage):
            code, words = command()
        if code not in good:
            raise Refused(stage, code, _text(words))

    @contextmanager
    def _on(self, stage: Stage) -> Iterator[None]:
        """What `smtplib` raises, as ours; without its chain, which may hold the password."""
        try:
            yield
        except smtplib.SMTPServerDisconnected:
            raise Broken(t("The connection to the mail server broke."), stage) from None
        except smtplib.SMTPResponseException as no:
            raise Refused(stage, no.smtp_code, _text(no.smtp_error)) from None
        except smtplib.SMTPException as no:
            raise Refused(stage, 504, str(no)) from None  # it does not offer what we need
        except TimeoutError:
            raise Broken(t("The mail server did not answer in time."), stage) from None
        except OSError:
            raise Broken(t("The connection to the mail server broke."), stage) from None
        except ValueError:
            message = t("A user name or password holds characters that cannot be sent.")
            raise NotConnected(message, misconfigured=True) from None


class _Smtp(smtplib.SMTP):
    """Reads no endless answer."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = self.sock.makefile("rb")
        said: list[bytes] = []
        for _ in range(MOST_LINES):
            line = self.file.readline(LONGEST_LINE) if self.file else b""
            if not line.endswith(b"\n"):  # the end of the connection, or too long
                break
            said.append(line[4:].strip())
            if line[3:4] != b"-":
                code = int(line[:3]) if line[:3].isdigit() else -1
                return code, b"\n".join(said)
        self.close()
        raise smtplib.SMTPServerDisconnected("no whole answer")


class _TlsSmtp(_Smtp, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


def _not_connected(error: Exception) -> NotConnected:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = t("The mail server's certificate is not valid for it.")
        return NotConnected(words, misconfigured=True)
    if isinstance(error, ssl.SSLError):
        words = t("The mail server does not speak TLS at this port: look at port and security.")
        return NotConnected(words, misconfigured=True)
    if isinstance(error, ConnectionRefusedError):
        return NotConnected(t("The mail server refuses the connection."))
    return NotConnected(t("The mail server cannot be reached."))


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
