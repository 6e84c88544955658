"""Dates and times of a file as values of the event list: local where that says enough, else with an offset."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from calfeed.events.bounds import YEARS
from calfeed.events.model import Duration, Moment
from calfeed.feeds.lint.content import Line, shown, unescape
from calfeed.feeds.lint.moments import When, moments
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.lint.values import duration_seconds
from calfeed.feeds.read_ics import zone_names
from calfeed.feeds.read_ics.lost import Lost

MOST_ZONES = 100
"""So many TZIDs of a file are compared with the zones there are; a file with more is no calendar's."""


@dataclass(slots=True)
class Zones:
    """The zones of one VCALENDAR. ``own`` is the calendar's: of floating times, and of what no other name is known."""

    own: str
    ours: bool
    definitions: dict[str, Component]
    lost: Lost
    known: dict[str, str | None] = field(default_factory=dict)

    def zone_of(self, when: When, line: Line, floating: str | None) -> tzinfo:
        """The zone that a date-time is in; ``floating`` is that of times without one."""
        if when.form == "utc":
            return ZoneInfo("UTC")
        if when.tzid is None:
            if floating is None:
                self.lost.add(line.name, f"times without a zone were read as times in {self.own}", line.number)
            return ZoneInfo(floating or self.own)
        definition = self.definitions.get(when.tzid)
        if when.tzid not in self.known:
            compared = definition if len(self.known) < MOST_ZONES else None
            self.known[when.tzid] = zone_names.zone(when.tzid, compared, self.own, when.clock.year)
        known = self.known[when.tzid]
        return ZoneInfo(known) if known else self._unknown(when, when.tzid, definition, line)

    def _unknown(self, when: When, tzid: str, definition: Component | None, line: Line) -> tzinfo:
        """A zone that only its VTIMEZONE knows, or nobody."""
        offset = zone_names.offset(definition, when.clock) if definition else None
        if offset is not None and abs(offset) >= timedelta(days=1):  # -235960: no clock is so far away
            offset = None
        what = "read as times" if offset is None else "converted to times"
        if line.name == "DTSTART":
            why = f"the zone {shown(tzid)} is not known; its times were {what} in {self.own}"
            self.lost.add(line.name, why, line.number)
        return ZoneInfo(self.own) if offset is None else timezone(offset)

    def read(self, line: Line | None, floating: str | None = None) -> list[Moment]:
        """The moments of a line; date-times are aware. What cannot be read is lost."""
        if line is None:
            return []
        found = [when for when in moments(line) if YEARS[0] <= when.clock.year <= YEARS[1]]
        if len(found) < len(line.value.split(",")):
            why = f"a value that is no date or date-time of {YEARS[0]} to {YEARS[1]} was left out"
            self.lost.add(line.name, why, line.number)
        return [self._moment(when, line, floating) for when in found]

    def _moment(self, when: When, line: Line, floating: str | None) -> Moment:
        if when.is_date:
            return when.clock.date()
        return when.clock.replace(tzinfo=self.zone_of(when, line, floating))


def definitions(calendar: Component) -> dict[str, Component]:
    """The VTIMEZONEs of a calendar by TZID: a text there, which some products do not escape, a bare word elsewhere."""
    zones = [child for child in reversed(calendar.children) if child.name == "VTIMEZONE"]
    return {read(zone.text("TZID")): zone for read in (str, unescape) for zone in zones}


def written(moment: Moment, zone: str) -> date | datetime:
    """A moment for an event whose local times are in ``zone``."""
    if not isinstance(moment, datetime):
        return moment
    local = moment.astimezone(UTC).astimezone(ZoneInfo(zone))
    clock = local.replace(tzinfo=None, fold=0)
    readings = {clock.replace(tzinfo=local.tzinfo, fold=fold).utcoffset() for fold in (0, 1)}
    if len(readings) == 1:
        return clock
    return local.replace(tzinfo=_fixed(local))


def same_form(moment: Moment, start: Moment, own: str) -> Moment:
    """A moment in the form of its event's start: Exchange and Google write days of timed events and times of days."""
    if isinstance(moment, datetime) and not isinstance(start, datetime):
        utc = moment.tzinfo == ZoneInfo("UTC")
        return (moment.astimezone(ZoneInfo(own)) if utc else moment).date()
    if isinstance(start, datetime) and not isinstance(moment, datetime):
        return datetime.combine(moment, start.timetz())
    return moment


def _fixed(local: datetime) -> timezone:
    return timezone(local.utcoffset() or timedelta(0))


def length(text: str) -> Duration | None:
    """A positive DURATION in days and seconds, or None."""
    seconds = duration_seconds(text)
    if seconds is None or seconds <= 0:
        return None
    clock = text.partition("T")[2]
    exact = duration_seconds(f"PT{clock}") or 0 if clock else 0
    return Duration(days=(seconds - exact) // 86400, seconds=exact)
