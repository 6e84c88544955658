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
from itertools import islice
from zoneinfo import ZoneInfo

from calfeed.events.bounds import YEARS
from calfeed.events.expansion import END, wall_times
from calfeed.events.model import Event, Moment, Occurrence, instant
from calfeed.events.rules import MAXIMUM, Rule, rule_for

_DAY = timedelta(days=1)
_FIRST, _LAST = datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime(YEARS[1] + 1, 1, 1, tzinfo=UTC)
_zone = lru_cache(maxsize=None)(ZoneInfo)


def occurrences(event: Event, since: datetime, until: datetime, *, limit: int = MAXIMUM) -> Iterator[Occurrence]:
    """Those that touch [since, until), cancelled ones too, in time order; no more than ``limit``.

    A date counts as its local day in the event's zone, an item without length as its instant.
    """
    found = (each for each in _near(event, since, until) if _touches(each, since, until))
    return islice(found, limit)


def all_occurrences(events: Iterable[Event], since: datetime, until: datetime) -> list[Occurrence]:
    """The occurrences of many events that touch [since, until), by start and then by event id."""
    found = (each for event in events for each in occurrences(event, since, until))
    return sorted(found, key=lambda each: (_begins(each), each.event.id))


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
    if start == event.start and event.end is not None:
        return event.end
    if not isinstance(start, datetime):
        return start + length(event)
    return (start.astimezone(UTC) + length(event)).astimezone(start.tzinfo)


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
    given = _given(event, wall - _DAY, wall + _DAY)
    return any(_key(each) == _key(moment) for each in given)


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
    if skipped and all(_key(moment) in skipped for moment in _given(event, _wall(_FIRST, _zone(event.timezone)), END)):
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


def _near(event: Event, since: datetime, until: datetime) -> Iterator[Occurrence]:
    """Occurrences in time order, among them all that touch [since, until)."""
    if not event.recurs:
        return iter((Occurrence(event, event.start, end_of(event, event.start)),))
    zone = _zone(event.timezone)
    moved = [Occurrence(each, each.start, end_of(each, each.start), each.recurrence_id) for each in event.overrides]
    skipped = {
        _key(moment) for moment in (*event.exdate, *(each.recurrence_id for each in moved)) if moment is not None
    }
    low, high = (_wall(min(max(moment, _FIRST), _LAST), zone) for moment in (since, until))
    given = _given(event, low - length(event) - _DAY, high + _DAY)
    plain = (Occurrence(event, each, end_of(event, each), each) for each in given if _key(each) not in skipped)
    return merge(plain, sorted(moved, key=_begins), key=_begins)


def _given(event: Event, low: datetime, high: datetime) -> Iterator[Moment]:
    """What start, rule and extra dates give, each once, in order; of the rule what lies in [low, high)."""
    extra = {_key(moment): moment for moment in (event.start, *event.rdate)}
    ruled = (moment for moment in _ruled(event, low, high) if _key(moment) not in extra)
    return merge(ruled, sorted(extra.values(), key=_key), key=_key)


def _ruled(event: Event, low: datetime, high: datetime) -> Iterator[Moment]:
    if event.rrule is None:
        return
    rule, zone = rule_for(event.rrule, event.start), _zone(event.timezone)
    start = _wall(event.start, zone)
    if rule.until is not None:
        high = min(high, _wall(rule.until, zone) + _DAY)
    walls = wall_times(rule, start, low, high)
    for moment in (wall.date() for wall in walls) if event.all_day else _instants(walls, event.start, zone):
        if rule.until is not None and moment > rule.until:
            return
        yield moment


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
        found = list(_ruled(event, low, high))[-1:]
        if found or low == start:
            return found
        span *= 2


def _touches(occurrence: Occurrence, since: datetime, until: datetime) -> bool:
    zone = _zone(occurrence.event.timezone)
    begins, ends = instant(occurrence.start, zone), instant(occurrence.end, zone)
    return begins < until and (ends > since or begins == ends == since)


def _begins(occurrence: Occurrence) -> datetime:
    return instant(occurrence.start, _zone(occurrence.event.timezone))


def _key(moment: Moment) -> Moment:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _wall(moment: Moment, zone: ZoneInfo) -> datetime:
    """The local wall clock of a moment, without zone."""
    if isinstance(moment, datetime):
        return moment.astimezone(zone).replace(tzinfo=None)
    return datetime.combine(moment, time())
