"""Below the adapters: one HTTP call with `requests`, and whether its bytes may have left.

It must not know platforms. Its one hard promise: `NotSent` is raised only when the connection was
never made, so not a byte of the request can have arrived anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util.retry import Retry

from crosspost.adapters.base import BODY_CAP, Answer
from crosspost.wording import t


class NotSent(Exception):
    """No connection was made. `misconfigured`: and none will be (a certificate for another name)."""

    def __init__(self, message: str, *, misconfigured: bool = False) -> None:
        super().__init__(message)
        self.misconfigured = misconfigured


class Broken(Exception):
    """The call was begun and gave no whole answer: it may have had its effect."""


class _NoConnection(NewConnectionError):
    """Connecting failed: refused, no such host, no route, time-out, TLS."""


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError) as error:
            raise _NoConnection(self, str(error)) from error


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError) as error:
            raise _NoConnection(self, str(error)) from error


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Transport(HTTPAdapter):
    """Never retries, and tells a connection that was not made from one that broke."""

    def __init__(self) -> None:
        super().__init__(max_retries=Retry(0, read=False, redirect=0))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._know_our_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        self._know_our_pools(manager)
        return manager

    def _know_our_pools(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def new_session(user_agent: str) -> requests.Session:
    """A session that reads proxies and CA files from the environment once, and no netrc ever."""
    session = requests.Session()
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json, */*;q=0.5"})
    settings = session.merge_environment_settings("https://example.org/", {}, None, None, None)
    session.verify = settings["verify"]
    session.proxies = requests.utils.getproxies()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Transport())
    return session


def send(
    session: requests.Session,
    method: str,
    url: str,
    timeout: tuple[float, float],
    headers: Mapping[str, str],
    body: Mapping[str, Any],
) -> Answer:
    """One call, answer read whole. Raises NotSent or Broken, with a sentence and no address in it
    (a platform may have its token there)."""
    try:
        with session.request(
            method,
            url,
            headers=dict(headers),
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            **body,
        ) as response:
            return Answer(response.status_code, response.headers, _read(response))
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _sorted(error) from error
    except ValueError as error:  # an unusable address, or a header that cannot be written
        raise NotSent(t("The call could not be made: {reason}", reason=type(error).__name__)) from error


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(65536):
        body += piece
        if len(body) > BODY_CAP:
            raise Broken(t("The answer is larger than {limit} bytes.", limit=BODY_CAP))
    return bytes(body)


def _sorted(error: Exception) -> Exception:
    """NotSent or Broken, by whether the connection was made."""
    chain = list(_causes(error))
    if any(isinstance(cause, _NoConnection) for cause in chain):
        names = " ".join(f"{type(cause).__name__}: {cause}" for cause in chain)
        if "CertificateError" in names or "CERTIFICATE_VERIFY_FAILED" in names:
            return NotSent(t("The server's certificate is not valid for it."), misconfigured=True)
        return NotSent(_no_connection(names))
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return NotSent(t("The address of the channel cannot be used."), misconfigured=True)
    if isinstance(error, requests.Timeout):
        return Broken(t("The server did not answer in time."))
    return Broken(t("The connection broke before the answer was complete."))


def _no_connection(names: str) -> str:
    if "NameResolutionError" in names or "gaierror" in names:
        return t("The server's name cannot be found (DNS).")
    if "refused" in names:
        return t("The server refuses the connection.")
    if "imed out" in names or "ConnectTimeout" in names:
        return t("The server cannot be reached in time.")
    return t("The server cannot be reached.")


def _causes(error: BaseException | None) -> Any:
    """An error with all that caused it, also what urllib3 keeps in `reason` and `args`."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
        waiting += [arg for arg in cause.args if isinstance(arg, BaseException)]
