"""What a request works with: the application's parts, and the page it asks for."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from calfeed.errors import CalfeedError, NotFound, Problem
from calfeed.events.model import Catalog, Event, Feed, Text, instant
from calfeed.feeds.select import EVERYTHING, Query
from calfeed.feeds.snapshot import Snapshot
from calfeed.ledger import Ledger
from calfeed.settings import Settings
from calfeed.web.clients import Polls
from calfeed.web.dates import Dates
from calfeed.web.facts import Facts, facts
from calfeed.web.items import Item, items
from calfeed.web.page_query import PageQuery, with_query
from calfeed.web.palette import accent
from calfeed.web.session import Brake
from calfeed.web.words import INTERFACE, Words


class NotReady(CalfeedError):
    """No good state has been published yet (HTTP 503)."""


class Publishing(Protocol):
    """What pages ask of a Publisher."""

    snapshot: Snapshot | None
    problems: tuple[Problem, ...]
    reloaded_at: datetime | None


@dataclass(frozen=True)
class Site:
    """The application's parts, handed to `create_app`; ``still`` when its pages become files on a static host."""

    publisher: Publishing
    ledger: Ledger
    settings: Settings
    clock: Callable[[], datetime]
    polls: Polls
    brake: Brake = field(default_factory=Brake)
    still: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """The state in use; raises NotReady before the first good one."""
        snapshot = self.publisher.snapshot
        if snapshot is None:
            raise NotReady("the event list has not been read yet; /readyz says why")
        return snapshot


def site() -> Site:
    """The running application's Site."""
    found: Site = current_app.extensions["calfeed"]
    return found


def base_url(snapshot: Snapshot | None = None) -> str:
    """Where the public finds this site: the setting, else the calendar's url, else what the request was sent to."""
    calendar = snapshot.catalog.calendar.url if snapshot else None
    return (site().settings.base_url or calendar or request.url_root).rstrip("/")


def negotiated(offered: tuple[str, ...], default: str) -> str:
    """The language the reader's browser prefers among those offered."""
    return request.accept_languages.best_match(offered, default) or default


class Page:
    """One request's view of one snapshot: language, zone, filter. Made by `page`; templates know it by that name."""

    def __init__(self, snapshot: Snapshot, query: PageQuery, now: datetime) -> None:
        self.snapshot = snapshot
        self.query = query
        self.now = now

    @property
    def still(self) -> bool:
        """Whether this page becomes a file: what needs a server to answer is left out."""
        return site().still

    @property
    def catalog(self) -> Catalog:
        """The catalog shown."""
        return self.snapshot.catalog

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages to choose from: the interface's and the texts'."""
        return tuple(dict.fromkeys((*INTERFACE, *self.catalog.languages)))

    @cached_property
    def language(self) -> str:
        """The reader's choice, else the browser's, else the calendar's."""
        return self.query.filter.lang or negotiated(self.languages, self.catalog.calendar.language)

    @cached_property
    def words(self) -> Words:
        """The words of the interface."""
        return Words(self.language)

    @cached_property
    def dates(self) -> Dates:
        """Dates in the reader's language."""
        return Dates(self.language)

    @cached_property
    def zone(self) -> ZoneInfo | None:
        """The reader's zone; None shows each event in its own."""
        return ZoneInfo(self.query.tz) if self.query.tz else None

    @property
    def page_zone(self) -> ZoneInfo:
        """The zone of what is not an event's: today, stamps."""
        return self.zone or self.catalog.calendar.zone

    @property
    def today(self) -> date:
        """Today where the reader, or else the calendar, is."""
        return self.now.astimezone(self.page_zone).date()

    @cached_property
    def feed(self) -> Feed:
        """The feed the page shows; raises NotFound for one that is not there or must look so."""
        return public_feed(self.catalog, self.query.feed)

    @cached_property
    def facts(self) -> Facts:
        """What the whole feed holds, the reader's filter aside."""
        return facts(self.snapshot, self.feed)

    @property
    def filtered(self) -> bool:
        """Whether the reader has narrowed the feed."""
        return self._filter != EVERYTHING

    @property
    def _filter(self) -> Query:
        given = self.query.filter
        return Query(categories=given.categories, exclude=given.exclude, q=given.q)

    @cached_property
    def chosen(self) -> frozenset[str]:
        """UIDs of the events that pass feed and filter."""
        if not self.filtered:
            return self.facts.uids
        return frozenset(event.uid for event in self.snapshot.events(self.feed, self._filter))

    def find(self, first: date, last: date) -> list[Item]:
        """Items that touch these days; all-day items of other zones are why the index is asked for a day more."""
        around = timedelta(days=1)
        since, until = (instant(day, self.page_zone) for day in (first - around, last + 2 * around))
        nearby = self.snapshot.occurrences(since, until, feed=self.feed, among=self.chosen)
        found = items((one for one in nearby if self._shows(one.event)), self.zone, self.facts.hues)
        return [one for one in found if one.first <= last and one.over >= first]

    def _shows(self, event: Event) -> bool:
        return event.status != "cancelled" or self.query.filter.cancelled != "drop"

    def text(self, text: Text | None) -> str:
        """A text of the source in the reader's language."""
        return text.get(self.language) if text else ""

    def foreign(self, text: Text) -> str | None:
        """The language a text is really in when it is not the interface's: what ``lang=`` must say."""
        tag = text.pick(self.language)[0]
        return None if tag.split("-")[0] == self.words.language else tag

    def category(self, category: str) -> str:
        """A category's name: that of the feed which is just this category, else its own word."""
        for feed in self.catalog.feeds:
            if feed.categories == (category,) and not feed.exclude and feed.visibility == "public":
                return self.text(feed.name)
        word = category.replace("-", " ").replace("_", " ")
        return word[:1].upper() + word[1:]

    def feed_query(self) -> Query:
        """The filter of a subscribe link that gives what this page shows, its language included."""
        if self.still:
            return EVERYTHING
        query = self.query.filter
        if query.lang or self.language not in self.catalog.languages or self.language == self.catalog.calendar.language:
            return query
        return replace(query, lang=self.language)

    def keep(self) -> list[tuple[str, str]]:
        """Pairs that links to other pages carry: the reader's language and zone."""
        kept = [("lang", self.query.filter.lang), ("tz", self.query.tz)]
        return [(key, value) for key, value in kept if value]

    def event_url(self, event: Event) -> str:
        """The event's page, in the reader's language and zone."""
        return with_query(f"{request.script_root}/events/{quote(event.id, safe='')}", self.keep())

    def subscribe_url(self) -> str:
        """The page that subscribes to what this page shows."""
        return with_query(f"{request.script_root}/subscribe/{self.feed.id}", self.query.subscribed().pairs())

    def canonical_pairs(self) -> list[tuple[str, str]]:
        """What tells one indexed page from another: the feed and the language, not view, window or search."""
        return PageQuery(feed=self.query.feed, filter=Query(lang=self.query.filter.lang)).pairs()

    def home_url(self, base: str) -> str:
        """The calendar itself, for who looks at an embed of it."""
        return with_query(f"{base}/", self.query.pairs())

    @property
    def accent(self) -> int:
        """The palette's colour that is nearest to the calendar's."""
        return accent(self.catalog.calendar.color)


def public_feed(catalog: Catalog, feed_id: str) -> Feed:
    """The feed of that id; a private one does not exist for the public."""
    feed = catalog.feed_by_id.get(feed_id)
    if feed is None or feed.visibility == "private":
        raise NotFound(f"there is no feed {feed_id!r}")
    return feed


def page(without: Container[str] = ()) -> Page:
    """This request's Page, made on first use, from its keys but those ``without``; raises QueryError, NotReady."""
    if "page" not in g:
        here = site()
        pairs = (pair for pair in request.args.items(multi=True) if pair[0] not in without)
        g.page = Page(here.snapshot, PageQuery.parse(pairs), here.clock())
    found: Page = g.page
    return found
