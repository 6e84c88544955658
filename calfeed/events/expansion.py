"""A recurrence rule × a span of the wall clock → the times in it.

python-dateutil says which days of a year a rule names. What it has no bounds for, or errs on, is here: INTERVAL from
the middle of a rule, BYSETPOS in its first week, the weeks around New Year, the steps within a day.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import isleap
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import groupby, islice
from math import gcd, prod

from calfeed.events.bounds import YEARS
from calfeed.events.rules import MAXIMUM, Rule

END = datetime(YEARS[1] + 1, 1, 1)  # noqa: DTZ001 # of the wall clock
"""No rule is followed past it."""

_DAY = timedelta(days=1)
_LONGEST = {"YEARLY": 371 * _DAY, "MONTHLY": 31 * _DAY, "WEEKLY": 7 * _DAY, "DAILY": _DAY}
"""How long a period of BYSETPOS is at most: a year of weeks has up to 53."""
_RUNNING = {"HOURLY": 1, "MINUTELY": 2, "SECONDLY": 3}
"""Through how many of hour, minute and second the frequency runs; DTSTART has the others."""


def wall_times(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    """The times in [since, before) that the rule gives, in order; all naive and local.

    ``rule`` comes from `rule_for`. COUNT is obeyed, UNTIL is the caller's: it is an instant.
    """
    since, before = max(since, start), min(before, END)
    if since < before and rule.count is not None:
        before = min(before, _last_counted(rule, start) + timedelta(seconds=1))
    return _times_in(rule, start, since, before) if since < before else iter(())


def _times_in(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    for moment in _moments(rule, start, since, before):
        if moment >= before:
            return
        if moment >= since:
            yield moment


@lru_cache(maxsize=4096)
def _last_counted(rule: Rule, start: datetime) -> datetime:
    """The last time that COUNT leaves; something past `END` where that is past it."""
    each, period = _regular(rule)
    rounds, rest = divmod((rule.count or 1) - 1, each or MAXIMUM)
    last = start
    for last in islice(_times_in(rule, start, start, END), rest + 1):  # noqa: B007 # the last one is wanted
        pass
    return last + rounds * period if rounds <= (END - start) // period else END


def _regular(rule: Rule) -> tuple[int, timedelta]:
    """How many times there are from one period to the next, and how far that is; (0, …) where it varies."""
    varies = rule.bymonth or rule.bymonthday or rule.bysetpos or (rule.byday and rule.freq == "DAILY")
    parts = (rule.byday, rule.byhour, rule.byminute, rule.bysecond)
    each = prod(len(part) or 1 for part in parts) if rule.freq in {"WEEKLY", "DAILY"} and not varies else 0
    return each, min(rule.interval, 400_000) * _LONGEST.get(rule.freq, _DAY)


def _moments(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    """The times of the days of [since, before), and perhaps of some around them."""
    if rule.within_day:
        yield from _stepped(rule, start, since, before)
        return
    clocks = _clocks(rule, start)
    if not rule.bysetpos:
        yield from (day + clock for day in _days(rule, start, since, before) for clock in clocks)
        return
    margin = _LONGEST[rule.freq]
    for _, days in groupby(_days(rule, start, since - margin, before + margin), partial(_period, rule)):
        yield from _at_positions(list(days), clocks, rule.bysetpos)


def _at_positions(days: Sequence[datetime], clocks: Sequence[timedelta], places: Iterable[int]) -> Iterator[datetime]:
    size = len(days) * len(clocks)
    for index in sorted({place - 1 if place > 0 else size + place for place in places}):
        if 0 <= index < size:
            day, clock = divmod(index, len(clocks))
            yield days[day] + clocks[clock]


def _stepped(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    """The times of a rule that repeats by hours, minutes or seconds."""
    allowed, rests = _steps(rule, start), _clocks(rule, start)
    unit, in_day, first = _step(rule, start)
    for day in _days(rule, start, since, before) if allowed else ():
        passed = (day.toordinal() - start.toordinal()) * in_day - first
        grid = range(-passed % rule.interval, in_day, rule.interval)
        few, many = (allowed, grid) if len(allowed) < len(grid) else (grid, allowed)
        yield from (day + step * unit + rest for step in few if step in many for rest in rests)


@lru_cache(maxsize=8)
def _steps(rule: Rule, start: datetime) -> Collection[int]:
    """The steps of a day that the parts allow and INTERVAL comes to on some day: none if the rule gives nothing."""
    _, in_day, first = _step(rule, start)
    common = gcd(rule.interval, in_day)
    reached = range(first % common, in_day, common)
    running = _clock(rule, start)[: _RUNNING[rule.freq]]
    steps = _combined((base, given or range(base)) for base, given, _ in running)
    return dict.fromkeys(step for step in steps if step in reached)


def _step(rule: Rule, start: datetime) -> tuple[timedelta, int, int]:
    """How long a step within a day is, how many a day has, and which of its day ``start`` is in."""
    in_day = 24 * 60 ** (_RUNNING[rule.freq] - 1)
    unit = _DAY // in_day
    return unit, in_day, (start - datetime.combine(start, time())) // unit


def _clocks(rule: Rule, start: datetime) -> list[timedelta]:
    """The times of a day, by what has passed of it; or those of a step within it."""
    own = _clock(rule, start)[_RUNNING.get(rule.freq, 0) :]
    return [timedelta(seconds=each) for each in _combined((base, given or (number,)) for base, given, number in own)]


def _clock(rule: Rule, start: datetime) -> tuple[tuple[int, tuple[int, ...], int], ...]:
    return (24, rule.byhour, start.hour), (60, rule.byminute, start.minute), (60, rule.bysecond, start.second)


def _combined(numbers: Iterable[tuple[int, Iterable[int]]]) -> list[int]:
    """What numbers of mixed bases, such as hours and minutes, say together: in order."""
    passed = [0]
    for base, given in numbers:
        passed = [each * base + number for each in passed for number in given]
    return passed


def _days(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    """The days from that of ``since`` to ``before`` that match, in the periods that INTERVAL leaves."""
    named = Rule(
        "MONTHLY" if rule.freq == "MONTHLY" else "YEARLY",
        bymonth=rule.bymonth,
        byyearday=rule.byyearday,
        bymonthday=rule.bymonthday,
        byday=rule.byday,
    )
    interval, home = 1 if rule.within_day else rule.interval, _period(rule, start)
    since = datetime.combine(since, time())
    for year in range(since.year, before.year + 1):
        first = datetime(year, 1, 1)  # noqa: DTZ001 # of the wall clock
        days = _named(named, isleap(year), first.weekday())
        for passed in days[bisect_left(days, since - first) :]:
            day = first + passed
            if day >= before:
                return
            if (interval == 1 or (_period(rule, day) - home) % interval == 0) and _in_weeks(rule, day):
                yield day


@lru_cache(maxsize=4096)
def _named(rule: Rule, leap: bool, weekday: int) -> tuple[timedelta, ...]:  # noqa: FBT001 # a key of the cache
    """The days that the parts name in a year that begins on ``weekday``, by what has passed of it.

    There are no more than fourteen such years. Each is taken from the last there are: where a rule names no day,
    dateutil looks for one as far as the year 9999.
    """
    from dateutil import rrule as dateutil  # a calendar without rules starts without it

    byday = rule.byday
    if len({bool(which) for which, _ in byday}) == 2:  # dateutil takes MO,1TU for what is both, the RFC for either
        ranks = range(1, 6 if rule.freq == "MONTHLY" or rule.bymonth else 54)
        byday = tuple((rank, day) for which, day in byday for rank in ([which] if which else ranks))
    year = next(year for year in range(9999, 0, -1) if (isleap(year), date(year, 1, 1).weekday()) == (leap, weekday))
    first = datetime(year, 1, 1)  # noqa: DTZ001 # of the wall clock
    days = dateutil.rrule(
        dateutil.MONTHLY if rule.freq == "MONTHLY" else dateutil.YEARLY,
        dtstart=first,
        until=datetime(year, 12, 31),  # noqa: DTZ001  # a wall clock
        bymonth=rule.bymonth,  # a part that is given, though it be empty, is not taken from dtstart
        byyearday=rule.byyearday,
        bymonthday=rule.bymonthday,
        byweekday=[dateutil.weekday(day, which or None) for which, day in byday],
    )
    return tuple(day - first for day in days)


def _period(rule: Rule, day: datetime) -> int:
    """The number of the year, month, week or day that INTERVAL and BYSETPOS count."""
    if rule.freq == "YEARLY":
        return _week(rule, day)[0] if rule.byweekno else day.year
    if rule.freq == "MONTHLY":
        return day.year * 12 + day.month
    return (day.toordinal() - 1 - rule.wkst) // 7 if rule.freq == "WEEKLY" else day.toordinal()


def _in_weeks(rule: Rule, day: datetime) -> bool:
    return not rule.byweekno or not {*_week(rule, day)[1:]}.isdisjoint(rule.byweekno)


def _week(rule: Rule, day: datetime) -> tuple[int, int, int]:
    """The year of the day's week and the week's number in it, from both ends: as in ISO 8601, but from WKST on."""
    middle = day + timedelta(days=3 - (day.weekday() - rule.wkst) % 7)
    number, length = middle.timetuple().tm_yday, 365 + isleap(middle.year)
    return middle.year, (number + 6) // 7, -((length - number) // 7 + 1)
