"""Whether the web addresses of an announcement lead anywhere: each is asked once, briefly.

It must not follow a redirect, send anything but the question, or call what is only slow, busy or
closed to strangers dead.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import urlsplit

from crosspost import __version__
from crosspost.adapters import transport
from crosspost.adapters.transport import Session
from crosspost.wording import t

#: So many addresses are asked, the first ones.
MOST = 5
#: Seconds to connect, and between bytes of the answer.
PATIENCE = (3.0, 5.0)
GONE = (404, 410)


def dead(urls: Sequence[str], *, private: bool = False) -> Iterator[tuple[str, str]]:
    """Those of `urls` (http or https) that clearly lead nowhere, each with the reason in words.

    Addresses within a private network are not asked unless `private` is true: an announcement that
    was imported must not make this machine look around there.
    """
    session = transport.new_session(f"crosspost/{__version__} (link check)")
    try:
        for url in islice(dict.fromkeys(urls), MOST):
            reason = _reason(session, url, private=private)
            if reason:
                yield url, reason
    finally:
        session.close()


def _reason(session: Session, url: str, *, private: bool) -> str:
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return t("there is no such host")
    if not private and not all(_is_public(str(place[4][0])) for place in found):
        return ""
    try:
        answer = transport.send(session, "GET", url, PATIENCE, {}, {})
    except (transport.NotSent, transport.Broken):
        return ""  # perhaps only now
    return t("HTTP status {status}", status=answer.status) if answer.status in GONE else ""


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global
