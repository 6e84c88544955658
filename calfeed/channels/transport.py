"""The one careful way out over HTTP: no redirect, no proxy, no cookie, no answer longer or later than allowed.

One `requests.Session` a thread with connections kept alive. A fault is a value that names no URL; nothing is raised for
what the network does.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLError
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from calfeed import __version__
from calfeed.channels.base import Answer, Fault, FaultKind, Request

logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)  # below, it writes the path: a vendor's secret

CONNECT, TOTAL = 5.0, 15.0
"""Seconds: for each address to connect to, and for everything from the name look-up to the last byte."""

LIMIT = 4096
"""Bytes of an answer that are read."""

_NO_URL = (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL)
"""Time mends nothing of these: whoever set the address has to."""

Address = tuple[int, int, int, str, Any]
"""What `socket.getaddrinfo` yields."""

Resolve = Callable[[str, int, str], Sequence[Address]]
"""Host, port and scheme to the addresses to try in turn; raises `Refused` for those that may not be used."""


class Refused(Exception):
    """The address may not be used; the text names no host."""


def resolve(host: str, port: int, scheme: str) -> Sequence[Address]:  # noqa: ARG001  # the operator's may be any
    """The addresses of a host, in the resolver's order."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class HttpTransport:
    """Sends requests; safe to share between threads."""

    def __init__(self, *, connect: float = CONNECT, total: float = TOTAL, resolve: Resolve = resolve) -> None:
        self._connect = connect
        self._total = total
        self._resolve = resolve
        self._local = threading.local()

    def send(self, request: Request) -> Answer | Fault:
        """The answer, or why there is none."""
        _thread.limits = limits = _Limits(self._connect, self._total, self._resolve)
        try:
            prepared = _prepare(request)
            return self._exchange(prepared)
        except Refused as refused:
            return Fault(kind="refused", detail=str(refused))
        except _NO_URL:
            return Fault(kind="refused", detail="it is no http:// or https:// URL")
        except (requests.RequestException, exceptions.HTTPError, OSError, UnicodeError, ValueError) as fault:
            kind: FaultKind = "timeout" if limits.left() <= 0 else _kind(fault)
            return Fault(kind=kind)

    def close(self) -> None:
        """Close the calling thread's connections."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            del self._local.session

    def _exchange(self, prepared: requests.PreparedRequest) -> Answer:
        response = self._session().send(
            prepared, stream=True, timeout=(self._connect, self._total), allow_redirects=False
        )
        headers = {name.lower(): value for name, value in response.raw.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=_read(response.raw))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session()
        return session


def _read(raw: BaseHTTPResponse) -> bytes:
    """The beginning of the body; nothing when it breaks off, since the status has said already what became of it."""
    whole, body = False, b""
    try:
        body = raw.read(LIMIT, decode_content=False)
        whole = len(body) < LIMIT or not raw.read(1, decode_content=False)
    except (exceptions.HTTPError, OSError, ValueError):
        whole = False
    if whole:
        raw.release_conn()
    else:
        raw.close()  # only a connection whose answer was read to its end can carry the next one
    return body


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc, no CA bundle from the environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter())
    return session


def _prepare(request: Request) -> requests.PreparedRequest:
    prepared = _blank(request.method, request.url).copy()
    prepared.prepare_headers({**prepared.headers, **_headers(request)})
    prepared.body = request.body
    prepared.headers["Content-Length"] = str(len(request.body))
    return prepared


def _headers(request: Request) -> dict[str, str]:
    return {"User-Agent": f"calfeed/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity", **request.headers}


@lru_cache(maxsize=1024)
def _blank(method: str, url: str) -> requests.PreparedRequest:
    """To be copied, with the credentials of the URL: preparing one costs as much as all the rest.

    Raises ``requests.RequestException``.
    """
    prepared = requests.PreparedRequest()
    prepared.prepare(method=method, url=url)
    return prepared


_KINDS: tuple[tuple[tuple[type[BaseException], ...], FaultKind], ...] = (
    ((exceptions.NameResolutionError, socket.gaierror), "dns"),
    ((SSLError, exceptions.SSLError, requests.exceptions.SSLError), "tls"),
    ((exceptions.NewConnectionError,), "connect"),  # urllib3 counts it among the time-outs, so it stands before them
    ((TimeoutError, exceptions.TimeoutError, requests.Timeout), "timeout"),
)


def _kind(fault: BaseException) -> FaultKind:
    """What failed, from whatever of three libraries said so; they nest each other's errors."""
    causes = _causes(fault)
    return next((kind for types, kind in _KINDS if any(isinstance(one, types) for one in causes)), "protocol")


def _causes(fault: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    waiting = [fault]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if not isinstance(one, BaseException) or one in found:
            continue
        found.append(one)
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


class _Limits:
    """What one exchange may take; the connection classes are made by libraries, so it reaches them by thread."""

    def __init__(self, connect: float, total: float, resolve: Resolve) -> None:
        self.connect = connect
        self.resolve = resolve
        self._end = time.monotonic() + total

    def left(self) -> float:
        """Seconds left of the whole."""
        return self._end - time.monotonic()


class _Thread(threading.local):
    limits: _Limits


_thread = _Thread()


class _Timed(io.RawIOBase):
    """A socket's bytes until the exchange's time is up: a time-out for each read alone lets an answer drip for ever."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, limits: _Limits) -> None:
        self._sock = sock
        self._raw = raw
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._limits.left()
        if left <= 0:
            raise TimeoutError("the whole exchange took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(sock, self.fp.detach(), _thread.limits))


def _connected(host: str, port: int, scheme: str) -> socket.socket:
    """A socket to the first address that answers, within the exchange's time."""
    limits = _thread.limits
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, address in limits.resolve(host, port, scheme):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(min(limits.connect, limits.left()), 0.001))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


class _Plain(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return _new_conn(self, "http")


class _Secure(HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return _new_conn(self, "https")


def _new_conn(connection: HTTPConnection, scheme: str) -> socket.socket:
    try:
        return _connected(connection.host, connection.port or connection.default_port, scheme)
    except socket.gaierror as error:
        raise exceptions.NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise exceptions.ConnectTimeoutError(connection, "timed out") from error
    except OSError as error:
        raise exceptions.NewConnectionError(connection, "failed") from error


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
