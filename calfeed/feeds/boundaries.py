"""When a feed last changed and when it next will, from what was published and from the calendar's own instants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from calfeed.events.model import Catalog, Event
from calfeed.events.revision import Change, ChangeKind, Revision
from calfeed.feeds.feed import MOST_EVENTS, MOST_OCTETS
from calfeed.feeds.select import texts_of
from calfeed.feeds.series import MOST

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Last-Modified of a calendar in which nothing was ever published."""
_OCTETS_AN_EVENT = 1_000
"""What a VEVENT has beside words and addresses, about."""
_SAID = 4
"""How often words and addresses stand in a VEVENT at most, about: escaped, beside a map, styled, and as data."""


def last_modified(
    catalog: Catalog, revisions: Mapping[str, Revision], changes: Iterable[Change], now: datetime
) -> datetime:
    """The latest instant at which any feed may have changed.

    One for all feeds: an event that leaves a feed, by an edit or because its tombstone or embargo ends, must not take
    the feed's Last-Modified back with it (Apple asks by If-Modified-Since).
    """
    ends = _tombstone_ends(catalog, revisions, changes)
    passed = [moment for moment in (*ends, *_embargoes(catalog.events)) if moment <= now]
    published = [revision.modified for revision in revisions.values()] + [change.at for change in changes]
    return max([BEGINNING, *passed, *published]).astimezone(UTC)


def next_change(catalog: Catalog, revisions: Mapping[str, Revision], now: datetime) -> datetime | None:
    """The next instant at which some feed may change by itself: an embargo or a tombstone ends, the past is trimmed,
    occurrences that are written one by one go on with the month."""
    ahead = [*_tombstone_ends(catalog, revisions, ()), *_embargoes(catalog.events)]
    if _near_limits(revision.event for revision in revisions.values()):
        ahead.append(day_of(now) + timedelta(days=1))
    if any(event.rrule for event in catalog.events):
        ahead.append(month_after(now))
    return min((moment for moment in ahead if moment > now), default=None)


def day_of(now: datetime) -> datetime:
    """The UTC midnight before: what ended earlier is past, on every replica alike."""
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def day_after(moment: datetime) -> datetime:
    """The first UTC midnight at which something that ended then is past."""
    return day_of(moment - timedelta(microseconds=1)) + timedelta(days=1)


def month_of(now: datetime) -> datetime:
    """The first instant of the UTC month: endless events are written one by one up to a time counted from it."""
    return day_of(now).replace(day=1)


def month_after(now: datetime) -> datetime:
    """The first instant of the next UTC month."""
    return month_of(month_of(now) + timedelta(days=31))


def _tombstone_ends(
    catalog: Catalog, revisions: Mapping[str, Revision], changes: Iterable[Change]
) -> Iterator[datetime]:
    stand = catalog.calendar.tombstone.as_timedelta()
    yield from (revision.removed + stand for revision in revisions.values() if revision.removed)
    yield from (change.at + stand for change in changes if change.kind is ChangeKind.REMOVED)


def _embargoes(events: Iterable[Event]) -> Iterator[datetime]:
    for event in events:
        if event.embargo:
            yield event.embargo
        if event.overrides:
            yield from (one.embargo for one in event.overrides if one.embargo)


def _near_limits(events: Iterable[Event]) -> bool:
    """Whether a feed of them may be trimmed, in some way of writing it. A wrong yes costs one building a day.

    To look at the words of each is dear, and seldom needed: a list that is near the limits has many events.
    """
    found, count = [], 0
    for event in events:
        found.append(event)
        count += 1 + len(event.overrides) + len(event.rdate) + (MOST if event.rrule else 0)
        if count > MOST_EVENTS or count * _OCTETS_AN_EVENT > MOST_OCTETS:
            return True
    return sum(map(_all_octets, found)) > MOST_OCTETS


def _all_octets(event: Event) -> int:
    return _octets(event) * (1 + len(event.rdate)) + sum(map(_octets, event.overrides))


def _octets(event: Event) -> int:
    """How much one VEVENT may take: rather too much than too little."""
    words = sum(max(len(value.encode()) for _, value in text.by_language) for text in texts_of(event))
    places = (event.location and event.location.url, event.url, event.image, *event.attach)
    links = (*places, *(each.uri for each in event.conference), *(each.url for each in event.sources))
    return _OCTETS_AN_EVENT + _SAID * (words + sum(len(link) for link in links if link))
