"""HTTP on 127.0.0.1 with the means to break it: resets, half answers, the end of all connections.

It must not know what a platform answers.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from crosspost.testing.messages import TYPE_JSON, Reply, Seen


class Serves(Protocol):
    """Who answers the requests."""

    def serve(self, seen: Seen, wire: Handler) -> None:
        """Answer a request through `wire`."""


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 on one connection, with the means to break it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_any(self) -> None:
        """One request of any method."""
        body = self._body()
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        seen = Seen(
            self.command,
            url.path,
            {name: values[-1] for name, values in query.items()},
            {name.lower(): value for name, value in self.headers.items()},
            body,
        )
        self.server.platform.serve(seen, self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def send_whole(self, reply: Reply) -> None:
        """The answer as it should be."""
        content = reply.content
        self.send_head(reply, length=len(content))
        if self.command != "HEAD":
            self.push(content)

    def send_half(self, reply: Reply) -> None:
        """Half of what the head promises, then the end of the connection."""
        content = reply.content or b"half"
        self.send_head(reply, length=len(content))
        self.push(content[: len(content) // 2])
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def send_head(self, reply: Reply, *, length: int) -> None:
        """Status and headers."""
        self.send_response_only(reply.status)
        kind = {} if reply.json is None else TYPE_JSON
        for name, value in {**kind, **reply.headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        with suppress(OSError):
            self.end_headers()

    def push(self, data: bytes) -> bool:
        """Send bytes; False when nobody takes them any more."""
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
            return False
        return True

    def reset(self) -> None:
        """End the connection by a TCP reset."""
        self.close_connection = True
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()  # `finish` closes the last owner: then the reset goes out

    def finish(self) -> None:
        """The end, also of what is closed already."""
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 for a platform, a thread for each connection, until it is ended."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, platform: Serves, port: int) -> None:
        self.platform = platform
        self._open: set[socket.socket] = set()
        self._closed = threading.Condition()
        super().__init__(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close without an orderly shutdown first, so that a reset stays a reset."""
        self.close_request(request)
        with self._closed:
            self._open.discard(request)
            self._closed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what many tests are about."""

    def wait_for_the_last(self) -> None:
        """Until no connection is open."""
        with self._closed:
            self._closed.wait_for(lambda: not self._open)

    def end(self) -> None:
        """Listen no more and close every connection."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
