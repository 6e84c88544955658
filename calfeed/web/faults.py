"""Where errors become HTTP: a page for people, problem+json (RFC 9457) for programs, a line for calendars."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, g, json, render_template, request
from werkzeug.exceptions import HTTPException

from calfeed.errors import CalfeedError, LedgerError, NotFound, QueryError, TooMany
from calfeed.web.site import NotReady, negotiated, site
from calfeed.web.words import INTERFACE, Words

log = logging.getLogger(__name__)

SECRET = ("/private/", "/unsubscribe/", "/confirm/")
"""What paths begin with that have a secret in them."""

_STATUS: tuple[tuple[type[CalfeedError], int], ...] = (
    (QueryError, 400),
    (NotFound, 404),
    (TooMany, 429),
    (NotReady, 503),
    (LedgerError, 503),
)
_WORDS = {400: "bad_request", 404: "not_found", 429: "too_many"}


def register(app: Flask) -> None:
    """Maps calfeed's errors, Werkzeug's and everything else."""
    app.register_error_handler(CalfeedError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unknown)


def _known(fault: CalfeedError) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(fault, kind)), 500)
    if status >= 500:
        log.error("%s: %s", where(), fault)
    # A database's own words may name hosts and users: they stay in the log.
    return respond(status, "the database cannot be used now" if isinstance(fault, LedgerError) else str(fault))


def _http(fault: HTTPException) -> Response:
    response = respond(fault.code or 500, "" if fault.code == 404 else fault.description or "")
    for name, value in fault.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _unknown(fault: Exception) -> Response:
    log.error("%s %s failed", request.method, where(), exc_info=fault)
    return respond(500, "")


def where() -> str:
    """The path for a log: of one that holds a secret, the rule it fell under."""
    if request.path.startswith(SECRET):
        return request.url_rule.rule if request.url_rule else "a secret path"
    return request.path


def respond(status: int, detail: str) -> Response:
    """The error as the kind of reader at this path understands it."""
    phrase = HTTPStatus(status).phrase
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        body = {"type": "about:blank", "title": phrase, "status": status, **({"detail": detail} if detail else {})}
        response = Response(json.dumps(body), status, mimetype="application/problem+json")
        response.headers["Access-Control-Allow-Origin"] = "*"
    elif request.path.startswith(("/feeds/", "/private/")):
        response = Response(
            f"{status} {phrase}" + (f": {detail}" if detail else "") + "\n", status, mimetype="text/plain"
        )
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        response = Response(_page(status, detail), status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store" if status >= 500 or status == 429 else "no-cache"
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _page(status: int, detail: str) -> str:
    g.pop("page", None)  # a page that could not be made must not be half used
    words = Words(negotiated(INTERFACE, INTERFACE[0]))
    snapshot = site().publisher.snapshot
    name = snapshot.catalog.calendar.name.get(words.language) if snapshot else "calfeed"
    key = _WORDS.get(status, "server_fault" if status >= 500 else "bad_request")
    return render_template("fault.html", t=words, status=status, key=key, detail=detail, name=name)
