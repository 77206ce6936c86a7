"""Below the adapters: one HTTP call with `requests`, and whether its bytes may have left.

It must not know platforms. Its one hard promise: `NotSent` is raised only when the request was
never begun, so not a byte of it can have arrived anywhere.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from contextvars import ContextVar
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError
from urllib3.exceptions import TimeoutError as TimedOut
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout
from urllib3.util.retry import Retry

from crosspost.adapters.answers import BODY_CAP, Answer
from crosspost.wording import t

#: So many bytes of a request are written at once.
ONE_PIECE = 65_536
#: The longest that a whole request may take to leave, in seconds: 8 MB at 0.5 Mbit/s.
SEND_SECONDS = 180.0
#: An answer that trickles in is not read for longer than this, in seconds.
ANSWER_SECONDS = 60.0

# urllib3 writes addresses: at DEBUG that of every request, at WARNING that of an answer with odd
# headers. Some platforms have their token in it.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class NotSent(Exception):
    """The request was not begun. `misconfigured`: and never will be (a certificate for another
    name, an address that is none)."""

    def __init__(self, message: str, *, misconfigured: bool = False) -> None:
        super().__init__(message)
        self.misconfigured = misconfigured


class Broken(Exception):
    """The call was begun and gave no whole answer: it may have had its effect."""


#: Asked once the connection stands, and before a byte of the request is written.
_MAY_SEND: ContextVar[Callable[[], bool] | None] = ContextVar("may_send", default=None)


class _NoConnection(NewConnectionError):
    """Connecting failed: refused, no such host, no route, time-out, TLS."""


class _PlainConnection(HTTPConnection):
    """A failure to connect is told from every later one, and an upload may take its time (urllib3
    gives it no longer than connecting may take, or than the last answer). What is small leaves in
    one piece, headers and body."""

    _held: bytes | None = None  # of a request that is being written

    def connect(self) -> None:
        self._held = None  # a proxy is asked for the way before anything else
        try:
            super().connect()
        except (HTTPError, OSError) as error:
            raise _NoConnection(self, str(error)) from error
        self.sock.settimeout(SEND_SECONDS)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            self.timeout = SEND_SECONDS
        may_send = _MAY_SEND.get()
        if may_send is not None:
            if self.sock is None:
                self.connect()
            if not may_send():
                raise _NoConnection(self, "not ours any more")
        self._held = b""
        super().request(*args, **kwargs)
        self._let_go()

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        elif isinstance(data, bytes) and len(self._held) + len(data) <= ONE_PIECE:
            self._held += data
        else:
            self._let_go()
            super().send(data)

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held:
            super().send(held)


class _TlsConnection(_PlainConnection, HTTPSConnection):
    """The same over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Transport(HTTPAdapter):
    """Never retries, and tells a connection that was not made from one that broke."""

    def __init__(self) -> None:
        super().__init__(max_retries=Retry(0, read=False, redirect=0))
        self._keys: dict[Any, Any] = {}
        self._trusting: WeakSet[Any] = WeakSet()  # pools that know whose certificates are believed

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """Kept for each host: to find them out looks for the file of CAs each time."""
        key = (*urlsplit(request.url)[:2], verify, cert)
        if key not in self._keys:
            self._keys[key] = super().build_connection_pool_key_attributes(request, verify, cert)
        return self._keys[key]

    def ask(
        self,
        request: requests.PreparedRequest,
        timeout: tuple[float, float],
        proxies: Mapping[str, str],
        verify: bool | str,
    ) -> BaseHTTPResponse:
        """What `send` does, without what is for redirects, cookies and hooks. Its body is not read
        yet. Raises what urllib3 raises."""
        pool: Any = self.get_connection_with_tls_context(request, verify, proxies=dict(proxies))
        if pool not in self._trusting:
            self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
            self._trusting.add(pool)
        answer: BaseHTTPResponse = pool.urlopen(
            request.method or "",
            self.request_url(request, dict(proxies)),
            request.body,
            request.headers,
            self.max_retries,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=timeout[0], read=timeout[1]),
            chunked=request.body is not None and "Content-Length" not in request.headers,
            preload_content=False,
            decode_content=False,
        )
        return answer

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._know_our_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        self._know_our_pools(manager)
        return manager

    def _know_our_pools(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


class Session(requests.Session):
    """A session that reads the environment's proxies once for each host: to read them takes half as
    long as a call."""

    def __init__(self) -> None:
        super().__init__()
        self._proxies_for: dict[tuple[str, str], dict[str, str]] = {}
        self.transport = _Transport()
        for scheme in ("http://", "https://"):
            self.mount(scheme, self.transport)

    def proxies_for(self, url: str) -> dict[str, str]:
        """The proxies for this address, as the environment named them at the first call."""
        host = urlsplit(url)[:2]
        if host not in self._proxies_for:
            self._proxies_for[host] = requests.utils.get_environ_proxies(url)
        return self._proxies_for[host]


def new_session(user_agent: str) -> Session:
    """A session that takes CA files from the environment, but no password from a netrc file, and
    keeps no cookies."""
    session = Session()
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json, */*;q=0.5"})
    settings = session.merge_environment_settings("https://example.org/", {}, None, None, None)
    session.verify = settings["verify"]
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def send(
    session: Session,
    method: str,
    url: str,
    timeout: tuple[float, float],
    headers: Mapping[str, str],
    body: Mapping[str, Any],
    *,
    may_send: Callable[[], bool] | None = None,
) -> Answer:
    """One call, answer read whole. Raises NotSent or Broken, with a sentence and no address in it
    (a platform may have its token there). `may_send` says no in the last moment: NotSent."""
    asked = _MAY_SEND.set(may_send)
    try:
        return _send(session, method, url, timeout, headers, body)
    finally:
        _MAY_SEND.reset(asked)


def _send(
    session: Session,
    method: str,
    url: str,
    timeout: tuple[float, float],
    headers: Mapping[str, str],
    body: Mapping[str, Any],
) -> Answer:
    request = _prepared(session, method, url, headers, body)
    try:
        proxies, verify = session.proxies_for(url), session.verify or True
        with closing(session.transport.ask(request, timeout, proxies, verify)) as response:
            return Answer(response.status, response.headers, _read(response))
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _sorted(error) from error


def _prepared(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Mapping[str, Any],
) -> requests.PreparedRequest:
    """The request as it will be written; whatever is wrong with it is found before it is begun.
    Without cookies and netrc there is nothing but headers that the session adds."""
    ours = CaseInsensitiveDict(session.headers)
    ours.update(headers)
    try:
        prepared = _Request()
        prepared.prepare(method, url, ours, **body)
        for name, value in prepared.headers.items():
            f"{name}{value}".encode("latin-1")  # what `http.client` does when it is too late
    except ValueError as error:  # of `requests` too: an address or a header that is none
        message = t(
            "The channel's address, token or password holds characters that cannot be sent: "
            "copy it again, without line breaks."
        )
        raise NotSent(message, misconfigured=True) from error
    return prepared


class _Request(requests.PreparedRequest):
    """One that remembers how addresses are written: to take one apart takes long."""

    def prepare_cookies(self, cookies: Any) -> None:
        """There are none."""

    def prepare_url(self, url: Any, params: Any) -> None:
        if params:
            super().prepare_url(url, params)
        else:
            self.url = _written(url)


@lru_cache(maxsize=256)
def _written(url: str) -> str | None:
    plain = requests.PreparedRequest()
    plain.prepare_url(url, None)
    return plain.url


def _read(response: BaseHTTPResponse) -> bytes:
    body = bytearray()
    end = time.monotonic() + ANSWER_SECONDS
    while piece := response.read1(65536, decode_content=True):
        body += piece
        if len(body) > BODY_CAP:
            raise Broken(t("The answer is larger than {limit} bytes.", limit=BODY_CAP))
        if time.monotonic() > end:
            raise Broken(t("The server did not finish its answer in time."))
    return bytes(body)


def _sorted(error: Exception) -> Exception:
    """NotSent or Broken, by whether the connection was made."""
    chain = list(_causes(error))
    if any(isinstance(cause, _NoConnection) for cause in chain):
        names = " ".join(f"{type(cause).__name__}: {cause}" for cause in chain)
        if "CertificateError" in names or "CERTIFICATE_VERIFY_FAILED" in names:
            return NotSent(
                t("The server's certificate is not valid for its name."), misconfigured=True
            )
        return NotSent(_no_connection(names))
    if isinstance(error, LocationValueError | requests.exceptions.InvalidURL):
        return NotSent(t("The address of the channel cannot be used."), misconfigured=True)
    if any(isinstance(cause, TimedOut | TimeoutError) for cause in chain):
        return Broken(t("The server did not answer in time."))
    return Broken(t("The connection broke before the answer was complete."))


def _no_connection(names: str) -> str:
    if "NameResolutionError" in names or "gaierror" in names:
        return t("The server's name cannot be found (DNS).")
    if "not ours any more" in names:
        return t("Another daemon works this channel by now.")
    if "refused" in names:
        return t("The server refuses the connection.")
    if "imed out" in names or "ConnectTimeout" in names:
        return t("The server cannot be reached in time.")
    return t("The server cannot be reached.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error with all that caused it, also what urllib3 keeps in `reason` and `args`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
