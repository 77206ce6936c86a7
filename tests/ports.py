"""Ports of 127.0.0.1 for servers that a test run starts as processes of their own."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

#: Below the ports that Linux gives to outgoing connections (from 32768): what is found free here
#: is not taken by a client of the same test run before the server listens.
QUIET = range(20_000, 32_000)


def free_ports(number: int = 1) -> int:
    """The first of `number` ports in a row that nobody listens on now."""
    while True:
        first = random.choice(QUIET)
        with ExitStack() as held:
            try:
                for port in range(first, first + number):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first
