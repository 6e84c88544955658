"""How one event is published: as which VEVENTs, under which UIDs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from calfeed.events.model import Event, Moment, Occurrence, instant, moment_key
from calfeed.events.occurrences import end_of, last_end, occurrences, occurs

MOST = 1000
"""Occurrences of one event that are written one by one."""
AHEAD = timedelta(days=731)
"""How far beyond now, or beyond its start, an endless event is written one by one."""


class Part(NamedTuple):
    """One VEVENT to be: ``event`` has the part's own moments and texts; ``recurrence_id`` marks an override."""

    event: Event
    uid: str
    related: str | None = None
    recurrence_id: Moment | None = None
    rrule: str | None = None
    exdates: tuple[Moment, ...] = ()


def child_uid(uid: str, moment: Moment | None) -> str:
    """The eternal UID of one occurrence that is published as an event of its own."""
    return str(uuid5(uuid5(NAMESPACE_URL, f"calfeed:{uid}"), moment_key(moment)))


def parts(event: Event, *, single: bool, horizon: datetime, most: int = MOST) -> list[Part]:
    """The VEVENTs of an event, the first being the event itself, unless ``exdate`` leaves it no date.

    ``single`` writes a recurring event as its occurrences, an endless one up to ``horizon``. Dates of ``rdate`` become
    events of their own, which every client reads (RDATE is dropped by many).
    """
    if not event.recurs:
        return [Part(event, event.uid, event.parent)]
    if single:
        return [_alone(event, each) for each in bounded(event, horizon, most)]
    own = list(_ruled(event))
    return [*own, *_extra(event, event.uid if own else event.parent)]


def bounded(event: Event, horizon: datetime, most: int = MOST) -> list[Occurrence]:
    """The occurrences of an event, of an endless one those up to ``horizon`` or two years of it; at most ``most``.

    Of too many those around `AHEAD` before ``horizon`` are chosen, a quarter of them before it.
    """
    begin = min(instant(moment, event.zone) for moment in _starts(event))
    until = (last_end(event) or max(horizon, begin + AHEAD)) + timedelta(seconds=1)
    pivot = horizon - AHEAD
    ahead = list(occurrences(event, max(begin, pivot), until, limit=most)) if until > pivot else []
    seen = {each.key for each in ahead}
    behind = [each for each in _before(event, begin, min(pivot, until), most) if each.key not in seen]
    past = min(len(behind), max(most // 4, most - len(ahead)))
    return behind[len(behind) - past :] + ahead[: most - past]


def _before(event: Event, begin: datetime, pivot: datetime, most: int) -> list[Occurrence]:
    """At least the last ``most`` occurrences before ``pivot``, where there are as many."""
    found: list[Occurrence] = []
    for span in _SPANS:
        found = list(occurrences(event, max(begin, pivot - span), pivot, limit=_UNBOUNDED))
        if len(found) >= most or pivot - span < begin:
            break
    return found


_UNBOUNDED = 1_000_000
_SPANS = tuple(timedelta(days=366 * years) for years in (1, 4, 20, 400))
"""Tried in turn, so that an old endless event is not walked from its beginning."""


def _starts(event: Event) -> list[Moment]:
    return [event.start, *event.rdate, *(each.start for each in event.overrides)]


def _alone(event: Event, occurrence: Occurrence) -> Part:
    moved = replace(occurrence.event, start=occurrence.start, end=_end(occurrence))
    return Part(moved, child_uid(event.uid, occurrence.recurrence_id), event.parent)


def _end(occurrence: Occurrence) -> Moment | None:
    """An occurrence always has an end; an instant without one keeps none."""
    without = occurrence.event.end is None and occurrence.end == occurrence.start
    return None if without else occurrence.end


def _ruled(event: Event) -> Iterator[Part]:
    if event.rrule is None:
        yield from _own_start(event)
        return
    if exhausted(event):
        return
    extra = {moment_key(moment) for moment in extra_dates(event)}
    overrides = [each for each in _by_time(event.overrides) if moment_key(each.recurrence_id) not in extra]
    exdates = {moment_key(moment): moment for moment in event.exdate if _given(event, moment)}
    ordered = tuple(moment for _, moment in sorted(exdates.items()))
    yield Part(event, event.uid, event.parent, rrule=event.rrule, exdates=ordered)
    for each in overrides:
        if moment_key(each.recurrence_id) not in exdates:
            yield Part(each, event.uid, event.parent, recurrence_id=each.recurrence_id)


def exhausted(event: Event) -> bool:
    """Whether ``exdate`` names every date of the rule, so that only further dates are left."""
    if event.rrule is None or not event.exdate:
        return False
    ruled = replace(event, rdate=(), overrides=())
    begin = instant(event.start, event.zone)
    return next(occurrences(ruled, begin, _FOREVER), None) is None


_FOREVER = datetime.max.replace(tzinfo=UTC)


def _own_start(event: Event) -> Iterator[Part]:
    """The start of an event that has further dates but no rule."""
    first = moment_key(event.start)
    own = next((each for each in event.overrides if moment_key(each.recurrence_id) == first), event)
    if first not in map(moment_key, event.exdate):
        yield Part(own, event.uid, event.parent)


def _extra(event: Event, related: str | None) -> Iterator[Part]:
    own = {moment_key(each.recurrence_id): each for each in event.overrides}
    for moment in extra_dates(event):
        end = None if event.end is None else end_of(event, moment)
        each = own.get(moment_key(moment)) or replace(event, start=moment, end=end)
        yield Part(each, child_uid(event.uid, moment), related)


def _by_time(overrides: Iterable[Event]) -> list[Event]:
    return sorted(overrides, key=lambda each: moment_key(each.recurrence_id))


def extra_dates(event: Event) -> list[Moment]:
    """The dates of ``rdate`` that neither the rule nor the start gives already, in order of time."""
    found = {moment_key(moment): moment for moment in event.rdate}
    for moment in event.exdate:
        found.pop(moment_key(moment), None)
    return [moment for _, moment in sorted(found.items()) if not _given(event, moment)]


def _given(event: Event, moment: Moment) -> bool:
    """Whether the start or the rule gives the moment, further dates aside."""
    return occurs(replace(event, rdate=()), moment)


def second_readings(event: Event) -> list[datetime]:
    """The second ones of two equal clock times that the event names: a local time means the first (RFC 5545 §3.3.5)."""
    moments = [event.start, event.end, *event.rdate, *event.exdate]
    for one in event.overrides:
        moments += (one.start, one.end, one.recurrence_id)
    return [moment for moment in moments if isinstance(moment, datetime) and moment.fold and _is_second(moment)]


def _is_second(moment: datetime) -> bool:
    return moment.replace(fold=0).utcoffset() != moment.utcoffset()
