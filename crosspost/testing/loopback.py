"""A platform of our own on 127.0.0.1, with the faults that real ones and the way to them have.

It must not know any adapter: a subclass of `Platform` per platform answers as that one does.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from crosspost.testing.messages import TYPE_JSON, PublicPost, Reply, Seen, Upload
from crosspost.testing.wire import Handler, Server

__all__ = ["FAULTS", "Platform", "PublicPost", "Reply", "Seen", "Upload"]

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
        self._server: Server | None = None
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
            self._server = Server(self, self._port)
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

    def serve(self, seen: Seen, wire: Handler) -> None:
        """Answer a request, or misbehave as a test wants it."""
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

    def _misbehave(self, fault: _Fault, reply: Reply, wire: Handler) -> None:
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
                return Reply(200, body=b"\x00{not json\xff", headers=TYPE_JSON)
            case "missing_id":
                return Reply(200, {})
            case "html":
                return Reply(200, body=page, headers={"Content-Type": "text/html"})
            case "redirect":
                where = self._other.url if self._other else ""
                return Reply(302, headers={"Location": f"{where}/caught"})
            case _:
                return Reply(int(status), body=fault.body, headers=fault.headers)

    def _endless(self, wire: Handler) -> None:
        wire.send_head(Reply(200, headers=TYPE_JSON), length=ENDLESS)
        piece = b'{"x": "' + b"x" * 65_000
        while self.endless_sent < ENDLESS and not self._over.is_set() and wire.push(piece):
            self.endless_sent += len(piece)
