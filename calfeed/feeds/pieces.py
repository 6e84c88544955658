"""The VEVENT octets of each event, kept while event, revision and style are the same, and shared by all feeds."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from calfeed.events.model import Event, Moment, instant
from calfeed.events.occurrences import last_end
from calfeed.events.revision import Revision
from calfeed.feeds.ics import octets
from calfeed.feeds.properties import zone_name
from calfeed.feeds.series import AHEAD, Part, bounded, exhausted
from calfeed.feeds.style import Style
from calfeed.feeds.vevent import component, published

MOST_STYLES = 12
"""Styles whose pieces are kept: a style is a language, an alarm, a way with cancelled events …"""

FAR = 10_000
"""Occurrences of one event for which a time zone rule is proved."""

Stamp = tuple[object, ...]


class Entry(NamedTuple):
    """An event of a feed with its revision.

    ``original`` when nothing was taken from it for these readers: its revision alone then tells its states apart.
    """

    event: Event
    revision: Revision
    original: bool


class Piece(NamedTuple):
    """What one event adds to a feed.

    ``instants`` are those it shows in local time, by TZID: a VTIMEZONE must be right for each. ``ruled`` are the years
    in which an RRULE makes readers compute more of them. ``end`` is None for an endless event. ``single`` says that a
    recurring event is written as its occurrences, ``rolling`` that the choice of these goes on with the months.
    """

    octets: bytes
    vevents: int
    order: tuple[datetime, str]
    end: datetime | None
    instants: Mapping[str, Collection[datetime]]
    ruled: range | None = None
    single: bool = False
    rolling: bool = False


class Written(NamedTuple):
    """An event of a feed, the style it is written in there, and what it adds."""

    entry: Entry
    style: Style
    piece: Piece


Kept = dict[str, Written]


class Pieces:
    """A cache of what was written by style and UID, each good for one state of its event."""

    def __init__(self, by_style: Mapping[Style, Kept] | None = None) -> None:
        self._by_style = dict(by_style or {})
        self._ruled: dict[str, tuple[Stamp, list[datetime]]] = {}

    def of(self, entries: Iterable[Entry], style: Style) -> list[Written]:
        """Events as they are written, those made that are not kept."""
        kept = self._by_style.get(style)
        if kept is None:
            kept = self._by_style[style] = {}
            self._forget()
        return [_written(entry, style, kept) for entry in entries]

    def ruled_instants(self, entry: Entry, horizon: datetime) -> list[datetime]:
        """The starts and ends that an RRULE makes readers compute, as far as anybody looks."""
        stamp, kept = (horizon, *_stamp(entry)), self._ruled.get(entry.event.uid)
        if kept is None or kept[0] != stamp:
            found = (moment for each in bounded(entry.event, horizon, FAR) for moment in (each.start, each.end))
            kept = (stamp, [moment.astimezone(UTC) for moment in found if isinstance(moment, datetime)])
            self._ruled[entry.event.uid] = kept
        return kept[1]

    def inherited(self, uids: Container[str], horizon: datetime) -> Pieces:
        """A copy for the next snapshot: the pieces of what is still published, in styles still in use."""
        styles = [(style, kept) for style, kept in list(self._by_style.items()) if style.horizon == horizon]
        copy = Pieces({style: {uid: kept[uid] for uid in list(kept) if uid in uids} for style, kept in styles})
        copy._ruled = {uid: each for uid, each in list(self._ruled.items()) if uid in uids}
        return copy

    def _forget(self) -> None:
        for style in list(self._by_style)[:-MOST_STYLES]:
            self._by_style.pop(style, None)


def _stamp(entry: Entry) -> Stamp:
    event, revision, original = entry
    return (revision.number, revision.digest, revision.modified, None if original else event)


def _written(entry: Entry, style: Style, kept: Kept) -> Written:
    uid = entry.event.uid
    found = kept.get(uid)
    if found is not None and (found.entry is entry or _stamp(found.entry) == _stamp(entry)):
        return found
    made = kept[uid] = Written(entry, style, make(entry.event, entry.revision, style))
    return made


def make(event: Event, revision: Revision, style: Style) -> Piece:
    """The piece of one event."""
    found, utc = published(event, style)
    written = octets([component(part, revision, style, utc) for part in found])
    order = (_utc(event.start, event), event.uid)
    if not event.recurs:
        ends = _utc(event.end, event) if event.end else order[0]
        return Piece(written, len(found), order, ends, _own_instants(event, utc, order[0], ends))
    instants: dict[str, list[datetime]] = {}
    for part in found:
        _collect(part, utc, instants)
    end = last_end(event)
    if any(part.rrule for part in found):
        years = range(order[0].year - 1, (end or max(style.horizon, order[0] + AHEAD)).year + 2)
        return Piece(written, len(found), order, end, instants, ruled=years)
    single = event.rrule is not None and not exhausted(event)
    return Piece(
        written, len(found), order, end, instants, single=single, rolling=end is None or len(found) >= style.most
    )


def _utc(moment: Moment, event: Event) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else instant(moment, event.zone)


def _own_instants(event: Event, utc: frozenset[str], *instants: datetime) -> Mapping[str, Collection[datetime]]:
    """What `_collect` finds in an event that happens once, whose moments are all of one zone."""
    zone = zone_name(event.start) if isinstance(event.start, datetime) else None
    return {} if zone is None or zone in utc else {zone: instants}


def _collect(part: Part, utc: frozenset[str], into: dict[str, list[datetime]]) -> None:
    """The instants that a part shows, by the TZID they are shown with."""
    shown: list[Moment | None] = [part.event.start, part.event.end]
    if part.recurrence_id is not None or part.exdates:
        shown += (part.recurrence_id, *part.exdates)
    for moment in shown:
        if isinstance(moment, datetime):
            zone = zone_name(moment)
            if zone is not None and zone not in utc:
                into.setdefault(zone, []).append(moment.astimezone(UTC))
