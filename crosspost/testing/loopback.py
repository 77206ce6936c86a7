"""A platform of our own on 127.0.0.1, with the faults that real ones and the way to them have.

It must not know any adapter: a subclass of `Platform` per platform answers as that one does.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

#: How much of an endless answer is sent at most, in bytes: enough to notice who reads it all.
ENDLESS = 1_000_000_000
#: The longest that a stalled answer keeps its thread, in seconds; a client's patience is shorter.
STALL = 60.0

FAULTS = frozenset(
    {
        "refuse",  # nobody listens any more, at once and until `listen()`
        "reset_before",  # TCP reset, no work done
        "reset_after",  # the work is done, then TCP reset instead of an answer
        "stall_after",  # the work is done, no answer ever
        "half_body",  # the work is done, half of the answer, then the end
        "garbage",  # the work is done, 200 with bytes that are no JSON
        "missing_id",  # the work is done, 200 with an empty JSON object
        "huge",  # the work is done, 200 with an endless body
        "dribble",  # the work is done, the answer comes byte by byte, endlessly
        "html",  # no work, 200 with a web page, as a captive portal answers
        "redirect",  # no work, 302 to another address, which records what it gets: `elsewhere`
    }
)  # and "status:NNN" (no work), "status_after:NNN" (the work is done, then this status)


@dataclass(frozen=True)
class Upload:
    """One field of a multipart request."""

    content: bytes
    filename: str | None = None
    mime: str = ""

    @property
    def text(self) -> str:
        """The content of a field that is no file."""
        return self.content.decode()

    @property
    def sha256(self) -> str:
        """Of the content, hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Seen:
    """One request as it arrived, whole. `headers` has lower-case names."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a urlencoded body."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @cached_property
    def parts(self) -> dict[str, Upload]:
        """The fields of a multipart body by name; empty when it is none."""
        found = re.search(r'boundary="?([^";]+)', self.headers.get("content-type", ""))
        if not found:
            return {}
        pieces = self.body.split(b"--" + found[1].encode())[1:-1]
        return dict(_upload(piece) for piece in pieces)


def _upload(piece: bytes) -> tuple[str, Upload]:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    words = head.decode()
    name = re.search(r'\bname="([^"]*)"', words)
    filename = re.search(r'\bfilename="([^"]*)"', words)
    mime = re.search(r"(?im)^content-type:\s*(\S+)", words)
    upload = Upload(
        content.removesuffix(b"\r\n"), filename[1] if filename else None, mime[1] if mime else ""
    )
    return (name[1] if name else ""), upload


@dataclass
class Reply:
    """An answer: `json` (any JSON value), or `body` as it is."""

    status: int = 200
    json: Any = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if self.json is None else json.dumps(self.json).encode()


@dataclass(frozen=True)
class PublicPost:
    """What the public sees of one post.

    `text` is as a reader sees it (no markup), `images` are (alt text, SHA-256 of the bytes, hex) of
    images and videos, `reply_to` the id of the post that it answers to, "" for none.
    """

    remote_id: str
    text: str
    images: tuple[tuple[str, str], ...] = ()
    link: str = ""
    reply_to: str = ""


@dataclass
class _Fault:
    name: str
    on: str
    times: int
    headers: dict[str, str]
    body: bytes


class Platform:
    """A platform that answers on 127.0.0.1 while it is entered (`with`). Subclasses keep its state
    in `self` and say `answer`, `phase_of` and `posts`."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        #: What arrived at the address that the fault "redirect" points to: must stay empty.
        self.elsewhere: list[Seen] = []
        #: Bytes of an endless answer that were taken off our hands.
        self.endless_sent = 0
        self._faults: list[_Fault] = []
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._port = 0
        self._server: _Server | None = None
        self._other: Platform | None = None

    # --- for subclasses ---------------------------------------------------------------------------

    def answer(self, seen: Seen) -> Reply:  # noqa: ARG002
        """What the platform does and says; called for one request at a time."""
        return Reply(200, {})

    def phase_of(self, seen: Seen) -> str:  # noqa: ARG002
        """Which phase a request belongs to: check, login, prepare, publish, find, edit, delete."""
        return ""

    @property
    def posts(self) -> list[PublicPost]:
        """What the public can see now, oldest first."""
        return []

    # --- for tests --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def seen(self, phase: str) -> list[Seen]:
        """The requests of one phase that have arrived."""
        return [seen for seen in self.requests if self.phase_of(seen) == phase]

    def fault(
        self,
        name: str,
        *,
        on: str = "publish",
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """The next `times` requests of the phase `on` misbehave; `headers` and `body` are for the
        `status` faults. Names are those of `FAULTS`."""
        if name not in FAULTS and not re.fullmatch(r"status(_after)?:\d{3}", name):
            raise ValueError(f"no such fault: {name}")
        if name == "refuse":
            self.refuse()
            return
        if name == "redirect" and self._other is None:
            self._other = Platform().__enter__()
            self.elsewhere = self._other.requests
        self._faults.append(_Fault(name, on, times, dict(headers or {}), body))

    def refuse(self) -> None:
        """Nobody listens any more and every connection is closed, until `listen`."""
        if self._server is not None:
            self._server.end()
            self._server = None

    def listen(self) -> None:
        """Listen (again), always on the same port."""
        if self._server is None:
            self._server = _Server(self, self._port)
            self._port = self._server.server_address[1]

    def drain(self) -> None:
        """Wait until everything is done that clients had sent, for tests whose client was killed.
        Connections are taken in order, so when one of our own was taken and closed, all before it
        were taken too."""
        if self._server is not None:
            with socket.create_connection(("127.0.0.1", self._port)) as own:
                own.shutdown(socket.SHUT_WR)
                own.recv(1)
            self._server.wait_for_the_last()

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.refuse()
        if self._other is not None:
            self._other.__exit__()

    # --- one request ------------------------------------------------------------------------------

    def _take(self, phase: str) -> _Fault | None:
        for fault in self._faults:
            if fault.on == phase and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _serve(self, seen: Seen, wire: _Handler) -> None:
        with self._lock:
            self.requests.append(seen)
            fault = self._take(self.phase_of(seen))
            works = fault is None or not fault.name.startswith(
                ("reset_before", "html", "redirect", "status:")
            )
            reply = self.answer(seen) if works else Reply()
        if fault is None:
            wire.send_whole(reply)
        else:
            self._misbehave(fault, reply, wire)

    def _misbehave(self, fault: _Fault, reply: Reply, wire: _Handler) -> None:
        name, _, status = fault.name.partition(":")
        match name:
            case "reset_before" | "reset_after":
                wire.reset()
            case "stall_after":
                self._over.wait(STALL)
                wire.reset()
            case "half_body":
                wire.send_half(reply)
            case "huge":
                self._endless(wire)
            case "dribble":
                wire.send_head(Reply(200), length=ENDLESS)
                while not self._over.wait(0.02) and wire.push(b" "):
                    pass
            case _:
                wire.send_whole(self._wrong_reply(fault, status))

    def _wrong_reply(self, fault: _Fault, status: str) -> Reply:
        page = b"<!doctype html><html><title>Sign in</title><p>Welcome to free wifi</p></html>"
        match fault.name:
            case "garbage":
                return Reply(200, body=b"\x00{not json\xff", headers=_TYPE_JSON)
            case "missing_id":
                return Reply(200, {})
            case "html":
                return Reply(200, body=page, headers={"Content-Type": "text/html"})
            case "redirect":
                where = self._other.url if self._other else ""
                return Reply(302, headers={"Location": f"{where}/caught"})
            case _:
                return Reply(int(status), body=fault.body, headers=fault.headers)

    def _endless(self, wire: _Handler) -> None:
        wire.send_head(Reply(200, headers=_TYPE_JSON), length=ENDLESS)
        piece = b'{"x": "' + b"x" * 65_000
        while self.endless_sent < ENDLESS and not self._over.is_set() and wire.push(piece):
            self.endless_sent += len(piece)


_TYPE_JSON = {"Content-Type": "application/json"}


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 on one connection, with the means to break it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle_any(self) -> None:
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
        self.server.platform._serve(seen, self)

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
        kind = {} if reply.json is None else _TYPE_JSON
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
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, platform: Platform, port: int) -> None:
        self.platform = platform
        self._open: set[socket.socket] = set()
        self._closed = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)
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
