"""Catalog × revisions → what is served: an immutable map from path to Resource, filled as it is asked for."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from threading import Lock

from calfeed.events.model import ALL, Catalog, Event, Feed, Occurrence, Visibility
from calfeed.events.revision import Change, Revision
from calfeed.feeds import ics, jcal
from calfeed.feeds.boundaries import day_after, day_of, last_modified, month_of, next_change
from calfeed.feeds.feed import IDENTITY, Head, Layout, lay_out, manner, names, origin
from calfeed.feeds.index import Index
from calfeed.feeds.pieces import Entry, Pieces
from calfeed.feeds.properties import Property
from calfeed.feeds.resource import Resource
from calfeed.feeds.select import EVERYTHING, Query, redacted, select, texts, visible
from calfeed.feeds.series import AHEAD
from calfeed.feeds.vevent import Style

MOST_VARIANTS = 256
"""Filtered resources kept, the ones last asked for."""
MOST_VARIANT_OCTETS = 64_000_000

_PATH = re.compile(r"/(feeds|events)/([^/]+?)(/download)?\.(ics|json|jcal|atom|jscal)")

Key = tuple[str, Query, bool]


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """One published state. All that it gives is a function of its fields; what it keeps only saves time.

    ``modified`` is the Last-Modified of every feed, ``expires`` the next instant at which a snapshot of the same state
    would differ (None: never).
    """

    catalog: Catalog
    revisions: Mapping[str, Revision]
    changes: tuple[Change, ...]
    base_url: str | None
    built_at: datetime
    modified: datetime
    expires: datetime | None
    pieces: Pieces = field(default_factory=Pieces, repr=False)
    _kept: dict[Key, Resource | None] = field(default_factory=dict, repr=False)
    _variants: OrderedDict[Key, Resource] = field(default_factory=OrderedDict, repr=False)
    _uids: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)
    _indexes: dict[Visibility, Index] = field(default_factory=dict, repr=False)
    _texts: dict[str, str] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def resource(self, path: str, query: Query | None = None, *, private: bool = False) -> Resource | None:
        """``/feeds/<id>.ics`` and the other formats, ``/feeds/<id>/download.ics``, ``/events/<id>.ics`` and ``.json``.

        None where nothing is served. Private feeds are served only with ``private``: to who has shown a token.
        """
        key = (path, query or EVERYTHING, private)
        found = self._kept.get(key) or self._variants.get(key)
        if found is not None or key in self._kept:
            return found
        made = self._make(*key)
        self._keep(key, made)
        return made

    def warm(self) -> None:
        """Makes and compresses every feed that clients poll, so that no request has to."""
        for feed in self.catalog.feeds:
            found = self.resource(f"/feeds/{feed.id}.ics", private=feed.visibility == "private")
            if found is not None:
                _ = found.gzip

    def events(self, feed: Feed | str = ALL, query: Query = EVERYTHING, now: datetime | None = None) -> list[Event]:
        """The events of the source in a feed, as its readers may see them, in the source's order."""
        return self._select(self.catalog.events, self._feed(feed), query, now)

    def entries(self, feed: Feed | str = ALL, query: Query = EVERYTHING) -> list[Entry]:
        """Events of a feed with their revisions, and those removed that still stand as cancelled."""
        found = self._select(self.standing.values(), self._feed(feed), query, None)
        return [self._entry(event) for event in found]

    def event(self, event_id: str, *, private: bool = False) -> Entry | None:
        """One event by the publisher's handle, also one removed that still stands; None where readers may not know."""
        level: Visibility = "private" if private else "unlisted"
        event = self.catalog.by_id.get(event_id) or self._gone.get(event_id)
        if event is None or not visible(event, level, self.built_at):
            return None
        parent = self.standing.get(event.parent or "")
        nearby = [event] if parent is None else [parent, event]
        feed = Feed(id=event.id, name=event.summary, visibility=level)
        return self._entry(select(nearby, feed, EVERYTHING, self.built_at)[-1])

    def occurrences(
        self, since: datetime, until: datetime, *, feed: Feed | str = ALL, query: Query = EVERYTHING
    ) -> list[Occurrence]:
        """What happens in [since, until) in a feed, by start and then by event id."""
        chosen = self._feed(feed)
        return self._index(chosen.visibility).between(since, until, self._selected(chosen, query))

    @cached_property
    def standing(self) -> dict[str, Event]:
        """By UID: the events of the source, and those removed that feeds still show as cancelled."""
        stand, now = self.catalog.calendar.tombstone.as_timedelta(), self.built_at
        removed = (each for each in self.revisions.values() if each.removed and now < each.removed + stand)
        return {each.uid: each.event for each in removed} | self.catalog.by_uid

    @cached_property
    def _gone(self) -> dict[str, Event]:
        return {event.id: event for uid, event in self.standing.items() if uid not in self.catalog.by_uid}

    def style(self, query: Query) -> Style:
        """How VEVENTs are written under a query."""
        calendar = self.catalog.calendar
        return Style(
            language=query.lang or calendar.language,
            native=calendar.language,
            base_url=self.base_url,
            all_day_at=calendar.all_day_at,
            cancelled=query.cancelled,
            alarm=query.alarm,
            expand=query.expand,
            rich=query.rich,
            horizon=month_of(self.built_at) + AHEAD,
        )

    def url(self, path: str) -> str | None:
        """The public address of a path, where the base is known."""
        return self.base_url + path if self.base_url else None

    def _feed(self, feed: Feed | str) -> Feed:
        return self.catalog.feed_by_id[feed] if isinstance(feed, str) else feed

    def _entry(self, event: Event) -> Entry:
        return Entry(event, self.revisions[event.uid], event is self.standing.get(event.uid))

    def _select(self, events: Iterable[Event], feed: Feed, query: Query, now: datetime | None) -> list[Event]:
        return select(events, feed, query, now or self.built_at, searchable=self._searchable)

    def _searchable(self, event: Event) -> str:
        found = self._texts.get(event.uid)
        if found is None:
            found = self._texts[event.uid] = texts(event)
        return found

    def _selected(self, feed: Feed, query: Query) -> frozenset[str]:
        if query != EVERYTHING:
            return frozenset(event.uid for event in self.events(feed, query))
        if feed.id not in self._uids:
            self._uids[feed.id] = frozenset(event.uid for event in self.events(feed))
        return self._uids[feed.id]

    def _index(self, level: Visibility) -> Index:
        if level not in self._indexes:
            seen = (event for event in self.catalog.events if visible(event, level, self.built_at))
            self._indexes[level] = Index(redacted(event, level, self.built_at) for event in seen)
        return self._indexes[level]

    def _keep(self, key: Key, made: Resource | None) -> None:
        if key[1] == EVERYTHING and made is not None:
            self._kept[key] = made
        if key[1] == EVERYTHING or made is None:
            return
        with self._lock:
            self._variants[key] = made
            size = sum(len(each.body) for each in self._variants.values())
            while len(self._variants) > 1 and (len(self._variants) > MOST_VARIANTS or size > MOST_VARIANT_OCTETS):
                _, old = self._variants.popitem(last=False)
                size -= len(old.body)

    def _make(self, path: str, query: Query, private: bool) -> Resource | None:  # noqa: FBT001 # a key, unpacked
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        kind, name, download, suffix = match.groups()
        if kind == "events":
            entry = self.event(name)
            return None if entry is None or download or suffix != "ics" else self._event(entry, query)
        feed = self.catalog.feed_by_id.get(name)
        if feed is None or (feed.visibility == "private" and not private) or (download and suffix != "ics"):
            return None
        return self._feed_as(suffix, feed, query)

    def _feed_as(self, suffix: str, feed: Feed, query: Query) -> Resource:
        if suffix in {"ics", "jcal"}:
            return self._written(self.layout(feed, query), suffix)
        raise NotImplementedError

    def layout(self, feed: Feed, query: Query = EVERYTHING) -> Layout:
        """What stands in the iCalendar of a feed."""
        calendar, style = self.catalog.calendar, self.style(query)
        path = f"/feeds/{feed.id}.ics" + (f"?{query.canonical()}" if query != EVERYTHING else "")
        source = None if feed.visibility == "private" else self.url(path)

        def head(told: str) -> Iterable[Property]:
            yield from IDENTITY
            yield from names(feed, calendar, query, style.language, told)
            yield from manner(calendar)
            yield from origin(source, self.url("/"))

        return self._lay_out(head, self.entries(feed, query), style)

    def _event(self, entry: Entry, query: Query) -> Resource:
        return self._written(self._lay_out(lambda _: IDENTITY, [entry], self.style(query)), "ics")

    def _lay_out(self, head: Head, entries: Sequence[Entry], style: Style) -> Layout:
        timezone = self.catalog.calendar.timezone
        return lay_out(head, entries, self.pieces, style, timezone=timezone, today=day_of(self.built_at))

    def _written(self, layout: Layout, suffix: str) -> Resource:
        moments = [self.modified]
        if layout.rolling:
            moments.append(month_of(self.built_at))
        if layout.since:
            moments.append(day_after(layout.since))
        modified = max(moments)
        if suffix == "jcal":
            return Resource.of(layout.jcal(), jcal.MEDIA_TYPE, modified, dropped=layout.dropped)
        return Resource.of(layout.ics(), ics.MEDIA_TYPE, modified, dropped=layout.dropped)


def build(
    catalog: Catalog,
    revisions: Mapping[str, Revision],
    changes: Iterable[Change],
    *,
    base_url: str | None,
    now: datetime,
    previous: Snapshot | None = None,
) -> Snapshot:
    """The snapshot of a published state at ``now``; ``previous`` lends what has not changed.

    ``base_url`` has no slash at its end; without one, the calendar's own URL is used.
    """
    told = tuple(changes)
    base = (base_url or catalog.calendar.url or "").rstrip("/") or None
    modified = last_modified(catalog, revisions, told, now)
    return Snapshot(
        catalog=catalog,
        revisions=dict(revisions),
        changes=told,
        base_url=base,
        built_at=now,
        modified=max(modified, previous.modified) if previous else modified,
        expires=next_change(catalog, revisions, now),
        pieces=previous.pieces.inherited(frozenset(revisions)) if previous else Pieces(),
    )
