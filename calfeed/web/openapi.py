"""``/api/v1/openapi.json``: the API as a document (OpenAPI 3.1), made from the shapes that requests are checked by."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, Response, json, request

from calfeed import __version__
from calfeed.feeds.select import MAX_LENGTH
from calfeed.ledger import State
from calfeed.web.api import MOST, USUAL, open_to_all
from calfeed.web.openapi_schemas import COUNT, DAY, TEXT, ZONE, Schema, named, nullable, paged, schemas, several, shape
from calfeed.web.rendering import CACHE
from calfeed.web.site import base_url, site

blueprint = Blueprint("openapi", __name__, url_prefix="/api/v1")
blueprint.after_request(open_to_all)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The document."""
    where = base_url(site().publisher.snapshot)
    body = {**document(), "servers": [{"url": f"{where}/api/v1"}]}
    response = Response(json.dumps(body) + "\n", mimetype="application/json", headers={"Cache-Control": CACHE})
    response.add_etag()
    response.make_conditional(request)
    return response


@cache
def document() -> dict[str, Any]:
    """The document without its server."""
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "calfeed",
            "version": __version__,
            "description": "Events, subscriptions to reminders, deliveries. Errors are problems (RFC 9457).",
        },
        "tags": [
            {"name": "events", "description": "For anybody, from any page."},
            {"name": "subscriptions", "description": "Reminders to a URL of yours."},
            {"name": "operator", "description": "With CALFEED_ADMIN_TOKEN; without one these do not exist."},
        ],
        "paths": {**_READS, **_SUBSCRIPTIONS, **_OPERATOR},
        "components": {
            "schemas": schemas(),
            "responses": {"Problem": _problem("What is wrong.")},
            "headers": _HEADERS,
            "securitySchemes": {
                "subscriptionToken": {"type": "http", "scheme": "bearer"},
                "operatorToken": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": about, "allowEmptyValue": True}


def _path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _ok(about: str, schema: Schema, *headers: str) -> Schema:
    shown = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {"description": about, "content": _json(schema), **({"headers": shown} if shown else {})}


def _problem(about: str, *headers: str) -> Schema:
    shown = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    content = {"application/problem+json": {"schema": named("Problem")}}
    return {"description": about, "content": content, **({"headers": shown} if shown else {})}


def _problems(*statuses: int) -> Schema:
    return {str(status): _PROBLEMS[status] for status in statuses}


_HEADERS: Schema = {
    "Link": {"schema": TEXT, "description": "The next page, where there is one (RFC 8288)."},
    "Location": {"schema": {"type": "string", "format": "uri-reference"}, "description": "What was made."},
    "RateLimit": {"schema": TEXT, "description": "What is left (draft-ietf-httpapi-ratelimit-headers)."},
    "RateLimit-Policy": {"schema": TEXT, "description": "How much there is in which time."},
    "Retry-After": {"schema": COUNT, "description": "Seconds until it is worth asking again."},
    "WWW-Authenticate": {"schema": TEXT, "description": "How to say who asks (RFC 6750)."},
}
_LIMITS = ("RateLimit", "RateLimit-Policy")
_PROBLEMS: dict[int, Schema] = {
    400: _problem("A query key has a value that cannot be used, or the body is not JSON."),
    401: _problem("The token is missing or wrong.", "WWW-Authenticate"),
    404: _problem("There is no such thing here, or none that may be known."),
    409: _problem("Its URL has not proved itself yet."),
    415: _problem("The body is not application/json."),
    422: _problem("What is asked for cannot be; `errors` names every fault."),
    429: _problem("Too many writes from this address, or a quota is used up.", "Retry-After"),
    503: _problem("Nothing is published yet, or the database is away.", "Retry-After"),
}
_WORDS: Schema = {"type": "string", "maxLength": MAX_LENGTH, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"}
_FILTER = [
    _query("category", _WORDS, "Any of these, with commas between them."),
    _query("not", _WORDS, "None of these."),
    _query("lang", {"type": "string", "pattern": r"^ *[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})* *$"}, "Language of the texts."),
    _query("q", _WORDS, "All of these words, anywhere in the texts."),
    _query("feed", TEXT, "The feed; `all` without."),
    _query("tz", ZONE, "IANA time zone that days and words are in."),
]
_PAGE = [
    _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "Items on a page."),
    _query("offset", {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 0}, "Items to pass over."),
]
_MOMENT: Schema = {"anyOf": [DAY, {"type": "string", "format": "date-time"}]}
_SPAN = [
    _query("from", _MOMENT, "First day, or instant."),
    _query("to", _MOMENT, "Last day, inclusive, or the instant where it ends."),
]


def _read(operation: str, about: str, schema: Schema, parameters: list[Schema], *, pages: bool = True) -> Schema:
    found = _ok("The page." if pages else "All of them.", schema, *(["Link"] if pages else []))
    return {
        "get": {
            "operationId": operation,
            "tags": ["events"],
            "summary": about,
            "security": [],
            "parameters": parameters,
            "responses": {"200": found, **_problems(400, 404, 503)},
        }
    }


_READS: Schema = {
    "/events": _read("events", "The events of a feed.", paged("events", "Event"), [*_FILTER, *_PAGE]),
    "/occurrences": _read(
        "occurrences",
        "What happens from one day to another, in order of time.",
        paged("occurrences", "Occurrence"),
        [*_SPAN, *_FILTER, *_PAGE],
    ),
    "/changes": _read("changes", "What changed, the newest first.", paged("changes", "Change"), [*_FILTER, *_PAGE]),
    "/feeds": _read("feeds", "The public feeds.", shape({"feeds": several(named("Feed"))}), _FILTER[2:3], pages=False),
    "/openapi.json": _read("openapi", "This document.", {"type": "object"}, [], pages=False),
}

_OWN: Schema = {"security": [{"subscriptionToken": []}], "tags": ["subscriptions"]}
_STRANGER: Schema = {"security": [], "tags": ["subscriptions"]}
_SUBSCRIPTION: Schema = _ok("The subscription.", named("Subscription"))

_SUBSCRIPTIONS: Schema = {
    "/subscriptions": {
        "post": {
            **_STRANGER,
            "operationId": "subscribe",
            "summary": "Have reminders sent to a URL of yours.",
            "description": "The URL is sent a `subscription.challenge` and must answer 2xx with its `challenge` in the "
            "body before anything else is sent; a Slack channel is sent a link to confirm.",
            "requestBody": {"required": True, "content": _json(named("SubscriptionRequest"))},
            "responses": {
                "201": _ok(
                    "Made; token and secret are shown only now.", named("SubscriptionCreated"), "Location", *_LIMITS
                ),
                **_problems(400, 415, 422, 429, 503),
            },
        }
    },
    "/subscriptions/{subscription}": {
        "parameters": [_path("subscription")],
        "get": {
            **_OWN,
            "operationId": "subscription",
            "summary": "How a subscription stands.",
            "responses": {"200": _SUBSCRIPTION, **_problems(401, 404, 503)},
        },
        "patch": {
            **_OWN,
            "operationId": "changeSubscription",
            "summary": "Pause or resume it.",
            "requestBody": {"required": True, "content": _json(named("SubscriptionChange"))},
            "responses": {"200": _SUBSCRIPTION, **_problems(400, 401, 404, 409, 415, 422, 429, 503)},
        },
        "delete": {
            **_OWN,
            "operationId": "unsubscribe",
            "summary": "End it.",
            "responses": {"204": {"description": "Nothing more is sent."}, **_problems(401, 404, 429, 503)},
        },
    },
}


def _operator(
    operation: str, about: str, schema: Schema, *problems: int, parameters: list[Schema] | None = None
) -> Schema:
    return {
        "operationId": operation,
        "tags": ["operator"],
        "summary": about,
        "security": [{"operatorToken": []}],
        "parameters": parameters or [],
        "responses": {"200": _ok(about, schema), **_problems(401, 404, 429, 503, *problems)},
    }


_OPERATOR: Schema = {
    "/deliveries": {
        "get": _operator(
            "deliveries",
            "Deliveries, the latest due first.",
            shape({"deliveries": several(named("Delivery")), "next": nullable({"type": "string", "format": "uri"})}),
            400,
            parameters=[
                _query("state", {"enum": [state.value for state in State]}, "Only these."),
                _query("channel", TEXT, "Only those of this channel."),
                _query("kind", TEXT, "Only reminders, changes, digests or challenges."),
                _query("event", TEXT, "Only those of the event with this id."),
                *_PAGE,
            ],
        )
    },
    "/deliveries/{delivery}": {
        "parameters": [_path("delivery")],
        "get": _operator("delivery", "One delivery with its attempts.", named("DeliveryWithAttempts")),
    },
    "/deliveries/{delivery}/retry": {
        "parameters": [_path("delivery")],
        "post": _operator("retryDelivery", "Send it again.", shape({"retried": several(TEXT)})),
    },
    "/channels": {
        "get": _operator("channels", "Channels and how they fare.", shape({"channels": several(named("Channel"))}))
    },
    "/clients": {
        "get": _operator(
            "clients",
            "Which families of clients poll which feed, and which hold its present version.",
            shape({"feeds": several(named("Reach")), "clients": several(named("Client"))}),
        )
    },
    "/channels/{channel}/test": {
        "parameters": [_path("channel")],
        "post": _operator("testChannel", "One test message now.", shape({"sent": {"type": "boolean"}, "answer": TEXT})),
    },
}
