"""Events as JSON: of feeds, of the API, of webhooks. The names are those of the TOML.

Moments are ISO 8601: a day, or a local time with its offset. Ends are exclusive, as in iCalendar; ``last_day`` is
inclusive, as in the TOML. Texts are in the language asked for; ``translations`` has the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from calfeed.events.model import Calendar, Conference, Event, Feed, Moment, Occurrence, Person, Place, Source, Text
from calfeed.events.revision import Revision

MEDIA_TYPE = "application/json; charset=utf-8"

Json = dict[str, Any]


def feed_json(
    calendar: Calendar, feed: Feed, events: Iterable[tuple[Event, Revision]], base_url: str | None, language: str | None
) -> bytes:
    """A feed: the calendar, the feed, its events."""
    data = {
        "calendar": calendar_json(calendar, base_url, language),
        "feed": {"id": feed.id, "name": feed.name.get(language)},
        "events": [event_json(event, revision, base_url, language) for event, revision in events],
    }
    return octets(data)


def octets(data: Json) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def calendar_json(calendar: Calendar, base_url: str | None, language: str | None) -> Json:
    """What a calendar says of itself."""
    return {
        "id": calendar.id,
        "name": calendar.name.get(language),
        "description": _text(calendar.description, language),
        "timezone": calendar.timezone,
        "language": calendar.language,
        "url": base_url or calendar.url,
        "color": calendar.color,
        "refresh": calendar.refresh.iso,
    }


def event_json(event: Event, revision: Revision | None, base_url: str | None, language: str | None) -> Json:
    """One event; every key is always there. ``description`` is CommonMark, ``page_url`` our own page of it.

    What was removed is cancelled, also in the notice that shows it as it stood before.
    """
    tag, summary = event.summary.pick(language)
    off = revision is not None and revision.removed is not None
    return {
        "id": event.id,
        "uid": event.uid,
        "language": tag,
        "summary": summary,
        **_when(event),
        **({"status": "cancelled"} if off else {}),
        **_details(event, base_url, language),
        "rrule": event.rrule,
        "rdate": [moment(each) for each in event.rdate],
        "exdate": [moment(each) for each in event.exdate],
        "overrides": [_override(each, event, base_url, language) for each in event.overrides],
        **_published(revision),
        "translations": _translations(event, tag),
    }


def occurrence_json(occurrence: Occurrence) -> Json:
    """One happening: its ``recurrence_id`` is null for what does not recur."""
    return {
        "start": moment(occurrence.start),
        "end": moment(occurrence.end),
        "all_day": occurrence.all_day,
        "tba": occurrence.event.tba,
        "recurrence_id": None if occurrence.recurrence_id is None else moment(occurrence.recurrence_id),
    }


def moment(value: Moment) -> str:
    """A day, or a local time with its offset."""
    return value.isoformat()


def stamp(instant: datetime) -> str:
    """A UTC instant: ``2024-05-10T08:00:00Z``."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _when(event: Event) -> Json:
    return {
        "start": moment(event.start),
        "end": None if event.end is None else moment(event.end),
        "all_day": event.all_day,
        "last_day": event.last_day.isoformat(),
        "timezone": event.timezone,
        "tba": event.tba,
        "status": event.status,
    }


def _details(event: Event, base_url: str | None, language: str | None) -> Json:
    page = base_url and event.visibility != "private"
    return {
        "description": _text(event.description, language),
        "location": None if event.location is None else _place(event.location, language),
        "categories": list(event.categories),
        "url": event.url,
        "page_url": f"{base_url}/events/{event.id}" if page else None,
        "image": event.image,
        "conference": [_conference(each, language) for each in event.conference],
        "organizer": None if event.organizer is None else _person(event.organizer, language),
        "contact": _text(event.contact, language),
        "attach": list(event.attach),
        "sources": [_source(each, language) for each in event.sources],
        "parent": event.parent,
        "transparency": event.transparency,
        "visibility": event.visibility,
        "priority": event.priority,
    }


def _override(override: Event, event: Event, base_url: str | None, language: str | None) -> Json:
    """What differs from the event, beside when it is."""
    own, base = (
        {"summary": each.summary.get(language), **_details(each, base_url, language)} for each in (override, event)
    )
    differing = {key: value for key, value in own.items() if value != base[key]}
    at = override.recurrence_id
    return {"recurrence_id": None if at is None else moment(at), **_when(override), **differing}


def _published(revision: Revision | None) -> Json:
    if revision is None:
        return {"sequence": None, "created": None, "modified": None, "removed": None}
    return {
        "sequence": revision.sequence,
        "created": stamp(revision.created),
        "modified": stamp(revision.modified),
        "removed": None if revision.removed is None else stamp(revision.removed),
    }


def _translations(event: Event, shown: str) -> Json:
    place = event.location
    texts = {
        "summary": event.summary,
        "description": event.description,
        "location": place and place.name,
        "address": place and place.address,
        "contact": event.contact,
    }
    found: dict[str, Json] = {}
    for key, text in texts.items():
        for tag, value in text.by_language if text else ():
            if tag != shown:
                found.setdefault(tag, {})[key] = value
    return found


def _text(text: Text | None, language: str | None) -> str | None:
    return None if text is None else text.get(language)


def _place(place: Place, language: str | None) -> Json:
    geo = None if place.geo is None else list(place.geo)
    return {
        "name": place.name.get(language),
        "address": _text(place.address, language),
        "geo": geo,
        "url": place.url,
    }


def _conference(conference: Conference, language: str | None) -> Json:
    return {"uri": conference.uri, "label": _text(conference.label, language), "features": list(conference.features)}


def _person(person: Person, language: str | None) -> Json:
    return {"name": person.name.get(language), "email": person.email}


def _source(source: Source, language: str | None) -> Json:
    published = None if source.published is None else source.published.isoformat()
    return {"title": source.title.get(language), "url": source.url, "published": published}
