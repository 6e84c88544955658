"""``/events/<id>``: all that is known of one event, and ways to take it along."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response
from markupsafe import Markup

from calfeed.errors import NotFound
from calfeed.events.model import Event, Occurrence
from calfeed.events.occurrences import end_of, occurrences
from calfeed.events.revision import Change, ChangeKind
from calfeed.feeds.jsonld import event_jsonld, script
from calfeed.feeds.select import redacted, visible
from calfeed.web import changes_page, subscribe
from calfeed.web.facts import kin
from calfeed.web.items import Item, items
from calfeed.web.rendering import show
from calfeed.web.site import Page, base_url, page

blueprint = Blueprint("event", __name__)

SHOWN = 12
"""Occurrences listed of a recurring event."""


@blueprint.get("/events/<event>")
def event_page(event: str) -> Response:
    """Public and unlisted events; who may not know of one is told that it is not there."""
    here = page()
    found = here.snapshot.event(event)
    if found is None:
        raise NotFound("there is no such event, or no longer")
    return show("event.html", here, **facts_of(here, found.event))


def facts_of(here: Page, event: Event) -> dict[str, Any]:
    """What the template shows."""
    dated = occurrences_of(here, event)
    related = kin(here.snapshot)
    history = related.history.get(event.uid, [])
    return {
        "event": event,
        "item": dated[0],
        "dates_ahead": dated if event.recurs else [],
        "parent": _known(here, event.parent),
        "children": related.children.get(event.uid, []),
        "links": subscribe.event_links(event, base_url(here.snapshot), here.language),
        "map_link": _map(here, event),
        "history": [changes_page.line(here, change) for change in history],
        "jsonld": _jsonld(here, event, history),
    }


def occurrences_of(here: Page, event: Event) -> list[Item]:
    """The occurrences from today on; when none are left, the first ones."""
    open_seen = redacted(event, "unlisted", here.now)
    far = timedelta(days=36525)
    ahead = list(occurrences(open_seen, here.now, here.now + far, limit=SHOWN))
    some = ahead or list(occurrences(open_seen, here.now - far, here.now, limit=SHOWN))
    some = some or [Occurrence(event, event.start, end_of(event, event.start))]
    return items(some, here.zone, here.facts.hues)


def _jsonld(here: Page, event: Event, history: Iterable[Change]) -> Markup:
    moved = (change.before.start for change in history if change.kind is ChangeKind.MOVED and change.before)
    base, language = base_url(here.snapshot), here.language
    data = event_jsonld(event, base_url=base, language=language, previous_start=next(moved, None))
    return Markup(script(data))  # noqa: S704 -- `script` leaves nothing that could end the element


def _known(here: Page, uid: str | None) -> Event | None:
    found = here.catalog.by_uid.get(uid or "")
    return found if found and visible(found, "unlisted", here.now) else None


def _map(here: Page, event: Event) -> str | None:
    place = event.location
    if place is None:
        return None
    words = ", ".join(part for part in (here.text(place.name), here.text(place.address)) if part)
    return subscribe.map_link(place.geo, words)
