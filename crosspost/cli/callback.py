"""Catches the browser when a platform sends it back with a code: one request to a loopback address
(RFC 8252 section 7.3), or the address as a person pastes it.

It must not use the code, nor write it anywhere.
"""

from __future__ import annotations

import hmac
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from urllib.parse import parse_qs, urlsplit

from crosspost.errors import UsageError
from crosspost.wording import t

#: How long a person may take at the platform, in seconds.
PATIENCE = 600.0


def code_in(answer: str, state: str) -> str:
    """The code in the address that the browser was sent to, or a code alone.

    Raises UsageError when the person said no at the platform, when there is none, or when it is of
    another login (RFC 6749 section 10.12).
    """
    text = answer.strip()
    if "=" not in text and "/" not in text:
        if text:
            return text
        raise UsageError(t("There is no code in it."), hint=_AGAIN())
    query = parse_qs(urlsplit(text).query or text.partition("?")[2] or text)
    if "error" in query:
        reason = (query.get("error_description") or query["error"])[0]
        raise UsageError(t("The platform says no: {reason}", reason=reason), hint=_AGAIN())
    if "code" not in query:
        raise UsageError(t("There is no code in it."), hint=_AGAIN())
    if not hmac.compare_digest(query.get("state", [""])[0].encode(), state.encode()):
        raise UsageError(
            t("This answer belongs to another login."),
            hint=t("Use the address that was shown last, and paste what it leads to."),
        )
    return query["code"][0].removesuffix("#_")  # Meta appends this


def _AGAIN() -> str:  # noqa: N802 - a sentence, in the language of the moment
    return t("Nothing was changed. Start again when you are ready.")


def is_loopback(redirect: str) -> bool:
    """Whether a browser on this machine comes back to this program."""
    return urlsplit(redirect).hostname in ("127.0.0.1", "::1", "localhost") and bool(
        urlsplit(redirect).port
    )


class _Server(http.server.HTTPServer):
    arrived = ""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        wanted = any(f"{name}=" in self.path for name in ("code", "error"))
        if wanted and not self.server.arrived:
            self.server.arrived = self.path
        words = t("You may close this window and go back to the terminal.")
        page = f"<!doctype html><meta charset=utf-8><title>crosspost</title><p>{escape(words)}"
        self.send_response(200 if wanted else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((page if wanted else "").encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds the code."""


class Callback:
    """The waiting listener."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    def wait(self) -> str:
        """The path with its query, as the browser asked for it. Raises UsageError when nobody
        comes."""
        end = threading.Event()
        timer = threading.Timer(PATIENCE, end.set)
        timer.daemon = True
        timer.start()
        self._server.timeout = 0.5
        try:
            while not self._server.arrived and not end.is_set():
                self._server.handle_request()
        finally:
            timer.cancel()
        if not self._server.arrived:
            raise UsageError(
                t("No browser came back."),
                hint=t("If your browser is on another computer, add --paste."),
            )
        return self._server.arrived


@contextmanager
def listening(redirect: str) -> Iterator[Callback]:
    """Somebody at home at the redirect address, for one visit. Raises UsageError when the port is
    in use."""
    where = urlsplit(redirect)
    try:
        server = _Server(("127.0.0.1", where.port or 0), _Handler)
    except OSError as error:
        raise UsageError(
            t("Port {port} of this machine is in use.", port=where.port),
            hint=t("Close what uses it, or add --paste."),
        ) from error
    with server:
        yield Callback(server)
