"""The Flask application, made of its parts by `create_app`; nothing is made at import."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from calfeed.ledger import Ledger
from calfeed.publish import Publisher, utcnow
from calfeed.settings import Settings
from calfeed.web import (
    api,
    assets,
    changes_page,
    event_page,
    faults,
    feed_routes,
    health,
    metrics,
    help,
    pages,
    rendering,
    robots,
    security,
    status,
    subscribe_page,
)
from calfeed.web.site import Site

BLUEPRINTS = (
    pages.blueprint,
    event_page.blueprint,
    subscribe_page.blueprint,
    changes_page.blueprint,
    feed_routes.blueprint,
    api.blueprint,
    help.blueprint,
    status.blueprint,
    health.blueprint,
    metrics.blueprint,
    robots.blueprint,
)


def create_app(
    publisher: Publisher, ledger: Ledger, settings: Settings, *, clock: Callable[[], datetime] = utcnow
) -> Flask:
    """Everything the application needs is an argument; ``clock`` gives now, aware."""
    app = Flask(__name__, static_folder=None)
    app.extensions["calfeed"] = Site(publisher, ledger, settings, clock)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    rendering.register(app)
    assets.register(app)
    faults.register(app)
    security.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]  # Flask's documented way to wrap
    return app

