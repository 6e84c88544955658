"""Request bodies, read before the application sees them: small, and never by all threads at once.

The server bounds how long headers may take, not bodies, and a read that waits cannot be given up. Its few threads
wait for a body that a slow client drips, so a handful of clients could keep everybody from everything. Here at most
`AT_ONCE` threads wait; the others go on answering. (A proxy that buffers bodies, as nginx does, lets none wait.)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any

LARGEST = 64 * 1024
"""Octets; a subscription has some hundreds."""

AT_ONCE = 2
"""Of the server's four threads."""

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Bodies:
    """WSGI: hands on requests with their bodies read; 503 when too many are on their way.

    A body that says it is larger than `LARGEST` is left unread: the application refuses it by that word alone.
    """

    def __init__(self, app: Application, *, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._room = BoundedSemaphore(at_once)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        size = _expected(environ)
        if not size:
            return self._app(environ, start_response)
        if not self._room.acquire(blocking=False):
            return _refused(start_response)
        try:
            body = environ["wsgi.input"].read(size)
        finally:
            self._room.release()
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "wsgi.input_terminated": True}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return self._app(environ, start_response)


def _expected(environ: dict[str, Any]) -> int:
    """Octets to read; none of a request without a body, and none of one that is too large."""
    if environ["REQUEST_METHOD"] in _BODILESS:
        return 0
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        size = int(length[:20])
        return size if size <= LARGEST else 0
    return LARGEST + 1 if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() else 0


def _refused(start_response: Any) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
    start_response("503 Service Unavailable", [*headers, ("Retry-After", "5")])
    return [b"503 Service Unavailable: too many are sending at once\n"]
