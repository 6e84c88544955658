"""Request bodies, read before the application sees them: small, in time, and never by all threads at once.

The server bounds how long headers may take, not bodies. Its few threads wait for a body that a slow client drips, so a
handful of clients could keep everybody from everything. Here at most `AT_ONCE` threads wait, and none for long.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore, Thread
from typing import Any

LARGEST = 64 * 1024
"""Octets; a subscription has some hundreds."""

SECONDS = 5.0
AT_ONCE = 2
"""Of the server's four threads."""

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Bodies:
    """WSGI: hands on requests with their bodies read; 408 for a body that is late, 503 when too many are on their way.

    A body that says it is larger than `LARGEST` is left unread: the application refuses it by that word alone.
    """

    def __init__(self, app: Application, *, seconds: float = SECONDS, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._seconds = seconds
        self._room = BoundedSemaphore(at_once)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        expected = _expected(environ)
        if not expected:
            return self._app(environ, start_response)
        if not self._room.acquire(blocking=False):
            return _refused(start_response, "503 Service Unavailable")
        body = self._read(environ["wsgi.input"], expected)
        if body is None:
            return _refused(start_response, "408 Request Timeout")
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "wsgi.input_terminated": True}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return self._app(environ, start_response)

    def _read(self, source: Any, size: int) -> bytes | None:
        """The body, or None when it does not come in time; the thread that waits for it ends with the connection."""
        found: list[bytes] = []

        def read() -> None:
            try:
                found.append(source.read(size))
            except OSError:  # the client went away
                found.append(b"")
            finally:
                self._room.release()

        reader = Thread(target=read, name="calfeed-body", daemon=True)
        reader.start()
        reader.join(self._seconds)
        return found[0] if found else None


def _expected(environ: dict[str, Any]) -> int:
    """Octets to read; none of a request without a body, and none of one that is too large."""
    if environ["REQUEST_METHOD"] in _BODILESS:
        return 0
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        size = int(length[:20])
        return size if size <= LARGEST else 0
    return LARGEST + 1 if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() else 0


def _refused(start_response: Any, status: str) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
    start_response(status, [*headers, ("Retry-After", "5"), ("Connection", "close")])
    return [f"{status}\n".encode()]
