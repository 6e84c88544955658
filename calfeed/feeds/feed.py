"""One feed as iCalendar: its names, its zones, its events, within what calendar services read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calfeed.events.colors import CSS3
from calfeed.events.model import Calendar, Feed
from calfeed.feeds import jcal
from calfeed.feeds.ics import PRODID, calendar
from calfeed.feeds.markdown import plain
from calfeed.feeds.phrases import phrases
from calfeed.feeds.pieces import Entry, Pieces, Written
from calfeed.feeds.properties import Property, one_line, text_property, uri_property
from calfeed.feeds.select import Query
from calfeed.feeds.style import Style
from calfeed.feeds.text import uri
from calfeed.feeds.vevent import vevents
from calfeed.feeds.zones import exact, vtimezone

MOST_EVENTS = 1_000
"""VEVENTs that Google reads of one feed, about; it drops the rest without a word."""
MOST_OCTETS = 1_000_000
"""Octets that Google reads of one feed, about."""
_OVERHEAD = 8_000
"""Octets kept for names and time zones."""


Head = Callable[[str], Iterable[Property]]
"""A calendar's properties, given what is to be said about events that were left out."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands in one feed, in order; ``dropped`` events, the last of which ended at ``since``, are left out."""

    header: tuple[Property, ...]
    zones: tuple[bytes, ...]
    written: tuple[Written, ...]
    dropped: int
    since: datetime | None

    @property
    def rolling(self) -> bool:
        """Whether endless events stand in it one by one, up to the style's horizon."""
        return any(each.piece.rolling for each in self.written)

    def ics(self) -> bytes:
        """The feed as iCalendar."""
        return calendar(self.header, self.zones, (each.piece.octets for each in self.written))

    def jcal(self) -> bytes:
        """The feed as jCal."""
        components = (
            one for each in self.written for one in vevents(each.entry.event, each.entry.revision, each.style)
        )
        return jcal.calendar(self.header, self.zones, components)


def lay_out(
    head: Head, entries: Sequence[Entry], pieces: Pieces, style: Style, *, timezone: str, today: datetime
) -> Layout:
    """A feed of these events; where services could not read all, what ended longest before ``today`` is left out.

    ``head`` makes the calendar's properties from what is to be said about that; ``timezone`` stands in a feed that
    would hold nothing else.
    """
    kept, gone, zones = _settled(entries, pieces, style, today)
    since = max((each.piece.end for each in gone if each.piece.end), default=None)
    kept.sort(key=lambda each: each.piece.order)
    if not any(each.piece.octets for each in kept):
        zones = [_some_zone(timezone)]
    header = tuple(head(_told(len(gone), since, style.language)))
    return Layout(header, tuple(zones), tuple(kept), len(gone), since)


def _settled(
    entries: Sequence[Entry], pieces: Pieces, style: Style, today: datetime
) -> tuple[list[Written], list[Written], list[bytes]]:
    """Events kept and left out, and the VTIMEZONEs that say every local time of those kept.

    Where one VTIMEZONE cannot say all instants of a zone, its single events are written in UTC; where it cannot say
    the recurring ones either, those too.
    """
    found = pieces.of(entries, style)
    soft: set[str] = set()
    hard: set[str] = set()
    while True:
        kept, gone = trimmed(found, today)
        zones = _zones(kept, pieces)
        unsaid = {zone for zone, written in zones.items() if written is None}
        if not unsaid:
            return kept, gone, [written for _, written in sorted(zones.items()) if written]
        hard |= unsaid & soft
        soft |= unsaid
        for at, (entry, _, piece) in enumerate(found):
            if not soft.isdisjoint(piece.instants):
                changed = replace(style, utc=frozenset(hard if piece.ruled else soft))
                found[at] = pieces.of([entry], changed)[0]


def trimmed(found: Sequence[Written], today: datetime) -> tuple[list[Written], list[Written]]:
    """What fits the limits of calendar services, and what ended before ``today``, longest ago first, that did not."""
    count, size = sum(each.piece.vevents for each in found), sum(len(each.piece.octets) for each in found)
    if not too_much(count, size):
        return list(found), []
    past = [each for each in found if each.piece.end and each.piece.end <= today]
    gone = set()
    for each in sorted(past, key=lambda each: (each.piece.end, each.piece.order[1])):
        if not too_much(count, size):
            break
        gone.add(each.entry.event.uid)
        count, size = count - each.piece.vevents, size - len(each.piece.octets)
    kept = [each for each in found if each.entry.event.uid not in gone]
    return kept, [each for each in past if each.entry.event.uid in gone]


def too_much(count: int, size: int) -> bool:
    """Whether services would drop some of so many VEVENTs in so many octets."""
    return count > MOST_EVENTS or size > MOST_OCTETS - _OVERHEAD


def _zones(kept: Iterable[Written], pieces: Pieces) -> dict[str, bytes | None]:
    """The VTIMEZONE of each TZID; None where one cannot say every instant."""
    shown: dict[str, list[datetime]] = defaultdict(list)
    ruled: dict[str, list[Written]] = defaultdict(list)
    for each in kept:
        for zone, moments in each.piece.instants.items():
            shown[zone] += moments
            if each.piece.ruled:
                ruled[zone].append(each)
    return {zone: _zone(zone, moments, ruled.get(zone, ()), pieces) for zone, moments in shown.items()}


def _zone(zone: str, moments: list[datetime], ruled: Sequence[Written], pieces: Pieces) -> bytes | None:
    years = {year for each in ruled for year in each.piece.ruled or ()}
    if ruled and exact(zone, years | {moment.year for moment in moments}):
        return vtimezone(zone, [*moments, *(datetime(year, 7, 1, tzinfo=UTC) for year in years)])
    for each in ruled:
        moments = moments + pieces.ruled_instants(each.entry, each.style.horizon)
    return vtimezone(zone, moments)


def _some_zone(timezone: str) -> bytes:
    """An object needs a component (RFC 5545 §3.6). UTC has none that Home Assistant takes; Greenwich has."""
    return vtimezone(timezone, ()) or vtimezone("Etc/GMT", ()) or b""


def _told(dropped: int, since: datetime | None, language: str) -> str:
    words = phrases(language)
    return words.dropped.format(dropped, words.day((since - timedelta(microseconds=1)).date())) if since else ""


def names(feed: Feed, calendar: Calendar, query: Query, language: str, told: str) -> Iterator[Property]:
    """What a feed is called, in every form that some client reads."""
    name = one_line(feed.name.get(language))
    if query.categories:
        name = f"{name}: {', '.join(query.categories)}"
    yield text_property("NAME", feed.name, (language, calendar.language), name)
    yield ("X-WR-CALNAME", name, "text", ())
    described = plain(calendar.description.get(language)) if calendar.description else ""
    text = "\n\n".join(filter(None, (described, told)))
    if text:
        whose = calendar.description or feed.name
        yield text_property("DESCRIPTION", whose, (language, calendar.language), text)
        yield ("X-WR-CALDESC", text, "text", ())


def manner(calendar: Calendar) -> Iterator[Property]:
    """Zone, rhythm and colour of a feed."""
    yield ("X-WR-TIMEZONE", calendar.timezone, "text", ())
    yield ("REFRESH-INTERVAL", calendar.refresh.iso, "duration", (("VALUE", "DURATION"),))
    yield ("X-PUBLISHED-TTL", calendar.refresh.iso, "text", ())
    if calendar.color:
        yield ("COLOR", calendar.color.lower(), "text", ())
        value = CSS3.get(calendar.color.lower())
        if value:
            yield ("X-APPLE-CALENDAR-COLOR", value.upper(), "text", ())


def origin(source: str | None, page: str | None) -> Iterator[Property]:
    """Where the feed is fetched from, and where people read it."""
    if source:
        yield uri_property("SOURCE", source)
    if page:
        yield ("URL", uri(page), "uri", ())


IDENTITY: tuple[Property, ...] = (
    ("VERSION", "2.0", "text", ()),
    ("PRODID", PRODID, "text", ()),
    ("CALSCALE", "GREGORIAN", "text", ()),
)
