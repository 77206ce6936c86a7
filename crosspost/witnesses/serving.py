"""A witness for neighbours, over HTTP (C2SP tlog-witness): `add-checkpoint`, and the last
checkpoint of each log for whoever monitors it.

Whoever asks is unknown: every request is bounded in size and in time, and none can make this end.
It must not decide what is cosigned (`protocol.py`, `memory.py`). TLS is the web server's before it.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from crosspost.errors import UserError
from crosspost.witnesses.memory import Cosigned, Memory
from crosspost.witnesses.places import origin_hash
from crosspost.witnesses.protocol import (
    ADD,
    SIZE_TYPE,
    Logs,
    Refusal,
    origin_of,
    read_request,
)
from crosspost.wording import t

log = logging.getLogger("crosspost.witness")

#: A request has at most 63 hashes, and a checkpoint with the signatures of many.
MOST_BYTES = 1 << 17
#: A connection is closed after so many seconds, whatever it has done by then.
LONGEST = 30.0
#: So many connections are answered at once; more wait in the machine's queue.
AT_ONCE = 32
PLAIN = "text/plain; charset=utf-8"

#: Is told the origin of a log that was just proved to have forked.
OnFork = Callable[[str], None]


class WitnessServer(ThreadingHTTPServer):
    """Answers at `address` until `shutdown`. Raises OSError when the address is in use."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        memory: Memory,
        logs: Logs,
        now: Callable[[], datetime],
        on_fork: OnFork,
    ) -> None:
        self.memory, self.logs, self.now, self.on_fork = memory, logs, now, on_fork
        self.monitored = {origin_hash(origin): origin for origin in logs}
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """As the library does, with no more threads than there may be."""
        self._free.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In a thread of its own."""
        end = threading.Timer(LONGEST, _cut, [request])
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is nobody's trouble here."""
        del request, client_address


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "crosspost"
    sys_version = ""
    timeout = 10  # between two pieces of a request
    wbufsize = 1 << 16  # head and body leave together: else each answer waits for an ACK, 40 ms

    def do_POST(self) -> None:
        if not self.path.endswith(ADD):
            self._end(404, "no such place")
            return
        body = self._body()
        if body is not None:
            self._add(body)

    def _body(self) -> bytes | None:
        """The body of the request; None when it was refused unread."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            self._end(411, "send a Content-Length")
        elif len(length) > 9 or int(length) > MOST_BYTES:
            self._end(413, "too large")
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True
        return None

    def _add(self, body: bytes) -> None:
        try:
            request = read_request(body)
        except ValueError as error:  # of `decode` too
            self._end(400, "not ASCII" if isinstance(error, UnicodeError) else str(error))
            return
        server = self.server
        try:
            answer = server.memory.add(request, server.logs, server.now())
        except (UserError, OSError) as error:
            log.error("%s", error, extra={"event": "witness"})
            self._end(500, "this witness cannot answer now")
            return
        if isinstance(answer, Cosigned):
            self._answer(200, answer.line)
            self._say("cosigned", request.note)
        else:
            self._refuse(answer, request.note)

    def _refuse(self, refusal: Refusal, note: bytes) -> None:
        if refusal.status == 409:
            self._answer(409, f"{refusal.body}\n".encode(), SIZE_TYPE)
        else:
            self._end(refusal.status, refusal.body)
        if refusal.forked:
            self.server.on_fork(origin_of(note))

    def do_GET(self) -> None:
        *_, name, word = ["", "", *self.path.split("/")]
        origin = self.server.monitored.get(name)
        try:
            note = self.server.memory.note_of(origin) if origin and word == "checkpoint" else None
        except UserError as error:
            log.error("%s", error, extra={"event": "witness"})
            self._end(500, "this witness cannot answer now")
            return
        if note is None:
            self._end(404, "nothing was cosigned here")
        else:
            self._answer(200, note)

    def _end(self, status: int, words: str) -> None:
        """A refusal. After one whose body was not read the connection is of no use."""
        self.close_connection = self.close_connection or status in (404, 411, 413)
        self._answer(status, f"{words}\n".encode())

    def _answer(self, status: int, body: bytes, kind: str = PLAIN) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _say(self, event: str, note: bytes) -> None:
        origin, size = note.decode(errors="replace").split("\n")[:2]
        log.info(
            "%s",
            t("cosigned {origin} at {size} entries", origin=origin, size=size),
            extra={"event": event},
        )

    def log_message(self, *_: object) -> None:
        """Only what was cosigned is told, and what went wrong."""
