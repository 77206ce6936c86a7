"""Calls signed by OAuth 1.0a (RFC 5849), for tokens that do not end.

Pure. It must not call anything, nor know a platform.
"""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

Method = Literal["GET", "POST", "DELETE"]


def signature(
    method: Method, where: str, app: tuple[SecretStr, SecretStr], token: tuple[SecretStr, SecretStr]
) -> str:
    """The header Authorization of a call to the whole address `where`, whose body is no form:
    forms would have to be signed too. Both pairs are a name and its secret."""
    from oauthlib.oauth1 import Client

    client = Client(
        app[0].get_secret_value(),
        client_secret=app[1].get_secret_value(),
        resource_owner_key=token[0].get_secret_value(),
        resource_owner_secret=token[1].get_secret_value(),
    )
    _, headers, _ = client.sign(where, http_method=method)
    return str(headers["Authorization"])
