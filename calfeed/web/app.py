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
    api_subscriptions,
    assets,
    changes_page,
    event_page,
    faults,
    feed_routes,
    health,
    metrics,
    openapi,
    operator_api,
    pages,
    private_feeds,
    rendering,
    robots,
    schema,
    security,
    self_service,
    status,
    subscribe_page,
    subscription_pages,
)
from calfeed.web import help as help_pages
from calfeed.web.bodies import LARGEST, Bodies
from calfeed.web.clients import Polls
from calfeed.web.site import Site

BLUEPRINTS = (
    pages.blueprint,
    event_page.blueprint,
    subscribe_page.blueprint,
    changes_page.blueprint,
    feed_routes.blueprint,
    private_feeds.blueprint,
    api.blueprint,
    api_subscriptions.blueprint,
    openapi.blueprint,
    subscription_pages.blueprint,
    operator_api.blueprint,
    help_pages.blueprint,
    status.blueprint,
    health.blueprint,
    metrics.blueprint,
    robots.blueprint,
    schema.blueprint,
)


def create_app(
    publisher: Publisher,
    ledger: Ledger,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utcnow,
    polls: Polls | None = None,
) -> Flask:
    """All that the application needs is an argument. ``clock`` gives now, aware; ``polls`` hears who asks for feeds."""
    app = Flask(__name__, static_folder=None)
    polls = polls or Polls(lambda path: served_etag(publisher, path), clock, ledger)
    app.extensions["calfeed"] = Site(publisher, ledger, settings, clock, polls)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    rendering.register(app)
    assets.register(app)
    faults.register(app)
    security.register(app)
    self_service.register(app, settings)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.wsgi_app = Bodies(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way to wrap
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]  # Flask's documented way to wrap
    return app


def served_etag(publisher: Publisher, path: str) -> str | None:
    """The ETag of a feed as it is served now."""
    resource = publisher.snapshot.resource(path, private=True) if publisher.snapshot else None
    return resource.etag if resource else None
