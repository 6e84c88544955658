"""``/api/v1/subscriptions``: strangers have reminders sent to a URL of theirs, read, pause and end that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, json, request
from werkzeug.exceptions import BadRequest

from calfeed.errors import NotFound, TooMany
from calfeed.feeds.json_feed import stamp
from calfeed.ledger.subscriptions import Standing, Subscription
from calfeed.web import self_service
from calfeed.web.faults import respond
from calfeed.web.self_service import counter, take
from calfeed.web.site import page, site
from calfeed.web.wishes import InvalidWish, SubscriptionChange, SubscriptionRequest

blueprint = Blueprint("api_subscriptions", __name__, url_prefix="/api/v1")
blueprint.register_error_handler(InvalidWish, self_service.invalid)
blueprint.register_error_handler(TooMany, self_service.too_many)
blueprint.register_error_handler(NotFound, self_service.missing)
blueprint.after_request(self_service.finish)

_REASONS = {
    Standing.UNVERIFIED: "the challenge was not answered with its value",
    Standing.GONE: "the endpoint said that it is gone, or failed for too long",
}
"""What a subscriber is told: neither how a connection failed nor what came back."""


@blueprint.post("/subscriptions")
def create() -> Response:
    """Token and secret are shown this once."""
    self_service.admit()
    one, token = self_service.subscribe(page(), SubscriptionRequest.read(_body()))
    secret = one.secret if one.kind == "webhook" else None  # nothing sent to Slack is signed
    response = _answer({"id": one.id, "token": token, "secret": secret, "state": one.state}, 201)
    response.headers["Location"] = f"{request.script_root}/api/v1/subscriptions/{one.id}"
    return response


@blueprint.get("/subscriptions/<subscription>")
def show(subscription: str) -> Response:
    """How it stands, for its owner."""
    return _answer(shown(_owned(subscription)))


@blueprint.patch("/subscriptions/<subscription>")
def change(subscription: str) -> Response:
    """Pauses or resumes it."""
    take(counter().writing)
    one = _owned(subscription)
    asked = SubscriptionChange.read(_body())
    if one.state is Standing.UNVERIFIED:
        return respond(409, "its URL has not proved itself yet")
    service = site().ledger.self_service
    (service.pause if asked.paused else service.resume)(one.id, site().clock())
    return _answer(shown(_owned(subscription)))


@blueprint.delete("/subscriptions/<subscription>")
def remove(subscription: str) -> Response:
    """Ends it: nothing more is sent, and nothing is kept."""
    take(counter().writing)
    site().ledger.self_service.remove(_owned(subscription).id, site().clock())
    return Response(status=204)


def shown(one: Subscription) -> dict[str, Any]:
    """A subscription for its owner; of its URL only the host, of its troubles no detail."""
    return {
        "id": one.id,
        "state": one.state,
        "kind": one.kind,
        "host": one.host,
        "feed": one.audience.feed,
        "category": list(one.audience.categories),
        "before": [str(lead) for lead in one.audience.before],
        "language": one.language,
        "timezone": one.timezone,
        "created": stamp(one.created),
        "since": _stamp(one.since),
        "sent_at": _stamp(one.sent_at),
        "failing_since": _stamp(one.failing_since),
        "reason": _REASONS.get(one.state) if one.reason else None,
    }


def _owned(id_: str) -> Subscription:
    """Aborts with 401 without its token. Raises NotFound."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        abort(_unauthorized("the subscription's token is missing: Authorization: Bearer …"))
    one = site().ledger.self_service.owned(id_, token.strip())
    if one is None:
        abort(_unauthorized("this is not the subscription's token", error="invalid_token"))
    return one


def _unauthorized(detail: str, error: str = "") -> Response:
    """401 as RFC 6750 §3 has it."""
    response = respond(401, detail)
    response.headers["WWW-Authenticate"] = 'Bearer realm="subscriptions"' + (f', error="{error}"' if error else "")
    return response


def _body() -> dict[str, Any]:
    """Aborts with 400 or 415 for what is no JSON. Raises InvalidWish."""
    try:
        given = request.get_json()
    except (BadRequest, RecursionError):
        abort(respond(400, "the body is not JSON"))
    if not isinstance(given, dict):
        raise InvalidWish([("", "expected a JSON object")])
    return given


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body) + "\n", status, mimetype="application/json")


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
