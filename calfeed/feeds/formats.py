"""A feed or an event of a snapshot in one of the formats that are served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from calfeed.events.model import Feed
from calfeed.feeds import atom, ics, jcal, jscal, json_feed
from calfeed.feeds.boundaries import BEGINNING, day_after, day_of, month_of
from calfeed.feeds.feed import IDENTITY, Head, Layout, lay_out, manner, names, origin
from calfeed.feeds.pieces import Entry
from calfeed.feeds.properties import Property
from calfeed.feeds.resource import Resource
from calfeed.feeds.select import EVERYTHING, Query
from calfeed.feeds.series import AHEAD, MOST
from calfeed.feeds.style import Style

if TYPE_CHECKING:
    from calfeed.feeds.snapshot import Snapshot

FORMATS = {
    "ics": ics.MEDIA_TYPE,
    "json": json_feed.MEDIA_TYPE,
    "jcal": jcal.MEDIA_TYPE,
    "atom": atom.MEDIA_TYPE,
    "jscal": jscal.MEDIA_TYPE,
}
"""Suffix and media type of everything that is served of a feed."""


MOST_EXPANDED = 20_000
"""VEVENTs that recurring events are expanded to in one feed, about: ``expand=1`` is anybody's to ask for."""
_SHARES = (MOST, 300, 100, 30, 10)


def feed_resource(snapshot: Snapshot, feed: Feed, suffix: str, query: Query) -> Resource:
    """A feed in a format."""
    if suffix in {"ics", "jcal"}:
        return _laid_out(snapshot, feed_layout(snapshot, feed, query), suffix)
    query = replace(query, alarm=None, expand=False, rich=False)  # these are words of iCalendar alone
    make = {"json": _json, "jscal": _jscal, "atom": _atom}[suffix]
    return Resource.of(make(snapshot, feed, query), FORMATS[suffix], snapshot.modified)


def event_resource(snapshot: Snapshot, event_id: str, suffix: str, query: Query) -> Resource | None:
    """One event as iCalendar or JSON; ``category``, ``not`` and ``q`` ask nothing of it."""
    entry = snapshot.event(event_id, replace(EVERYTHING, cancelled=query.cancelled))
    if suffix == "ics" and snapshot.event(event_id) is not None:
        found = _lay_out(snapshot, lambda _: IDENTITY, [entry] if entry else [], _style(snapshot, query))
        return _laid_out(snapshot, found, suffix)
    if suffix != "json" or entry is None:
        return None
    data = json_feed.event_json(entry.event, entry.revision, snapshot.base_url, _language(snapshot, query))
    return Resource.of(json_feed.octets(data), json_feed.MEDIA_TYPE, snapshot.modified)


def feed_layout(snapshot: Snapshot, feed: Feed, query: Query = EVERYTHING) -> Layout:
    """What stands in the iCalendar of a feed."""
    calendar, entries = snapshot.catalog.calendar, snapshot.entries(feed, query)
    style = _style(snapshot, query, sum(each.event.recurs for each in entries))
    source = _source(snapshot, feed, "ics", query)

    def head(told: str) -> Iterable[Property]:
        yield from IDENTITY
        yield from names(feed, calendar, query, style.language, told)
        yield from manner(calendar)
        yield from origin(source, snapshot.url("/"))

    return _lay_out(snapshot, head, entries, style)


def _lay_out(snapshot: Snapshot, head: Head, entries: Sequence[Entry], style: Style) -> Layout:
    zone, today = snapshot.catalog.calendar.timezone, day_of(snapshot.built_at)
    return lay_out(head, entries, snapshot.pieces, style, timezone=zone, today=today)


def _laid_out(snapshot: Snapshot, layout: Layout, suffix: str) -> Resource:
    body = layout.jcal() if suffix == "jcal" else layout.ics()
    return Resource.of(body, FORMATS[suffix], _modified(snapshot, layout), dropped=layout.dropped)


def _modified(snapshot: Snapshot, layout: Layout) -> datetime:
    """A feed also changes when the calendar does: as more of the past is left out, or more of the future written."""
    moments = [snapshot.modified]
    if layout.rolling:
        moments.append(month_of(snapshot.built_at))
    if layout.since:
        moments.append(day_after(layout.since))
    return max(moments)


def _style(snapshot: Snapshot, query: Query, recurring: int = 1) -> Style:
    """``recurring`` events share what may be written one by one."""
    calendar = snapshot.catalog.calendar
    most = next(most for most in _SHARES if most * recurring <= MOST_EXPANDED or most == _SHARES[-1])
    return Style(
        language=_language(snapshot, query),
        native=calendar.language,
        base_url=snapshot.base_url,
        all_day_at=calendar.all_day_at,
        mark=query.cancelled == "mark",
        alarm=query.alarm,
        expand=query.expand,
        rich=query.rich,
        horizon=month_of(snapshot.built_at) + AHEAD,
        most=most if query.expand else MOST,
    )


def _language(snapshot: Snapshot, query: Query) -> str:
    return snapshot.language(query.lang)


def _source(snapshot: Snapshot, feed: Feed, suffix: str, query: Query) -> str | None:
    """The address of a feed; of a private one only the holder of its token knows it."""
    path = f"/feeds/{feed.id}.{suffix}" + (f"?{query.canonical()}" if query != EVERYTHING else "")
    return None if feed.visibility == "private" else snapshot.url(path)


def _json(snapshot: Snapshot, feed: Feed, query: Query) -> bytes:
    found = ((each.event, each.revision) for each in snapshot.entries(feed, query))
    return json_feed.feed_json(snapshot.catalog.calendar, feed, found, snapshot.base_url, _language(snapshot, query))


def _jscal(snapshot: Snapshot, feed: Feed, query: Query) -> bytes:
    return jscal.group(
        snapshot.catalog.calendar,
        feed,
        ((each.event, each.revision) for each in snapshot.entries(feed, query)),
        source=_source(snapshot, feed, "jscal", query),
        base_url=snapshot.base_url,
        language=_language(snapshot, query),
    )


def _atom(snapshot: Snapshot, feed: Feed, query: Query) -> bytes:
    return atom.atom(
        snapshot.catalog.calendar,
        feed,
        snapshot.history(feed, query),
        base_url=snapshot.base_url,
        source=_source(snapshot, feed, "atom", query),
        language=_language(snapshot, query),
        empty=BEGINNING,
    )
