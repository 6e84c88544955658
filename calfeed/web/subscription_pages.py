"""Subscribing, confirming and unsubscribing for people: forms that work without script, cookie or account.

A link is only ever looked at by GET, since mail scanners and previews open links too; the button does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from calfeed.errors import TooMany
from calfeed.ledger.subscriptions import Standing, Subscription
from calfeed.web import self_service
from calfeed.web.self_service import counter, take
from calfeed.web.site import Page, base_url, page, site
from calfeed.web.subscribe_page import feed_name
from calfeed.web.wishes import Fault, InvalidWish, SubscriptionRequest

blueprint = Blueprint("subscription_pages", __name__)
blueprint.after_request(self_service.finish)
blueprint.register_error_handler(TooMany, self_service.too_many)

_FIELDS = ("url", "before", "language", "timezone", "category")


@blueprint.get("/subscribe/<feed>/webhook")
def form(feed: str) -> Response:
    """The form alone; the filter of the page it was reached from is kept."""
    here = _page(feed)
    given = {"before": "1d, 1h", "language": here.language, "category": ", ".join(here.query.filter.categories)}
    return _form(here, given, ())


@blueprint.post("/subscribe/<feed>/webhook")
def subscribe(feed: str) -> Response:
    """Id, token and secret are shown this once; faults beside the form."""
    here = _page(feed)
    given = {name: request.form.get(name, "").strip() for name in _FIELDS}
    self_service.admit()
    try:
        asked = SubscriptionRequest.read({"feed": feed, **{name: text for name, text in given.items() if text}})
        one, token = self_service.subscribe(here, asked)
    except InvalidWish as fault:
        return _form(here, given, fault.faults)
    return _shown("subscription_made.html", here, one=one, token=token, name=feed_name(here), status=201)


@blueprint.get("/unsubscribe/<subscription>/<proof>")
def unsubscribe(subscription: str, proof: str) -> Response:
    """Asks first."""
    return _asked("hook_end", site().ledger.self_service.shown(subscription, "unsubscribe", proof))


@blueprint.post("/unsubscribe/<subscription>/<proof>")
def unsubscribed(subscription: str, proof: str) -> Response:
    """Ends it."""
    take(counter().writing)
    service = site().ledger.self_service
    one = service.shown(subscription, "unsubscribe", proof)
    service.remove(one.id, site().clock())
    return _done("hook_ended", one)


@blueprint.get("/confirm/<subscription>/<proof>")
def confirm(subscription: str, proof: str) -> Response:
    """Asks first; what was confirmed already says so."""
    one = site().ledger.self_service.shown(subscription, "confirm", proof)
    return _asked("hook_confirm", one) if one.state is Standing.UNVERIFIED else _done("hook_confirmed", one)


@blueprint.post("/confirm/<subscription>/<proof>")
def confirmed(subscription: str, proof: str) -> Response:
    """Who reads the place that the link was sent to wants reminders there."""
    take(counter().writing)
    service = site().ledger.self_service
    one = service.shown(subscription, "confirm", proof)
    service.verify(one.id, site().clock())
    return _done("hook_confirmed", one)


def _page(feed: str) -> Page:
    """The request's page, of the feed. Raises NotFound."""
    here = page()
    here.query = here.query.change(feed=feed)
    _ = here.feed
    return here


def _form(here: Page, given: dict[str, str], found: Iterable[Fault]) -> Response:
    faults = list(dict.fromkeys(key.partition(".")[0] for key, _ in found))  # the reader's language says what of each
    shown = given | {"timezone": ""} if "timezone" in faults else given  # a list of zones holds zones alone
    status = 422 if faults else 200
    return _shown("subscription_form.html", here, given=shown, faults=faults, name=feed_name(here), status=status)


def _asked(what: str, one: Subscription) -> Response:
    return _shown("subscription_step.html", page(), what=what, one=one, done=False)


def _done(what: str, one: Subscription) -> Response:
    return _shown("subscription_step.html", page(), what=what, one=one, done=True)


def _shown(template: str, here: Page, *, status: int = 200, **values: Any) -> Response:
    return make_response(render_template(template, base=base_url(here.snapshot), **values), status)
