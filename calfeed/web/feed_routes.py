"""``/feeds/…`` and ``/events/<id>.ics``: what `feeds.answer` makes of a snapshot's resource."""

from __future__ import annotations

from flask import Blueprint, Response, request

from calfeed.errors import NotFound
from calfeed.events.model import ALL
from calfeed.feeds.resource import Resource
from calfeed.feeds.select import Query
from calfeed.web.feeds import answer, disposed
from calfeed.web.security import open_preflight
from calfeed.web.site import site

blueprint = Blueprint("feeds", __name__)
blueprint.after_request(open_preflight)


@blueprint.get("/feeds/<name>")
def feed(name: str) -> Response:
    """``<feed>.ics``, ``.json``, ``.jcal``, ``.atom``, to subscribe to."""
    return serve(f"/feeds/{name}", disposed("inline", name))


@blueprint.get("/feeds/<feed>/download.ics")
def download(feed: str) -> Response:
    """The same bytes as an attachment."""
    return serve(f"/feeds/{feed}.ics", disposed("attachment", f"{feed}.ics"))


@blueprint.get("/events/<event>.ics")
def event(event: str) -> Response:
    """One event as an attachment."""
    return serve(f"/events/{event}.ics", disposed("attachment", f"{event}.ics"))


def serve(path: str, disposition: str | None = None) -> Response:
    """The resource of ``path`` with the query of this request; raises NotFound, QueryError."""
    resource = site().snapshot.resource(path, Query.parse(request.args.items(multi=True)))
    if resource is None:
        raise NotFound(f"there is no {path!r}; the feed of everything is /feeds/{ALL}.ics")
    if path.startswith("/feeds/") and path.endswith(".ics"):
        polls = site().polls
        polls.seen(path, request.headers.get("User-Agent", ""), polls.current(path) or "")
    return sent(resource, disposition)


def sent(resource: Resource, disposition: str | None = None, *, private: bool = False) -> Response:
    """The resource as this request asks for it."""
    asked = request.headers
    status, headers, body = answer(
        resource,
        request.method,
        asked.get("If-None-Match"),
        asked.get("If-Modified-Since"),
        asked.get("Accept-Encoding"),
        private=private,
        disposition=disposition,
    )
    response = Response(body, status)
    response.headers.clear()
    response.headers.extend(headers)
    return response
