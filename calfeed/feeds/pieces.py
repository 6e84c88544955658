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
from calfeed.feeds.series import Part, bounded
from calfeed.feeds.style import Style
from calfeed.feeds.vevent import component, published

MOST_STYLES = 12
"""Styles whose pieces are kept: a style is a language, an alarm, a way with cancelled events …"""

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

    ``instants`` are those it shows in local time, by TZID: a VTIMEZONE must be right for each. ``end`` is None for an
    endless event. ``ruled`` says that it has an RRULE, ``single`` that it is written as its occurrences instead,
    ``rolling`` that these go on with the style's horizon.
    """

    octets: bytes
    count: int
    order: tuple[datetime, str]
    end: datetime | None
    instants: Mapping[str, Collection[datetime]]
    ruled: bool = False
    single: bool = False
    rolling: bool = False


class Pieces:
    """A cache of pieces by style and UID, each good for one state of its event."""

    def __init__(self, by_style: Mapping[Style, dict[str, tuple[Stamp, Piece]]] | None = None) -> None:
        self._by_style = dict(by_style or {})

    def of(self, entries: Iterable[Entry], style: Style) -> list[Piece]:
        """The pieces of events, those made that are not kept."""
        kept = self._by_style.get(style)
        if kept is None:
            kept = self._by_style[style] = {}
            self._forget()
        return [_piece(entry, style, kept) for entry in entries]

    def inherited(self, uids: Container[str], horizon: datetime) -> Pieces:
        """A copy for the next snapshot: the pieces of what is still published, in styles still in use."""
        styles = [(style, kept) for style, kept in list(self._by_style.items()) if style.horizon == horizon]
        return Pieces({style: {uid: kept[uid] for uid in list(kept) if uid in uids} for style, kept in styles})

    def _forget(self) -> None:
        for style in list(self._by_style)[:-MOST_STYLES]:
            self._by_style.pop(style, None)


def _piece(entry: Entry, style: Style, kept: dict[str, tuple[Stamp, Piece]]) -> Piece:
    event, revision = entry.event, entry.revision
    stamp = (revision.number, revision.digest, revision.modified, None if entry.original else event)
    found = kept.get(event.uid)
    if found is not None and found[0] == stamp:
        return found[1]
    piece = make(event, revision, style)
    kept[event.uid] = (stamp, piece)
    return piece


def make(event: Event, revision: Revision, style: Style) -> Piece:
    """The piece of one event."""
    found, utc = published(event, style)
    written = octets([component(part, revision, style, utc) for part in found])
    instants: dict[str, list[datetime]] = {}
    for part in found:
        _collect(part, style, utc, instants)
    order = (_utc(event.start, event), event.uid)
    if not event.recurs:
        return Piece(written, len(found), order, _utc(event.end or event.start, event), instants)
    end, ruled = last_end(event), any(part.rrule for part in found)
    single = event.rrule is not None and not ruled
    return Piece(written, len(found), order, end, instants, ruled, single, rolling=single and end is None)


def _utc(moment: Moment, event: Event) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else instant(moment, event.zone)


def _collect(part: Part, style: Style, utc: frozenset[str], into: dict[str, list[datetime]]) -> None:
    """The instants that a part shows, or by its rule makes others show, by the TZID they are shown with."""
    event = part.event
    shown: list[Moment | None] = [event.start, event.end]
    if part.recurrence_id is not None or part.exdates:
        shown += (part.recurrence_id, *part.exdates)
    if part.rrule is not None:
        for each in bounded(event, style.horizon):
            shown += (each.start, each.end)
    for moment in shown:
        if isinstance(moment, datetime):
            zone = zone_name(moment)
            if zone is not None and zone not in utc:
                into.setdefault(zone, []).append(moment.astimezone(UTC))
