"""Tables to the Catalog, or every Problem of the run."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from calfeed.errors import Location, Problem, SourceError
from calfeed.events import bounds, references, schema, times, values
from calfeed.events.model import ALL, Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.events.parse_channels import channel
from calfeed.events.parse_events import Defaults, event
from calfeed.events.recurrence import recurring
from calfeed.events.references import Placed
from calfeed.events.report import Fault, Report, Scope
from calfeed.events.shapes import Shaped, shaped
from calfeed.events.source import Tables, read

_RECURRENCE = ("rrule", "rdate", "exdate", "overrides")


def load(files: Iterable[tuple[str, str | bytes]]) -> Catalog:
    """The Catalog of ``(name, content)`` files, one source together; raises SourceError with every problem."""
    with uncollected():
        return parse(read(files))


@contextmanager
def uncollected() -> Iterator[None]:
    """What makes many values that all stay is not searched for garbage meanwhile: that takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def parse(tables: Tables) -> Catalog:
    """The Catalog of ``tables``; raises SourceError with every problem."""
    report = Report(tables.documents)
    _count_calendars(report)
    shapes = [shaped(number, report) for number in range(len(tables.documents))]
    calendar = _calendar(shapes, report)
    events = _events(shapes, calendar, report)
    feeds = _feeds(shapes, calendar, report)
    channels = _channels(shapes, report)
    if report.complete:
        references.check_categories([*feeds, *channels], [table for shape in shapes for table in shape.events if table])
    return Catalog(
        calendar=calendar,
        events=tuple(events),
        feeds=_with_all([feed for feed, _, _ in feeds], calendar),
        channels=tuple(each for each, _, _ in channels),
        warnings=report.warnings(),
    )


def _count_calendars(report: Report) -> None:
    """One [calendar] among the files; that of a file which is not TOML may be the one."""
    having = [number for number, document in enumerate(report.documents) if "calendar" in document.data]
    for number in having[1:]:
        first = report.documents[having[0]].locate(("calendar",))
        report.add(number, ("calendar",), f"the source has its calendar at {first}", "keep one of them")
    if not having and report.complete:
        if not report.documents:
            raise SourceError(
                [Problem(Location("events.toml"), "there is no TOML file to read", hint="calfeed init writes one")]
            )
        report.add(0, (), "the table [calendar] is missing", "add it with id, name and timezone")


def _calendar(shapes: Iterable[Shaped], report: Report) -> Calendar:
    """The calendar; a nameless one where there is none to use, so that the rest is checked all the same."""
    for number, shape in enumerate(shapes):
        if shape.calendar is not None:
            place = report.documents[number].table("calendar")
            return _made(shape.calendar, report.scope(number, "calendar"), place)
    return Calendar(id="", name=Text((("en", ""),)), timezone="UTC")


def _made(table: schema.CalendarTable, scope: Scope, place: Location) -> Calendar:
    language = values.language(table.language)
    name = scope.take(("name",), values.text, table.name, language)
    known = scope.take(("timezone",), times.zone, table.timezone)
    optional: dict[str, Any] = {
        "description": scope.take(("description",), values.text, table.description, language)
        if table.description
        else None,
        "url": scope.take(("url",), values.url, table.url) if table.url else None,
        "color": scope.take(("color",), values.color, table.color) if table.color else None,
        "organizer": scope.take(("organizer",), values.person, table.organizer, language) if table.organizer else None,
        "refresh": scope.take(("refresh",), _refresh, table.refresh),
        "tombstone": scope.take(("tombstone",), times.duration, table.tombstone, bounds.TOMBSTONE_DAYS),
    }
    return Calendar(
        id=table.id,
        name=name or Text(((language, table.id),)),
        timezone=known.key if known else "UTC",
        language=language,
        all_day_at=times.clock(table.all_day_at),
        source=place,
        **{key: value for key, value in optional.items() if value is not None},
    )


def _refresh(text: str) -> Duration:
    length = times.duration(text, bounds.LEAD_DAYS)
    if not length.total_seconds:
        raise Fault("clients cannot poll without pause", "such as '1h'")
    return length


def _events(shapes: Sequence[Shaped], calendar: Calendar, report: Report) -> list[Event]:
    tables = references.unique("events", (shape.events for shape in shapes), report)
    if len(tables) > bounds.EVENTS:
        report.add(0, (), f"the source has {len(tables)} events, more than {bounds.EVENTS}", "split it into calendars")
    uids = references.uids(tables, references.namespace(calendar.id))
    references.check_parents(tables)
    return events_of(tables, calendar, uids, report)


def events_of(
    tables: Iterable[Placed[schema.EventTable]], calendar: Calendar, uids: Mapping[str, str], report: Report
) -> list[Event]:
    """The events of tables whose ids and parents were looked at; ``uids`` by id, of all events of the source."""
    defaults = Defaults(calendar.language, calendar.zone, calendar.organizer, uids, report.complete)
    return [made for each in tables if (made := _event(each, defaults, report)) is not None]


def _event(each: Placed[schema.EventTable], defaults: Defaults, report: Report) -> Event | None:
    table, scope, place = each
    made = event(table, scope, defaults, place)
    if made is None or all(getattr(table, key) is None for key in _RECURRENCE):
        return made
    index = scope.path[-1]
    places = report.documents[scope.document].overrides.get(index, ()) if isinstance(index, int) else ()
    return recurring(made, table, scope, places, defaults.language)


def _feeds(shapes: Iterable[Shaped], calendar: Calendar, report: Report) -> list[Placed[Feed]]:
    tables = references.unique("feeds", (shape.feeds for shape in shapes), report)
    return [(_feed(table, scope, place, calendar), scope, place) for table, scope, place in tables]


def _feed(table: schema.FeedTable, scope: Scope, place: Location, calendar: Calendar) -> Feed:
    for key in ("categories", "exclude"):
        if table.id == ALL and getattr(table, key):
            scope.error((key,), "the feed `all` has every event", "give a selection an id of its own")
    default = calendar.name if table.id == ALL else Text(((calendar.language, table.id),))
    name = scope.take(("name",), values.text, table.name, calendar.language) if table.name else None
    return Feed(
        id=table.id,
        name=name or default,
        categories=tuple(dict.fromkeys(table.categories or ())),
        exclude=tuple(dict.fromkeys(table.exclude or ())),
        visibility=table.visibility,
        source=place,
    )


def _with_all(feeds: Sequence[Feed], calendar: Calendar) -> tuple[Feed, ...]:
    """The feeds, ``all`` first; a table of that id gives it another name or visibility, never a selection."""
    whole = [feed for feed in feeds if feed.id == ALL] or [Feed(id=ALL, name=calendar.name, source=calendar.source)]
    return (*whole, *(feed for feed in feeds if feed.id != ALL))


def _channels(shapes: Iterable[Shaped], report: Report) -> list[Placed[Channel]]:
    tables = references.unique("channels", (shape.channels for shape in shapes), report)
    return [(channel(table, scope, place), scope, place) for table, scope, place in tables]
