"""One table of ``[[events]]`` to one Event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.errors import Location
from calfeed.events import bounds, schema, times, values
from calfeed.events.model import Duration, Event, Moment, Person, Tba
from calfeed.events.report import Fault, Scope, did_you_mean
from calfeed.events.shapes import UNKNOWN


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an event has from its calendar; ``uids`` by id, of all events of the source."""

    language: str
    zone: ZoneInfo
    organizer: Person | None
    uids: Mapping[str, str]
    complete: bool
    """Whether ``uids`` knows every event; not when a file of the source could not be read."""


def event(table: schema.EventTable, scope: Scope, defaults: Defaults, place: Location) -> Event | None:
    """The event without its recurrence, or None and problems."""
    given = given_keys(table, scope, defaults.language)
    zone = own_zone(table, scope, defaults.zone)
    if table.embargo is not None:
        given["embargo"] = scope.take(("embargo",), _embargo, table.embargo, zone)
    if table.parent is not None:
        given["parent"] = scope.take(("parent",), _parent, table.parent, defaults)
    start = None if table.start is UNKNOWN else scope.take(("start",), times.moment, table.start, zone)
    if start is None or "summary" not in given:
        return None
    end = end_of(table, start, zone, scope)
    check_tba(given.get("tba"), start, end, scope)
    given.setdefault("organizer", defaults.organizer)
    return Event(
        id=table.id,
        uid=defaults.uids[table.id],
        start=start,
        end=end,
        timezone=zone.key,
        visibility=table.visibility,
        source=place,
        **given,
    )


def given_keys(table: schema.Happening, scope: Scope, language: str) -> dict[str, Any]:
    """The keys that stand in the table and depend on no other, converted; faulty ones are left out."""
    given: dict[str, Any] = {}
    raw = table.__dict__
    for key in table.model_fields_set:
        value = raw[key]
        if key in _AS_IT_IS:
            given[key] = value
        elif (convert := _CONVERT.get(key)) is not None:
            if (made := scope.take((key,), convert, value, language)) is not None:
                given[key] = made
        elif (convert := _CONVERT_EACH.get(key)) is not None:
            given[key] = tuple(scope.take((key, n), convert, item, language) for n, item in enumerate(value))
    return given


def leads(texts: list[str]) -> tuple[Duration, ...]:
    """Lead times without repeats, the longest first; raises Fault."""
    unique = {times.duration(text, bounds.LEAD_DAYS) for text in texts}
    return tuple(sorted(unique, key=lambda lead: (lead.total_seconds, lead), reverse=True))


_AS_IT_IS = frozenset({"tba", "status", "transparency", "priority"})
_CONVERT: dict[str, Callable[[Any, str], Any]] = {
    "summary": values.text,
    "description": values.text,
    "contact": values.text,
    "location": values.place,
    "organizer": values.person,
    "url": lambda value, _: values.url(value),
    "image": lambda value, _: values.url(value),
    "categories": lambda value, _: tuple(dict.fromkeys(value)),
    "remind": lambda value, _: leads(value),
}
_CONVERT_EACH: dict[str, Callable[[Any, str], Any]] = {
    "conference": values.conference,
    "sources": values.source,
    "attach": lambda value, _: values.url(value),
}


def own_zone(table: schema.Happening, scope: Scope, default: ZoneInfo) -> ZoneInfo:
    """The zone that the table names, else ``default`` (also when it names none that exists)."""
    if table.timezone is None:
        return default
    return scope.take(("timezone",), times.zone, table.timezone) or default


def end_of(table: schema.Happening, start: Moment, zone: ZoneInfo, scope: Scope) -> Moment | None:
    """The exclusive end from ``end`` or ``duration``; None for a timed event without either, or with a fault."""
    if table.end is not None:
        if table.duration is not None:
            scope.error(("duration",), "end and duration exclude each other", "leave one of them out")
        return scope.take(("end",), _explicit_end, start, table.end, zone)
    if table.duration is not None:
        return scope.take(("duration",), _after, start, table.duration)
    return None if isinstance(start, datetime) else times.day_end(start, start)


def _explicit_end(start: Moment, end: date, zone: ZoneInfo) -> Moment:
    checked = times.same_form(end, start, zone)
    if isinstance(start, datetime) and isinstance(checked, datetime):
        return times.instant_end(start, checked)
    return times.day_end(start, checked)


def _after(start: Moment, text: str) -> Moment:
    return times.after(start, times.duration(text, bounds.LENGTH_DAYS))


def check_tba(tba: Tba | None, start: Moment, end: Moment | None, scope: Scope) -> None:
    """``time`` wants days without hours, ``date`` more than one of them."""
    if tba is None:
        return
    if isinstance(start, datetime):
        scope.error(("tba",), f"the {tba} is to be announced, but start has an hour", "write start as a date")
    elif tba == "date" and isinstance(end, date) and (end - start).days < 2:
        scope.error(
            ("tba",), "the date is to be announced, but start and end name one day", "write the window as start and end"
        )


def _embargo(value: date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        raise Fault(f"expected a date-time, got {value}", f"write the instant, such as {value}T08:00:00")
    return times.instant(times.in_range(value), zone).astimezone(UTC)


def _parent(name: str, defaults: Defaults) -> str | None:
    if name in defaults.uids or not defaults.complete:
        return defaults.uids.get(name)
    raise Fault(f"there is no event {name!r}", did_you_mean(name, defaults.uids))
