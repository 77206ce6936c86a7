"""A proxy before a real server, that has the faults of the loopback platform."""

from __future__ import annotations

import re
from collections.abc import Mapping

import requests

from crosspost.testing.loopback import Platform, Reply, Seen

#: Headers that belong to one connection (RFC 9110 section 7.6.1), or that `requests` writes itself.
OWN = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "host",
}


class Proxy(Platform):
    """Hands every request on to `upstream`; `phases` names them by a pattern of their path."""

    def __init__(self, upstream: str, phases: Mapping[str, str]) -> None:
        super().__init__()
        self.upstream = upstream
        self.phases = phases

    def phase_of(self, seen: Seen) -> str:
        return next((name for name, path in self.phases.items() if re.search(path, seen.path)), "")

    def answer(self, seen: Seen) -> Reply:
        answer = requests.request(
            seen.method,
            f"{self.upstream}{seen.path}",
            params=dict(seen.query),
            headers=_passed_on(seen.headers),
            data=seen.body,
            timeout=60,
            allow_redirects=False,
        )
        return Reply(answer.status_code, body=answer.content, headers=_passed_on(answer.headers))


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OWN}
