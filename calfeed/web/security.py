"""The headers of every response, errors included, gzip for what Flask renders, and requests that are for no host."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request

from calfeed.web.feeds import accepts_gzip

POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""No inline style or script, nothing from elsewhere, no frame around any page but the embed."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SMALL = 600  # below this gzip gains nothing
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?)?(:\d{1,5})?", re.ASCII)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def policy(**changes: str) -> str:
    """The Content-Security-Policy; ``policy(frame_ancestors="*")`` for the embed."""
    own = POLICY | {key.replace("_", "-"): value for key, value in changes.items()}
    return "; ".join(f"{key} {value}" for key, value in own.items())


def register(app: Flask) -> None:
    """Runs after every request, also after one that failed."""
    app.after_request(secure)
    app.after_request(compress)  # runs before `secure`: Flask takes them in reverse
    app.wsgi_app = for_a_host(app.wsgi_app)  # type: ignore[method-assign,assignment]  # as Flask documents


def for_a_host(app: Application) -> Application:
    """400 for a Host that is none: Flask cannot make a URL there, not even that of its error page's style."""

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "")
        if len(host) <= 260 and _HOST.fullmatch(host):
            return app(environ, start_response)
        headers = {"Content-Type": "text/plain", "Content-Security-Policy": policy(), "X-Frame-Options": "DENY"}
        start_response("400 Bad Request", [*(headers | _ALWAYS).items()])
        return [b"400 Bad Request: the Host header names no host\n"]

    return guarded


def secure(response: Response) -> Response:
    """Adds what the route has not set itself."""
    headers = response.headers
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = policy()
        headers["X-Frame-Options"] = "DENY"  # what browsers without frame-ancestors read
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def open_preflight(response: Response) -> Response:
    """A browser asks first where a page elsewhere sends If-None-Match: whoever may read may send what reading needs."""
    if request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method") in {"GET", "HEAD"}:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
        response.headers["Access-Control-Allow-Headers"] = "*"
        response.headers["Access-Control-Max-Age"] = "86400"
    return response


def compress(response: Response) -> Response:
    """gzip for the reader who asks; never where a secret and the reader's own words share a body (BREACH)."""
    if response.direct_passthrough or "Content-Encoding" in response.headers or response.status_code != 200:
        return response
    if "no-store" in response.headers.get("Cache-Control", "") or not _text(response):
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) > _SMALL and accepts_gzip(request.headers.get("Accept-Encoding")):
        response.set_data(gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _text(response: Response) -> bool:
    kind = response.mimetype or ""
    return kind.startswith("text/") or kind.endswith(("json", "xml"))
