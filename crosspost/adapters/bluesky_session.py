"""A login at a server of the AT Protocol as it is kept, and what its tokens say of themselves.

Pure. It must not sign in, renew or store anything; `bluesky.py` does. What a token says is not
verified here: that is the server's business.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True)
class Session:
    """Who is signed in, with both tokens. `of` names the settings that it was made with, so that no
    other account's is ever used."""

    did: str
    handle: str
    access: str
    refresh: str
    of: str

    @classmethod
    def of_kept(cls, values: Mapping[str, str], of: str) -> Self | None:
        """The session among kept values; None when there is none, or one of other settings."""
        try:
            session = cls(**values)
        except TypeError:
            return None
        return session if session.of == of else None

    @property
    def ends(self) -> datetime | None:
        """When the access token ends, if it says so."""
        try:
            return datetime.fromtimestamp(_claims(self.access)["exp"], UTC)
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            return None

    @property
    def is_main_password(self) -> bool:
        """Whether it was made with the account's own password instead of an app password."""
        return _claims(self.access).get("scope") == "com.atproto.access"


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself (RFC 7519); nothing for a token of another kind."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}
