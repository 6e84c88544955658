"""One VEVENT to the keys of an event of the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from calfeed.events import bounds
from calfeed.events.model import Moment
from calfeed.events.times import after, order
from calfeed.feeds.lint.content import Line
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.read_ics.details import details
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.texts import uid
from calfeed.feeds.read_ics.times import length, same_form, written
from calfeed.feeds.read_ics.words import words


@dataclass(slots=True)
class Entry:
    """One VEVENT: its keys in the event list, and the line that each of them is from."""

    component: Component
    uid: str
    start: Moment
    end: Moment | None
    zone: str
    keys: dict[str, Any]
    recurrence_id: Moment | None = None
    id: str = ""
    overrides: list[Entry] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)  # of an override: what it says other than its event

    def line(self, name: str) -> int:
        """Where a property stands, or the component."""
        found = self.component.first(name)
        return found.number if found else self.component.number


def read_entry(component: Component, frame: Frame) -> Entry | None:
    """The event, or None (lost) where it has no start."""
    zones, lost = frame.zones, frame.lost
    starts = zones.read(component.first("DTSTART"))
    if not starts:
        lost.add("VEVENT", "an event without a start that can be read was left out", component.number)
        return None
    start = starts[0]
    zone = _zone(component, start, frame)
    own = _named_zone(start) or zone
    end = _end(component, start, own, frame)
    entry = Entry(component, uid(component.text("UID")), start, end, zone, {})
    recurrence = zones.read(component.first("RECURRENCE-ID"), own)
    entry.recurrence_id = recurrence[0] if recurrence else None
    entry.keys = dict(_keys(entry, frame))
    return entry


def _zone(component: Component, start: Moment, frame: Frame) -> str:
    """The zone of an event. A single instant in UTC is shown as the calendar's readers see it."""
    key = _named_zone(start)
    single = not {"RRULE", "RDATE", "RECURRENCE-ID"} & component.lines.keys()
    if key is None or (key == "UTC" and single and not frame.is_ours):
        return frame.zones.own
    return key


def _named_zone(start: Moment) -> str | None:
    key: str | None = getattr(start.tzinfo, "key", None) if isinstance(start, datetime) else None
    return key


def _end(component: Component, start: Moment, zone: str, frame: Frame) -> Moment | None:
    line = component.first("DTEND")
    ends = frame.zones.read(line, zone)
    if line is not None and ends:
        end = ends[0]
        if isinstance(end, datetime) == isinstance(start, datetime) and order(end) > order(start):
            return end
        if end != start:
            frame.lost.add("DTEND", "an end before the start was left out", line.number)
        return None
    line = component.first("DURATION")
    if line is None:
        return None
    given = length(line.value)
    if given is None or (given.seconds and not isinstance(start, datetime)):
        frame.lost.add("DURATION", "a duration that does not fit the start was left out", line.number)
        return None
    return after(start, given)


def _keys(entry: Entry, frame: Frame) -> Iterator[tuple[str, Any]]:
    yield from words(entry.component, entry.start, entry.end, frame)
    yield from _times(entry, frame)
    yield from details(entry.component, frame)


def _times(entry: Entry, frame: Frame) -> Iterator[tuple[str, Any]]:
    start, end, zone = entry.start, entry.end, entry.zone
    yield "start", written(start, zone)
    if end is not None:
        last = end - timedelta(days=1) if not isinstance(end, datetime) else end
        if last != start:
            yield "end", written(last, zone)
    if isinstance(start, datetime) and zone != frame.zones.own:
        yield "timezone", zone
    rule = entry.component.first("RRULE")
    if rule is not None and entry.recurrence_id is None:
        yield "rrule", rule.value.strip()
    for name, key in (("RDATE", "rdate"), ("EXDATE", "exdate")):
        found = [each for line in entry.component.all(name) for each in _dates(line, zone, frame)]
        dates = [written(same_form(each, start, frame.zones.own), zone) for each in found]
        if len(dates) > bounds.DATES:
            frame.lost.add(name, f"of more than {bounds.DATES} dates the first were kept", entry.line(name))
        if dates and entry.recurrence_id is None:
            yield key, list(dict.fromkeys(dates))[: bounds.DATES]


def _dates(line: Line, zone: str, frame: Frame) -> list[Moment]:
    if (line.parameter("VALUE") or "").upper() != "PERIOD":
        return frame.zones.read(line, zone)
    frame.lost.add(line.name, "of a period only the start was kept", line.number)
    starts = ",".join(period.partition("/")[0] for period in line.value.split(","))
    return frame.zones.read(line._replace(value=starts), zone)


def day(moment: Moment) -> date:
    """The day on which something begins."""
    return moment.date() if isinstance(moment, datetime) else moment
