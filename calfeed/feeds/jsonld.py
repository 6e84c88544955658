"""An event as JSON-LD for search engines (schema.org Event)."""

from __future__ import annotations

import json
import re
from typing import Any

from calfeed.events.model import Event, Moment, Place
from calfeed.feeds.json_feed import moment
from calfeed.feeds.properties import one_line
from calfeed.feeds.prose import description, page_url

Json = dict[str, Any]

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_MODES = {
    (True, False): "OfflineEventAttendanceMode",
    (False, True): "OnlineEventAttendanceMode",
    (True, True): "MixedEventAttendanceMode",
}


def event_jsonld(event: Event, *, base_url: str | None, language: str, previous_start: Moment | None = None) -> Json:
    """A schema.org Event; with ``previous_start`` one that was rescheduled from there. Ends of days are inclusive."""
    found: Json = {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": f"urn:uuid:{event.uid}" if _is_uuid(event.uid) else None,
        "identifier": event.uid,
        "name": one_line(event.summary.get(language)),
        "inLanguage": event.summary.pick(language)[0],
        "startDate": moment(event.start),
        "endDate": _end(event),
        "eventStatus": f"https://schema.org/{_status(event, previous_start)}",
        "previousStartDate": moment(previous_start) if previous_start and event.status != "cancelled" else None,
        "eventAttendanceMode": _mode(event),
        "location": _locations(event, language),
        "description": description(event, language) or None,
        "url": page_url(event, base_url),
        "image": [event.image] if event.image else None,
        "keywords": ", ".join(event.categories) or None,
        "organizer": _organizer(event, language),
        "superEvent": {"@type": "Event", "@id": f"urn:uuid:{event.parent}"} if _is_uuid(event.parent) else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def script(data: Json) -> str:
    """JSON that may stand in a ``<script>`` element: nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _is_uuid(uid: str | None) -> bool:
    return uid is not None and bool(_UUID.fullmatch(uid))


def _end(event: Event) -> str | None:
    if event.all_day:
        return event.last_day.isoformat()
    return None if event.end is None else moment(event.end)


def _status(event: Event, previous_start: Moment | None) -> str:
    if event.status == "cancelled":
        return "EventCancelled"
    return "EventRescheduled" if previous_start else "EventScheduled"


def _mode(event: Event) -> str | None:
    mode = _MODES.get((event.location is not None, bool(event.conference)))
    return mode and f"https://schema.org/{mode}"


def _locations(event: Event, language: str) -> list[Json] | Json | None:
    places = [_place(event.location, language)] if event.location else []
    places += [{"@type": "VirtualLocation", "url": each.uri} for each in event.conference]
    return places[0] if len(places) == 1 else places or None


def _place(place: Place, language: str) -> Json:
    found: Json = {"@type": "Place", "name": one_line(place.name.get(language))}
    if place.address:
        found["address"] = one_line(place.address.get(language))
    if place.geo:
        found["geo"] = {"@type": "GeoCoordinates", "latitude": place.geo[0], "longitude": place.geo[1]}
    if place.url:
        found["url"] = place.url
    return found


def _organizer(event: Event, language: str) -> Json | None:
    person = event.organizer
    if person is None:
        return None
    found: Json = {"@type": "Organization", "name": one_line(person.name.get(language))}
    return found | ({"email": person.email} if person.email else {})
