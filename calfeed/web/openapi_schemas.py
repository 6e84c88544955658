"""The shapes of what the API takes and gives, as JSON Schema 2020-12: the components of its OpenAPI document."""

from __future__ import annotations

from typing import Any, get_args

from calfeed.events.model import ChannelKind
from calfeed.events.revision import ChangeKind
from calfeed.ledger import State
from calfeed.ledger.subscriptions import Standing
from calfeed.web.wishes import SubscriptionChange, SubscriptionRequest

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
URI: Schema = {"type": "string", "format": "uri"}
STAMP: Schema = {"type": "string", "format": "date-time", "description": "An instant, in UTC."}
MOMENT: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d(:\d\d)?|Z))?$",
    "description": "A day, or a local time with its offset. Ends are exclusive.",
}
DAY: Schema = {"type": "string", "format": "date"}
ZONE: Schema = {"type": "string", "format": "iana-timezone"}
LEAD: Schema = {"type": "string", "description": "How long before, such as 1d, 2h or 30m."}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def several(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def named(name: str) -> Schema:
    """A component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), more: bool = False) -> Schema:
    """An object with these keys; all are always there but the ``optional``."""
    required = [key for key in properties if key not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": more}


def paged(key: str, item: str) -> Schema:
    """A page of a list."""
    return shape({key: several(named(item)), "total": COUNT, "next": nullable(URI)})


_PLACE = shape(
    {
        "name": TEXT,
        "address": nullable(TEXT),
        "geo": nullable({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
        "url": nullable(URI),
    }
)
_DETAILS: dict[str, Schema] = {
    "description": nullable({"type": "string", "description": "CommonMark."}),
    "location": nullable(_PLACE),
    "categories": several(TEXT),
    "url": nullable(URI),
    "page_url": nullable(URI),
    "image": nullable(URI),
    "conference": several(shape({"uri": URI, "label": nullable(TEXT), "features": several(TEXT)})),
    "organizer": nullable(shape({"name": TEXT, "email": nullable(TEXT)})),
    "contact": nullable(TEXT),
    "attach": several(URI),
    "sources": several(shape({"title": TEXT, "url": nullable(URI), "published": nullable(DAY)})),
    "parent": nullable({"type": "string", "description": "The parent's uid."}),
    "transparency": {"enum": ["transparent", "opaque"]},
    "visibility": {"enum": ["public", "unlisted", "private"]},
    "priority": nullable({"type": "integer", "minimum": 0, "maximum": 9}),
}
_WHEN: dict[str, Schema] = {
    "start": MOMENT,
    "end": nullable(MOMENT),
    "all_day": {"type": "boolean"},
    "last_day": DAY,
    "timezone": TEXT,
    "tba": {"enum": ["time", "date", None]},
    "status": {"enum": ["confirmed", "tentative", "cancelled"]},
}
_OVERRIDE = shape(
    {"recurrence_id": nullable(MOMENT), **_WHEN, "summary": TEXT, **_DETAILS}, optional=("summary", *_DETAILS)
)
_EVENT = shape(
    {
        "id": TEXT,
        "uid": TEXT,
        "language": TEXT,
        "summary": TEXT,
        **_WHEN,
        **_DETAILS,
        "rrule": nullable(TEXT),
        "rdate": several(MOMENT),
        "exdate": several(MOMENT),
        "overrides": several(_OVERRIDE),
        "sequence": nullable(COUNT),
        "created": nullable(STAMP),
        "modified": nullable(STAMP),
        "removed": nullable(STAMP),
        "translations": {"type": "object", "additionalProperties": {"type": "object"}},
    }
)
_OCCURRENCE = shape(
    {
        "event": TEXT,
        "uid": TEXT,
        "summary": TEXT,
        "status": _WHEN["status"],
        "start": MOMENT,
        "end": MOMENT,
        "all_day": {"type": "boolean"},
        "tba": _WHEN["tba"],
        "recurrence_id": nullable(MOMENT),
        "timezone": TEXT,
        "page_url": URI,
    }
)
_CHANGE = shape(
    {
        "kind": {"enum": [kind.value for kind in ChangeKind]},
        "at": STAMP,
        "event": TEXT,
        "uid": TEXT,
        "number": COUNT,
        "fields": several(TEXT),
        "summary": TEXT,
        "description": TEXT,
    }
)
_FEED = shape(
    {
        "id": TEXT,
        "name": TEXT,
        "categories": several(TEXT),
        "exclude": several(TEXT),
        "urls": {"type": "object", "additionalProperties": URI},
    }
)
_PROBLEM = shape(
    {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "errors": several(shape({"field": TEXT, "message": TEXT})),
    },
    optional=("detail", "errors"),
    more=True,
)
_CREATED = shape(
    {
        "id": TEXT,
        "token": {"type": "string", "description": "Reads, pauses and ends the subscription. Shown only here."},
        "secret": nullable(
            {"type": "string", "description": "Signs what is sent (Standard Webhooks). Shown only here."}
        ),
        "state": {"const": "unverified"},
    }
)
_SUBSCRIPTION = shape(
    {
        "id": TEXT,
        "state": {"enum": [state.value for state in Standing]},
        "kind": {"enum": ["webhook", "slack"]},
        "host": TEXT,
        "feed": TEXT,
        "category": several(TEXT),
        "before": several(LEAD),
        "language": nullable(TEXT),
        "timezone": nullable(TEXT),
        "created": STAMP,
        "since": nullable(STAMP),
        "sent_at": nullable(STAMP),
        "failing_since": nullable(STAMP),
        "reason": nullable(TEXT),
    }
)
_SECONDS: Schema = {"type": "number", "description": "Seconds."}
_DELIVERY: dict[str, Schema] = {
    "id": TEXT,
    "key": TEXT,
    "kind": {"enum": ["reminder", "change", "digest", "challenge"]},
    "channel": TEXT,
    "uid": nullable(TEXT),
    "event": nullable(TEXT),
    "state": {"enum": [state.value for state in State]},
    "due": STAMP,
    "attempts": COUNT,
    "sent_at": nullable(STAMP),
    "late_by": nullable(_SECONDS),
    "last_error": nullable(TEXT),
    "webhook_id": TEXT,
}
_ATTEMPT = shape(
    {
        "number": COUNT,
        "started": nullable(STAMP),
        "ended": STAMP,
        "outcome": TEXT,
        "status": nullable({"type": "integer"}),
        "error": nullable(TEXT),
        "retry_after": nullable(_SECONDS),
        "excerpt": nullable(TEXT),
        "overtaken": {"type": "boolean"},
    }
)
_CHANNEL = shape(
    {
        "id": TEXT,
        "kind": {"enum": list(get_args(ChannelKind))},
        "state": {"enum": ["idle", "broken", "failing", "ok"]},
        "reason": nullable(TEXT),
        "sent_at": nullable(STAMP),
        "failed_at": nullable(STAMP),
    }
)

_CLIENT = shape({"client": TEXT, "feed": TEXT, "polled_at": STAMP, "polls": COUNT, "present": {"type": "boolean"}})


def schemas() -> dict[str, Schema]:
    """Every component by its name."""
    return {
        "Event": _EVENT,
        "Occurrence": _OCCURRENCE,
        "Change": _CHANGE,
        "Feed": _FEED,
        "Problem": _PROBLEM,
        "SubscriptionRequest": _request(),
        "SubscriptionChange": SubscriptionChange.model_json_schema(),
        "SubscriptionCreated": _CREATED,
        "Subscription": _SUBSCRIPTION,
        "Delivery": shape(_DELIVERY),
        "DeliveryWithAttempts": shape({**_DELIVERY, "attempts": several(_ATTEMPT)}),
        "Channel": _CHANNEL,
        "Reach": shape({"feed": TEXT, "polling": COUNT, "reached": COUNT}),
        "Client": _CLIENT,
    }


def _request() -> Schema:
    """As it is checked; lists may also come as one string with commas."""
    found = SubscriptionRequest.model_json_schema()
    for key in ("category", "before"):
        one = found["properties"][key]
        listed = {name: one.pop(name) for name in ("type", "items", "minItems", "maxItems") if name in one}
        one["anyOf"] = [listed, {"type": "string", "description": "The same, with commas between them."}]
    return found
