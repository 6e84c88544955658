"""Request bodies, read before the application sees them: small, in time, and never by all threads at once.

The server bounds how long headers may take, not bodies, and a read from it cannot be given up. Its few threads wait for
what a slow client drips, so a handful of clients could keep everybody from everything. Here each body is read by a
thread of its own, which the server's thread waits for: `LIMIT` seconds, and less when the place is needed by another.
Whoever is let go is answered 408, and that answer is one octet shorter than it says: then the server must end the
connection, and with it the read. (A proxy that buffers bodies, as nginx does, lets none wait.)
"""

from __future__ import annotations

import io
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from calfeed.web.limits import network

LARGEST = 64 * 1024
"""Octets; a subscription has some hundreds."""

AT_ONCE = 3
"""Bodies on their way, of the server's four threads."""

EACH = 2
"""Of them of one network: whoever holds these keeps no other out."""

LIMIT = 10.0
"""Seconds from the headers to the end of the body."""

GRACE = 1.0
"""Seconds before a body may have to make way; one that comes with its headers takes a thousandth of that."""

REMEMBERED = 600.0
"""Seconds in which a network that was let go gets one place and no grace: trying again pushes nobody out."""

_NETWORKS = 10_000
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(eq=False)
class _Waiting:
    """A body on its way; ``settled`` when it has come, or has to make way."""

    network: int
    since: float
    settled: Event = field(default_factory=Event)
    body: bytes | None = None

    def read(self, source: Any, size: int) -> None:
        """Runs in a thread of its own, and ends with the connection at the latest."""
        self.body = source.read(size)
        self.settled.set()


class Bodies:
    """WSGI: hands on requests with their bodies read; 408 for one that does not come, 503 where there is no place.

    A body that says it is larger than `LARGEST` is left unread: the application refuses it by that word alone.
    """

    def __init__(self, app: Application, *, limit: float = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._limit = limit
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._let_go: OrderedDict[int, float] = OrderedDict()
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        size = _expected(environ)
        if not size:
            return self._app(environ, start_response)
        one = self._enter(environ.get("REMOTE_ADDR", ""))
        if one is None:
            return _full(start_response)
        Thread(target=one.read, args=(environ["wsgi.input"], size), name="calfeed-body", daemon=True).start()
        one.settled.wait(self._limit)
        self._leave(one)
        if one.body is None or len(one.body) < _promised(environ):
            return _late(start_response)
        environ |= {"wsgi.input": io.BytesIO(one.body), "CONTENT_LENGTH": str(len(one.body))}
        environ["wsgi.input_terminated"] = True
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return self._app(environ, start_response)

    def _enter(self, address: str) -> _Waiting | None:
        """A place, if need be that of who has waited longest beyond its grace; None when there is none."""
        one = _Waiting(hash(network(address)), self._clock())  # keyed anew in each process: no address is kept
        with self._lock:
            own = [other for other in self._waiting if other.network == one.network]
            crowded = len(own) >= (1 if self._known(one.network) else EACH)
            if crowded or len(self._waiting) >= AT_ONCE:
                late = [other for other in (own if crowded else self._waiting) if self._beyond_grace(other)]
                if not late:
                    return None
                self._release(min(late, key=lambda other: other.since))
            self._waiting.append(one)
        return one

    def _leave(self, one: _Waiting) -> None:
        with self._lock:
            if one in self._waiting:
                if one.body is None:
                    self._release(one)
                else:
                    self._waiting.remove(one)

    def _release(self, one: _Waiting) -> None:
        self._waiting.remove(one)
        one.settled.set()
        self._let_go[one.network] = self._clock()
        self._let_go.move_to_end(one.network)
        if len(self._let_go) > _NETWORKS:
            self._let_go.popitem(last=False)

    def _known(self, network_: int) -> bool:
        return self._clock() - self._let_go.get(network_, -REMEMBERED) < REMEMBERED

    def _beyond_grace(self, one: _Waiting) -> bool:
        return self._known(one.network) or self._clock() - one.since >= GRACE


def _expected(environ: dict[str, Any]) -> int:
    """Octets to read; none of a request without a body, and none of one that is too large."""
    if environ["REQUEST_METHOD"] in _BODILESS:
        return 0
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        size = int(length[:20])
        return size if size <= LARGEST else 0
    return LARGEST + 1 if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() else 0


def _promised(environ: dict[str, Any]) -> int:
    """Octets without which the body is not whole; half a form could be one that says something else."""
    return 0 if "HTTP_TRANSFER_ENCODING" in environ else int(environ["CONTENT_LENGTH"])


_HEADERS = [("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]


def _full(start_response: Any) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [*_HEADERS, ("Retry-After", "1")])
    return [b"503 Service Unavailable: too many are sending at once\n"]


def _late(start_response: Any) -> Iterable[bytes]:
    text = b"408 Request Timeout: the request did not come in time\n"
    start_response("408 Request Timeout", [*_HEADERS, ("Connection", "close"), ("Content-Length", str(len(text) + 1))])
    return _cut_short(text)


def _cut_short(text: bytes) -> Iterator[bytes]:
    """Given piece by piece, so that the server finds the end missing only when it has sent what there is."""
    yield text
