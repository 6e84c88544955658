"""The daily digest: one message with a day's items, on days that have some."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calfeed.events.model import Calendar, Catalog, Channel, Occurrence, instant, last_touched
from calfeed.events.occurrences import occurrences
from calfeed.reminders import clock
from calfeed.reminders.audience import takes
from calfeed.reminders.plan import zone_of

_EDGE = timedelta(days=2)  # an item of days in a zone far away touches a day of the channel this much earlier or later


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDigest:
    """A day's items are to be told to one channel; ``day`` is local to it, instants are UTC.

    ``due`` differs from ``planned_for`` when quiet hours hold it. From ``expires`` on, the day's end, it is too late.
    """

    calendar: Calendar
    channel: Channel
    day: date
    items: tuple[Occurrence, ...]
    due: datetime
    planned_for: datetime
    expires: datetime

    @property
    def ends(self) -> datetime:
        """Nothing is tried again after the day."""
        return self.expires

    @property
    def key(self) -> str:
        """``day|channel``: the same for ever, so that it is told once."""
        return f"{self.day.isoformat()}|{self.channel.id}"


def due_digests(
    catalog: Catalog, since: datetime, until: datetime, channels: Sequence[Channel] | None = None
) -> list[DueDigest]:
    """The digests due in (since, until], by due time and key; of all channels unless ``channels`` are given."""
    chosen = [one for one in (catalog.channels if channels is None else channels) if one.digest is not None]
    if not chosen or since >= until:
        return []
    span = since - _EDGE - clock.DAY, until + _EDGE + clock.DAY
    found = sorted(
        (one for event in catalog.events for one in occurrences(event, *span, limit=sys.maxsize)),
        key=lambda one: (instant(one.start, one.event.zone), one.event.id),
    )
    digests = (
        digest
        for channel in chosen
        for digest in _of_channel(catalog.calendar, channel, found, since, until)
        if since < digest.due <= until
    )
    return sorted(digests, key=lambda digest: (digest.due, digest.key))


def find_digest(
    catalog: Catalog, key: str, due: datetime, channels: Sequence[Channel] | None = None
) -> DueDigest | None:
    """The digest that was planned with this key and due time as the catalog has it now, whatever its hour is by now.

    None when its day has no items any more.
    """
    day = datetime.fromisoformat(key.partition("|")[0]).replace(tzinfo=UTC)
    found = due_digests(catalog, day - clock.DAY, day + 3 * clock.DAY, channels)
    return next((replace(one, due=due) for one in found if one.key == key), None)


def _of_channel(
    calendar: Calendar, channel: Channel, found: Iterable[Occurrence], since: datetime, until: datetime
) -> Iterator[DueDigest]:
    zone = zone_of(channel, calendar)
    first, last = since.astimezone(zone).date() - clock.DAY, until.astimezone(zone).date()
    for day, items in sorted(_by_day(found, zone, first, last).items()):
        digest = _digest(calendar, channel, day, items, zone)
        if digest is not None:
            yield digest


def _digest(
    calendar: Calendar, channel: Channel, day: date, items: list[Occurrence], zone: ZoneInfo
) -> DueDigest | None:
    planned = clock.at_local(day, channel.digest or time(), zone)
    over = clock.at_local(day + clock.DAY, time(), zone)
    due = clock.held(planned, channel.quiet, zone, over)
    mine = tuple(item for item in items if takes(channel, item.event, due))
    if not mine or planned >= over:  # Apia had no 30 December 2011
        return None
    return DueDigest(
        calendar=calendar, channel=channel, day=day, items=mine, due=due, planned_for=planned, expires=over
    )


def _by_day(found: Iterable[Occurrence], zone: ZoneInfo, first: date, last: date) -> Mapping[date, list[Occurrence]]:
    """Occurrences by each day from ``first`` to ``last`` that they touch, in order of start."""
    days: defaultdict[date, list[Occurrence]] = defaultdict(list)
    for occurrence in found:
        begin, end = days_of(occurrence, zone)
        day = max(begin, first)
        while day <= min(end, last):
            days[day].append(occurrence)
            day += clock.DAY
    return days


def days_of(occurrence: Occurrence, zone: ZoneInfo) -> tuple[date, date]:
    """The first and last day that an occurrence touches: instants on the clocks of ``zone``, days as written."""
    begin = clock.first_day(occurrence)
    start, end = occurrence.start, occurrence.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        if occurrence.event.tba is None:
            begin = start.astimezone(zone).date()
        return begin, max(begin, last_touched(start, end, zone))
    return begin, max(begin, end - clock.DAY)
