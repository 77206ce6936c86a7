"""A loopback server that answers every POST with an id, in a process of its own; prints its port.

`python benchmarks/loopback.py [SECONDS]`: each answer comes after so many seconds. HTTP/1.1 with
keep-alive on threads, as little work as can be, so that it is not what is measured. GET tells, as
JSON, how many posts came since the last GET, the seconds from the first of them to the end of the
last, of each one its arrival (Unix time) and its idempotency key, and the last one's headers and
body.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COUNT = itertools.count()
DELAY = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0


class Seen:
    """What came since the last question."""

    def __init__(self) -> None:
        self.came: list[tuple[float, str]] = []
        self.ended = 0.0
        self.headers: dict[str, str] = {}
        self.body = b""


SEEN = Seen()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer in one packet

    def do_POST(self) -> None:
        SEEN.came.append((time.time(), self.headers.get("Idempotency-Key", "")))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if DELAY:
            time.sleep(DELAY)
        self._answer(b'{"id": "%d"}' % next(COUNT))
        SEEN.ended, SEEN.headers, SEEN.body = time.time(), dict(self.headers), body

    def do_GET(self) -> None:
        came, SEEN.came = SEEN.came, []
        told: dict[str, Any] = {"count": len(came), "came": came}
        if came:
            told["seconds"] = SEEN.ended - came[0][0]
            told["headers"], told["body"] = SEEN.headers, SEEN.body.decode()
        self._answer(json.dumps(told).encode())

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.wfile.write(head % len(body) + body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing: the log is not what is measured."""


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Answer)
    print(server.server_address[1], flush=True)
    server.serve_forever()
