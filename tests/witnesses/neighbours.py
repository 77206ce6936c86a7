"""Witnesses on the loopback interface: an honest one, and ones that answer as they are told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from crosspost.witnesses.memory import Memory
from crosspost.witnesses.protocol import Logs
from crosspost.witnesses.serving import WitnessServer


@contextmanager
def served(memory: Memory, logs: Logs, forks: list[str] | None = None) -> Iterator[str]:
    """The address of a witness on the loopback interface; the clock shows now."""
    kept = [] if forks is None else forks
    server = WitnessServer(("127.0.0.1", 0), memory, logs, lambda: datetime.now(UTC), kept.append)
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def answering(*answers: tuple[int, bytes] | None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one after the other, the last for ever; None: none, ever.
    Its address, and the bodies that it was sent."""
    left, bodies, ended = list(answers), [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer is None:
                ended.wait(20)
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", bodies
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
