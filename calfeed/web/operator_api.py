"""``/api/v1/deliveries``, ``/channels``, ``/clients``: what the operator's programs read and do, by bearer token."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, json, request

from calfeed.errors import QueryError
from calfeed.ledger import State
from calfeed.ledger.as_json import attempt_json, delivery_json, stamp
from calfeed.web import guard, operator_view
from calfeed.web.api import number
from calfeed.web.operator_view import ChannelRow, ClientRow
from calfeed.web.page_query import with_query
from calfeed.web.site import base_url, site

blueprint = Blueprint("operator_api", __name__, url_prefix="/api/v1")


@blueprint.before_request
def only_the_operator() -> None:
    """A session cookie is not enough: programs send the token, so no other site's form can act here."""
    guard.bearer()


@blueprint.get("/deliveries")
def deliveries() -> Response:
    """The latest due first; ``state``, ``channel``, ``kind``, ``event`` narrow it."""
    state = request.args.get("state")
    if state and state not in list(State):
        raise QueryError("state", f"expected one of {', '.join(State)}, got {state!r}")
    limit, offset = number("limit", 100, 1000), number("offset", 0, 10**9)
    found = site().ledger.deliveries(
        state=state or None,
        channel=request.args.get("channel") or None,
        kind=request.args.get("kind") or None,
        event=request.args.get("event") or None,
        limit=limit + 1,
        offset=offset,
    )
    following = None
    if len(found) > limit:
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in {"limit", "offset"}]
        pairs += [("limit", str(limit)), ("offset", str(offset + limit))]
        following = with_query(base_url(site().publisher.snapshot) + request.path, pairs)
    return _answer({"deliveries": [delivery_json(one) for one in found[:limit]], "next": following})


@blueprint.get("/deliveries/<delivery>")
def delivery(delivery: str) -> Response:
    """One delivery with its attempts."""
    found, attempts = site().ledger.delivery(delivery)
    return _answer({**delivery_json(found), "attempts": [attempt_json(one) for one in attempts]})


@blueprint.post("/deliveries/<delivery>/retry")
def retry(delivery: str) -> Response:
    """Sends it again, if it is dead, rejected or expired."""
    taken = site().ledger.retry([delivery], site().clock())
    return _answer({"retried": [one.id for one in taken]})


@blueprint.get("/channels")
def channels() -> Response:
    """Each channel of the source and how it fares; no address is shown."""
    here = site()
    rows = operator_view.channel_rows(here.snapshot.catalog, here.ledger.channels())
    return _answer({"channels": [_channel(row) for row in rows]})


@blueprint.get("/clients")
def clients() -> Response:
    """Which families of clients poll which feed, and which hold its present version: as all web processes saw them."""
    polls, snapshot = site().polls, site().snapshot
    recent = polls.recent()
    feeds = operator_view.feed_rows(snapshot, polls, recent)
    return _answer(
        {
            "feeds": [{"feed": row.feed.id, "polling": row.polling, "reached": row.reached} for row in feeds],
            "clients": [_client(row) for row in operator_view.client_rows(polls, recent)],
        }
    )


@blueprint.post("/channels/<channel>/test")
def test(channel: str) -> Response:
    """One test message now."""
    taken, words = operator_view.send_test(site(), channel)
    return _answer({"sent": taken, "answer": words})


def _client(row: ClientRow) -> dict[str, Any]:
    one = row.poll
    return {
        "client": one.family,
        "feed": one.path.removeprefix("/feeds/").removesuffix(".ics"),
        "polled_at": stamp(one.at),
        "polls": one.polls,
        "present": row.present,
    }


def _channel(row: ChannelRow) -> dict[str, Any]:
    state = row.state
    return {
        "id": row.channel.id,
        "kind": row.channel.kind,
        "state": row.word,
        "reason": state.reason if state else None,
        "sent_at": stamp(state.sent_at) if state else None,
        "failed_at": stamp(state.failed_at) if state else None,
    }


def _answer(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body) + "\n", mimetype="application/json", headers={"Cache-Control": "no-store"})
