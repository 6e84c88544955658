"""The stylesheet, the script and the icon: read once, compressed once, cached for ever under their hash."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

from flask import Flask, Response, current_app, request, url_for

from calfeed.errors import NotFound
from calfeed.feeds.resource import Resource
from calfeed.web.feed_routes import sent

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_ONCE = datetime(2024, 5, 16, tzinfo=UTC)
"""Last-Modified of every asset: their ETag tells them apart, and builds stay identical."""


def register(app: Flask) -> None:
    """Adds ``/static/<name>`` and the template function ``asset``."""
    app.extensions["calfeed.assets"] = {
        entry.name: _resource(entry.name, entry.read_bytes())
        for entry in files("calfeed.web").joinpath("static").iterdir()
        if entry.name.rsplit(".", 1)[-1] in _TYPES
    }
    app.jinja_env.globals["asset"] = asset
    app.add_url_rule("/static/<name>", "static", serve)
    app.add_url_rule("/favicon.ico", "favicon", lambda: serve("favicon.svg"))


def _resource(name: str, body: bytes) -> Resource:
    return Resource.of(body, _TYPES[name.rsplit(".", 1)[-1]], _ONCE)


def asset(name: str) -> str:
    """The asset's address, with its hash."""
    resource: Resource = current_app.extensions["calfeed.assets"][name]
    return url_for("static", name=name, v=resource.etag[1:9])


def serve(name: str) -> Response:
    """One asset; raises NotFound."""
    resource = current_app.extensions["calfeed.assets"].get(name)
    if resource is None:
        raise NotFound(f"there is no file {name!r}")
    response = sent(resource)
    if "v" in request.args:
        response.headers["Cache-Control"] = _FOREVER
    return response
