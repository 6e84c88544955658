"""Catalog × (since, until] → what falls due, each with its eternal key.

What is due depends on the Catalog alone: not on when, how often or in which steps it is asked for. So
``due(a, c] == due(a, b] + due(b, c]``, and a process that was away loses nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Occurrence, instant, moment_key
from calfeed.events.occurrences import occurrences
from calfeed.reminders import clock
from calfeed.reminders.audience import takes

SLACK = timedelta(days=3)
"""How far a due time may lie from start − lead: quiet hours, the hour of all-day items, changes of the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """One occurrence is to be told to one channel; instants are UTC.

    ``event`` is the entry of the list, ``occurrence.event`` has the override applied. ``planned_for`` is the rule's
    time, ``due`` that of sending: they differ when quiet hours hold it. From ``expires`` on a first attempt comes too
    late; after ``ends`` nothing is tried again.
    """

    calendar: Calendar
    channel: Channel
    event: Event
    occurrence: Occurrence
    lead: Duration
    due: datetime
    planned_for: datetime
    expires: datetime
    ends: datetime

    @property
    def key(self) -> str:
        """``uid|recurrence-id in UTC|lead|channel``: the same for ever, so that it is told once."""
        return f"{self.event.uid}|{self.occurrence.key}|{self.lead}|{self.channel.id}"


def due_reminders(
    catalog: Catalog, since: datetime, until: datetime, channels: Sequence[Channel] | None = None
) -> list[DueReminder]:
    """The reminders due in (since, until], by due time and key; of all channels unless ``channels`` are given."""
    chosen = catalog.channels if channels is None else channels
    found = (
        due
        for event in catalog.events
        for due in _of_event(catalog.calendar, event, chosen, since, until)
        if since < due.due <= until
    )
    return sorted(found, key=lambda due: (due.due, due.key))


def find_reminder(
    catalog: Catalog, key: str, start: str, due: datetime, channels: Sequence[Channel] | None = None
) -> DueReminder | None:
    """The reminder that was planned with this key and due time, as the catalog has it now; None when it is not owed.

    ``start`` is the `moment_key` of the start that it announces. An edit that leaves the start may give the reminder
    another due time (quiet hours, the hour of all-day items) or, when it falls due as before, another key (the event
    repeats now, the lead is in other words): it is still the one that was planned.
    """
    event = catalog.by_uid.get(key.rsplit("|", 3)[0])  # a UID may have bars of its own
    if event is None:
        return None
    chosen = catalog.channels if channels is None else channels
    mine = [channel for channel in chosen if key.endswith(f"|{channel.id}")]
    found = [
        reminder
        for happening in _starting(catalog.calendar, event, start)
        for channel in mine
        for reminder in _of_happening(happening, channel)
    ]
    same = next((one for one in found if one.key == key), None)
    return replace(same, due=due) if same else next((one for one in found if one.due == due), None)


def zone_of(channel: Channel, calendar: Calendar) -> ZoneInfo:
    """The zone of a channel's messages, quiet hours and digest: its own, else the calendar's."""
    return ZoneInfo(channel.timezone or calendar.timezone)


def _of_event(
    calendar: Calendar, event: Event, channels: Sequence[Channel], since: datetime, until: datetime
) -> Iterator[DueReminder]:
    longest = _longest(event, channels)
    if longest is None:
        return
    earliest, latest = since - SLACK, until + longest + SLACK
    if not event.recurs and not earliest <= instant(event.start, event.zone) <= latest:
        return
    for occurrence in occurrences(event, earliest, latest, limit=sys.maxsize):
        happening = _happening(calendar, event, occurrence)
        for channel in channels:
            yield from _of_happening(happening, channel)


def _starting(calendar: Calendar, event: Event, start: str) -> Iterator[_Happening]:
    """What has this start."""
    day = datetime.fromisoformat(start[:8]).replace(tzinfo=UTC)
    for occurrence in occurrences(event, day - clock.DAY, day + 2 * clock.DAY, limit=sys.maxsize):
        if moment_key(occurrence.start) == start:
            yield _happening(calendar, event, occurrence)


def _longest(event: Event, channels: Sequence[Channel]) -> timedelta | None:
    """The longest lead that may apply to the event; None when nothing does."""
    sets = [one.remind for one in (event, *event.overrides) if one.remind is not None]
    if event.remind is None or any(one.remind is None for one in event.overrides):
        sets += [channel.before for channel in channels]
    return max((lead.as_timedelta() for leads in sets for lead in leads), default=None) if channels else None


class _Happening(NamedTuple):
    """What is the same for every channel."""

    calendar: Calendar
    event: Event
    occurrence: Occurrence
    begins: datetime
    ends: datetime


def _happening(calendar: Calendar, event: Event, occurrence: Occurrence) -> _Happening:
    return _Happening(calendar, event, occurrence, clock.begins(occurrence), clock.ends(occurrence))


def _of_happening(what: _Happening, channel: Channel) -> Iterator[DueReminder]:
    """Each due time once: of leads that fall together, the shortest speaks."""
    told: set[datetime] = set()
    event = what.occurrence.event
    leads = event.remind if event.remind is not None else channel.before
    nominal = {clock.nominal(lead, what.occurrence) for lead in leads}
    for lead in sorted(nominal, key=lambda lead: (lead.total_seconds, -lead.days)):
        due = _reminder(what, channel, lead)
        if due.due not in told and takes(channel, event, due.due):
            told.add(due.due)
            yield due


def _reminder(what: _Happening, channel: Channel, lead: Duration) -> DueReminder:
    planned = clock.planned_for(lead, what.occurrence, what.calendar.all_day_at)
    expires = planned + clock.GRACE if planned >= what.begins else what.begins  # "0m": told as it begins
    return DueReminder(
        calendar=what.calendar,
        channel=channel,
        event=what.event,
        occurrence=what.occurrence,
        lead=lead,
        due=clock.held(planned, channel.quiet, zone_of(channel, what.calendar), what.begins),
        planned_for=planned,
        expires=expires,
        ends=max(expires, what.ends),
    )
