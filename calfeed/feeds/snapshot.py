"""Catalog × revisions → what is served: an immutable map from path to Resource, filled as it is asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from calfeed.errors import Problem
from calfeed.events.changes import revise
from calfeed.events.model import ALL, Catalog, Event, Feed, Occurrence, Visibility
from calfeed.events.revision import Change, Revision
from calfeed.feeds.boundaries import BEGINNING, last_modified, month_of, next_change
from calfeed.feeds.feed import MOST_EVENTS, Layout, too_much
from calfeed.feeds.formats import FORMATS, event_resource, feed_layout, feed_resource
from calfeed.feeds.history import shown_changes
from calfeed.feeds.index import Index
from calfeed.feeds.pieces import Entry, Pieces, Written
from calfeed.feeds.resource import Resource
from calfeed.feeds.select import EVERYTHING, Query, buried, redacted, select, texts, texts_of, visible
from calfeed.feeds.series import AHEAD
from calfeed.feeds.shelf import Shelf

_PATH = re.compile(rf"/(feeds|events)/([^/]+?)(/download)?\.({'|'.join(FORMATS)})")


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """One published state. All that it gives is a function of its fields; what it keeps only saves time.

    ``modified`` is the least Last-Modified of its feeds, ``expires`` the next instant at which a snapshot of the same
    state would differ (None: never).
    """

    catalog: Catalog
    revisions: Mapping[str, Revision]
    changes: tuple[Change, ...]
    base_url: str | None
    built_at: datetime
    modified: datetime
    expires: datetime | None
    pieces: Pieces = field(default_factory=Pieces, repr=False)
    shelf: Shelf = field(default_factory=Shelf, repr=False)
    _uids: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)
    _indexes: dict[Visibility, Index] = field(default_factory=dict, repr=False)
    _whole: dict[str, Entry] = field(default_factory=dict, repr=False)
    _texts: dict[str, str] = field(default_factory=dict, repr=False)

    def resource(self, path: str, query: Query | None = None, *, private: bool = False) -> Resource | None:
        """``/feeds/<id>.ics`` and the other formats, ``/feeds/<id>/download.ics``, ``/events/<id>.ics`` and ``.json``.

        None where nothing is served. Private feeds are served only with ``private``: to who has shown a token.
        """
        asked = query or EVERYTHING
        return self.shelf.get((path, asked, private), lambda: self._make(path, asked, private=private))

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

    def event(self, event_id: str, query: Query = EVERYTHING) -> Entry | None:
        """One event by the publisher's handle, also one removed that still stands; None where nobody may know of it."""
        event = self.catalog.by_id.get(event_id) or self._gone.get(event_id)
        if event is None or not visible(event, "unlisted", self.built_at):
            return None
        parent = self.standing.get(event.parent or "")
        feed = Feed(id=event.id, name=event.summary, visibility="unlisted")
        found = select([event] if parent is None else [parent, event], feed, query, self.built_at)
        return next((self._entry(each) for each in found if each.uid == event.uid), None)

    def occurrences(
        self,
        since: datetime,
        until: datetime,
        *,
        feed: Feed | str = ALL,
        query: Query = EVERYTHING,
        among: Collection[str] | None = None,
    ) -> list[Occurrence]:
        """What happens in [since, until) in a feed, by start and then by event id.

        Who asks several times brings the UIDs that feed and query select: ``among``.
        """
        chosen = self._feed(feed)
        uids = self._selected(chosen, query) if among is None else among
        return self._index(chosen.visibility).between(since, until, uids)

    def history(self, feed: Feed | str = ALL, query: Query = EVERYTHING) -> list[Change]:
        """The changes that the readers of a feed may know of, as they look to them, the newest first."""
        return shown_changes(self.changes, self.catalog.by_uid, self._feed(feed), query, self.built_at)

    @cached_property
    def standing(self) -> dict[str, Event]:
        """By UID: the events of the source, and those removed that feeds still show as cancelled."""
        stand, now = self.catalog.calendar.tombstone.as_timedelta(), self.built_at
        removed = ((each, each.removed) for each in self.revisions.values() if each.removed)
        gone = {each.uid: buried(each.event, at) for each, at in removed if now < at + stand}
        return gone | self.catalog.by_uid

    @cached_property
    def tongues(self) -> frozenset[str]:
        """Every language that some text is written in, in lower case."""
        calendar = self.catalog.calendar
        events = (one for event in self.standing.values() for one in (event, *event.overrides))
        named = [calendar.name, calendar.description, *(feed.name for feed in self.catalog.feeds)]
        found = {tag for event in events for text in texts_of(event) for tag in text.languages}
        return frozenset(tag.lower() for tag in found | {tag for text in named if text for tag in text.languages})

    def language(self, wanted: str | None) -> str:
        """The language in which readers of ``wanted`` get the most: itself, its primary language or the calendar's."""
        own = self.catalog.calendar.language
        choices = (wanted.lower(), wanted.lower().split("-")[0]) if wanted else ()
        return next((tag for tag in choices if tag in self.tongues), own)

    @cached_property
    def _gone(self) -> dict[str, Event]:
        return {event.id: event for uid, event in self.standing.items() if uid not in self.catalog.by_uid}

    def url(self, path: str) -> str | None:
        """The public address of a path, where the base is known."""
        return self.base_url + path if self.base_url else None

    def _make(self, path: str, query: Query, *, private: bool) -> Resource | None:
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        kind, name, download, suffix = match.groups()
        if download and (kind, suffix) != ("feeds", "ics"):
            return None
        if kind == "events":
            return event_resource(self, name, suffix, query)
        feed = self.catalog.feed_by_id.get(name)
        if feed is None or (feed.visibility == "private" and not private):
            return None
        return feed_resource(self, feed, suffix, query)

    def _feed(self, feed: Feed | str) -> Feed:
        return self.catalog.feed_by_id[feed] if isinstance(feed, str) else feed

    def _entry(self, event: Event) -> Entry:
        kept = self._whole.get(event.uid)
        if kept is None or kept.event is not event:
            kept = Entry(event, self.revisions[event.uid], event is self.standing.get(event.uid))
            if kept.original:
                self._whole[event.uid] = kept
        return kept

    def _select(self, events: Iterable[Event], feed: Feed, query: Query, now: datetime | None) -> list[Event]:
        return select(events, feed, query, now or self.built_at, searchable=self._searchable)

    def _searchable(self, event: Event) -> str:
        if event is not self.standing.get(event.uid):
            return texts(event)  # something was taken from it: what nobody may read nobody may find
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


def build(
    catalog: Catalog,
    revisions: Mapping[str, Revision],
    changes: Iterable[Change],
    *,
    base_url: str | None,
    now: datetime,
    previous: Snapshot | None = None,
    published_at: datetime | None = None,
) -> Snapshot:
    """The snapshot of a published state at ``now``; ``previous`` lends what has not changed.

    Without ``base_url`` the calendar's own URL is used. ``published_at`` is when the state was published: what changes
    in no event, a feed's name or its categories, changes feeds as well.
    """
    told = tuple(changes)
    modified = max(last_modified(catalog, revisions, told, now), published_at or BEGINNING)
    return Snapshot(
        catalog=catalog,
        revisions=dict(revisions),
        changes=told,
        base_url=(base_url or catalog.calendar.url or "").rstrip("/") or None,
        built_at=now,
        modified=max(modified, previous.modified) if previous else modified,
        expires=next_change(catalog, revisions, now),
        pieces=previous.pieces.inherited(revisions, month_of(now) + AHEAD) if previous else Pieces(),
        shelf=Shelf(previous.shelf.plain if previous else None),
    )


def client_warnings(catalog: Catalog, now: datetime) -> list[Problem]:
    """What calendar services would drop of the feeds, and what they are given in another form than it was written."""
    revisions = revise(catalog, {}, now, catalog.calendar.tombstone.as_timedelta()).revisions
    snapshot = build(catalog, revisions, (), base_url=None, now=now)
    layouts = [(feed, feed_layout(snapshot, feed)) for feed in catalog.feeds]
    found = [problem for feed, layout in layouts for problem in _size_warnings(feed, layout)]
    singles = {each.entry.event.uid: each for _, layout in layouts for each in layout.written if each.piece.single}
    return found + [_single_warning(each) for each in singles.values()]


def _size_warnings(feed: Feed, layout: Layout) -> Iterator[Problem]:
    where = f"feeds[{feed.id}]"
    hint = "part it by categories into several feeds"
    if layout.dropped:
        told = f"{layout.dropped} past events are left out: Google reads about {MOST_EVENTS} events or 1 MB of a feed"
        yield Problem(feed.source, told, where, hint, "warning", "feed-trimmed")
    count, size = sum(each.piece.vevents for each in layout.written), len(layout.ics())
    if too_much(count, size):
        told = f"{count} events, {size} bytes: Google reads about {MOST_EVENTS} events or 1 MB and drops the rest"
        yield Problem(feed.source, told, where, hint, "warning", "feed-too-large")


def _single_warning(each: Written) -> Problem:
    event, count = each.entry.event, each.piece.vevents
    told = f"no rule that Outlook reads says all its hours in {event.timezone}: written as {count} single events"
    return Problem(event.source, told, f"events[{event.id}].rrule", "", "warning", "zone-unsayable")
