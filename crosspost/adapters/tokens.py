"""Adapters whose every call carries one access token, wherever that token comes from now.

It must not get or renew tokens: whoever does (a login, a renewal ahead of time) keeps the new one
in the channel's vault by `kept`, and here it wins over the one in the settings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from crosspost.adapters.base import AdapterSettings, Context, HttpAdapter


def kept(token: str, configured: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What to keep in the vault for a channel whose settings say `configured`, so that `token` is
    used from now on; `more` is what the next renewal needs (a refresh token, when it ends)."""
    return {**(more or {}), "access_token": token, "of": origin(configured)}


def origin(configured: str) -> str:
    """Names a token of the settings without telling it."""
    return hashlib.sha256(configured.encode()).hexdigest()[:32]


class TokenAdapter(HttpAdapter):
    """An adapter with the setting `access_token`."""

    def __init__(self, settings: AdapterSettings, context: Context) -> None:
        self._used: set[str] = set()
        super().__init__(settings, context)

    def token(self) -> str:
        """The token of now: the kept one, if it descends from the one in the settings; a new one in
        the settings wins over all that was kept before."""
        configured: str = self.settings.access_token.get_secret_value()
        values = self.context.load() if self.context.load else {}
        renewed = values.get("access_token") if values.get("of") == origin(configured) else None
        self._used.add(renewed or configured)
        return renewed or configured

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield from self._used
