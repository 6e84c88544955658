"""One feed as iCalendar: its names, its zones, its events, within what calendar services read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter

from calfeed.events.colors import CSS3
from calfeed.events.model import Calendar, Feed
from calfeed.feeds.ics import PRODID, calendar
from calfeed.feeds.markdown import plain
from calfeed.feeds.phrases import phrases
from calfeed.feeds.pieces import Entry, Piece, Pieces
from calfeed.feeds.properties import Property, one_line, text_property, uri_property
from calfeed.feeds.select import Query
from calfeed.feeds.text import uri
from calfeed.feeds.vevent import Style
from calfeed.feeds.zones import vtimezone

MOST_EVENTS = 1_000
"""VEVENTs that Google reads of one feed, about; it drops the rest without a word."""
MOST_OCTETS = 1_000_000
"""Octets that Google reads of one feed, about."""
_OVERHEAD = 8_000
"""Octets kept for names and time zones."""


Head = Callable[[str], Iterable[Property]]
"""A calendar's properties, given what is to be said about events that were left out."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A feed's octets; ``dropped`` events ended by ``since`` and are left out; ``rolling`` as in `Piece`."""

    octets: bytes
    dropped: int
    since: datetime | None
    rolling: bool


def compile_feed(
    head: Head,
    entries: Sequence[Entry],
    pieces: Pieces,
    style: Style,
    *,
    timezone: str,
    today: datetime,
) -> Compiled:
    """A feed of these events; where services could not read all, what ended longest before ``today`` is left out.

    ``head`` makes the calendar's properties from what is to be said about that; ``timezone`` stands in a feed that
    would hold nothing else.
    """
    kept, gone, zones = _settled(entries, pieces, style, today)
    since = max((piece.end for piece in gone if piece.end), default=None)
    ordered = sorted(kept, key=attrgetter("order"))
    written = [piece.octets for piece in ordered]
    if not any(written):
        zones = [_some_zone(timezone)]
    octets = calendar(list(head(_told(len(gone), since, style.language))), zones, written)
    return Compiled(octets, len(gone), since, any(piece.rolling for piece in kept))


def _settled(
    entries: Sequence[Entry], pieces: Pieces, style: Style, today: datetime
) -> tuple[list[Piece], list[Piece], list[bytes]]:
    """Pieces kept and left out, and the VTIMEZONEs that say every local time of those kept.

    Where one VTIMEZONE cannot say all instants of a zone, its single events are written in UTC; where it cannot say
    the recurring ones either, those too.
    """
    found = pieces.of(entries, style)
    soft: set[str] = set()
    hard: set[str] = set()
    while True:
        kept, gone = trimmed(found, today)
        zones = {zone: vtimezone(zone, moments) for zone, moments in _instants(kept).items()}
        unsaid = {zone for zone, written in zones.items() if written is None}
        if not unsaid:
            return kept, gone, [written for _, written in sorted(zones.items()) if written]
        hard |= unsaid & soft
        soft |= unsaid
        for at, piece in enumerate(found):
            if not soft.isdisjoint(piece.instants):
                utc = replace(style, utc=frozenset(hard if piece.ruled else soft))
                found[at] = pieces.of(entries[at : at + 1], utc)[0]


def trimmed(found: Sequence[Piece], today: datetime) -> tuple[list[Piece], list[Piece]]:
    """What fits the limits of calendar services, and what ended before ``today``, longest ago first, that did not."""
    count, size = sum(piece.count for piece in found), sum(len(piece.octets) for piece in found)
    past = sorted((piece for piece in found if piece.end and piece.end <= today), key=_by_end)
    gone = []
    for piece in past:
        if count <= MOST_EVENTS and size <= MOST_OCTETS - _OVERHEAD:
            break
        gone.append(piece)
        count, size = count - piece.count, size - len(piece.octets)
    left_out = set(map(id, gone))
    return [piece for piece in found if id(piece) not in left_out], gone


def _by_end(piece: Piece) -> tuple[datetime | None, str]:
    return piece.end, piece.order[1]


def _instants(kept: Iterable[Piece]) -> dict[str, set[datetime]]:
    found: dict[str, set[datetime]] = {}
    for piece in kept:
        for zone, moments in piece.instants.items():
            found.setdefault(zone, set()).update(moments)
    return found


def _some_zone(timezone: str) -> bytes:
    """An object needs a component (RFC 5545 §3.6). UTC has none that Home Assistant takes; Greenwich has."""
    return vtimezone(timezone, ()) or vtimezone("Etc/GMT", ()) or b""


def _told(dropped: int, since: datetime | None, language: str) -> str:
    words = phrases(language)
    return words.dropped.format(words.day(since.date() + timedelta(days=1)), dropped) if since else ""


def names(feed: Feed, calendar: Calendar, query: Query, language: str, told: str) -> Iterator[Property]:
    """What a feed is called, in every form that some client reads."""
    name = one_line(feed.name.get(language))
    if query.categories:
        name = f"{name}: {', '.join(query.categories)}"
    named = text_property("NAME", feed.name, language, calendar.language)._replace(value=name)
    yield from (named, Property("X-WR-CALNAME", name))
    described = plain(calendar.description.get(language)) if calendar.description else ""
    text = "\n\n".join(filter(None, (described, told)))
    if text:
        whose = calendar.description or feed.name
        yield text_property("DESCRIPTION", whose, language, calendar.language)._replace(value=text)
        yield Property("X-WR-CALDESC", text)


def manner(calendar: Calendar) -> Iterator[Property]:
    """Zone, rhythm and colour of a feed."""
    yield Property("X-WR-TIMEZONE", calendar.timezone)
    yield Property("REFRESH-INTERVAL", calendar.refresh.iso, "duration", (("VALUE", "DURATION"),))
    yield Property("X-PUBLISHED-TTL", calendar.refresh.iso)
    if calendar.color:
        yield Property("COLOR", calendar.color.lower())
        value = CSS3.get(calendar.color.lower())
        if value:
            yield Property("X-APPLE-CALENDAR-COLOR", value.upper())


def origin(source: str | None, page: str | None) -> Iterator[Property]:
    """Where the feed is fetched from, and where people read it."""
    if source:
        yield uri_property("SOURCE", source)
    if page:
        yield Property("URL", uri(page), "uri")


IDENTITY = (Property("VERSION", "2.0"), Property("PRODID", PRODID), Property("CALSCALE", "GREGORIAN"))
