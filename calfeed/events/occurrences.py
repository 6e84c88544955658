"""Event × span → occurrences, in time order and bounded.

The rule runs on the local wall clock. A time that a change to summer time skips is read with the offset before the
gap, one that happens twice means the first (RFC 5545 §3.3.10, last paragraph, and §3.3.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import chain, islice
from zoneinfo import ZoneInfo

from calfeed.events.bounds import YEARS
from calfeed.events.expansion import END, wall_times
from calfeed.events.model import Event, Moment, Occurrence, instant
from calfeed.events.rules import MAXIMUM, Rule, rule_for

_DAY = timedelta(days=1)
_FIRST, _LAST = datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime(YEARS[1] + 1, 1, 1, tzinfo=UTC)
Begun = tuple[datetime, Occurrence]
"""An occurrence with the instant at which it begins."""
_zone = lru_cache(maxsize=None)(ZoneInfo)


def occurrences(event: Event, since: datetime, until: datetime, *, limit: int = MAXIMUM) -> Iterator[Occurrence]:
    """Those that touch [since, until), cancelled ones too, in time order; no more than ``limit``.

    A date counts as its local day in the event's zone, an item without length as its instant.
    """
    return islice((each for _, each in _touching(event, since, until)), limit)


def all_occurrences(events: Iterable[Event], since: datetime, until: datetime) -> list[Occurrence]:
    """The occurrences of many events that touch [since, until), by start and then by event id."""
    found = [each for event in events for each in islice(_touching(event, since, until), MAXIMUM)]
    return [each for _, each in sorted(found, key=lambda begun: (begun[0], begun[1].event.id))]


def last_end(event: Event) -> datetime | None:
    """An instant after which nothing of the event happens; None when it never ends."""
    starts = [event.start, *event.rdate]
    if event.rrule is not None:
        rule = rule_for(event.rrule, event.start)
        if rule.count is None and rule.until is None:
            return None
        starts += _last_ruled(event)
    ends = [(event, start) for start in starts] + [(each, each.start) for each in event.overrides]
    return max(instant(end_of(each, start), _zone(each.timezone)) for each, start in ends)


def end_of(event: Event, start: Moment) -> Moment:
    """The end of an occurrence that begins at ``start``: as many days, or exactly as long (RFC 5545 §3.8.5.3)."""
    return event.end if start == event.start and event.end is not None else _later(start, length(event))


def length(event: Event) -> timedelta:
    """How long one occurrence is; exact for a timed event, and nothing without an end."""
    if isinstance(event.start, datetime):
        return event.end.astimezone(UTC) - event.start.astimezone(UTC) if isinstance(event.end, datetime) else _DAY * 0
    return _DAY if event.end is None else event.end - event.start


def occurs(event: Event, moment: Moment) -> bool:
    """Whether the start, the rule or an extra date gives ``moment``, exdates and overrides aside."""
    if isinstance(moment, datetime) == event.all_day:
        return False
    wall = _wall(moment, _zone(event.timezone))
    return _key(moment) in {key for key, _ in _given(event, wall - _DAY, wall + _DAY)}


def check_rule(event: Event) -> None:
    """Raises ValueError, with what to do, for a rule or for dates beside it that would not do what they say."""
    if event.rrule is not None:
        _check_expansion(event, rule_for(event.rrule, event.start))
    strays = [f"exdate {moment}" for moment in event.exdate if not occurs(event, moment)]
    ids = (each.recurrence_id for each in event.overrides)
    strays += [f"recurrence_id {moment}" for moment in ids if moment is not None and not occurs(event, moment)]
    if strays:
        raise ValueError(f"{', '.join(strays)}: no occurrence begins then")
    skipped = {_key(moment) for moment in event.exdate}
    if skipped and all(key in skipped for key, _ in _given(event, _wall(_FIRST, _zone(event.timezone)), END)):
        raise ValueError("exdate leaves no occurrence")


def _check_expansion(event: Event, rule: Rule) -> None:
    start = _wall(event.start, _zone(event.timezone))
    if event.all_day and (rule.within_day or rule.byhour or rule.byminute or rule.bysecond):
        raise ValueError("a rule of hours, minutes or seconds needs a start with a time")
    if rule.until is not None and rule.until < event.start:
        raise ValueError(f"UNTIL is before start {event.start}: no occurrence")
    endless = replace(rule, count=None)
    if next(wall_times(endless, start, start, start + _DAY), None) != start:
        raise ValueError(_mismatch(event, next(wall_times(endless, start, start, END), None)))
    year = sum(1 for _ in islice(wall_times(rule, start, start, start + 366 * _DAY), MAXIMUM + 1))
    if year > MAXIMUM:
        raise ValueError(f"more than {MAXIMUM} occurrences in the first year: repeat less often, or set COUNT")


def _mismatch(event: Event, first: datetime | None) -> str:
    if first is None:
        return "the rule gives no occurrence"
    given = first.date() if event.all_day else first
    return (
        f"start {event.start:%a} {event.start} is not a date of the rule, and clients differ on what that means: "
        f"begin at its first one, {given:%a} {given}"
    )


def _touching(event: Event, since: datetime, until: datetime) -> Iterator[Begun]:
    for begin, occurrence in _near(event, since, until):
        if begin >= until:
            return
        end = begin if begin >= since else instant(occurrence.end, _zone(occurrence.event.timezone))
        if end > since or begin >= since:
            yield begin, occurrence


def _near(event: Event, since: datetime, until: datetime) -> Iterator[Begun]:
    """Occurrences in time order, among them all that touch [since, until)."""
    if not event.recurs:
        return iter((_begun(Occurrence(event, event.start, end_of(event, event.start))),))
    zone = _zone(event.timezone)
    low, high = (_wall(min(max(moment, _FIRST), _LAST), zone) for moment in (since, until))
    plain = _plain(event, low - length(event) - _DAY, high + _DAY)
    if not event.overrides:
        return plain
    moved = (Occurrence(each, each.start, end_of(each, each.start), each.recurrence_id) for each in event.overrides)
    return merge(plain, sorted(map(_begun, moved), key=_begin), key=_begin)


def _plain(event: Event, low: datetime, high: datetime) -> Iterator[Begun]:
    """The occurrences that are as the event is."""
    zone, span = _zone(event.timezone), length(event)
    ids = (*event.exdate, *(each.recurrence_id for each in event.overrides))
    skipped = {_key(moment) for moment in ids if moment is not None}
    for key, moment in _given(event, low, high):
        if key not in skipped:
            begin = key if isinstance(key, datetime) else instant(key, zone)
            yield begin, Occurrence(event, moment, _later(moment, span), moment)


def _begun(occurrence: Occurrence) -> Begun:
    return instant(occurrence.start, _zone(occurrence.event.timezone)), occurrence


def _begin(begun: Begun) -> datetime:
    return begun[0]


def _given(event: Event, low: datetime, high: datetime) -> Iterator[tuple[Moment, Moment]]:
    """What start, rule and extra dates give, by key, each once and in order; of the rule what lies in [low, high)."""
    extra = {_key(moment): moment for moment in (event.start, *event.rdate)}
    ruled = (each for each in _ruled(event, low, high) if each[0] not in extra)
    return merge(sorted(extra.items()), ruled) if event.rdate else chain(extra.items(), ruled)


def _ruled(event: Event, low: datetime, high: datetime) -> Iterator[tuple[Moment, Moment]]:
    if event.rrule is None:
        return
    rule, zone = rule_for(event.rrule, event.start), _zone(event.timezone)
    if rule.until is not None:
        high = min(high, _wall(rule.until, zone) + _DAY)
    walls = wall_times(rule, _wall(event.start, zone), low, high)
    for moment in (wall.date() for wall in walls) if event.all_day else _instants(walls, event.start, zone):
        key = _key(moment)
        if rule.until is not None and key > rule.until:
            return
        yield key, moment


def _instants(walls: Iterable[datetime], start: Moment, zone: ZoneInfo) -> Iterator[datetime]:
    """Real times for those of the wall clock, each once, in order: what a gap moved waits for its place."""
    late: list[datetime] = []
    for wall in walls:
        moment = wall.replace(tzinfo=zone)
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            if moment == start and isinstance(start, datetime):
                moment = start  # the publisher chose the reading
            elif _wall(moment.astimezone(UTC), zone) != wall:
                late.append(moment.astimezone(UTC).astimezone(zone))
                continue
        if late:
            yield from (each for each in late if each < moment)
            late = [each for each in late if each > moment]
        yield moment
    yield from late


def _last_ruled(event: Event) -> list[Moment]:
    """The last start that the rule gives, if any: looked for backwards, in spans that double."""
    rule, zone = rule_for(event.rrule or "", event.start), _zone(event.timezone)
    start, span = _wall(event.start, zone), 366 * _DAY
    high = END if rule.until is None else min(END, _wall(rule.until, zone) + _DAY)
    while True:
        low = max(start, high - span)
        found = [moment for _, moment in _ruled(event, low, high)][-1:]
        if found or low == start:
            return found
        span *= 2


def _later(start: Moment, span: timedelta) -> Moment:
    if not isinstance(start, datetime):
        return start + span
    return (start.astimezone(UTC) + span).astimezone(start.tzinfo) if span else start


def _key(moment: Moment) -> Moment:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _wall(moment: Moment, zone: ZoneInfo) -> datetime:
    """The local wall clock of a moment, without zone."""
    if isinstance(moment, datetime):
        return moment.astimezone(zone).replace(tzinfo=None)
    return datetime.combine(moment, time())
