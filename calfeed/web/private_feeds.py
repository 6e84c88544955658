"""``/private/<token>/<feed>.ics``: what a secret link opens. The token stands in no log, the answer in no cache."""

from __future__ import annotations

from flask import Blueprint, Response, request

from calfeed.errors import NotFound
from calfeed.feeds.select import Query
from calfeed.web.feed_routes import sent
from calfeed.web.feeds import disposed
from calfeed.web.security import open_preflight
from calfeed.web.site import site

blueprint = Blueprint("private_feeds", __name__)
blueprint.after_request(open_preflight)


@blueprint.get("/private/<token>/<name>")
def feed(token: str, name: str) -> Response:
    """``<feed>.ics`` and the other formats, to subscribe to."""
    return _serve(token, name.rpartition(".")[0], f"/feeds/{name}", disposed("inline", name))


@blueprint.get("/private/<token>/<feed>/download.ics")
def download(token: str, feed: str) -> Response:
    """The same bytes as an attachment."""
    return _serve(token, feed, f"/feeds/{feed}.ics", disposed("attachment", f"{feed}.ics"))


def _serve(token: str, feed: str, path: str, disposition: str | None) -> Response:
    """Wrong, revoked, for another feed, or no such feed: nobody can tell which. Raises NotFound."""
    here = site()
    known = here.snapshot.catalog.feed_by_id.get(feed)
    opened = here.ledger.check(token, feed, here.clock())
    if known is None or not opened:
        raise NotFound("this link opens nothing: it was revoked, or has a typing error")
    query = Query.parse(request.args.items(multi=True))
    resource = here.snapshot.resource(path, query, private=True)
    if resource is None:
        raise NotFound("this link opens nothing: it was revoked, or has a typing error")
    return sent(resource, disposition, private=True)
