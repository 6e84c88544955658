"""``/api/v1``: events, feeds, occurrences and changes to read, for anybody and from any page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, json, request

from calfeed.errors import QueryError
from calfeed.events.model import Occurrence, instant
from calfeed.events.wording import describe
from calfeed.feeds.json_feed import event_json, occurrence_json
from calfeed.web import changes_page
from calfeed.web.page_query import YEARS, with_query
from calfeed.web.rendering import CACHE
from calfeed.web.security import open_preflight
from calfeed.web.site import Page, base_url, page

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

USUAL, MOST = 100, 1000
"""Items a page: without ``limit``, and at most."""
SPAN = timedelta(days=366)
"""What `/occurrences` shows without ``to``."""


@blueprint.after_request
def open_to_all(response: Response) -> Response:
    """Any page may read what anybody may read; nothing here depends on a cookie."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return open_preflight(response)


@blueprint.get("/events")
def events() -> Response:
    """The events of a feed under a filter, in the source's order."""
    here = page()
    part, more = _part(here.snapshot.entries(here.feed, here.query.filter))
    base = base_url(here.snapshot)
    return _answer({"events": [event_json(one.event, one.revision, base, here.language) for one in part], **more})


@blueprint.get("/feeds")
def feeds() -> Response:
    """The public feeds with their addresses."""
    here = page()
    base = base_url(here.snapshot)
    shown = [
        {
            "id": feed.id,
            "name": here.text(feed.name),
            "categories": list(feed.categories),
            "exclude": list(feed.exclude),
            "urls": {suffix: f"{base}/feeds/{feed.id}.{suffix}" for suffix in ("ics", "json", "jcal", "atom")},
        }
        for feed in here.catalog.feeds
        if feed.visibility == "public"
    ]
    return _answer({"feeds": shown})


@blueprint.get("/occurrences")
def occurrences() -> Response:
    """What happens from ``from`` (today) to ``to`` (a year on), in order of time.

    Both are days, the last inclusive, or instants.
    """
    exact = {key: at for key in ("from", "to") if (at := _instant(key))}
    here = page(without=exact)
    zone = here.page_zone
    begin, end = (at.replace(tzinfo=at.tzinfo or zone) if (at := exact.get(key)) else None for key in ("from", "to"))
    first = begin.astimezone(zone).date() if begin else here.query.since or here.today
    last = here.query.until or first + SPAN
    since, until = begin or instant(first, zone), end or instant(last + timedelta(days=1), zone)
    if until < since and (begin or here.query.since):
        raise QueryError("to", "is before from")
    found = here.snapshot.occurrences(since, until, feed=here.feed, query=here.query.filter)
    part, more = _part(found)
    return _answer({"occurrences": [_occurrence(here, one) for one in part], **more})


@blueprint.get("/changes")
def changes() -> Response:
    """The history, the newest first."""
    here = page()
    part, more = _part(changes_page.lines(here))
    return _answer({"changes": [_change(here, line) for line in part], **more})


def _instant(key: str) -> datetime | None:
    """A date-time of the query string, local where it names no offset; None for what is none, such as a day."""
    text = request.args.get(key, "").strip(" ").upper().replace(" ", "+")  # what a + that was not escaped has become
    try:
        at = datetime.fromisoformat(text) if len(text) > len("2024-05-16") else None
    except ValueError:
        return None
    return at if at is None or at.year in YEARS else None


def _occurrence(here: Page, one: Occurrence) -> dict[str, Any]:
    event = one.event
    return {
        "event": event.id,
        "uid": event.uid,
        "summary": here.text(event.summary),
        "status": event.status,
        **occurrence_json(one),
        "timezone": event.timezone,
        "page_url": f"{base_url(here.snapshot)}/events/{quote(event.id, safe='')}",
    }


def _change(here: Page, line: changes_page.Line) -> dict[str, Any]:
    change = line.change
    return {
        "kind": change.kind.value,
        "at": f"{change.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "event": change.event_id,
        "uid": change.uid,
        "number": change.number,
        "fields": list(change.fields),
        "summary": here.text(line.event.summary),
        "description": describe(change, here.language, timezone=here.query.tz),
    }


def _part(found: Sequence[Any]) -> tuple[Iterable[Any], dict[str, Any]]:
    """(the items of this page, ``total`` and the address of the next page)."""
    limit, offset = number("limit", USUAL, MOST), number("offset", 0, 10**9)
    following = offset + limit
    next_url = None
    if following < len(found):
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in {"limit", "offset"}]
        pairs += [("limit", str(limit)), ("offset", str(following))]
        next_url = with_query(base_url(page().snapshot) + request.path, pairs)
    return islice(found, offset, following), {"total": len(found), "next": next_url}


def number(key: str, usual: int, most: int) -> int:
    """A whole number of the query string. Raises QueryError."""
    text = request.args.get(key, "")
    if not text:
        return usual
    short = text.isascii() and text.isdigit() and len(text) <= 10
    if not short or int(text) > most or (key == "limit" and not int(text)):
        raise QueryError(key, f"expected a whole number up to {most}, got {text[:40]!r}")
    return int(text)


def _answer(body: dict[str, Any]) -> Response:
    response = Response(json.dumps(body) + "\n", mimetype="application/json")
    if body.get("next"):
        response.headers["Link"] = f'<{body["next"]}>; rel="next"'
    response.headers["Cache-Control"] = CACHE
    response.vary.add("Accept-Language")
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response
